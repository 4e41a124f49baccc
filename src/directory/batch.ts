import { Failure } from '../errors.ts';
import { applyRow, type RowSurroundings } from './apply-row.ts';
import type { FormatContext, UserFormat } from './format.ts';
import type { ImportOptions, Refusal, SourceRow } from './import.ts';
import { keysOf, mayBeTaken, seeUsers } from './keys.ts';
import { NameBook } from './names.ts';
import { isObject, type UserPatch } from './patch.ts';
import type { ImportCounts, NumberState, UserChange, UserReading, UserWriting } from './ports.ts';
import { SeenKeys } from './seen-keys.ts';
import type { Json, JsonObject, Named } from './user.ts';
import { WorkingSet } from './working-set.ts';

/** The patch that a format reads of a row, or why it can read none. */
export type DecodedRow =
  | { readonly line: number; readonly text: string; readonly patch: UserPatch }
  | Refusal;

/** Rows that are written together. */
export interface Batch {
  readonly rows: readonly DecodedRow[];
  readonly format: UserFormat | null;
  readonly context: FormatContext;
}

/**
 * Decodes rows as they come and gives them in batches of that many: what a row was read as is dropped at once.
 * The format is found from the first row that there is.
 */
export async function* decodeBatches(
  rows: AsyncIterable<SourceRow>,
  size: number,
  { contactCenter, now, formatOf }: Pick<ImportOptions, 'contactCenter' | 'now' | 'formatOf'>,
): AsyncGenerator<Batch> {
  let format: UserFormat | null = null;
  let context: FormatContext = { timezone: contactCenter.timezone, now: now() };
  let batch: DecodedRow[] = [];
  for await (const row of rows) {
    if ('problem' in row) batch.push({ row, reason: row.problem });
    else {
      format ??= formatOf(row.value);
      batch.push(decodeRow(row, format, context));
    }
    if (batch.length < size) continue;
    yield { rows: batch, format, context };
    batch = [];
    context = { ...context, now: now() };
  }
  if (batch.length > 0) yield { rows: batch, format, context };
}

function decodeRow(
  row: SourceRow & { value: JsonObject },
  format: UserFormat,
  context: FormatContext,
): DecodedRow {
  try {
    return { line: row.line, text: row.text, patch: format.decode(row.value, context) };
  } catch (error) {
    return { row, reason: reasonOf(error) };
  }
}

/** A row as it was read, from its text; the text of one that stood in a CSV file is all that there is to it. */
function readAgain({ line, text }: { readonly line: number; readonly text: string }): SourceRow {
  try {
    const value: Json = JSON.parse(text);
    if (isObject(value)) return { line, text, value };
  } catch {
    // It is no JSON.
  }
  return { line, text, problem: '' };
}

function reasonOf(error: unknown): string {
  if (error instanceof Failure && (error.kind === 'invalid' || error.kind === 'conflict'))
    return error.message;
  throw error;
}

/** What a batch comes to, worked out and not yet written. */
export interface Plan {
  readonly tally: ImportCounts;
  readonly refusals: readonly Refusal[];
  readonly changes: readonly UserChange[];
  readonly state: NumberState;
  readonly added: { readonly roles: readonly Named[]; readonly teams: readonly Named[] };
  /** The contact center's revision from which this was worked out, and the one at which it will then be. */
  readonly from: number;
  readonly to: number;
  readonly set: WorkingSet;
  readonly names: NameBook;
  /** The texts by which everybody may be found, where all of them came with this load. */
  readonly seen: SeenKeys | null;
}

/**
 * Works out what a batch comes to.
 * @param last the batch before it, where that may not be written yet
 */
export async function planBatch(
  reading: UserReading,
  { rows, format, context }: Batch,
  surroundings: RowSurroundings,
  last: Plan | null,
): Promise<Plan> {
  const patches = rows.flatMap((row) => ('patch' in row ? [row.patch] : []));
  const now = await reading.numberState();
  // Where somebody else has written meanwhile, the last batch is worked out anew, and so is this one.
  const before = last !== null && (now.revision === last.from || now.revision === last.to) ? last : null;
  const seen = before === null ? (now.nextNumber === 1 ? new SeenKeys() : null) : before.seen;
  const set = await openWorkingSet(reading, patches, format, surroundings.dialects, before, now, seen);
  const names = before?.names ?? new NameBook(await reading.roles(), await reading.teams());

  const tally = { made: 0, changed: 0, unchanged: 0, refused: 0 };
  const refusals: Refusal[] = [];
  for (const row of rows) {
    if ('reason' in row) refusals.push(row);
    else if (format !== null) {
      const mark = names.mark();
      try {
        tally[applyRow(set, names, format, row.patch, context, surroundings)] += 1;
      } catch (error) {
        names.rewind(mark);
        refusals.push({ row: readAgain(row), reason: reasonOf(error) });
      }
    }
  }
  tally.refused = refusals.length;
  const changes = set.changes();
  if (seen !== null)
    seeUsers(
      seen,
      changes.values().map((change) => change.after.user),
    );
  const from = before?.to ?? now.revision;
  return {
    tally,
    refusals,
    changes,
    state: set.state,
    added: names.takeAdded(),
    from,
    to: changes.length > 0 ? from + 1 : from,
    set,
    names,
    seen,
  };
}

async function openWorkingSet(
  reading: UserReading,
  patches: readonly UserPatch[],
  format: UserFormat | null,
  dialects: readonly string[],
  before: Plan | null,
  now: NumberState,
  seen: SeenKeys | null,
): Promise<WorkingSet> {
  const state = before?.state ?? now;
  const { own, above } = ownNumbers(patches, state.nextNumber);
  const keys = keysOf(patches, format?.dialect ?? null, state, own, seen);
  const stored = await reading.findKnown(keys);
  const taken = new Map<string, ReadonlySet<number>>();
  for (const dialect of dialects) {
    const asked = new Set([...own].filter((number) => mayBeTaken(state, dialect, number)));
    const found = await reading.takenNumbers(dialect, asked);
    taken.set(dialect, new Set([...found, ...(before?.set.takenNumbers(dialect, asked) ?? [])]));
  }
  const known = before === null ? stored : before.set.carryOver(stored, keys);
  return new WorkingSet(known, dialects, state, taken, { own, above });
}

/**
 * The own numbers that new users of this batch may come to have: those that rows bring, and for the others
 * the next ones, or where a brought number lies in between, the first ones above all that are brought.
 */
function ownNumbers(patches: readonly UserPatch[], next: number): { own: Set<number>; above: number } {
  const own = new Set<number>();
  let above = next;
  let unnumbered = 0;
  for (const { number } of patches) {
    if (number === undefined) unnumbered += 1;
    else {
      own.add(number);
      above = Math.max(above, number + 1);
    }
  }
  for (let step = 0; step < unnumbered; step += 1) own.add(next + step).add(above + step);
  return { own, above };
}

/** Writes what a batch comes to. */
export async function writePlan(writing: UserWriting, plan: Plan): Promise<void> {
  if (plan.changes.length > 0) {
    await writing.addRoles(plan.added.roles);
    await writing.addTeams(plan.added.teams);
    await writing.write(plan.changes, plan.state);
  }
  await writing.countImported(plan.tally);
}
