import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { DirectoryFigures, GrowthFigures, ImportFigures, ScenarioFigures } from './measures.ts';
import { SCENARIOS } from './scenarios.ts';

export const SMALL = 100_000;
export const LARGE = 1_000_000;

/** Everything that a run found. */
export interface Results {
  readonly engine: 'sqlite' | 'postgres';
  readonly machine: string;
  readonly system: string;
  readonly node: string;
  readonly at: string;
  readonly secondsPerRound: number;
  readonly scenarios: ScenarioFigures[];
  readonly growth: GrowthFigures[];
  readonly directories: DirectoryFigures[];
  readonly ready: { readonly users: number; readonly milliseconds: number }[];
  import: ImportFigures | null;
}

/** A target, and whether a run reached it. */
export interface Verdict {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly isMet: boolean;
}

/** What a part of the benchmark found. */
export interface Measured {
  readonly figures: Readonly<Record<string, unknown>>;
  readonly verdicts: readonly Verdict[];
}

const startedAt = performance.now();

/** Tells on stderr what is measured now. */
export function say(text: string): void {
  const seconds = (performance.now() - startedAt) / 1000;
  process.stderr.write(`${seconds.toFixed(0).padStart(4)} s  ${text}\n`);
}

/** What figures were found on, and when. */
export const surroundings = () => ({
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1e9)} GB`,
  system: `${type()} ${release()}`,
  node: process.version,
  at: new Date().toISOString(),
});

/** Keeps what was found under `results/`. */
export function keep<R extends { readonly at: string }>(results: R, kind = ''): void {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${results.at.replaceAll(':', '').slice(0, 17)}${kind}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  say(`written to ${file}`);
}

/** Prints which targets were reached. */
export function showVerdicts(verdicts: readonly Verdict[]): void {
  showTable(verdicts.map(({ isMet, ...rest }) => ({ ...rest, met: isMet ? 'yes' : 'NO' })));
}

/** Holds the figures against the targets; what was not measured is not judged. */
export function judge(results: Results): Verdict[] {
  const verdicts: Verdict[] = [];
  const add = (what: string, wanted: string, found: string, isMet: boolean) =>
    verdicts.push({ what, wanted, found, isMet });
  for (const { scenario, users, sqlRatio } of results.scenarios) {
    if (sqlRatio === undefined) continue;
    const what = `${scenario}, of ${users}: share of the bare server with the same SQL`;
    add(what, '>= 0.80', sqlRatio.toFixed(2), sqlRatio >= 0.8);
  }
  for (const { name, leastRatio } of results.engine === 'sqlite' ? SCENARIOS : []) {
    const found = results.scenarios.find((each) => each.scenario === name && each.users === SMALL);
    if (leastRatio === null || found === undefined) continue;
    const isMet = found.ratio >= leastRatio;
    add(`${name}: share of the bare server`, `>= ${leastRatio.toFixed(2)}`, found.ratio.toFixed(2), isMet);
  }
  for (const { scenario, ratio } of results.growth) {
    add(`${scenario}: p50 at most users to that at fewest`, '<= 1.3', ratio.toFixed(2), ratio <= 1.3);
  }
  for (const { users, idleMegabytes, peakMegabytes } of results.directories) {
    const more = peakMegabytes - idleMegabytes;
    add(`whole directory of ${users}: memory over idle`, '< 60 MB', `${more.toFixed(0)} MB`, more < 60);
  }
  if (results.import !== null) {
    const { users, usersPerSecond } = results.import;
    const found = `${usersPerSecond.toFixed(0)} users/s`;
    add(`import of ${users}`, '>= 20000 users/s', found, usersPerSecond >= 20_000);
  }
  for (const { users, milliseconds } of results.ready) {
    if (users !== LARGE) continue;
    const found = `${milliseconds.toFixed(0)} ms`;
    add('start to ready with 1,000,000 users', '<= 1000 ms', found, milliseconds <= 1000);
  }
  const bad = results.scenarios.reduce((sum, each) => sum + each.bad, 0);
  add('answers that were not 200', '0', String(bad), bad === 0);
  return verdicts;
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));

function showTable(rows: readonly object[]): void {
  if (rows.length > 0) console.table(rows);
}

/** Prints the figures and the verdicts. */
export function show(results: Results, verdicts: readonly Verdict[]): void {
  showTable(
    results.scenarios.map(({ scenario, users, bytes, rollcall, bare, ratio, sql, sqlRatio }) => ({
      scenario,
      users,
      bytes,
      'req/s': round(rollcall.perSecond, 0),
      'bare req/s': round(bare.perSecond, 0),
      ratio: round(ratio, 3),
      ...(sql === undefined || sqlRatio === undefined
        ? {}
        : {
            'SQL req/s': round(sql.perSecond, 0),
            'SQL ratio': round(sqlRatio, 3),
            'SQL p50': round(sql.p50, 3),
          }),
      p50: round(rollcall.p50, 3),
      'bare p50': round(bare.p50, 3),
      p99: round(rollcall.p99, 3),
      'bare p99': round(bare.p99, 3),
    })),
  );
  showTable(
    results.growth.map(({ scenario, smallP50, largeP50, ratio }) => ({
      'one connection': scenario,
      'p50 at fewest': round(smallP50, 3),
      'p50 at most': round(largeP50, 3),
      ratio: round(ratio, 2),
    })),
  );
  showTable(
    results.directories.map((each) => ({
      'whole directory': each.users,
      MB: round(each.megabytes, 0),
      'MB/s': round(each.megabytesPerSecond, 0),
      'idle MB': round(each.idleMegabytes, 0),
      'peak MB': round(each.peakMegabytes, 0),
      'again: MB/s': round(each.againMegabytesPerSecond, 0),
      'idle MB ': round(each.againIdleMegabytes, 0),
      'peak MB ': round(each.againPeakMegabytes, 0),
    })),
  );
  if (results.import !== null) {
    const { users, megabytes, seconds, usersPerSecond, usersPerSecondBesides } = results.import;
    showTable([
      {
        import: users,
        MB: round(megabytes, 0),
        seconds: round(seconds, 2),
        'users/s': round(usersPerSecond, 0),
        'users/s besides start and end': round(usersPerSecondBesides, 0),
      },
    ]);
  }
  showTable(
    results.ready.map(({ users, milliseconds }) => ({ users, 'ready after ms': round(milliseconds, 0) })),
  );
  showVerdicts(verdicts);
}
