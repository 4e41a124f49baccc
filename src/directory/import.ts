import { isDeepStrictEqual } from 'node:util';
import type { ContactCenter } from '../access/contact-center.ts';
import { Failure } from '../errors.ts';
import type { FormatContext, UserFormat } from './format.ts';
import { keysOf, mayBeTaken } from './keys.ts';
import { applyPatch, blankUser, madeLoginId, newIn } from './merge.ts';
import { NameBook } from './names.ts';
import type { UserPatch } from './patch.ts';
import type { ImportCounts, UserWriter, UserWriting } from './ports.ts';
import { type JsonObject, shownName } from './user.ts';
import { type Entry, WorkingSet } from './working-set.ts';

/** One row of a file: its JSON, or why it could not be read. Lines count from 1. */
export type SourceRow =
  | { readonly line: number; readonly text: string; readonly value: JsonObject }
  | { readonly line: number; readonly text: string; readonly problem: string };

/** A row that was not taken in, and why. The reason holds no value of the row. */
export interface Refusal {
  readonly row: SourceRow;
  readonly reason: string;
}

export interface ImportOptions {
  readonly contactCenter: ContactCenter;
  /** The file's format, found from its first row. */
  readonly formatOf: (first: JsonObject) => UserFormat;
  readonly dialects: readonly string[];
  readonly now: () => number;
  readonly newId: () => string;
  /** Works everything out and keeps nothing. */
  readonly dryRun: boolean;
  /** Told of each refused row, in order. */
  readonly onRefused: (refusal: Refusal) => void | Promise<void>;
  /** Told after each batch was kept. */
  readonly onProgress: (counts: ImportCounts) => void;
}

type Outcome = keyof ImportCounts;
type Tally = Record<Outcome, number>;

/** Rows worked on in one transaction: long enough to share its cost, short enough to let other writers in. */
const BATCH = 4000;

class DryRunOver extends Error {}

/** Loads rows. What is good is kept, batch by batch; each bad row is told and stops nothing else. */
export async function importUsers(
  writer: UserWriter,
  rows: AsyncIterable<SourceRow>,
  options: ImportOptions,
): Promise<ImportCounts> {
  const total: Tally = { made: 0, changed: 0, unchanged: 0, refused: 0 };
  let format: UserFormat | undefined;

  const load = async (writing: UserWriting, batch: readonly SourceRow[]): Promise<Refusal[]> => {
    if (format === undefined) {
      const first = batch.find((row) => 'value' in row);
      if (first !== undefined) format = options.formatOf(first.value);
    }
    const { tally, refusals } = await loadBatch(writing, batch, format, options);
    for (const outcome of Object.keys(total) as Outcome[]) total[outcome] += tally[outcome];
    await writing.countImported(tally);
    return refusals;
  };
  const tell = async (refusals: readonly Refusal[]) => {
    for (const refusal of refusals) await options.onRefused(refusal);
    options.onProgress({ ...total });
  };

  if (options.dryRun) {
    try {
      await writer.write(options.contactCenter, async (writing) => {
        for await (const batch of inBatches(rows)) await tell(await load(writing, batch));
        throw new DryRunOver();
      });
    } catch (error) {
      if (!(error instanceof DryRunOver)) throw error;
    }
    return total;
  }
  for await (const batch of inBatches(rows)) {
    await tell(await writer.write(options.contactCenter, (writing) => load(writing, batch)));
  }
  return total;
}

async function* inBatches(rows: AsyncIterable<SourceRow>): AsyncGenerator<SourceRow[]> {
  let batch: SourceRow[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function loadBatch(
  writing: UserWriting,
  batch: readonly SourceRow[],
  format: UserFormat | undefined,
  options: ImportOptions,
): Promise<{ tally: Tally; refusals: Refusal[] }> {
  const tally: Tally = { made: 0, changed: 0, unchanged: 0, refused: 0 };
  const refusals: Refusal[] = [];
  const refuse = (row: SourceRow, reason: string) => {
    tally.refused += 1;
    refusals.push({ row, reason });
  };
  const context: FormatContext = { timezone: options.contactCenter.timezone, now: options.now() };

  const decoded: { row: SourceRow; patch: UserPatch }[] = [];
  const failures = new Map<SourceRow, string>();
  for (const row of batch) {
    if ('problem' in row) failures.set(row, row.problem);
    else if (format !== undefined) {
      try {
        decoded.push({ row, patch: format.decode(row.value, context) });
      } catch (error) {
        failures.set(row, reasonOf(error));
      }
    }
  }

  const patches = decoded.map(({ patch }) => patch);
  const { set, names } = await openWorkingSet(writing, patches, format?.dialect ?? null, options.dialects);
  for (const { row, patch } of decoded) {
    if (format === undefined) continue;
    const mark = names.mark();
    try {
      tally[applyRow(set, names, format, patch, context, options)] += 1;
    } catch (error) {
      names.rewind(mark);
      failures.set(row, reasonOf(error));
    }
  }
  for (const row of batch) {
    const reason = failures.get(row);
    if (reason !== undefined) refuse(row, reason);
  }

  const changes = set.changes();
  if (changes.length > 0) {
    const { roles, teams } = names.takeAdded();
    await writing.addRoles(roles);
    await writing.addTeams(teams);
    await writing.write(changes, set.state);
  }
  return { tally, refusals };
}

function reasonOf(error: unknown): string {
  if (error instanceof Failure && (error.kind === 'invalid' || error.kind === 'conflict'))
    return error.message;
  throw error;
}

async function openWorkingSet(
  writing: UserWriting,
  patches: readonly UserPatch[],
  dialect: string | null,
  dialects: readonly string[],
): Promise<{ set: WorkingSet; names: NameBook }> {
  const state = await writing.numberState();
  const { own, above } = ownNumbers(patches, state.nextNumber);
  const known = await writing.findKnown(keysOf(patches, dialect, state, own));
  const taken = new Map<string, ReadonlySet<number>>();
  for (const each of dialects) {
    const asked = new Set([...own].filter((number) => mayBeTaken(state, each, number)));
    taken.set(each, await writing.takenNumbers(each, asked));
  }
  return {
    set: new WorkingSet(known, dialects, state, taken, { own, above }),
    names: new NameBook(await writing.roles(), await writing.teams()),
  };
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

function applyRow(
  set: WorkingSet,
  names: NameBook,
  format: UserFormat,
  patch: UserPatch,
  context: FormatContext,
  options: ImportOptions,
): Outcome {
  const entry = set.find(patch, format.dialect);
  const number = entry?.user.number ?? patch.number ?? set.nextOwnNumber();
  const given = givenNumbers(patch, entry, number, format, options.dialects);
  set.checkGiven(entry, given);
  if (entry === null) {
    const blank = blankUser(number, patch.id ?? options.newId(), context.timezone, context.now);
    const applied = applyPatch(blank, patch, true, names);
    const isMadeUp = applied.loginId === madeLoginId(number) && patch.loginId === undefined;
    const made =
      isMadeUp && set.isLoginTaken(applied.loginId) ? { ...applied, loginId: `user-${applied.id}` } : applied;
    if (made.email === null && patch.loginId === undefined && shownName(made) === '') {
      throw new Failure('invalid', 'the row names nobody: it needs an email, a login id or a name');
    }
    set.put(null, made, given);
    set.nextNumber = Math.max(set.nextNumber, number + 1);
    return 'made';
  }
  const after = applyPatch(entry.user, newIn(patch, shownBy(format, entry, context)), false, names);
  if (Object.keys(given).length === 0 && isDeepStrictEqual(after, entry.user)) return 'unchanged';
  set.put(entry, after, given);
  return 'changed';
}

/**
 * The dialect numbers that a row gives anew. One that the user has already stays what it is: an export of
 * ours that is loaded again does not turn a number that was chosen here into a vendor's. In our own format
 * the user's own number is one that was chosen, too.
 */
function givenNumbers(
  patch: UserPatch,
  entry: Entry | null,
  own: number,
  format: UserFormat,
  dialects: readonly string[],
): Record<string, number> {
  const isOurs = (dialect: string, number: number) =>
    entry === null
      ? format.dialect === null && number === own
      : entry.user.dialectNumbers[dialect] === number;
  return Object.fromEntries(
    Object.entries(patch.dialectNumbers ?? {}).filter(
      // A number in a dialect that is not known here is not kept, and so gives nothing.
      ([dialect, number]) => dialects.includes(dialect) && !isOurs(dialect, number),
    ),
  );
}

/** What a format says of a user as they are. */
function shownBy(format: UserFormat, { user }: Entry, context: FormatContext): UserPatch {
  const dialectNumber =
    format.dialect === null ? user.number : (user.dialectNumbers[format.dialect] ?? user.number);
  return format.decode(format.encode({ ...user, dialectNumber }, context), context);
}
