import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rollcall } from './processes.ts';

const ROOT = join(tmpdir(), 'rollcall-bench-data');
/** Written last into a folder: what lacks it was cut short. */
const WHOLE = 'whole';

/** What was written depends on these parts of the program. */
function hashOfWriters(): string {
  const hash = createHash('sha256');
  const source = join(import.meta.dirname, '../src');
  for (const file of globSync('{directory,store,access,dialects}/**/*.ts', { cwd: source }).sort()) {
    if (!file.endsWith('.test.ts')) hash.update(file).update(readFileSync(join(source, file)));
  }
  return hash.digest('hex').slice(0, 12);
}

/** A data folder with that many demo users, kept between runs as long as the program that wrote it is the same. */
export async function prepareData(
  users: number,
  isFresh: boolean,
  say: (text: string) => void,
): Promise<string> {
  const name = `${users}-${hashOfWriters()}`;
  const data = join(ROOT, name);
  if (!isFresh && existsSync(join(data, WHOLE))) return data;
  mkdirSync(ROOT, { recursive: true });
  for (const each of readdirSync(ROOT)) {
    if (each.startsWith(`${users}-`)) rmSync(join(ROOT, each), { recursive: true, force: true });
  }
  say(`making ${users} users in ${data}`);
  await rollcall(['demo', '--users', String(users), '--data', data], true);
  writeFileSync(join(data, WHOLE), '');
  return data;
}

/** A token for the load. */
export async function mintToken(data: string): Promise<string> {
  const flags = ['--contact-center', 'demo', '--name', 'bench', '--data', data, '--json'];
  return String(JSON.parse(await rollcall(['token', 'create', ...flags])).token);
}
