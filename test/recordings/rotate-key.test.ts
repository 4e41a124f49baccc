import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openRollcallStore } from '../../src/app.ts';
import { rollcall } from '../acceptance/server-process.ts';

describe('rollcall recordings rotate-key', () => {
  let data: string;
  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'rollcall-rotate-'));
    const made = await rollcall('contact-center', 'create', 'north', '--data', data);
    assert.equal(made.code, 0, made.stderr);
  });
  after(() => rm(data, { recursive: true }));

  const rotate = (...flags: string[]) =>
    rollcall('recordings', 'rotate-key', '--contact-center', 'north', '--data', data, ...flags);

  test('signs with a new key, keeps the old ones for their links or ends those, and tells the audit', async () => {
    const store = await openRollcallStore({ data }, 4);
    try {
      const north = await store.access.findContactCenter('north');
      assert.ok(north);
      const first = await store.signingKeys.current(north, Date.now());
      const { code, stdout } = await rotate('--json');
      assert.equal(code, 0);
      const told = JSON.parse(stdout);
      assert.deepEqual(told, { contactCenter: 'north', key: told.key, retired: 1 });
      assert.equal((await store.signingKeys.current(north, Date.now())).id, told.key);
      assert.notEqual(await store.signingKeys.find(north.id, first.id), null);

      const plain = await rotate('--end-links');
      assert.equal(plain.code, 0);
      assert.match(
        plain.stdout,
        /^north: links are signed with key [\w-]{12} from now on\nlinks that were given out have ended\n$/,
      );
      for (const id of [first.id, told.key]) assert.equal(await store.signingKeys.find(north.id, id), null);
      const events = await store.audit.page(north, 0, 10);
      assert.deepEqual(
        events.map(({ action, actor, details }) => [action, actor.kind, details]),
        [
          ['key.rotated', 'cli', { endLinks: false }],
          ['key.rotated', 'cli', { endLinks: true }],
        ],
      );
    } finally {
      await store.close();
    }
  });

  test('tells in one line what is wrong', async () => {
    const nowhere = await rollcall('recordings', 'rotate-key', '--contact-center', 'south', '--data', data);
    assert.deepEqual([nowhere.code, nowhere.stdout], [1, '']);
    assert.match(nowhere.stderr, /^rollcall: there is no such contact center[^\n]*\n$/);
    const unnamed = await rollcall('recordings', 'rotate-key', '--data', data);
    assert.deepEqual([unnamed.code, unnamed.stdout], [2, '']);
  });
});
