import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createToken } from '../../src/access/tokens.ts';
import { SURROUNDINGS } from '../../src/app.ts';
import { type AppUnderTest, loadRows } from '../app-under-test.ts';

/** A request of each vendor. */
export const REQUESTS: readonly (readonly [vendor: string, path: string])[] = [
  ['convoso', '/v1/users/search?user=person3@faults.example'],
  ['voiso', '/user_management/v1/users?limit=5'],
  ['smartflo', '/v1/users?limit=5'],
];
/** Bounds in milliseconds, twice what is to be reached: two seconds to be told, five until all is well. */
export const TOLD_WITHIN = 4000;
const WELL_WITHIN = 10_000;

export interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string;
  readonly milliseconds: number;
}

/** A server with twenty users, asked as the vendors' clients ask. */
export class VendorRequests {
  readonly #address: string;
  readonly #token: string;

  private constructor(address: string, token: string) {
    this.#address = address;
    this.#token = token;
  }

  static async begin({ app }: AppUnderTest): Promise<VendorRequests> {
    const contactCenter = await app.store.access.createContactCenter('north', 'UTC', 0);
    const rows = Array.from({ length: 20 }, (_, at) => ({
      email: `person${at}@faults.example`,
      firstName: 'A',
    }));
    await loadRows(app, contactCenter, rows);
    const about = {
      contactCenter,
      label: 'test',
      scopes: ['users:read'],
      dialects: null,
      expiresIn: null,
    } as const;
    const { secret } = await createToken(app.store.access, SURROUNDINGS, about);
    return new VendorRequests(await app.server.listen({ host: '127.0.0.1', port: 0 }), secret);
  }

  async ask(path: string): Promise<Answered> {
    const start = performance.now();
    const answer = await fetch(this.#address + path, { headers: { authorization: `Bearer ${this.#token}` } });
    const body = await answer.text();
    const retryAfter = answer.headers.get('retry-after');
    return { status: answer.status, retryAfter, body, milliseconds: performance.now() - start };
  }

  askAll = (): Promise<Answered[]> => Promise.all(REQUESTS.map(([, path]) => this.ask(path)));

  /** Asks until all is well; gives what was answered until then. */
  async untilWell(): Promise<Answered[]> {
    const seen: Answered[] = [];
    const end = performance.now() + WELL_WITHIN;
    for (;;) {
      const answers = await this.askAll();
      if (answers.every(({ status }) => status === 200)) return seen;
      seen.push(...answers);
      assert.ok(performance.now() < end, 'it is not well again');
      await sleep(50);
    }
  }

  /** Keeps asking, a few at a time, until it is told to stop; gives what was answered. */
  keepAsking(): () => Promise<Answered[]> {
    const seen: Answered[] = [];
    let isOver = false;
    const load = Promise.all(
      Array.from({ length: 4 }, async (_, at) => {
        for (let turn = at; !isOver; turn += 1) {
          seen.push(await this.ask(REQUESTS[turn % REQUESTS.length]?.[1] ?? ''));
        }
      }),
    );
    return async () => {
      isOver = true;
      await load;
      return seen;
    };
  }
}

/** Checks that each vendor was told that it is the server that is away, in its own form, and nothing else. */
export function assertAllAway(answers: readonly Answered[]): void {
  for (const [at, answer] of answers.entries()) {
    assert.equal(answer.status, 503, `${REQUESTS[at]?.[0]}: ${answer.body}`);
    assert.match(String(answer.retryAfter), /^[1-9]$/);
    assert.doesNotMatch(answer.body, /127\.0\.0\.1|password|ECONN/);
  }
  assert.equal(new Set(answers.map(({ body }) => body)).size, answers.length, 'each in its own form');
}
