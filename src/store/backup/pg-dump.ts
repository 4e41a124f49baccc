import { stat } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import type { Reader } from '../engine.ts';
import { countRows } from '../moving/copy.ts';
import { openSnapshot } from '../moving/places.ts';
import type { Snapshot } from '../moving/ports.ts';
import { TABLES } from '../moving/tables.ts';
import { openEngine } from '../open.ts';
import { type Environment, type FoundTool, findTool, runTool } from '../postgres/tools.ts';
import type { OnShare } from './create.ts';
import { type BackupFacts, readSeal, sealFile } from './file.ts';
import { renewEpochsOf } from './load.ts';

async function ask(reader: Reader, sql: string): Promise<string> {
  const [row] = await reader.read({ name: 'backup.ask', sql, parameters: [] }, {});
  return String(row?.[0] ?? '');
}

const SCHEMA = 'select current_schema()';
/** The tables of ours that a schema has. */
const THERE =
  "select string_agg(relname, ' ') from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')";

/** A pg_dump that serves for a database, or why there is none. */
export async function findDump(snapshot: Snapshot, env: Environment): Promise<FoundTool | string> {
  const citus = await ask(snapshot, "select 1 from pg_extension where extname = 'citus'");
  if (citus !== '') return 'the database has Citus, which pg_dump knows nothing of';
  return findTool('pg_dump', await ask(snapshot, "select current_setting('server_version')"), env);
}

/** Writes what pg_dump gives of the state of a snapshot, has pg_restore read it, and seals it. */
export async function writeDump(
  partial: string,
  url: string,
  snapshot: Snapshot,
  dump: FoundTool,
  { facts, env, onShare }: { facts: BackupFacts; env: Environment; onShare: OnShare },
): Promise<void> {
  const schema = await ask(snapshot, SCHEMA);
  const state = await snapshot.share();
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  const tables = ['migrations', ...Object.keys(facts.rows)];
  // How much it will be is not known.
  const timer = setInterval(async () => {
    const { size } = await stat(partial).catch(() => ({ size: 0 }));
    onShare(0.8 * (1 - 1 / (1 + size / 1e8)), 'pg_dump');
  }, 500);
  try {
    await runTool(
      dump,
      url,
      [
        ...['--format=custom', '--no-owner', '--no-privileges', `--snapshot=${state}`, `--file=${partial}`],
        ...tables.map((table) => `--table=${quoted(schema)}.${quoted(table)}`),
      ],
      env,
    );
  } finally {
    clearInterval(timer);
  }
  onShare(0.8, 'checking');
  await readDump(partial, dump.version, env);
  await sealFile(partial, { ...facts, schema, tool: dump.version }, () => onShare(0.9, 'sealing'));
}

/** Has pg_restore read all of a dump. @throws Failure */
async function readDump(path: string, version: string, env: Environment): Promise<FoundTool> {
  const restore = await findTool('pg_restore', version, env);
  if (typeof restore === 'string') {
    throw new Failure('precondition', `${restore}: this form needs pg_restore ${version} or newer`);
  }
  await runTool(restore, null, ['--file=/dev/null', path], env);
  return restore;
}

/** Has pg_restore put a dump in the place of what a database has, in one transaction. @throws Failure */
export async function restoreDump(
  path: string,
  url: string,
  { facts, env, onShare }: { facts: BackupFacts; env: Environment; onShare: OnShare },
): Promise<void> {
  const { schema, tool = '' } = await readSeal(path);
  onShare(0.1, 'reading the dump');
  const restore = await readDump(path, tool, env);
  const place = { data: '', databaseUrl: url };
  const { engine, alone } = await openEngine({ ...place, cacheMiB: 8 });
  try {
    if ((await ask(engine, SCHEMA)) !== schema) {
      throw new Failure(
        'precondition',
        `this backup is of the schema ${schema}, and pg_restore puts it nowhere else; name it by options=-csearch_path in the URL`,
      );
    }
    await alone(async () => {
      const known = new Set(['migrations', ...Object.keys(facts.rows)]);
      const there = (await ask(engine, THERE)).split(' ');
      const ours: readonly string[] = [...TABLES, 'moving_progress'];
      if (there.some((table) => ours.includes(table) && !known.has(table))) {
        throw new Failure(
          'precondition',
          'the target has tables that the backup does not know; drop them first',
        );
      }
      onShare(0.3, 'pg_restore');
      await runTool(
        restore,
        url,
        [
          '--single-transaction',
          '--exit-on-error',
          '--clean',
          '--if-exists',
          '--no-owner',
          '--no-privileges',
          path,
        ],
        env,
      );
      await engine.transaction([], (transaction) => renewEpochsOf(facts, transaction));
    });
    onShare(0.9, 'counting');
    const written = await openSnapshot(place);
    try {
      const counts = await countRows(written, await written.tables());
      if (JSON.stringify(Object.fromEntries(counts)) !== JSON.stringify(facts.rows)) {
        throw new Failure(
          'unavailable',
          'what pg_restore wrote has other counts than the backup; restore again',
        );
      }
    } finally {
      await written.close();
    }
  } finally {
    await engine.close();
  }
}
