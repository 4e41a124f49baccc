import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { convosoRow, smartfloRow, useLoader, voisoRow } from './loading.ts';

describe('who a row is about', () => {
  const open = useLoader();

  it('is the user whom that vendor knows by this number', async () => {
    const here = await open();
    await here.load('voiso', [voisoRow(40, { email: 'old@example.com' })]);
    const loaded = await here.load('voiso', [voisoRow(40, { email: 'new@example.com', name: 'New Name' })]);
    assert.deepEqual([loaded.made, loaded.changed], [0, 1]);
    const [user, ...others] = await here.people();
    assert.equal(others.length, 0);
    assert.equal(user?.email, 'new@example.com');
    assert.equal(user?.loginId, 'new@example.com');
    assert.equal(user?.version, 2);
  });

  it('is the user with that email, case-blind, and gets a second id', async () => {
    const here = await open();
    await here.load('convoso', [convosoRow(1001, { email: 'Ada@Example.com' })]);
    const loaded = await here.load('voiso', [voisoRow(77, { email: ' ada@example.COM ' })]);
    assert.deepEqual([loaded.made, loaded.changed], [0, 1]);
    const [user, ...others] = await here.people();
    assert.equal(others.length, 0);
    assert.deepEqual(user?.dialectNumbers, { convoso: 1001, voiso: 77, smartflo: 1 });
  });

  it('is the user with that login id', async () => {
    const here = await open();
    await here.load('native', [{ loginId: 'ada', firstName: 'Ada', email: 'a@example.com' }]);
    const loaded = await here.load('smartflo', [smartfloRow(9, { login_id: 'ADA', name: 'Ada' })]);
    assert.deepEqual([loaded.made, loaded.changed], [0, 1]);
    const user = await here.person(1);
    assert.equal(user.email, 'a@example.com');
    assert.equal(user.dialectNumbers.smartflo, 9);
  });

  it('is the user whose email is that login id', async () => {
    const here = await open();
    await here.load('voiso', [voisoRow(1, { email: 'a@example.com' })]);
    const loaded = await here.load('smartflo', [smartfloRow(5, { login_id: 'a@example.com' })]);
    assert.deepEqual([loaded.made, loaded.refused], [0, 0]);
    assert.equal((await here.people()).length, 1);
  });

  it('is, in our own form, the user with that number or id', async () => {
    const here = await open();
    await here.load('native', [{ email: 'a@example.com' }, { email: 'b@example.com' }]);
    const { id } = await here.person(2);
    await here.load('native', [
      { number: 1, firstName: 'One' },
      { id: id.toUpperCase(), firstName: 'Two' },
    ]);
    assert.deepEqual(
      (await here.people()).map((user) => user.firstName),
      ['One', 'Two'],
    );
  });

  it('is not, in our own form, who has that number and another id', async () => {
    const there = await open();
    await there.load('native', [{ email: 'a@example.com', firstName: 'A' }, { email: 'both@example.com' }]);
    const here = await open();
    await here.load('native', [{ email: 'b@example.com', firstName: 'B' }, { email: 'both@example.com' }]);
    const before = await here.people();
    const loaded = await here.loadText('native', await there.text('native'));
    assert.deepEqual(loaded.refusals, [
      '1: number: belongs to user 1 already, who has another id; leave the number out',
    ]);
    // Who is known by the email as well is the same person, under another id.
    assert.equal(loaded.unchanged + loaded.changed, 1);
    assert.deepEqual((await here.person(1)).firstName, 'B');
    assert.deepEqual(
      (await here.people()).map((user) => user.id),
      before.map((user) => user.id),
    );
  });

  it('is somebody new where nothing answers', async () => {
    const here = await open();
    const loaded = await here.load('voiso', [voisoRow(1), voisoRow(2)]);
    assert.equal(loaded.made, 2);
    assert.deepEqual(
      (await here.people()).map((user) => user.number),
      [1, 2],
    );
  });

  it('is nobody where two answer: the row is refused and both are named', async () => {
    const here = await open();
    await here.load('voiso', [
      voisoRow(1, { email: 'a@example.com' }),
      voisoRow(2, { email: 'b@example.com' }),
    ]);
    const before = await here.people();
    for (const [format, row] of [
      ['voiso', voisoRow(1, { email: 'b@example.com' })],
      ['native', { number: 1, email: 'b@example.com' }],
      ['native', { number: 2, id: before[0]?.id ?? '' }],
      ['native', { email: 'a@example.com', loginId: 'b@example.com' }],
    ] as const) {
      const loaded = await here.load(format, [row]);
      assert.equal(loaded.refused, 1);
      assert.match(
        loaded.refusals[0] ?? '',
        /^1: users 1 and 2 both answer to this row; leave out or correct /,
      );
    }
    assert.deepEqual(await here.people(), before);
  });

  it('is never told by a number that was only chosen here, unless the name agrees', async () => {
    const here = await open();
    await here.load('convoso', [
      convosoRow(500, { email: 'a@example.com', first_name: 'Ada', last_name: 'A' }),
    ]);
    // Voiso's number 1 was chosen for Ada; Voiso's own file gives it to Bob.
    const loaded = await here.load('voiso', [voisoRow(1, { email: 'bob@example.com', name: 'Bob' })]);
    assert.deepEqual([loaded.made, loaded.refused], [1, 0]);
    const [ada, bob] = await here.people();
    assert.equal(bob?.dialectNumbers.voiso, 1);
    assert.notEqual(ada?.dialectNumbers.voiso, 1);
    assert.equal(ada?.email, 'a@example.com');
    assert.equal(ada?.version, 2);
  });
});

describe('what a row changes', () => {
  const open = useLoader();

  it('is only what its format carries', async () => {
    const here = await open();
    await here.load('voiso', [
      voisoRow(7, {
        email: 'a@example.com',
        assigned_skills: [{ name: 'Claims', value: 9 }],
        assigned_channels: [{ type: 'WhatsApp', name: 'one', value: 905551112233 }],
        assigned_teams: '3, 5',
        assigned_queues: 'Front, Back',
        caller_id: 'EU',
        timezone: 'Istanbul',
        odd_field: { kept: true },
      }),
    ]);
    const before = await here.person(1);
    await here.load('smartflo', [
      smartfloRow(70, { login_id: 'a@example.com', name: 'Other Name', user_status: 0, extra_field: 1 }),
    ]);
    const after = await here.person(1);
    assert.deepEqual(
      {
        ...after,
        displayName: before.displayName,
        status: before.status,
        version: before.version,
        dialectNumbers: before.dialectNumbers,
        extra: before.extra,
      },
      before,
    );
    assert.equal(after.displayName, 'Other Name');
    assert.equal(after.status, 'inactive');
    assert.deepEqual(after.extra, { voiso: { odd_field: { kept: true } }, smartflo: { extra_field: 1 } });
    assert.equal(after.version, before.version + 1);
  });

  it('is nothing where it shows less than is kept', async () => {
    const here = await open();
    await here.load('native', [
      {
        email: 'a@example.com',
        firstName: 'Ada',
        status: 'suspended',
        timezone: 'Europe/Istanbul',
        extensions: ['007', '8'],
        queueOverride: 'USE_CAMPAIGN',
        connectionType: 'browser',
        role: 'Night Shift',
        createdAt: '2020-01-02T03:04:05.678Z',
        dialectNumbers: { convoso: 3, voiso: 4, smartflo: 5 },
      },
    ]);
    const before = await here.people();
    for (const format of ['convoso', 'convoso-community', 'voiso', 'smartflo']) {
      const loaded = await here.loadText(format, await here.text(format));
      assert.deepEqual(loaded, { made: 0, changed: 0, unchanged: 1, refused: 0, refusals: [] }, format);
    }
    assert.deepEqual(await here.people(), before);
  });

  it('sets the first extension and keeps the rest', async () => {
    const here = await open();
    await here.load('native', [{ email: 'a@example.com', extensions: ['100', '101', '102'] }]);
    const load = async (extension: string | number | null) => {
      await here.load('smartflo', [smartfloRow(1, { login_id: 'a@example.com', extension })]);
      return (await here.person(1)).extensions;
    };
    assert.deepEqual(await load('100'), ['100', '101', '102']);
    assert.deepEqual(await load('200'), ['200', '101', '102']);
    assert.deepEqual(await load(102), ['102', '200', '101']);
    assert.deepEqual(await load(null), ['102', '200', '101']);
    assert.deepEqual(await load(''), ['102', '200', '101']);
  });

  it('takes an extension that another has as a conflict', async () => {
    const here = await open();
    await here.load('native', [{ email: 'a@example.com', extensions: ['100'] }, { email: 'b@example.com' }]);
    const loaded = await here.load('smartflo', [
      smartfloRow(1, { login_id: 'b@example.com', extension: '100' }),
    ]);
    assert.deepEqual(loaded.refusals, ['1: extension: belongs to user 1 already']);
  });

  it('splits a name at its last space when it is new, and shows it as given afterwards', async () => {
    const here = await open();
    await here.load('smartflo', [smartfloRow(1, { name: 'Ana María  López', login_id: 'a' })]);
    const made = await here.person(1);
    assert.deepEqual([made.firstName, made.lastName, made.displayName], ['Ana María ', 'López', null]);
    await here.load('smartflo', [smartfloRow(1, { name: 'Ana L.', login_id: 'a' })]);
    const renamed = await here.person(1);
    assert.deepEqual(
      [renamed.firstName, renamed.lastName, renamed.displayName],
      ['Ana María ', 'López', 'Ana L.'],
    );
    await here.load('smartflo', [smartfloRow(1, { name: 'Ana María  López', login_id: 'a' })]);
    assert.equal((await here.person(1)).displayName, null);
  });

  it('makes an email of a login id that is one, and only where there is none', async () => {
    const here = await open();
    await here.load('smartflo', [
      smartfloRow(1, { login_id: 'a@example.com' }),
      smartfloRow(2, { login_id: 'b' }),
    ]);
    assert.equal((await here.person(1)).email, 'a@example.com');
    assert.equal((await here.person(2)).email, null);
  });

  it('makes roles and teams when they are first named, and takes no number twice', async () => {
    const here = await open();
    await here.load('voiso', [
      voisoRow(1, { sag: 'Floor', assigned_teams: 'Sales, 9, Night' }),
      voisoRow(2, { sag: 'FLOOR', assigned_teams: 'night', supervisor_in_teams: '9' }),
      voisoRow(3, { sag: 'Supervisor', assigned_teams: '' }),
    ]);
    await here.load('convoso', [
      convosoRow(4, { acl_access_profile: 4 }),
      convosoRow(5, { acl_access_profile: 12 }),
    ]);
    await here.load('smartflo', [smartfloRow(6, { user_role: { id: 12, name: 'Other' } })]);
    const roles = (await here.people()).map((user) => user.role);
    assert.equal(roles[0]?.name, 'Floor');
    assert.deepEqual(roles[1], roles[0]);
    assert.equal(roles[2]?.name, 'Supervisor');
    assert.deepEqual(roles[3], { number: 4, name: 'Admin' });
    assert.equal(roles[4]?.number, 12);
    assert.equal(roles[5]?.name, 'Other');
    const distinct = new Map(roles.map((role) => [role.number, role.name]));
    assert.equal(distinct.size, 5);
    const [one, two] = await here.people();
    assert.deepEqual(
      one?.teams.map((team) => team.name),
      ['Sales', 'Team 9', 'Night'],
    );
    assert.deepEqual(two?.teams, one?.teams.slice(2));
    assert.deepEqual(two?.supervisedTeams, one?.teams.slice(1, 2));
  });

  it('leaves no role or team of a refused row behind', async () => {
    const here = await open();
    const loaded = await here.load('native', [
      { email: 'a@example.com', role: 'Kept', extensions: ['1'] },
      { email: 'b@example.com', role: 'Lost', teams: ['Lost'], extensions: ['1'] },
      { email: 'c@example.com', role: 'Lost too', number: -1 },
      { email: 'd@example.com', role: 'Last', teams: ['Last'] },
    ]);
    assert.equal(loaded.refused, 2);
    const people = await here.people();
    assert.deepEqual(
      people.map((user) => user.role.name),
      ['Kept', 'Last'],
    );
    assert.equal(people[1]?.teams[0]?.name, 'Last');
  });
});

describe('offsets and zones', () => {
  const open = useLoader();

  it('gives each offset its one zone', async () => {
    const here = await open();
    const offsets = ['-8.00', '-7.00', '-6.00', '-5.00', '5.50', '0.00', '-3.00', '1.00', '5.75', '-9.50'];
    await here.load(
      'convoso',
      offsets.map((local_gmt, at) => convosoRow(at + 1, { local_gmt })),
    );
    const zones = (await here.people()).map((user) => user.timezone);
    assert.deepEqual(zones.slice(0, 8), [
      'America/Los_Angeles',
      'America/Denver',
      'America/Chicago',
      'America/New_York',
      'Asia/Kolkata',
      'Etc/GMT',
      'Etc/GMT+3',
      'Etc/GMT-1',
    ]);
    assert.match(zones[8] ?? '', /^Asia\/Kath?mandu$/);
    assert.equal(zones[9], 'Pacific/Marquesas');
  });

  it('lets Voiso name a finer zone for whom Convoso gave an offset', async () => {
    const here = await open();
    await here.load('convoso', [convosoRow(1, { email: 'a@example.com', local_gmt: '-3.00' })]);
    const loaded = await here.load('voiso', [voisoRow(9, { email: 'a@example.com', timezone: 'Sao Paulo' })]);
    assert.deepEqual(loaded.refusals, []);
    assert.equal((await here.person(1)).timezone, 'America/Sao_Paulo');
    const again = await here.load('convoso', [convosoRow(1, { email: 'a@example.com', local_gmt: '-3.00' })]);
    assert.equal(again.unchanged, 1);
    assert.equal((await here.person(1)).timezone, 'America/Sao_Paulo');
  });

  it('reads times without a zone in that of the contact center', async () => {
    const here = await open('America/Los_Angeles');
    await here.load('convoso', [
      convosoRow(1, { last_login: '2026-01-02 03:04:05', created_at: '2016-11-17T10:54:21-0800' }),
      convosoRow(2, { last_login: '2026-02-30 03:04:05' }),
      convosoRow(3, { created_at: '2016-02-30T10:54:21-0800' }),
      convosoRow(4, { local_gmt: '99.00' }),
      convosoRow(5, { created_at: '2016-11-17T10:54:21', local_gmt: '-2.50' }),
    ]);
    const people = await here.people();
    assert.equal(people.length, 2);
    assert.equal(people[1]?.createdAt, Date.UTC(2016, 10, 17, 18, 54, 21));
    assert.equal(people[1]?.timezone, 'Etc/GMT');
    assert.equal(people[0]?.lastLoginAt, Date.UTC(2026, 0, 2, 11, 4, 5));
    assert.equal(people[0]?.createdAt, Date.UTC(2016, 10, 17, 18, 54, 21));
  });
});
