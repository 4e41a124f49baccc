import { demoPerson } from '../src/directory/demo.ts';
import type { LoadRequest } from './load.ts';

/** One kind of request, and what it has to reach. */
export interface Scenario {
  readonly name: string;
  /** At least this share of the bare server's requests per second, at 100,000 users. */
  readonly leastRatio: number | null;
  /** Whether its p50 must stay within 1.3 times when users grow from 100,000 to 1,000,000. */
  readonly isKeyed: boolean;
  /**
   * The questions, in the order in which they are asked over and over. The server keeps 16 MB of answers
   * while nothing is written. "In turn": as many as fit, as from integrations that ask the same again and
   * again. Without that there are more, so that every question is answered from the store.
   */
  readonly requests: (users: number, token: string) => LoadRequest[];
}

const VARIETY = 50_000;
/** Questions of those who ask the same again and again. */
const FEW = 2000;
/** The first of the users that may not log in to the web, and how far they are apart. */
const RARE_FIRST = 7;
const RARE_STEP = 20_000;

const range = (length: number) => Array.from({ length }, (_, at) => at);
/** Numbers all over the directory, in no order: the step is a prime. */
const spread = (users: number, variety = VARIETY) =>
  range(variety).map((at) => 1 + ((at * 7919 + 17) % (users - 100)));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const lastName = (at: number) => String(demoPerson(at + 1).lastName);

const search = (token: string, user: string, offset = 0): LoadRequest => ({
  method: 'GET',
  path: `/v1/users/search?auth_token=${token}&user=${encodeURIComponent(user)}${offset === 0 ? '' : `&offset=${offset}`}`,
});
const community = (token: string, offset: number): LoadRequest => ({
  method: 'POST',
  path: '/v1/users/search',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: `auth_token=${token}&offset=${offset}`,
});
const smartflo = (token: string, query: string): LoadRequest => ({
  method: 'GET',
  path: `/v1/users?${query}`,
  headers: bearer(token),
});

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'Convoso by email, of 2,000 users in turn',
    leastRatio: 0.3,
    isKeyed: true,
    requests: (users, token) =>
      spread(users, FEW).map((number) => search(token, String(demoPerson(number).email))),
  },
  {
    name: 'Convoso by email',
    leastRatio: 0.3,
    isKeyed: true,
    requests: (users, token) =>
      spread(users).map((number) => search(token, String(demoPerson(number).email))),
  },
  {
    name: 'Convoso by a last name of 1 %, 20 with total',
    leastRatio: 0.18,
    isKeyed: true,
    // The first pages of each name: there are but 100 names, and few enough rows are passed over to not matter.
    requests: (_, token) =>
      range(4000).map((at) => search(token, lastName(at % 100), 1 + Math.floor(at / 100))),
  },
  {
    name: 'Convoso by a last name of 1 %, of 100 names in turn',
    leastRatio: 0.18,
    isKeyed: false,
    requests: (_, token) => range(100).map((at) => search(token, lastName(at))),
  },
  {
    name: 'Smartflo 20 at a random cursor, of 2,000 in turn',
    leastRatio: 0.18,
    isKeyed: true,
    requests: (users, token) => spread(users, FEW).map((number) => smartflo(token, `last_seen_id=${number}`)),
  },
  {
    name: 'Smartflo 20 at a random cursor',
    leastRatio: 0.18,
    isKeyed: true,
    requests: (users, token) => spread(users).map((number) => smartflo(token, `last_seen_id=${number}`)),
  },
  {
    name: 'Smartflo by a flag of one in 20,000, limit 4',
    leastRatio: null,
    isKeyed: true,
    // The same four users in a directory of any size: these cursors lie between the first and the second.
    requests: (_, token) =>
      range(RARE_STEP).map((at) =>
        smartflo(token, `is_web_login=false&limit=4&last_seen_id=${RARE_FIRST + ((at * 7919) % RARE_STEP)}`),
      ),
  },
  {
    name: 'Smartflo by a flag of one in 20,000, limit 20',
    leastRatio: null,
    isKeyed: false,
    // At 100,000 users no more than five have it.
    requests: (_, token) =>
      range(RARE_STEP).map((at) =>
        smartflo(token, `is_web_login=false&last_seen_id=${RARE_FIRST + ((at * 7919) % RARE_STEP)}`),
      ),
  },
  {
    name: 'Voiso by extension',
    leastRatio: null,
    isKeyed: true,
    requests: (users, token) =>
      spread(users).flatMap((number): LoadRequest[] => {
        const [extension] = demoPerson(number).extensions as string[];
        if (extension === undefined) return [];
        const path = `/user_management/v1/users?extension=${extension}`;
        return [{ method: 'GET', path, headers: bearer(token) }];
      }),
  },
  {
    name: 'Convoso community at offset 0, in turn',
    leastRatio: 0.18,
    isKeyed: false,
    requests: (_, token) => [community(token, 0)],
  },
  {
    name: 'Convoso community at offset 1 to 9,999',
    leastRatio: 0.18,
    isKeyed: false,
    requests: (_, token) => range(9999).map((at) => community(token, 1 + ((at * 7919) % 9999))),
  },
  {
    name: 'Convoso community at 80 to 99 %',
    leastRatio: null,
    isKeyed: false,
    requests: (users, token) =>
      range(19_000).map((at) => community(token, Math.floor(users * (0.8 + (0.19 * at) / 19_000)))),
  },
];
