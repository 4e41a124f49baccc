import { type Command, Option } from 'commander';
import { formatLocal } from '../../directory/time-zone.ts';
import { Failure } from '../../errors.ts';
import { encodeRecording } from '../../recordings/native.ts';
import { type RecordingState, STATES } from '../../recordings/recording.ts';
import { letGoAt } from '../../recordings/retention.ts';
import { needContactCenter, withStore } from '../context.ts';
import { print, table, wholeFlag } from '../output.ts';
import type { NewCommand } from '../program.ts';
import type { NumberFlags } from './one.ts';

interface ListFlags extends NumberFlags {
  readonly user?: string;
  readonly lead?: number;
  readonly state?: RecordingState;
  readonly limit: number;
  readonly offset: number;
}

async function runList(flags: ListFlags): Promise<void> {
  await withStore(flags, async (store) => {
    const contactCenter = await needContactCenter(store.access, flags.contactCenter);
    const { user, lead, state, limit, offset } = flags;
    const userNumber = user === undefined ? undefined : await store.pages.findNumber(contactCenter, user);
    if (userNumber === null) {
      throw new Failure('not_found', 'there is no user with this email or login id in the contact center');
    }
    const { recordings, total } = await store.recordings.page(contactCenter, {
      ...(userNumber === undefined ? {} : { userNumbers: [userNumber] }),
      ...(lead === undefined ? {} : { leadId: lead }),
      ...(state === undefined ? {} : { states: [state] }),
      limit,
      offset,
      count: 'exact',
    });
    const rows = recordings.map((recording) => {
      const { number, startedAt, seconds, userNumber: whose, leadId, state: now, media } = recording;
      const until = letGoAt(contactCenter, recording);
      return [
        String(number),
        now === 'purged' ? '' : formatLocal(startedAt, contactCenter.timezone),
        String(seconds ?? ''),
        String(whose ?? ''),
        String(leadId ?? ''),
        now,
        String(media?.bytes ?? ''),
        now === 'purged' ? '' : until === null ? 'legal hold' : formatLocal(until, contactCenter.timezone),
      ];
    });
    print(flags.json === true, { total, recordings: recordings.map(encodeRecording) }, [
      ...table(['NUMBER', 'STARTED', 'SECONDS', 'USER', 'LEAD', 'STATE', 'BYTES', 'KEPT UNTIL'], rows),
      `${recordings.length} of ${total}`,
    ]);
  });
}

/** `recordings list`. */
export function addListCommand(parent: Command, newCommand: NewCommand): void {
  newCommand(parent, 'list', 'list recordings, by their start')
    .requiredOption('--contact-center <name>', 'whose; needed')
    .option('--user <email>', 'whose calls they were; the login id of who has no email')
    .option('--lead <id>', 'only of this lead', wholeFlag('--lead', 1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--state <state>', 'only these (default: all but purged)').choices(STATES))
    .option('--limit <n>', 'how many', wholeFlag('--limit', 1, 10_000), 20)
    .option('--offset <n>', 'how many to pass over', wholeFlag('--offset', 0, 2_147_483_647), 0)
    .action(runList);
}
