import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ContactCenter } from '../access/contact-center.ts';
import type { UserPages } from '../directory/ports.ts';
import type { PageQuery, UserField } from '../directory/query.ts';
import { EncodedUsers, type Encoding } from './encoded-users.ts';

const contactCenter = (id: number): ContactCenter => ({
  id,
  name: `center-${id}`,
  timezone: 'UTC',
  settings: {},
  history: 'first 0',
  revision: 0,
  recordingsRevision: 0,
});

interface Row {
  readonly dialectNumber: number;
  readonly firstName: string;
  readonly version: number;
}

/** Pages of a list in memory, which notes what it was asked for. */
function createPages(rows: Row[]) {
  const asked: string[] = [];
  const page = async (_: ContactCenter, query: PageQuery<UserField>) => {
    const { match, after = 0, limit, fields } = query;
    asked.push(`${match.kind} ${fields.join()}`);
    const found = rows.filter(
      ({ dialectNumber }) =>
        dialectNumber > after && (match.kind !== 'numbered' || match.numbers.includes(dialectNumber)),
    );
    const users = found.slice(0, limit).map((row) => {
      const shown: Record<string, unknown> = { dialectNumber: row.dialectNumber };
      for (const field of fields) shown[field] = row[field as 'version'];
      return shown;
    });
    return { users, hasMore: found.length > limit, total: null };
  };
  return { pages: { page } as unknown as UserPages, asked };
}

const named = (name: string): Encoding<'firstName'> => ({
  name,
  fields: ['firstName'],
  encode: ({ dialectNumber, firstName }) => `${name} ${dialectNumber} ${firstName}`,
});

const everyone = (after: number, limit: number) =>
  ({ dialect: 'convoso', match: { kind: 'everyone' }, after, limit, count: 'none' }) as const;

describe('encoded users', () => {
  it('are what their rows say now, whoever changed between the pages', async () => {
    const step = fc.record({
      change: fc.option(fc.nat(29)),
      after: fc.nat(30),
      limit: fc.integer({ min: 1, max: 12 }),
      name: fc.constantFrom('official', 'community'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const rows: Row[] = Array.from({ length: 30 }, (_, at) => ({
          dialectNumber: at + 1,
          firstName: `n${at}`,
          version: 1,
        }));
        const encoded = new EncodedUsers(createPages(rows).pages);
        for (const { change, after, limit, name } of steps) {
          const old = change === null ? undefined : rows[change];
          if (change !== null && old !== undefined) {
            rows[change] = { ...old, firstName: `${old.firstName}x`, version: old.version + 1 };
          }
          const { users, hasMore } = await encoded.page(
            contactCenter(1),
            everyone(after, limit),
            named(name),
          );
          const wanted = rows.filter(({ dialectNumber }) => dialectNumber > after);
          assert.deepEqual(
            users,
            wanted.slice(0, limit).map(({ dialectNumber, firstName }) => ({
              number: dialectNumber,
              text: `${name} ${dialectNumber} ${firstName}`,
            })),
          );
          assert.equal(hasMore, wanted.length > limit);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are looked for in the index alone once most are found there, and only who is missing is read', async () => {
    const rows = Array.from({ length: 40 }, (_, at) => ({
      dialectNumber: at + 1,
      firstName: 'a',
      version: 1,
    }));
    const { pages, asked } = createPages(rows);
    const encoded = new EncodedUsers(pages);
    for (let round = 0; round < 20; round += 1) {
      await encoded.page(contactCenter(1), everyone(0, 20), named('official'));
    }
    assert.equal(asked[0], 'everyone firstName,version');
    assert.equal(asked.at(-1), 'everyone version');
    rows[4] = { dialectNumber: 5, firstName: 'b', version: 2 };
    const { users } = await encoded.page(contactCenter(1), everyone(0, 20), named('official'));
    assert.equal(users[4]?.text, 'official 5 b');
    assert.deepEqual(asked.slice(-2), ['everyone version', 'numbered firstName,version']);
  });

  it('of one contact center are never those of another', async () => {
    const encoded = new EncodedUsers(createPages([{ dialectNumber: 1, firstName: 'a', version: 1 }]).pages);
    await encoded.page(contactCenter(1), everyone(0, 1), named('official'));
    const other = { ...named('official'), encode: () => 'other' };
    const { users } = await encoded.page(contactCenter(2), everyone(0, 1), other);
    assert.deepEqual(users, [{ number: 1, text: 'other' }]);
  });

  it('are kept of so many contact centers, and made anew for others', async () => {
    let made = 0;
    const { pages } = createPages([{ dialectNumber: 1, firstName: 'a', version: 1 }]);
    const encoded = new EncodedUsers(pages, 2);
    const textOf = async (id: number) => {
      const encode = () => {
        made += 1;
        return `of ${id}`;
      };
      return (await encoded.page(contactCenter(id), everyone(0, 1), { ...named('official'), encode }))
        .users[0]?.text;
    };
    for (const id of [1, 2, 2, 3, 3, 1, 2, 3]) assert.equal(await textOf(id), `of ${id}`);
    assert.equal(made, 6);
  });
});
