import type { ContactCenter } from '../../src/access/contact-center.ts';
import type { RecordingQuery } from '../../src/recordings/query.ts';
import type { Store } from '../../src/store/open.ts';
import { idOf } from './people.ts';
import { eventOf, FACTS, nextId, said } from './recordings-contract.ts';

/** Does everything with recordings that a store can do, so that each of its statements runs. */
export async function useRecordings(store: Store, contactCenter: ContactCenter): Promise<void> {
  const { recordings, letting, audit } = store;
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
      const whole = { ...query, ...place, limit: 1, count: 'exact' } as const;
      await recordings.page(contactCenter, whole);
      await recordings.list(contactCenter, whole);
      await recordings.list(contactCenter, { ...whole, keptAt: 1e15 });
    }
    await recordings.page(contactCenter, { ...query, offset: 30_000, limit: 1, count: 'exact' });
  }
  await recordings.firstEnd(contactCenter);
  const changed = () => eventOf('recording.changed', number);
  await recordings.change(contactCenter, number, { keepUntil: 9 }, changed);
  for (const due of ['own-end', 'retention', 'archive', 'pending', 'given-up', 'key'] as const) {
    await letting.due(contactCenter, due, 10, null, 10);
  }
  const copy = { tier: 'archive', id: idOf(1) } as const;
  await letting.beginMove(contactCenter, number, copy);
  await letting.moving(contactCenter, 0, 10);
  await letting.callOffMove(contactCenter, number, copy);
  await letting.leftovers(contactCenter, 0, 10);
  await letting.clearLeftover(contactCenter, number, [copy]);
  await letting.beginMove(contactCenter, number, copy);
  await letting.finishMove(contactCenter, number, copy, 5, eventOf('recording.archived', number));
  await letting.countHeld(contactCenter);
  for (const size of [1, 2, 3, 9, 33]) {
    await letting.byMediaIds(
      contactCenter,
      Array.from({ length: size }, (_, at) => idOf(at)),
    );
  }
  await letting.byNumbers(contactCenter, 0, 10);
  await letting.purgeIf(contactCenter, number, () => false, eventOf('recording.purged', number));
  await recordings.purge(contactCenter, number, eventOf('recording.purged', number));
  await letting.forgetKey(contactCenter, number, 10);
  await recordings.find(contactCenter, number);
  await reserve('c');
  const again = await reserve('c');
  await recordings.discard(
    contactCenter,
    again.recording,
    eventOf('recording.dropped', again.recording.number),
  );
  audit.record(contactCenter, eventOf('recording.played', number));
  await audit.flush();
  await audit.page(contactCenter, 0, 10);
}
