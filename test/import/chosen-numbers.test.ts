import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useLoader } from './loading.ts';

describe('numbers that were chosen here', () => {
  const open = useLoader();

  for (const format of ['native', 'voiso'] as const) {
    it(`stay chosen when our own ${format} export is loaded again`, async () => {
      const here = await open();
      await here.load('native', [
        { email: 'ann@fab.test', firstName: 'Ann', lastName: 'Lee' },
        { email: 'bo@fab.test', firstName: 'Bo', lastName: 'Ray' },
      ]);
      const again = await here.loadText(format, await here.text(format));
      assert.equal(again.unchanged, 2);
      // The vendor's user of that id is somebody else: nobody here is written over.
      const loaded = await here.load('voiso', [{ id: 1, name: 'New Person', email: 'new@fab.test' }]);
      assert.equal(loaded.made, 1);
      const ann = await here.person(1);
      assert.deepEqual(
        [ann.email, ann.firstName, ann.lastName, ann.displayName],
        ['ann@fab.test', 'Ann', 'Lee', null],
      );
      assert.equal((await here.person(3)).dialectNumbers.voiso, 1);
      assert.notEqual(ann.dialectNumbers.voiso, 1);
    });
  }

  it('stay chosen when an export of ours fills another contact center', async () => {
    const here = await open();
    await here.load('native', [{ email: 'ann@fab.test', firstName: 'Ann', lastName: 'Lee' }]);
    const there = await open();
    await there.loadText('native', await here.text('native'));
    await there.load('smartflo', [{ id: 1, name: 'New Person', login_id: 'new' }]);
    assert.equal((await there.person(1)).email, 'ann@fab.test');
    assert.equal((await there.person(2)).dialectNumbers.smartflo, 1);
  });

  it('find somebody without a name only where the row says all that is shown of them', async () => {
    const here = await open();
    await here.load('native', [{ loginId: 'svc-night', extensions: ['70'] }]);
    const [shown] = JSON.parse(await here.text('voiso'));
    assert.equal((await here.load('voiso', [shown])).unchanged, 1);
    const loaded = await here.load('voiso', [
      { id: 1 },
      { ...shown, extension: '71' },
      { id: 1, name: 'Asha', extension: '70', sag: 'Agent' },
    ]);
    assert.deepEqual(loaded.refusals, [
      '1: the row names nobody: it needs an email, a login id or a name',
      '2: the row names nobody: it needs an email, a login id or a name',
      '3: extension: belongs to user 1 already',
    ]);
  });

  for (const name of [
    { first_name: 'Asha', last_name: 'Kulkarni' },
    { first_name: 'Asha', last_name: 'K' },
  ]) {
    it(`find ${name.first_name} ${name.last_name} by the name that is kept or the one that is shown`, async () => {
      const here = await open();
      await here.load('native', [
        { loginId: 'asha01', firstName: 'Asha', lastName: 'Kulkarni', displayName: 'Asha K' },
      ]);
      const loaded = await here.load('convoso', [{ id: 1, ...name, local_gmt: '5.50' }]);
      assert.equal(loaded.changed, 1);
    });
  }

  it('are unique where rows with and without numbers are mixed', async () => {
    const here = await open();
    const rows = Array.from({ length: 600 }, (_, at) =>
      at % 2 === 0 ? { number: 1 + at * 3, email: `n${at}@fab.test` } : { email: `u${at}@fab.test` },
    );
    assert.equal((await here.load('native', rows)).made, 600);
    const numbers = (await here.people()).map((user) => user.number);
    assert.equal(new Set(numbers).size, 600);
    for (let at = 0; at < 600; at += 2) assert.ok(numbers.includes(1 + at * 3));
  });

  it('are left even where somebody has the greatest number there is', async () => {
    const here = await open();
    await here.load('voiso', [{ id: 2147483647, name: 'Last One', email: 'last@fab.test' }]);
    await here.load('native', [{ email: 'next@fab.test' }]);
    // The vendor's own 2 pushes the chosen one to another free number.
    await here.load('voiso', [{ id: 2, name: 'Second', email: 'second@fab.test' }]);
    const numbers = (await here.people()).map((user) => user.dialectNumbers.voiso);
    assert.equal(new Set(numbers).size, 3);
    const refused = await here.load('native', [{ number: 2147483647, email: 'far@fab.test' }]);
    assert.equal(refused.refused, 1);
  });
});
