import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import type { UserChange } from '../../src/directory/ports.ts';
import type { Filter, Match } from '../../src/directory/query.ts';
import type { User } from '../../src/directory/user.ts';
import {
  ALL,
  addUsers,
  changeUser,
  findByNumber,
  idOf,
  insertUsers,
  NO_KEYS,
  person,
  ROLES,
} from './people.ts';
import { type EngineUnderTest, useStore } from './store-contract.ts';

/** What a user may be, all of it at once. */
const FULL: Partial<User> = {
  email: 'Zoë@Example.com',
  loginId: 'zoë',
  firstName: 'Zoë',
  lastName: 'Ünal "quoted"',
  displayName: '<b>Zoë</b>',
  status: 'suspended',
  level: 'manager',
  role: ROLES[2],
  queueOverride: 'N',
  allowQueueSelection: false,
  allowCallbacks: false,
  allowTransfers: false,
  callbackTypes: ['personal'],
  defaultBlended: true,
  allowBlendedCampaign: false,
  notifications: true,
  alterCustomerData: true,
  timezone: 'Asia/Kolkata',
  connectionType: 'desk_phone',
  extensions: ['007', '123456789012345'],
  createdAt: 1_479_408_861_123,
  lastLoginAt: -1,
  sipAccount: 'Zoë@sip',
  callerIdGroup: 'EU',
  webrtcRingtone: 'bell.mp3',
  teams: [
    { number: 4, name: 'Sales' },
    { number: 2, name: 'Nacht' },
  ],
  supervisedTeams: [{ number: 2, name: 'Nacht' }],
  skills: [{ name: 'Claims', value: 10 }],
  channels: [
    { type: 'WhatsApp', name: 'one', value: '905551112233' },
    { type: 'Chat', name: '', value: null },
  ],
  queues: ['Front, desk', 'Back'],
  employeeId: '0042',
  agent: { id: '0506', name: 'Zoë', status: 'busy', followMeNumber: '+905551112233' },
  loginBasedCalling: true,
  internationalCalling: true,
  webLogin: false,
  extra: { alpha: { odd: [1, null, { deep: 'ü' }] } },
};

/** What a transaction keeps, refuses and drops. */
export function describeWrites(engine: EngineUnderTest): void {
  describe('writes', () => {
    const opened = useStore(engine);
    const everyone = (contactCenter: ContactCenter) =>
      opened.store.pages.pageByNumber(contactCenter, 0, 1000);

    it('gives back every field as it was written', async () => {
      const contactCenter = await opened.contactCenter();
      const users = [person(1, FULL), person(2)];
      await addUsers(opened.store, contactCenter, users);
      assert.deepEqual(await everyone(contactCenter), users);
      await changeUser(opened.store, contactCenter, 2, (user) => ({
        ...user,
        ...FULL,
        email: 'other@example.com',
        loginId: 'other',
        extensions: ['8'],
        version: 2,
      }));
      await changeUser(opened.store, contactCenter, 1, (user) => ({
        ...person(1),
        dialectNumbers: user.dialectNumbers,
        version: 2,
      }));
      const [one, two] = await everyone(contactCenter);
      assert.deepEqual(one, { ...person(1), version: 2 });
      assert.deepEqual(two, {
        ...person(2, { ...FULL, email: 'other@example.com', loginId: 'other', extensions: ['8'] }),
        version: 2,
      });
    });

    it('keeps and finds texts as long as they may be, which no index would take', async () => {
      const contactCenter = await opened.contactCenter();
      // Not the same few letters again, which an index would pack.
      const long = (seed: number, length = 1000) =>
        Array.from({ length }, (_, at) =>
          String.fromCharCode(0x4e00 + ((seed * 131 + at * at * 7919) % 20_000)),
        ).join('');
      const texts = (seed: number): Partial<User> => ({
        email: long(seed),
        loginId: long(seed + 1),
        firstName: long(seed + 2),
        lastName: long(seed + 3),
        displayName: long(seed + 4),
        sipAccount: long(seed + 5),
        callerIdGroup: long(seed + 6),
      });
      const longest = person(1, {
        ...texts(1),
        role: { number: 9, name: long(8) },
        teams: [{ number: 9, name: long(9) }],
      });
      // Another who is the same but for the last letters.
      const like = person(2, {
        ...longest,
        id: idOf(2),
        number: 2,
        email: `${long(1, 999)}x`,
        loginId: 'like',
        dialectNumbers: person(2).dialectNumbers,
      });
      await addUsers(opened.store, contactCenter, [longest, like]);
      assert.deepEqual(await everyone(contactCenter), [longest, like]);
      const numbers = async (dialect: string, match: Match) => {
        const page = await opened.store.pages.page(contactCenter, {
          dialect,
          match,
          limit: 5,
          count: 'none',
          fields: ['number'],
        });
        return page.users.map((user) => user.number);
      };
      const { email, firstName, lastName, displayName, sipAccount, callerIdGroup } = longest;
      const anyOf = (...all: (string | null)[]): Match => ({ kind: 'any-of', texts: all.map(String) });
      assert.deepEqual(await numbers('alpha', anyOf(email)), [1]);
      assert.deepEqual(await numbers('alpha', anyOf(email, like.email)), [1, 2]);
      assert.deepEqual(await numbers('alpha', anyOf(lastName)), [1, 2]);
      assert.deepEqual(await numbers('alpha', anyOf(`${firstName} ${lastName}`)), [1, 2]);
      assert.deepEqual(await numbers('alpha', anyOf(lastName.slice(1))), []);
      const filtered = (filters: Partial<Record<Filter, string>>): Match => ({ kind: 'filtered', filters });
      assert.deepEqual(await numbers('beta', filtered({ email: String(email) })), [1]);
      assert.deepEqual(
        await numbers('beta', filtered({ name: String(displayName), sipAccount: String(sipAccount) })),
        [1, 2],
      );
      assert.deepEqual(
        await numbers('beta', filtered({ role: long(8), callerIdGroup: String(callerIdGroup) })),
        [1, 2],
      );
      assert.deepEqual(await numbers('beta', filtered({ role: long(8, 999) })), []);
      assert.equal(await opened.store.pages.findNumber(contactCenter, longest.loginId), 1);
      const changed = { ...texts(40), version: 2 };
      await changeUser(opened.store, contactCenter, 1, (user) => ({ ...user, ...changed }));
      assert.deepEqual(await numbers('alpha', anyOf(lastName)), [2]);
      assert.deepEqual(await numbers('alpha', anyOf(String(changed.email))), [1]);
    });

    it('finds known users by every key, and nobody of another contact center', async () => {
      const contactCenter = await opened.contactCenter();
      const other = await opened.contactCenter();
      await addUsers(opened.store, contactCenter, [person(1, FULL), person(2)]);
      await addUsers(opened.store, other, [person(1, { ...FULL, id: idOf(77) }), person(3)]);
      const find = (keys: object) =>
        opened.store.writer.write(contactCenter, async (writing) =>
          (await writing.findKnown({ ...NO_KEYS, ...keys })).map(({ user }) => user.id),
        );
      for (const keys of [
        { ids: new Set([idOf(1)]) },
        { numbers: new Set([1]) },
        { emails: new Set(['zoë@example.com']) },
        { loginIds: new Set(['zoë']) },
        { extensions: new Set(['007']) },
        { dialectNumbers: new Map([['beta', new Set([1])]]) },
        { numbers: new Set([1]), emails: new Set(['zoë@example.com']), extensions: new Set(['007', '8']) },
      ]) {
        assert.deepEqual(await find(keys), [idOf(1)]);
      }
      for (const keys of [
        {},
        { ids: new Set([idOf(77)]) },
        { numbers: new Set([3]) },
        { emails: new Set(['Zoë@Example.com']) },
        { loginIds: new Set(['zo']) },
        { extensions: new Set(['7']) },
        { dialectNumbers: new Map([['omega', new Set([1])]]) },
      ]) {
        assert.deepEqual(await find(keys), []);
      }
      const many = new Set(Array.from({ length: 3000 }, (_, at) => at + 1));
      assert.equal((await find({ numbers: many })).length, 2);
    });

    for (const [what, clash] of [
      ['email', { email: 'ZOË@example.com' }],
      ['login id', { loginId: 'ZOË' }],
      ['extension', { extensions: ['9', '007'] }],
      ['id', { id: idOf(1) }],
      ['number', { number: 1 }],
      ['dialect number', { dialectNumbers: { alpha: 2, beta: 1, gamma: 2 } }],
    ] as const) {
      it(`keeps no part of a batch in which an ${what} is taken`, async () => {
        const contactCenter = await opened.contactCenter();
        await addUsers(opened.store, contactCenter, [person(1, FULL)]);
        const revision = (await opened.again(contactCenter)).revision;
        await assert.rejects(
          addUsers(opened.store, contactCenter, [
            person(3),
            person(2, { role: { number: 9, name: 'New' }, ...clash }),
          ]),
        );
        assert.deepEqual(await everyone(contactCenter), [person(1, FULL)]);
        assert.equal((await opened.again(contactCenter)).revision, revision);
        // What the failed batch would have taken is free, in every table.
        await addUsers(opened.store, contactCenter, [
          person(3, { extensions: ['9'], role: { number: 9, name: 'New' } }),
        ]);
        assert.equal(await opened.store.pages.count(contactCenter), 2);
        // The same values are free in another contact center.
        await addUsers(opened.store, await opened.contactCenter(), [person(1, FULL)]);
      });
    }

    it('drops everything when the work fails after its writes', async () => {
      const contactCenter = await opened.contactCenter();
      const before = await opened.store.importTotals();
      await assert.rejects(
        opened.store.writer.write(contactCenter, async (writing) => {
          await insertUsers(writing, [person(1, FULL)]);
          await writing.countImported({ made: 1, changed: 0, unchanged: 0, refused: 0 });
          assert.equal((await findByNumber(writing, 1)).user.email, 'Zoë@Example.com');
          // Nobody else sees it yet.
          assert.deepEqual(await everyone(contactCenter), []);
          throw new Error('changed my mind');
        }),
        /changed my mind/,
      );
      assert.deepEqual(await everyone(contactCenter), []);
      assert.deepEqual(await opened.store.importTotals(), before);
      await opened.store.writer.write(contactCenter, async (writing) => {
        assert.deepEqual(await writing.roles(), []);
        assert.deepEqual(await writing.teams(), []);
        assert.equal((await writing.numberState()).nextNumber, 1);
        assert.deepEqual(await writing.takenNumbers('alpha', new Set([1])), new Set());
      });
    });

    it('runs transactions one after the other', async () => {
      const contactCenter = await opened.contactCenter();
      await Promise.all(
        Array.from({ length: 20 }, () =>
          opened.store.writer.write(contactCenter, async (writing) => {
            const { nextNumber } = await writing.numberState();
            await new Promise(setImmediate);
            await insertUsers(writing, [person(nextNumber)]);
          }),
        ),
      );
      assert.deepEqual(
        (await everyone(contactCenter)).map((user) => user.number),
        Array.from({ length: 20 }, (_, at) => at + 1),
      );
    });

    it('lets users swap what is unique within one batch', async () => {
      const contactCenter = await opened.contactCenter();
      await addUsers(opened.store, contactCenter, [
        person(1, { email: 'a@x', loginId: 'a', extensions: ['1', '2'] }),
        person(2, { email: 'b@x', loginId: 'b', extensions: ['3'] }),
      ]);
      await opened.store.writer.write(contactCenter, async (writing) => {
        const [one, two] = [await findByNumber(writing, 1), await findByNumber(writing, 2)];
        const taking = (mine: typeof one, theirs: typeof one): UserChange => ({
          before: mine,
          after: {
            user: {
              ...mine.user,
              email: theirs.user.email,
              loginId: theirs.user.loginId,
              extensions: theirs.user.extensions,
              dialectNumbers: theirs.user.dialectNumbers,
              version: 2,
            },
            given: new Set(['alpha']),
          },
        });
        await writing.write([taking(one, two), taking(two, one)], await writing.numberState());
      });
      const [one, two] = await everyone(contactCenter);
      assert.deepEqual(one, {
        ...person(1, { email: 'b@x', loginId: 'b', extensions: ['3'], version: 2 }),
        dialectNumbers: person(2).dialectNumbers,
      });
      assert.deepEqual(two, {
        ...person(2, { email: 'a@x', loginId: 'a', extensions: ['1', '2'], version: 2 }),
        dialectNumbers: person(1).dialectNumbers,
      });
      // Nothing is left over that would make the next batch fail or a search find the wrong one.
      for (const { name } of ALL) {
        const { users } = await opened.store.pages.page(contactCenter, {
          dialect: name,
          match: { kind: 'everyone' },
          limit: 9,
          count: 'none',
          fields: ['number'],
        });
        assert.deepEqual(users, [
          { dialectNumber: 1, number: 2 },
          { dialectNumber: 2, number: 1 },
        ]);
      }
    });

    it('keeps a number that was given up from ever being free again', async () => {
      const contactCenter = await opened.contactCenter();
      await addUsers(opened.store, contactCenter, [person(1), person(2)]);
      const moveTo = (number: number) =>
        changeUser(
          opened.store,
          contactCenter,
          1,
          (user) => ({ ...user, dialectNumbers: { ...user.dialectNumbers, alpha: number } }),
          ['alpha'],
        );
      await moveTo(50);
      await moveTo(60);
      await opened.store.writer.write(contactCenter, async (writing) => {
        const asked = new Set([1, 2, 3, 50, 60, 70]);
        assert.deepEqual(await writing.takenNumbers('alpha', asked), new Set([1, 2, 50, 60]));
        assert.deepEqual(await writing.takenNumbers('beta', asked), new Set([1, 2]));
        const many = new Set(Array.from({ length: 5000 }, (_, at) => at));
        assert.deepEqual(await writing.takenNumbers('alpha', many), new Set([1, 2, 50, 60]));
        const one = await findByNumber(writing, 1);
        assert.deepEqual(one.given, new Set(['alpha']));
        assert.deepEqual(one.user.dialectNumbers, { alpha: 60, beta: 1, gamma: 1 });
      });
    });

    it('raises the revision with each write, and only of its own contact center', async () => {
      const first = await opened.contactCenter();
      const second = await opened.contactCenter();
      assert.equal(first.revision, (await opened.again(first)).revision);
      await addUsers(opened.store, first, [person(1)]);
      const { revision } = await opened.again(first);
      assert.ok(revision > first.revision);
      await changeUser(opened.store, first, 1, (user) => ({ ...user, firstName: 'A', version: 2 }));
      assert.ok((await opened.again(first)).revision > revision);
      assert.equal((await opened.again(second)).revision, second.revision);
    });

    it('finds a changed user under the new terms and no longer under the old ones', async () => {
      const contactCenter = await opened.contactCenter();
      await addUsers(opened.store, contactCenter, [person(1, { firstName: 'Ada', callerIdGroup: 'EU' })]);
      await changeUser(opened.store, contactCenter, 1, (user) => ({
        ...user,
        firstName: 'Bea',
        callerIdGroup: null,
        timezone: 'Asia/Tokyo',
        status: 'inactive',
      }));
      const found = async (
        dialect: string,
        match: Parameters<typeof opened.store.pages.page>[1]['match'],
      ) => {
        const page = await opened.store.pages.page(contactCenter, {
          dialect,
          match,
          limit: 5,
          count: 'none',
          fields: ['number'],
        });
        return page.users.map((user) => user.number);
      };
      assert.deepEqual(await found('alpha', { kind: 'any-of', texts: ['ada'] }), []);
      assert.deepEqual(await found('alpha', { kind: 'any-of', texts: ['bea'] }), [1]);
      for (const [filters, numbers] of [
        [{ callerIdGroup: 'eu' }, []],
        [{ timezone: 'utc' }, []],
        [{ timezone: 'tokyo' }, [1]],
        [{ name: 'ada' }, []],
        [{ name: 'bea' }, [1]],
      ] as const) {
        assert.deepEqual(await found('beta', { kind: 'filtered', filters }), numbers);
      }
      assert.deepEqual(await found('gamma', { kind: 'flagged', flags: { active: true } }), []);
      assert.deepEqual(await found('gamma', { kind: 'flagged', flags: { active: false } }), [1]);
    });

    it("keeps a user's version beside each of their numbers", async () => {
      const contactCenter = await opened.contactCenter();
      await addUsers(opened.store, contactCenter, [person(1), person(2)]);
      await changeUser(opened.store, contactCenter, 2, (user) => ({ ...user, lastName: 'Roth', version: 7 }));
      for (const dialect of ['alpha', 'beta', 'gamma']) {
        for (const fields of [['version'], ['lastName', 'version']] as const) {
          const match = { kind: 'everyone' } as const;
          const { users } = await opened.store.pages.page(contactCenter, {
            dialect,
            match,
            limit: 5,
            count: 'none',
            fields,
          });
          assert.deepEqual(
            users.map((user) => user.version),
            [1, 7],
          );
        }
      }
    });

    it('adds up the outcomes of imports', async () => {
      const before = await opened.store.importTotals();
      const contactCenter = await opened.contactCenter();
      for (const made of [2, 3]) {
        await opened.store.writer.write(contactCenter, (writing) =>
          writing.countImported({ made, changed: 1, unchanged: 0, refused: 7 }),
        );
      }
      const after = await opened.store.importTotals();
      const grown = (outcome: string) => (after.get(outcome) ?? 0) - (before.get(outcome) ?? 0);
      assert.deepEqual(['made', 'changed', 'unchanged', 'refused'].map(grown), [5, 2, 0, 14]);
    });
  });
}
