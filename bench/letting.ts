import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRollcallStore, SURROUNDINGS } from '../src/app.ts';
import { placeOf as storePlaceOf } from '../src/cli/context.ts';
import { placeOf } from '../src/media/paths.ts';
import type { NewRecording } from '../src/recordings/recording.ts';
import { mintToken } from './data.ts';
import type { LoadFigures, LoadRequest } from './load.ts';
import { load, rollcall, serveRollcall } from './processes.ts';
import { type Measured, say } from './report.ts';

const USERS = 1000;
const DUE = 100_000;
const KEPT = 20_000;
const DAY = 86_400_000;
const CONNECTIONS = 8;
const SECONDS = 5;
const WANTED = 50;

/** Recordings in the store and their files in the folder, without waiting for the disk each time. */
async function fill(data: string): Promise<void> {
  const store = await openRollcallStore(storePlaceOf({ data }), 256);
  try {
    const demo = await store.access.findContactCenter('demo');
    if (demo === null) throw new Error('there is no demo');
    const audio = Buffer.alloc(1000, 'RIFF');
    const sha256 = createHash('sha256').update(audio).digest('hex');
    const add = async (at: number) => {
      const said: NewRecording = {
        userNumber: 1 + (at % USERS),
        leadId: 1 + (at % 10_000),
        callId: `call-${at}`,
        direction: 'outbound',
        remoteNumber: '+15550100',
        startedAt: Date.now() - (at < DUE ? 95 : 10) * DAY - (at % 1000) * 1000,
        endedAt: null,
        seconds: 60,
        keepUntil: null,
        legalHold: false,
      };
      const made = { id: SURROUNDINGS.newId(), now: Date.now() };
      const { recording } = await store.recordings.reserve(demo, said, made);
      const { shelf, name } = placeOf({ contactCenterId: demo.id, id: recording.mediaId });
      mkdirSync(join(data, 'media', shelf), { recursive: true });
      writeFileSync(join(data, 'media', shelf, name), audio);
      const facts = {
        mediaType: 'audio/wav',
        bytes: audio.length,
        sha256,
        seconds: 60,
        endedAt: null,
      } as const;
      await store.recordings.complete(demo, recording, facts, {
        at: Date.now(),
        actor: { kind: 'cli' },
        action: 'recording.added',
        subject: String(recording.number),
        outcome: 'done',
        details: {},
      });
    };
    for (let at = 0; at < DUE + KEPT; at += 250) {
      await Promise.all(Array.from({ length: 250 }, (_, each) => add(at + each)));
    }
  } finally {
    await store.close();
  }
}

/** The lines that the job wrote into the log of a server. */
function jobLines(log: string): { readonly purged: number; readonly milliseconds: number }[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"job":"letting"'))
    .map((line) => JSON.parse(line));
}

/** What reads take while 100,000 recordings are purged in the same server. */
export async function measureLetting(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-letting-'));
  const data = join(folder, 'data');
  const log = join(folder, 'log');
  try {
    say(`making ${USERS} users, ${DUE} recordings to purge and ${KEPT} to keep`);
    await rollcall(['demo', '--users', String(USERS), '--recordings', '0', '--data', data]);
    const start = Date.now();
    await fill(data);
    say(`that took ${Math.round((Date.now() - start) / 1000)} s`);
    const token = await mintToken(data);
    const users = String(await rollcall(['export', '--contact-center', 'demo', '--data', data]))
      .trimEnd()
      .split('\n')
      .map((line) => String(JSON.parse(line).email));
    const requests = users.flatMap((user): LoadRequest[] =>
      ['recordings', 'search'].map((path) => ({
        method: 'GET',
        path: `/v1/users/${path}?${new URLSearchParams({ auth_token: token, user, limit: '20' })}`,
      })),
    );
    const served = await serveRollcall(data, log);
    try {
      say('reads while the purge runs');
      const during: LoadFigures[] = [];
      const ask = (round: number) =>
        load({ url: served.url, connections: CONNECTIONS, seconds: SECONDS, requests, from: round * 97 });
      while (jobLines(log).length === 0) during.push(await ask(during.length));
      const [purge] = jobLines(log);
      if (purge === undefined || purge.purged !== DUE) throw new Error(`${purge?.purged} were purged`);
      // The last round may have seen the end of it, and the first its beginning.
      const inside = during.length > 2 ? during.slice(1, -1) : during;
      say('reads when it is over');
      const after = [await ask(0), await ask(1), await ask(2)];
      const worst = Math.max(...inside.map(({ p99 }) => p99));
      return {
        figures: { purged: purge.purged, seconds: purge.milliseconds / 1000, during: inside, after },
        verdicts: [
          {
            what: `p99 of reads while ${DUE} are purged, the worst ${SECONDS} seconds`,
            wanted: `< ${WANTED} ms`,
            found: `${worst.toFixed(1)} ms`,
            isMet: worst < WANTED,
          },
        ],
      };
    } finally {
      await served.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
