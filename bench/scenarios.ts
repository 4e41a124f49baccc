import { demoPerson } from '../src/directory/demo.ts';
import type { LoadRequest } from './load.ts';

/** One kind of request, and what it has to reach. */
export interface Scenario {
  readonly name: string;
  /** At least this share of the bare server's requests per second, at 100,000 users. */
  readonly leastRatio: number | null;
  /** Whether its p50 must stay within 1.3 times when users grow from 100,000 to 1,000,000. */
  readonly isKeyed: boolean;
  readonly requests: (users: number, token: string) => LoadRequest[];
}

/**
 * Different requests that a round cycles through: more than the server keeps answers to, so that each is
 * answered from the store. The scenarios that ask the same again say so.
 */
const VARIETY = 50_000;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const spread = (users: number) =>
  Array.from({ length: VARIETY }, (_, at) => 1 + ((at * 7919 + 17) % (users - 100)));
const search = (token: string, user: string): LoadRequest => ({
  method: 'GET',
  path: `/v1/users/search?auth_token=${token}&user=${encodeURIComponent(user)}`,
});
const community = (token: string, offset: number): LoadRequest => ({
  method: 'POST',
  path: '/v1/users/search',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: `auth_token=${token}&offset=${offset}`,
});

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'Convoso by email',
    leastRatio: 0.3,
    isKeyed: true,
    requests: (users, token) =>
      spread(users).map((number) => search(token, String(demoPerson(number).email))),
  },
  {
    name: 'Convoso by a last name of 1 %, 20 with total, asked again',
    leastRatio: 0.18,
    isKeyed: true,
    requests: (_, token) =>
      Array.from({ length: 100 }, (_, at) => search(token, String(demoPerson(at + 1).lastName))),
  },
  {
    name: 'Convoso by a last name of 1 %, 20 with total, any page',
    leastRatio: 0.18,
    isKeyed: false,
    requests: (_, token) =>
      Array.from({ length: 100 * 45 }, (_, at) => {
        const request = search(token, String(demoPerson((at % 100) + 1).lastName));
        return { ...request, path: `${request.path}&offset=${20 * Math.floor(at / 100)}` };
      }),
  },
  {
    name: 'Smartflo 20 at a random cursor',
    leastRatio: 0.18,
    isKeyed: true,
    requests: (users, token) =>
      spread(users).map((number) => ({
        method: 'GET',
        path: `/v1/users?last_seen_id=${number}`,
        headers: bearer(token),
      })),
  },
  {
    name: 'Smartflo by a flag of one in 20,000, random cursor',
    leastRatio: null,
    isKeyed: true,
    requests: (users, token) =>
      spread(users).map((number) => ({
        method: 'GET',
        path: `/v1/users?is_web_login=false&last_seen_id=${number}`,
        headers: bearer(token),
      })),
  },
  {
    name: 'Voiso by extension',
    leastRatio: null,
    isKeyed: true,
    requests: (users, token) =>
      spread(users).map((number) => ({
        method: 'GET',
        path: `/user_management/v1/users?extension=${100_000 + number}`,
        headers: bearer(token),
      })),
  },
  {
    name: 'Convoso community at offset 0, asked again',
    leastRatio: 0.18,
    isKeyed: false,
    requests: (_, token) => [community(token, 0)],
  },
  {
    name: 'Convoso community at about 90 %',
    leastRatio: null,
    isKeyed: false,
    requests: (users, token) =>
      Array.from({ length: 5000 }, (_, at) => community(token, Math.floor(users * 0.9) - at)),
  },
];
