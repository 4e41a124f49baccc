import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Reader } from './engine.ts';
import { PRAGMAS } from './sqlite/connection.ts';
import type { SqliteEngine } from './sqlite/engine.ts';

/** One thing that was looked at, and what was found. */
export interface Finding {
  readonly check: string;
  readonly isGood: boolean;
  /** What was found; where it is bad, also what mends it. */
  readonly detail: string;
}

/** A disk with less than this free, in bytes, will soon refuse writes. */
const LEAST_FREE = 256 * 1024 * 1024;

/** Whether a disk with so many bytes free has room. */
export function inspectSpace(free: number): Omit<Finding, 'check'> {
  const mebibytes = `${Math.floor(free / 1_048_576)} MiB free`;
  const isGood = free >= LEAST_FREE;
  return { isGood, detail: isGood ? mebibytes : `only ${mebibytes}; make room` };
}

/** Looks at the store's pragmas, integrity, disk and clock. Reads the whole file once. */
export async function inspectStore(engine: SqliteEngine, path: string, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (check: string, isGood: boolean, detail: string) => findings.push({ check, isGood, detail });

  for (const [name, wanted] of Object.entries(PRAGMAS)) {
    const found = engine.pragma(name);
    add(
      `pragma ${name}`,
      found === wanted,
      found === wanted ? String(found) : `is ${found}, should be ${wanted}`,
    );
  }
  const integrity = engine.pragma('integrity_check(10)');
  add('integrity', integrity === 'ok', integrity === 'ok' ? 'ok' : 'the file is damaged; restore a backup');
  const orphan = engine.pragma('foreign_key_check');
  add(
    'references',
    orphan === undefined,
    orphan === undefined ? 'ok' : 'rows refer to rows that are not there; restore a backup',
  );

  const disk = await statfs(dirname(path));
  findings.push({ check: 'disk space', ...inspectSpace(disk.bavail * disk.bsize) });

  findings.push(await inspectClock(engine, now));
  return findings;
}

/** The clock may not be behind what was kept by it. */
export async function inspectClock(engine: Reader, now: number): Promise<Finding> {
  const latest = await latestInstant(engine);
  const isGood = latest <= now + 300_000;
  return {
    check: 'clock',
    isGood,
    detail: isGood
      ? new Date(now).toISOString()
      : "the clock is behind the store's own records; set it right",
  };
}

async function latestInstant(engine: Reader): Promise<number> {
  const rows = await engine.read(
    {
      name: 'doctor.latest',
      sql: 'select max(at) from (select max(created_at) as at from contact_centers union all select max(created_at) from tokens union all select max(applied_at) from migrations) as each_table',
      parameters: [],
    },
    {},
  );
  return Number(rows[0]?.[0] ?? 0);
}
