import type { Command } from 'commander';
import { describePlace } from '../../store/open.ts';
import { readSchemaState, type SchemaState } from '../../store/schema-state.ts';
import { type CommonOptions, placeOf } from '../context.ts';
import { print, table } from '../output.ts';
import type { NewCommand } from '../program.ts';

function summarize({ applied, pending, refusal }: SchemaState): string {
  if (refusal !== null) return refusal;
  if (applied.length === 0) return 'there is no store yet; make it with: rollcall contact-center create NAME';
  return pending.length === 0 ? 'up to date' : 'not up to date; run: rollcall db migrate';
}

async function runStatus(options: CommonOptions): Promise<void> {
  const place = placeOf(options);
  const found = await readSchemaState(place);
  const { engine, engineVersion, applied, pending, refusal } = found;
  const version = applied.at(-1)?.name ?? null;
  const times = applied.map(({ name, at }) => ({ name, appliedAt: new Date(at).toISOString() }));
  print(
    options.json === true,
    { engine, engineVersion, version, applied: times, pending: pending.map(({ name }) => name), refusal },
    [
      `${engine}${engineVersion === null ? '' : ` ${engineVersion}`}, ${describePlace(place)}`,
      ...table(
        ['MIGRATION', 'APPLIED'],
        [
          ...times.map(({ name, appliedAt }) => [name, appliedAt]),
          ...pending.map(({ name }) => [name, 'pending']),
        ],
      ),
      summarize(found),
    ],
  );
  if (refusal !== null) process.exitCode = 1;
}

/** `db status`. */
export function addStatusCommand(parent: Command, newCommand: NewCommand): void {
  newCommand(parent, 'status', 'tell which migrations the store has had, and change nothing').action(
    runStatus,
  );
}
