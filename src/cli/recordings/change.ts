import type { Command } from 'commander';
import type { AuditEvent } from '../../access/audit.ts';
import { SURROUNDINGS } from '../../app.ts';
import { parseInstant, parseLocal } from '../../directory/time-zone.ts';
import type { RecordingChange } from '../../recordings/ports.ts';
import type { Recording } from '../../recordings/recording.ts';
import { withStore } from '../context.ts';
import { print, UsageError, wholeFlag } from '../output.ts';
import type { NewCommand } from '../program.ts';
import { type NumberFlags, needRecording, numberArgument } from './one.ts';

const DAY = 86_400_000;
const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** Changes a recording, with an event that tells what it was before. */
async function change(
  number: number,
  flags: NumberFlags,
  changeOf: (recording: Recording, timezone: string) => RecordingChange,
  action: AuditEvent['action'],
  detailsOf: (before: Recording, wanted: RecordingChange) => AuditEvent['details'],
  tell: (after: Recording) => string,
): Promise<void> {
  await withStore(flags, async (store) => {
    const { contactCenter, recording } = await needRecording(store, flags, number);
    const wanted = changeOf(recording, contactCenter.timezone);
    const after = await store.recordings.change(contactCenter, number, wanted, (before) => ({
      at: SURROUNDINGS.now(),
      actor: { kind: 'cli' },
      action,
      subject: String(number),
      outcome: 'done',
      details: detailsOf(before, wanted),
    }));
    const { legalHold, keepUntil, revocations } = after;
    const document = {
      contactCenter: contactCenter.name,
      number,
      legalHold,
      keepUntil: iso(keepUntil),
      revocations,
    };
    print(flags.json === true, document, [tell(after)]);
  });
}

async function runHold(number: number, flags: NumberFlags & { on?: boolean; off?: boolean }): Promise<void> {
  if ((flags.on === true) === (flags.off === true)) throw new UsageError('give --on or --off');
  const legalHold = flags.on === true;
  await change(
    number,
    flags,
    () => ({ legalHold }),
    'recording.changed',
    (before) => ({ field: 'legalHold', old: before.legalHold, new: legalHold }),
    () => `recording ${number} is ${legalHold ? '' : 'no longer '}under legal hold`,
  );
}

interface KeepFlags extends NumberFlags {
  readonly until?: string;
  readonly days?: number;
  readonly default?: boolean;
}

function readKeep(flags: KeepFlags, { startedAt }: Recording, timezone: string): number | null {
  if (flags.days !== undefined) return startedAt + flags.days * DAY;
  if (flags.until === undefined) return null;
  const at = parseInstant(flags.until) ?? parseLocal(flags.until, timezone);
  if (at !== null) return at;
  throw new UsageError(
    "--until takes a time such as 2026-03-01T08:00:00Z, or in the contact center's zone 2026-03-01 08:00:00",
  );
}

function tellKept({ number, keepUntil, legalHold }: Recording, now: number): string {
  if (keepUntil === null) return `recording ${number} is kept as the contact center's retention says`;
  // A slip in the year would let it go within minutes.
  if (keepUntil <= now && !legalHold) {
    return `recording ${number} was kept until ${iso(keepUntil)}: it is let go as soon as anything is, by serve or recordings purge`;
  }
  return `recording ${number} is kept until ${iso(keepUntil)}`;
}

async function runKeep(number: number, flags: KeepFlags): Promise<void> {
  const given = [flags.until, flags.days, flags.default].filter((flag) => flag !== undefined);
  if (given.length !== 1) throw new UsageError('give one of --until, --days and --default');
  await change(
    number,
    flags,
    (recording, timezone) => ({ keepUntil: readKeep(flags, recording, timezone) }),
    'recording.changed',
    (before, wanted) => ({
      field: 'keepUntil',
      old: iso(before.keepUntil),
      new: iso(wanted.keepUntil ?? null),
    }),
    (after) => tellKept(after, SURROUNDINGS.now()),
  );
}

async function runRevoke(number: number, flags: NumberFlags): Promise<void> {
  await change(
    number,
    flags,
    () => ({ revoke: true }),
    'recording.revoked',
    ({ revocations }) => ({ revocations: revocations + 1 }),
    () => `every link to recording ${number} that was given out has ended`,
  );
}

/** `recordings hold`, `keep` and `revoke`. */
export function addChangeCommands(parent: Command, newCommand: NewCommand): void {
  const add = (name: string, description: string) =>
    newCommand(parent, name, description)
      .argument('<number>', "the recording's number", numberArgument)
      .requiredOption('--contact-center <name>', 'whose; needed');
  add('hold', 'put a recording under legal hold, or end that')
    .option('--on', 'nothing lets it go any more')
    .option('--off', 'its retention holds again')
    .action(runHold);
  add('keep', 'say until when a recording is kept')
    .option('--until <time>', "2026-03-01T08:00:00Z, or in the contact center's zone 2026-03-01 08:00:00")
    .option('--days <n>', 'so many days after its start', wholeFlag('--days', 1, 36_500))
    .option('--default', "as long as the contact center's retention says")
    .action(runKeep);
  add('revoke', 'end every link to a recording that was given out').action(runRevoke);
}
