import type { ContactCenter } from '../../access/contact-center.ts';
import { Failure } from '../../errors.ts';
import type { Recording } from '../../recordings/recording.ts';
import type { Store } from '../../store/open.ts';
import { type CommonOptions, needContactCenter } from '../context.ts';
import { wholeFlag } from '../output.ts';

/** What commands about one recording take. */
export interface NumberFlags extends CommonOptions {
  readonly contactCenter: string;
}

export const numberArgument = wholeFlag('NUMBER', 1, 2_147_483_647);

/** The recording of that number. @throws Failure not_found */
export async function needRecording(
  store: Store,
  { contactCenter: name }: NumberFlags,
  number: number,
): Promise<{ readonly contactCenter: ContactCenter; readonly recording: Recording }> {
  const contactCenter = await needContactCenter(store.access, name);
  const recording = await store.recordings.find(contactCenter, number);
  if (recording === null) {
    throw new Failure('not_found', `there is no recording ${number}; rollcall recordings list shows them`);
  }
  return { contactCenter, recording };
}
