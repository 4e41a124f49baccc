import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { DIALECTS } from '../../src/app.ts';
import type { UserWriter } from '../../src/directory/ports.ts';
import type { JsonObject } from '../../src/directory/user.ts';
import { type BulkWriter, openStore, type Store } from '../../src/store/open.ts';
import { convosoRow, idMaker, loadBy, NOW, numbered, smartfloRow, voisoRow } from './loading.ts';

const dialects = DIALECTS.map((dialect) => dialect.index);

/** Few values for what is unique, so that rows meet. */
const few = fc.integer({ min: 1, max: 7 });
const email = fc.constantFrom('a@x.example', 'B@x.example', 'b@x.example', 'c@x.example', 'd@x.example');
const name = fc.constantFrom('Ann', 'Ben', 'Cem');

const nativeRow: fc.Arbitrary<JsonObject> = fc.record(
  {
    number: few,
    email: fc.option(email, { nil: null }),
    loginId: fc.oneof(email, fc.constantFrom('one', 'two', 'user-3')),
    firstName: name,
    extensions: fc.subarray(['1', '2', '3']),
    teams: fc.subarray(['Sales', 'Care', 'Night']),
    role: fc.constantFrom('Agent', 'Guide'),
    dialectNumbers: fc.record({ voiso: few, convoso: few }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const ROW_OF: Readonly<Record<string, fc.Arbitrary<JsonObject>>> = {
  native: nativeRow,
  convoso: fc
    .tuple(few, email, name)
    .map(([id, to, first_name]) => convosoRow(id, { email: to, first_name })),
  voiso: fc.tuple(few, email, name).map(([id, to, called]) => voisoRow(id, { email: to, name: called })),
  smartflo: fc
    .tuple(few, email, name)
    .map(([id, to, called]) => smartfloRow(id, { login_id: to, name: called })),
};
const load = fc.constantFrom(...Object.keys(ROW_OF)).chain((format) =>
  fc.record({
    format: fc.constant(format),
    rows: fc.array(ROW_OF[format] ?? nativeRow, { maxLength: 12 }),
  }),
);

describe('batches that are worked out while the one before is written', () => {
  let folder = '';
  let store: Store;
  let bulk: BulkWriter;
  let made = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-ahead-'));
    store = await openStore({ data: folder, dialects, now: () => NOW, cacheMiB: 16 });
    bulk = store.openBulkWriter();
  });
  after(async () => {
    await bulk?.close();
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(): Promise<ContactCenter> {
    made += 1;
    return store.access.createContactCenter(`center-${made}`, 'UTC', NOW);
  }

  /** All that loads leave of a contact center. */
  async function look(contactCenter: ContactCenter) {
    const reading = store.writer.reading(contactCenter);
    const people = await store.pages.pageByNumber(contactCenter, 0, 1000);
    const known = await reading.findKnown({
      ids: new Set(),
      numbers: new Set(people.map((user) => user.number)),
      emails: new Set(),
      loginIds: new Set(),
      extensions: new Set(),
      dialectNumbers: new Map(),
    });
    const numbers = new Set(Array.from({ length: 60 }, (_, at) => at + 1));
    const taken: Record<string, number[]> = {};
    for (const { name: dialect } of dialects) {
      taken[dialect] = [...(await reading.takenNumbers(dialect, numbers))].sort((a, b) => a - b);
    }
    const { nextNumber, highest } = await reading.numberState();
    return {
      people,
      given: known.map(({ user, given }) => [user.number, [...given].sort()]),
      taken,
      state: { nextNumber, highest },
      roles: await reading.roles(),
      teams: await reading.teams(),
    };
  }

  for (const [where, writerOf] of [
    ['in this thread', () => store.writer],
    ['in a thread of their own', () => bulk.writer],
  ] as const) {
    it(`come to what batches do that wait for each other, written ${where}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(load, { maxLength: 4 }),
          fc.integer({ min: 1, max: 5 }),
          async (loads, batchSize) => {
            const [waiting, ahead] = [await open(), await open()];
            const [waitingIds, aheadIds] = [idMaker(1), idMaker(1)];
            for (const { format, rows } of loads) {
              const refusals: string[] = [];
              for (let from = 0; from < rows.length; from += batchSize) {
                const part = rows.slice(from, from + batchSize);
                const loaded = await loadBy(store.writer, waiting, format, numbered(part, from), {
                  newId: waitingIds,
                });
                refusals.push(...loaded.refusals);
              }
              const loaded = await loadBy(writerOf(), ahead, format, numbered(rows), {
                newId: aheadIds,
                batchSize,
              });
              assert.deepEqual(loaded.refusals, refusals);
            }
            assert.deepEqual(await look(ahead), await look(waiting));
          },
        ),
        { numRuns: 150 },
      );
    });
  }

  /** A writer before whose chosen transactions somebody else writes. */
  function disturbed(
    writer: UserWriter,
    before: ReadonlySet<number>,
    disturb: () => Promise<unknown>,
  ): UserWriter {
    let transaction = 0;
    return {
      reading: (contactCenter) => writer.reading(contactCenter),
      async write(contactCenter, work) {
        transaction += 1;
        if (before.has(transaction)) await disturb();
        return writer.write(contactCenter, work);
      },
    };
  }

  it('are worked out anew where somebody else has written meanwhile', async () => {
    const rows = Array.from({ length: 12 }, (_, at) => ({ email: `p${at}@x.example`, firstName: `F${at}` }));
    for (const before of [[1], [2], [3], [2, 3], [2, 4], [1, 2, 3, 4, 5, 6]]) {
      const here = await open();
      let came = 0;
      // Somebody who takes the next number and a team's number, and is one whom the file brings later.
      const disturb = async () => {
        came += 1;
        const other = { email: `p${12 - came}@x.example`, lastName: 'Other', teams: [`Team ${came}`] };
        await loadBy(store.writer, here, 'native', numbered([other]), { newId: idMaker(2 + came) });
      };
      const writer = disturbed(bulk.writer, new Set(before), disturb);
      const loaded = await loadBy(writer, here, 'native', numbered(rows), {
        newId: idMaker(1),
        batchSize: 2,
      });
      const { people, taken } = await look(here);
      assert.deepEqual(loaded.refusals, [], String(before));
      assert.deepEqual([loaded.made + came, loaded.changed], [12, came], String(before));
      assert.deepEqual(people.map((user) => user.email).sort(), rows.map((row) => row.email).sort());
      assert.ok(people.every((user) => user.firstName !== ''));
      assert.equal(people.filter((user) => user.lastName === 'Other').length, came);
      assert.deepEqual(
        taken.voiso,
        people.map((user) => user.number),
      );
    }
  });

  it('are worked out anew behind one that was, though the revision be the one that was meant', async () => {
    const here = await open();
    const rows = [
      { email: 'a@x.example' },
      { email: 'b@x.example' },
      // By then another load has brought both, in one transaction and the other way about.
      { email: 'c@x.example' },
      { email: 'd@x.example' },
      { number: 3, firstName: 'Third' },
      { number: 4, firstName: 'Fourth' },
    ];
    const disturb = () =>
      loadBy(store.writer, here, 'native', numbered([{ email: 'd@x.example' }, { email: 'c@x.example' }]), {
        newId: idMaker(2),
      });
    const writer = disturbed(bulk.writer, new Set([2]), disturb);
    await loadBy(writer, here, 'native', numbered(rows), { newId: idMaker(1), batchSize: 2 });
    const { people } = await look(here);
    assert.deepEqual(
      people.map(({ email, firstName }) => [email, firstName]),
      [
        ['a@x.example', ''],
        ['b@x.example', ''],
        ['d@x.example', 'Third'],
        ['c@x.example', 'Fourth'],
      ],
    );
  });

  it('end with the first that cannot be written: nothing behind it is kept', async () => {
    const here = await open();
    const rows = Array.from({ length: 10 }, (_, at) => ({ email: `p${at}@x.example` }));
    const writer = disturbed(bulk.writer, new Set([3]), () => Promise.reject(new Error('no disk')));
    await assert.rejects(
      loadBy(writer, here, 'native', numbered(rows), { newId: idMaker(1), batchSize: 2 }),
      /no disk/,
    );
    const { people } = await look(here);
    assert.deepEqual(
      people.map((user) => user.email),
      rows.slice(0, 4).map((row) => row.email),
    );
  });
});
