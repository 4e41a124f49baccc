import { join } from 'node:path';
import { openRollcallStore, SURROUNDINGS } from '../../src/app.ts';
import { DiskPlace } from '../../src/media/disk.ts';
import type { Pace } from '../../src/recordings/letting.ts';
import { type SweepFinding, sweep, sweepUnfinished } from '../../src/recordings/sweep.ts';

/** Looks for all that does not agree in a store nobody works on, and mends it. */
export async function sweepAll(data: string, archived?: string): Promise<SweepFinding[]> {
  const findings: SweepFinding[] = [];
  const store = await openRollcallStore({ data }, 8);
  const main = new DiskPlace(join(data, 'media'));
  const archive = archived === undefined ? null : new DiskPlace(archived);
  try {
    const deps = { ...SURROUNDINGS, store: store.letting, places: { main, archive } };
    const options = { mend: true, checksums: true, grace: -1000, pendingLife: -1000, mostLost: 0 };
    const pace: Pace = {
      actor: { kind: 'job' },
      batch: 100,
      pause: async () => {},
      onProgress: () => {},
      signal: new AbortController().signal,
    };
    for (const contactCenter of await store.access.contactCenters()) {
      await sweep(deps, contactCenter, options, pace, (finding) => findings.push(finding));
    }
    await sweepUnfinished(deps, options);
  } finally {
    await main.close();
    await archive?.close();
    await store.close();
  }
  return findings;
}
