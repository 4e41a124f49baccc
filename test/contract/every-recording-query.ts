import type { ContactCenter } from '../../src/access/contact-center.ts';
import type { RecordingQuery } from '../../src/recordings/query.ts';
import type { Store } from '../../src/store/open.ts';
import { eventOf, FACTS, nextId, said } from './recordings-contract.ts';

/** Does everything with recordings that a store can do, so that each of its statements runs. */
export async function useRecordings(store: Store, contactCenter: ContactCenter): Promise<void> {
  const { recordings, audit } = store;
  const reserve = (key: string) =>
    recordings.reserve(
      contactCenter,
      said({ leadId: 4 }),
      { id: nextId(), now: 1 },
      { key, fingerprint: 'f' },
    );
  const add = async (key: string) => {
    const { recording } = await reserve(key);
    const { number } = recording;
    return recordings.complete(contactCenter, recording, FACTS, eventOf('recording.added', number));
  };
  const { number } = await add('a');
  await add('b');
  const queries: Partial<RecordingQuery>[] = [
    {},
    { userNumbers: [1] },
    ...[2, 3, 9, 33, 200].map((size) => ({ userNumbers: Array.from({ length: size }, (_, at) => at + 1) })),
    { leadId: 4 },
    { leadId: 4, userNumbers: [1, 2] },
    { states: ['purged'] },
    { states: ['stored', 'purged'] },
    { minSeconds: 1 },
  ];
  for (const query of queries) {
    for (const place of [{}, { offset: 1 }, { after: { startedAt: 0, number: 0 } }, { from: 5, to: 6 }]) {
      await recordings.page(contactCenter, { ...query, ...place, limit: 1, count: 'exact' });
    }
    await recordings.page(contactCenter, { ...query, offset: 30_000, limit: 1, count: 'exact' });
  }
  await recordings.change(
    contactCenter,
    number,
    { state: 'archived' },
    eventOf('recording.archived', number),
  );
  await recordings.leftovers(contactCenter, 0, 10);
  await recordings.clearLeftover(contactCenter, number, ['main']);
  await recordings.purge(contactCenter, number, eventOf('recording.purged', number));
  await recordings.find(contactCenter, number);
  await reserve('c');
  const again = await reserve('c');
  await recordings.pending(contactCenter, 10, 10);
  await recordings.discard(contactCenter, again.recording);
  audit.record(contactCenter, eventOf('recording.played', number));
  await audit.flush();
  await audit.page(contactCenter, 0, 10);
}
