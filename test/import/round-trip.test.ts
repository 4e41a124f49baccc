import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FORMATS } from '../../src/app.ts';
import { demoPerson } from '../../src/directory/demo.ts';
import type { UserPatch } from '../../src/directory/patch.ts';
import { readSource } from '../../src/directory/source/rows.ts';
import type { JsonObject } from '../../src/directory/user.ts';
import { formatNamed, type Loader, NOW, useLoader } from './loading.ts';

/** People whom a careless form would lose something of. */
const ODD: readonly JsonObject[] = [
  { email: 'zone1@example.com', firstName: 'Z', timezone: 'Etc/GMT+3' },
  { email: 'zone2@example.com', firstName: 'Z', timezone: 'Asia/Kathmandu' },
  { email: 'zone3@example.com', firstName: 'Z', timezone: 'US/Pacific' },
  { email: 'zone4@example.com', firstName: 'Z', timezone: 'America/Argentina/Buenos_Aires' },
  { email: 'zone5@example.com', firstName: 'Z', timezone: 'UTC' },
  { email: 'zone6@example.com', firstName: 'Z', timezone: 'America/North_Dakota/New_Salem' },
  { email: 'zone7@example.com', firstName: 'Z', timezone: 'Europe/Dublin' },
  { email: 'zeros@example.com', firstName: 'Zeros', extensions: ['007', '7', '70'] },
  { email: 'quote"\\@example.com', firstName: '"', lastName: "\\'; drop table users; --" },
  { email: 'ünï@exämple.com', firstName: '👩🏽‍🚀', lastName: '\u2028\u00a0x', displayName: '<script>' },
  { loginId: 'no-email', firstName: 'No', lastName: 'Email' },
  { loginId: 'one-name', firstName: 'Single' },
  { loginId: 'last-only', lastName: 'Last' },
  { loginId: 'spaces', firstName: 'Ana  María', lastName: 'de la Cruz' },
  { loginId: 'shown', firstName: 'Asha', lastName: 'Kulkarni', displayName: 'Asha K' },
  { firstName: 'Bo', displayName: 'Bo from Support' },
  { email: 'login@example.com', loginId: 'login', firstName: 'Login' },
  { email: 'role@example.com', firstName: 'R', role: { number: 50, name: 'İdareci' }, level: 'manager' },
  { email: 'teams@example.com', firstName: 'T', teams: [{ number: 7, name: '3' }, 'Ä, b'], queues: ['A'] },
  {
    email: 'old@example.com',
    firstName: 'O',
    createdAt: '1970-01-01T00:00:00Z',
    lastLoginAt: '1999-12-31T23:59:59.999Z',
  },
  { email: 'dst@example.com', firstName: 'D', lastLoginAt: '2025-11-02T09:30:00Z' },
  {
    email: 'extra@example.com',
    firstName: 'E',
    extra: { convoso: { odd: null }, voiso: { odd: [1, { a: 'ü' }] }, smartflo: { odd: 'x' } },
  },
  {
    email: 'wrapped@example.com',
    firstName: 'W',
    extra: {
      convoso: { data: { results: [{ id: 1 }] } },
      voiso: { value: { id: 1 }, results: {} },
      smartflo: { data: [{ id: 1 }] },
    },
  },
];

/** People of whom some forms show neither a name nor an email: such a form finds them, and cannot make them. */
const NAMELESS: readonly JsonObject[] = [
  { loginId: 'shown-only', displayName: 'Night Desk' },
  { loginId: 'svc-night' },
  { loginId: 'svc-day', extensions: ['512'], status: 'suspended' },
];

describe('what was exported comes back', () => {
  const open = useLoader();

  async function filled(): Promise<Loader> {
    const here = await open('America/Los_Angeles');
    const people = Array.from({ length: 120 }, (_, at) => demoPerson(at + 1));
    const loaded = await here.load('native', [...people, ...ODD]);
    assert.deepEqual(loaded.refusals, []);
    // Numbers of a vendor that are nobody's own.
    await here.load('native', [
      { number: 3, dialectNumbers: { convoso: 900, voiso: 901, smartflo: 902 } },
      { number: 900, email: 'far@example.com', firstName: 'Far', dialectNumbers: { convoso: 3, voiso: 4 } },
    ]);
    return here;
  }

  /** What the rows of a file say, by the vendor's number. */
  async function said(here: Loader, format: string): Promise<UserPatch[]> {
    const text = await here.text(format);
    const chunks = (async function* () {
      yield Buffer.from(text);
    })();
    const patches: UserPatch[] = [];
    for await (const row of (await readSource(chunks, { columns: {} })).rows) {
      assert.ok('value' in row, `${format} line ${row.line}: ${'problem' in row ? row.problem : ''}`);
      patches.push(
        formatNamed(format).decode(row.value, { timezone: here.contactCenter.timezone, now: NOW }),
      );
    }
    return patches;
  }

  for (const { name } of FORMATS) {
    it(`into the same contact center, as ${name}, and changes nothing`, async () => {
      const here = await filled();
      await here.load('native', NAMELESS);
      const before = await here.people();
      const loaded = await here.loadText(name, await here.text(name));
      assert.deepEqual(loaded, { made: 0, changed: 0, unchanged: before.length, refused: 0, refusals: [] });
      assert.deepEqual(await here.people(), before);
    });

    it(`into a fresh contact center, as ${name}, in all that the format carries`, async () => {
      const here = await filled();
      const count = (await here.people()).length;
      const there = await open('America/Los_Angeles');
      const loaded = await there.loadText(name, await here.text(name));
      assert.deepEqual(loaded, { made: count, changed: 0, unchanged: 0, refused: 0, refusals: [] });
      assert.deepEqual(await said(there, name), await said(here, name));
      const again = await there.loadText(name, await here.text(name));
      assert.deepEqual([again.unchanged, again.refusals], [count, []]);
    });
  }

  it('whole, version and all but, in our own form', async () => {
    const here = await filled();
    const there = await open('America/Los_Angeles');
    await there.loadText('native', await here.text('native'));
    const plain = async (loader: Loader) => (await loader.people()).map(({ version: _, ...user }) => user);
    assert.deepEqual(await plain(there), await plain(here));
    assert.equal(await there.text('native'), await here.text('native'));
  });

  it('when nobody is there', async () => {
    for (const { name } of FORMATS) {
      const text = await (await open()).text(name);
      if (name === 'native') {
        assert.equal(text, '');
        continue;
      }
      const loaded = await (await open()).loadText(name, text);
      assert.deepEqual(loaded, { made: 0, changed: 0, unchanged: 0, refused: 0, refusals: [] }, name);
    }
  });

  it("from one vendor's list and then another's as one person with two ids", async () => {
    const here = await filled();
    const there = await open('America/Los_Angeles');
    const first = await there.loadText('convoso', await here.text('convoso'));
    const second = await there.loadText('voiso', await here.text('voiso'));
    assert.deepEqual([...first.refusals, ...second.refusals], []);
    const numbers = async (loader: Loader) =>
      (await loader.people())
        .filter((user) => user.email !== null)
        .map(({ email, dialectNumbers: { convoso, voiso } }) => [email, convoso, voiso])
        .sort();
    assert.deepEqual(await numbers(there), await numbers(here));
  });
});
