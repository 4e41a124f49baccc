import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_COUNTED, MAX_NUMBER } from '../../src/directory/patch.ts';
import { convosoRow, smartfloRow, useLoader, voisoRow } from './loading.ts';

describe('rows that meet in one load', () => {
  const open = useLoader();

  it('see what the rows before them did', async () => {
    const here = await open();
    const loaded = await here.load('native', [
      { email: 'a@example.com', firstName: 'A' },
      { email: 'A@EXAMPLE.com', firstName: 'B' },
      { email: 'A@EXAMPLE.com', firstName: 'B' },
      { number: 1, email: 'c@example.com' },
      { email: 'a@example.com', firstName: 'Another' },
      { loginId: 'c@example.com', lastName: 'L' },
    ]);
    assert.deepEqual(loaded, { made: 2, changed: 3, unchanged: 1, refused: 0, refusals: [] });
    const [first, second] = await here.people();
    assert.deepEqual([first?.email, first?.firstName, first?.lastName], ['c@example.com', 'B', 'L']);
    // A user who was made and changed in one batch was never seen in between.
    assert.equal(first?.version, 1);
    assert.deepEqual([second?.email, second?.firstName], ['a@example.com', 'Another']);
  });

  it('may hand an email and an extension from one to the other', async () => {
    const here = await open();
    await here.load('native', [
      { email: 'a@example.com', extensions: ['1'] },
      { email: 'b@example.com', extensions: ['2'] },
    ]);
    const loaded = await here.load('native', [
      { number: 1, email: 'x@example.com', extensions: [] },
      { number: 2, email: 'a@example.com', extensions: ['1', '2'] },
      { number: 1, email: 'b@example.com', extensions: ['3'] },
    ]);
    assert.deepEqual(loaded.refusals, []);
    const [first, second] = await here.people();
    assert.deepEqual(
      [first?.email, first?.loginId, first?.extensions],
      ['b@example.com', 'b@example.com', ['3']],
    );
    assert.deepEqual(
      [second?.email, second?.loginId, second?.extensions],
      ['a@example.com', 'a@example.com', ['1', '2']],
    );
    assert.deepEqual([first?.version, second?.version], [2, 2]);
  });

  it('leave the capitals of a login id, where the email is the one that is known', async () => {
    const here = await open();
    await here.load('convoso', [convosoRow(1, { email: 'ann@example.com' })]);
    await here.load('smartflo', [smartfloRow(7, { login_id: 'Ann@Example.com' })]);
    const { loginId, version } = await here.person(1);
    assert.equal(loginId, 'Ann@Example.com');
    const again = await here.load('convoso', [convosoRow(1, { email: 'ann@example.com' })]);
    assert.deepEqual([again.changed, again.unchanged], [0, 1]);
    assert.deepEqual(await here.person(1).then((user) => [user.loginId, user.version]), [loginId, version]);
  });

  it('count each change of a load once', async () => {
    const here = await open();
    await here.load('native', [{ email: 'a@example.com' }]);
    await here.load('native', [
      { number: 1, firstName: 'A' },
      { number: 1, firstName: 'B' },
      { number: 1, lastName: 'C' },
    ]);
    assert.equal((await here.person(1)).version, 2);
    await here.load('native', [{ number: 1, lastName: 'C' }]);
    assert.equal((await here.person(1)).version, 2);
  });

  it('are told one by one where they are bad, and stop nothing else', async () => {
    const here = await open();
    const loaded = await here.load('native', [
      { email: 'a@example.com' },
      {},
      { firstName: '' },
      { email: 'b@example.com', number: 0 },
      { email: 'c@example.com', status: 'gone', level: 'king', timezone: 'Mars/Olympus' },
      { email: 'd\0@example.com' },
      { email: 'e@example.com', createdAt: 'yesterday' },
      { email: 'e@example.com', createdAt: '2026-02-30T00:00:00Z' },
      { email: 'x'.repeat(1001) },
      { emial: 'f@example.com' },
      { email: 'z@example.com' },
    ]);
    assert.deepEqual([loaded.made, loaded.refused], [2, 9]);
    assert.deepEqual(
      loaded.refusals.map((refusal) => Number.parseInt(refusal, 10)),
      [2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    assert.match(loaded.refusals[3] ?? '', /status.*level.*timezone/);
    for (const refusal of loaded.refusals) assert.ok(!refusal.includes('example.com'), refusal);
  });

  it('are the same in one batch and in many', async () => {
    const rows = Array.from({ length: 9000 }, (_, at) => ({
      email: `p${at % 5000}@example.com`,
      firstName: `F${at % 7000}`,
    }));
    const here = await open();
    const loaded = await here.load('native', rows);
    assert.deepEqual([loaded.made, loaded.changed + loaded.unchanged, loaded.refused], [5000, 4000, 0]);
    const people = await here.people();
    assert.equal(people.length, 5000);
    assert.equal(people[1999]?.firstName, 'F6999');
    assert.equal(people[2000]?.firstName, 'F0');
    assert.equal(people[4999]?.firstName, 'F4999');
  });

  it('make a login id of the number, whoever took it already', async () => {
    const here = await open();
    await here.load('native', [{ loginId: 'user-2', firstName: 'Taker' }]);
    const loaded = await here.load('voiso', [
      voisoRow(50, { email: '', name: 'No Email' }),
      voisoRow(51, { email: 'fine@example.com' }),
    ]);
    assert.equal(
      (await here.people()).some((user) => user.email === 'fine@example.com'),
      true,
    );
    assert.equal(loaded.made + loaded.refused, 2);
  });
});

describe('numbers of a dialect', () => {
  const open = useLoader();

  it('are those that the vendor gave, else the own one, else the next free one', async () => {
    const here = await open();
    await here.load('voiso', [voisoRow(3), voisoRow(2)]);
    await here.load('convoso', [convosoRow(90, { email: 'n@example.com' })]);
    const people = await here.people();
    assert.deepEqual(
      people.map((user) => user.dialectNumbers),
      [
        { voiso: 3, convoso: 1, smartflo: 1 },
        { voiso: 2, convoso: 2, smartflo: 2 },
        { voiso: 4, convoso: 90, smartflo: 3 },
      ],
    );
  });

  it('displace those that were only chosen here, and are never used again', async () => {
    const here = await open();
    await here.load('native', [
      { email: 'a@example.com' },
      { email: 'b@example.com' },
      { email: 'c@example.com' },
    ]);
    // The vendor's 1 is b: a, who had it by choice alone, gets another.
    await here.load('voiso', [voisoRow(1, { email: 'b@example.com', name: 'B' })]);
    let people = await here.people();
    assert.deepEqual(
      people.map((user) => user.dialectNumbers.voiso),
      [4, 1, 3],
    );
    // a's is told now; 4 was a's for a while and is nobody's again.
    await here.load('voiso', [voisoRow(700, { email: 'a@example.com', name: 'A' })]);
    await here.load('native', [{ email: 'd@example.com' }]);
    people = await here.people();
    assert.equal(people[0]?.dialectNumbers.voiso, 700);
    assert.ok(![2, 4].includes(people[3]?.dialectNumbers.voiso ?? 0), 'a number was used again');
  });

  it('are refused where the vendor gave them to another', async () => {
    const here = await open();
    await here.load('native', [
      { email: 'a@example.com', dialectNumbers: { voiso: 10 } },
      { email: 'b@example.com', dialectNumbers: { voiso: 11 } },
    ]);
    const loaded = await here.load('native', [{ email: 'b@example.com', dialectNumbers: { voiso: 10 } }]);
    assert.deepEqual(loaded.refusals, ['1: dialectNumbers.voiso: belongs to user 1 already']);
    assert.equal((await here.person(2)).dialectNumbers.voiso, 11);
  });

  it('of a dialect that is not known here change nothing', async () => {
    const here = await open();
    const row = { email: 'a@example.com', dialectNumbers: { later: 5 } };
    await here.load('native', [row]);
    const loaded = await here.load('native', [row]);
    assert.equal(loaded.unchanged, 1);
    assert.equal((await here.person(1)).version, 1);
  });

  it('may be the greatest there is', async () => {
    const here = await open();
    await here.load('smartflo', [smartfloRow(MAX_NUMBER, { login_id: 'a@example.com' })]);
    assert.equal((await here.person(1)).dialectNumbers.smartflo, MAX_NUMBER);
    const loaded = await here.load('smartflo', [smartfloRow(MAX_NUMBER + 1)]);
    assert.match(loaded.refusals[0] ?? '', /^1: id: must be a whole number from 1 to 2147483647/);
    const next = await here.load('native', [{ email: 'b@example.com' }]);
    assert.deepEqual(next.refusals, []);
    assert.equal((await here.person(2)).dialectNumbers.smartflo, 2);
  });

  it('leave a user as they were when none is left to choose', async () => {
    const here = await open();
    await here.load('native', [
      { email: 'a@example.com', firstName: 'A', dialectNumbers: { voiso: MAX_COUNTED } },
      { email: 'b@example.com', firstName: 'B' },
      { email: 'c@example.com', firstName: 'C' },
    ]);
    const before = await here.people();
    // b's 2 was chosen here and would have to give way, but nothing is left to count on to.
    const loaded = await here.load('voiso', [voisoRow(2, { email: 'c@example.com', name: 'Changed Name' })]);
    const after = await here.people();
    assert.deepEqual(loaded.refusals, ['1: dialectNumbers.voiso: no number is left to choose']);
    assert.deepEqual(after, before);
  });
});

describe('a dry run', () => {
  const open = useLoader();

  it('keeps nothing and counts the same, over batches too', async () => {
    const rows = Array.from({ length: 4500 }, (_, at) => ({
      email: `p${at % 4400}@example.com`,
      firstName: at % 9 === 0 ? `F${at}` : 'F',
      role: `Role of ${at % 3}`,
      ...(at % 100 === 7 ? { number: 0 } : {}),
    }));
    const dry = await open();
    const planned = await dry.load('native', rows, true);
    assert.deepEqual(await dry.people(), []);
    assert.deepEqual(await dry.load('native', rows.slice(0, 1), true), {
      ...planned,
      made: 1,
      changed: 0,
      unchanged: 0,
      refused: 0,
      refusals: [],
    });
    const real = await dry.load('native', rows);
    assert.deepEqual(planned, real);
    const roles = new Set((await dry.people()).map((user) => user.role.number));
    assert.deepEqual([...roles].sort(), [1, 2, 3]);
    const again = await dry.load('native', rows, true);
    assert.equal(again.made, 0);
  });
});
