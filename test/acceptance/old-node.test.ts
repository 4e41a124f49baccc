import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT, run } from './server-process.ts';

const BIN = join(ROOT, 'bin/rollcall.js');
const MEND = /^rollcall: needs Node 24 or newer, this is v\d+\.\d+\.\d+; [^\n]*npx rollcall[^\n]*\n$/;

describe('started on too old a Node', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-old-node-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('bin/rollcall.js says in one line what to do', async () => {
    const disguise = join(folder, 'disguise.cjs');
    await writeFile(
      disguise,
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } });\n" +
        "Object.defineProperty(process, 'version', { value: 'v20.11.1' });\n",
    );
    const { code, stdout, stderr } = await run(process.execPath, ['--require', disguise, BIN, 'serve']);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    assert.match(stderr, MEND);
  });

  test("so it does on each older Node of this machine's own", async () => {
    const found = new Set((process.env.PATH ?? '').split(delimiter).map((each) => join(each, 'node')));
    for (const node of found) {
      const version = await run(node, ['--version']).catch(() => null);
      const major = Number(/^v(\d+)\./.exec(version?.stdout ?? '')?.[1] ?? Number.NaN);
      if (!(major < 24)) continue;
      const { code, stdout, stderr } = await run(node, [BIN, 'serve']);
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, node);
      assert.match(stderr, MEND);
    }
  });
});
