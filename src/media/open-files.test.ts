import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OpenFiles } from './open-files.ts';

function createDisk() {
  const open = new Set<number>();
  let last = 0;
  const missing = new Set<string>();
  const files = new OpenFiles({
    open: async (path) => {
      await new Promise(setImmediate);
      if (missing.has(path)) return null;
      last += 1;
      open.add(last);
      return { number: last, bytes: 1 };
    },
    close: async (number) => {
      assert.ok(open.delete(number), `${number} is closed once`);
    },
    now: () => 0,
  });
  return { files, open, missing };
}
const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('open files', () => {
  it('are opened once for readers who come together and one after the other', async () => {
    const { files, open } = createDisk();
    const [a, b] = await Promise.all([files.hold('x'), files.hold('x')]);
    assert.equal(a?.number, b?.number);
    a?.release();
    b?.release();
    const c = await files.hold('x');
    assert.equal(c?.number, a?.number);
    c?.release();
    files.close();
    await settle();
    assert.equal(open.size, 0);
  });

  it('that were forgotten stay open for their readers, and are opened anew for others', async () => {
    const { files, open } = createDisk();
    const old = await files.hold('x');
    files.forget('x');
    await settle();
    assert.ok(open.has(old?.number ?? 0), 'still open');
    const fresh = await files.hold('x');
    assert.notEqual(fresh?.number, old?.number);
    old?.release();
    fresh?.release();
    files.close();
    await settle();
    assert.equal(open.size, 0);
  });

  it('that were not there are looked for again', async () => {
    const { files, open, missing } = createDisk();
    missing.add('x');
    assert.equal(await files.hold('x'), null);
    missing.clear();
    const found = await files.hold('x');
    assert.ok(found !== null);
    found.release();
    files.close();
    await settle();
    assert.equal(open.size, 0);
  });

  it('are never more than some that nobody reads', async () => {
    const { files, open } = createDisk();
    for (let at = 0; at < 300; at += 1) (await files.hold(`x${at}`))?.release();
    await settle();
    assert.ok(open.size <= 64, `${open.size} are open`);
    files.close();
    await settle();
    assert.equal(open.size, 0);
  });
});
