import { realpath } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ContactCenter } from '../../access/contact-center.ts';
import { SURROUNDINGS } from '../../app.ts';
import type { MediaFlags } from '../../config/media.ts';
import type { JsonObject } from '../../directory/user.ts';
import { Failure } from '../../errors.ts';
import { encodeRecording } from '../../recordings/native.ts';
import { readSaid, type Said } from '../../recordings/said.ts';
import type { Store } from '../../store/open.ts';
import { type CommonOptions, needContactCenter } from '../context.ts';
import { print, UsageError } from '../output.ts';
import type { NewCommand } from '../program.ts';
import { openAudioFile } from './manifest-files.ts';
import { withTakingIn } from './taking-in.ts';

interface AddFlags extends CommonOptions, MediaFlags {
  readonly contactCenter: string;
  readonly user: string;
  readonly started: string;
  readonly ended?: string;
  readonly lead?: string;
  readonly call?: string;
  readonly direction?: string;
  readonly remote?: string;
  readonly keepUntil?: string;
  readonly keep?: string;
  readonly hold?: boolean;
}

/** The flag that says each field. */
const FLAG_OF: Readonly<Record<string, string>> = {
  startedAt: '--started',
  endedAt: '--ended',
  leadId: '--lead',
  callId: '--call',
  direction: '--direction',
  remoteNumber: '--remote',
  keepUntil: '--keep-until',
  keepDays: '--keep',
};

/** @throws UsageError that names the flags; Failure not_found where the user is nobody */
async function readFlags(store: Store, contactCenter: ContactCenter, flags: AddFlags): Promise<Said> {
  const userNumber = await store.pages.findNumber(contactCenter, flags.user);
  if (userNumber === null) {
    throw new Failure('not_found', 'there is no user with this email or login id in the contact center');
  }
  const said: Record<string, JsonObject[string] | undefined> = {
    userNumber,
    startedAt: flags.started,
    endedAt: flags.ended,
    leadId: flags.lead,
    callId: flags.call,
    direction: flags.direction,
    remoteNumber: flags.remote,
    keepUntil: flags.keepUntil,
    keepDays: flags.keep,
    legalHold: flags.hold === true,
  };
  const given = Object.entries(said).filter(([, value]) => value !== undefined) as [string, string][];
  try {
    const deps = { users: store.pages, now: SURROUNDINGS.now() };
    return await readSaid(contactCenter, Object.fromEntries(given), deps);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'invalid') throw error;
    const problems = Object.entries(error.fields).map(
      ([field, texts]) => `${FLAG_OF[field] ?? field} ${texts.join('; ')}`,
    );
    throw new UsageError(problems.join('; '));
  }
}

async function runAdd(path: string, flags: AddFlags): Promise<void> {
  await withTakingIn(flags, async ({ store, takeIn }) => {
    const contactCenter = await needContactCenter(store.access, flags.contactCenter);
    const said = await readFlags(store, contactCenter, flags);
    const file = await openAudioFile(await realpath(path).catch(() => path));
    try {
      const { recording } = await takeIn(contactCenter, {
        ...said,
        idempotencyKey: null,
        actor: { kind: 'cli' },
        open: () => file.read(),
      });
      const { media, seconds } = recording;
      const length = seconds === null ? 'length unknown' : `${seconds} s`;
      print(flags.json === true, encodeRecording(recording), [
        `recording ${recording.number}: ${media?.mediaType}, ${length}, ${media?.bytes} bytes`,
      ]);
    } finally {
      await file.close();
    }
  });
}

/** `recordings add FILE`. */
export function addRecordingsAddCommand(parent: Command, newMediaCommand: NewCommand): void {
  newMediaCommand(parent, 'add', 'take one recording in')
    .argument('<file>', 'WAV, MP3, Ogg (Opus), M4A or FLAC, told by its content')
    .requiredOption('--contact-center <name>', 'whose; needed')
    .requiredOption('--user <email>', 'whose call it was; the login id of who has no email')
    .requiredOption(
      '--started <time>',
      "2026-03-01T08:00:00Z, or in the contact center's zone 2026-03-01 08:00:00",
    )
    .option('--ended <time>', 'read from the file where it is not given')
    .option('--lead <id>', "the lead's number")
    .option('--call <id>', "the telephone system's name for the call")
    .option('--direction <word>', 'inbound, outbound or internal')
    .option('--remote <number>', "the other party's number")
    .option('--keep-until <time>', "let go then, whatever the contact center's retention is")
    .option('--keep <days>', 'let go so many days after its start')
    .option('--hold', 'put it under legal hold at once')
    .action(runAdd);
}
