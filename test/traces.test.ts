import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import type { ContactCenter } from '../src/access/contact-center.ts';
import { createDeleteRecording } from '../src/recordings/delete.ts';
import type { LettingDeps } from '../src/recordings/letting.ts';
import { purge } from '../src/recordings/purge.ts';
import { openStore, type Store, storePath } from '../src/store/open.ts';
import { addUsers, person } from './contract/people.ts';
import { eventOf, FACTS, nextId, said } from './contract/recordings-contract.ts';
import { DAY, PACE } from './recordings/letting-world.ts';
import { createMemoryPlace } from './recordings/memory-place.ts';

const NOW = Date.UTC(2026, 2, 1);
/** So many that their rows and index entries are on pages of all kinds. */
const MANY = 3000;
const CANARY = 'canary-of-a-call';

for (const isServing of [false, true]) {
  describe(`what is let go ${isServing ? 'while it is served' : 'by a command'}`, () => {
    let data: string;
    let store: Store;
    let contactCenter: ContactCenter;
    let deps: LettingDeps;
    before(async () => {
      data = await mkdtemp(join(tmpdir(), 'rollcall-traces-'));
      store = await openStore({ data, dialects: [], now: () => NOW, cacheMiB: 4, isServing });
      contactCenter = await store.access.createContactCenter('north', 'UTC', NOW);
      await addUsers(store, contactCenter, [person(1, { dialectNumbers: {} })]);
      const place = createMemoryPlace(() => NOW);
      const places = { main: place, archive: null };
      deps = { store: store.letting, places, now: () => NOW, newId: nextId };
    });
    after(async () => {
      await store.close();
      await rm(data, { recursive: true });
    });

    const add = async (at: number) => {
      const call = {
        callId: `${CANARY}-${at}`,
        remoteNumber: `${CANARY}+${at}`,
        startedAt: NOW - 91 * DAY + at,
      };
      const made = { id: nextId(), now: NOW - 91 * DAY };
      const { recording } = await store.recordings.reserve(contactCenter, said(call), made);
      const { number } = recording;
      await store.recordings.complete(contactCenter, recording, FACTS, eventOf('recording.added', number));
      return number;
    };
    const letGo = (number: number) =>
      createDeleteRecording(store.recordings, deps, store.audit)(contactCenter, number, { kind: 'cli' });
    const traces = async () => {
      const path = storePath(data);
      const files = await Promise.all([path, `${path}-wal`].map((file) => readFile(file, 'latin1')));
      return files.map((text) => text.split(CANARY).length - 1);
    };

    it('leaves nothing to be read in the file or its log', async () => {
      for (let at = 0; at < MANY; at += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, each) => add(at + each)));
        // Some of it has come to the file.
        if (at === 1000) assert.equal(await store.letting.wipe(), true);
      }
      const [inFile, inLog] = await traces();
      assert.ok(inFile && inLog, 'there is something to be found before');
      const { purged } = await purge(deps, contactCenter, { ...PACE, batch: 50 });
      assert.equal(purged, MANY);
      assert.deepEqual(await traces(), [0, 0]);

      const number = await add(1);
      await letGo(number);
      assert.deepEqual(await traces(), [0, 0]);
    });

    it('is wiped later where another process reads it', async () => {
      const reader = new Database(storePath(data), { readonly: true });
      try {
        reader.exec('begin');
        reader.prepare('select count(*) from recordings').get();
        await letGo(await add(2));
        assert.notDeepEqual(await traces(), [0, 0]);
        assert.equal(await store.letting.wipe(), false);
        reader.exec('rollback');
        assert.equal(await store.letting.wipe(), true);
        assert.deepEqual(await traces(), [0, 0]);
      } finally {
        reader.close();
      }
    });
  });
}
