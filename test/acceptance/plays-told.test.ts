import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openRollcallStore } from '../../src/app.ts';
import { openMediaPlaces } from '../../src/media/open.ts';
import { loadRows } from '../app-under-test.ts';
import { linkTo, record } from '../recordings-under-test.ts';
import { rollcall, serveJson } from './server-process.ts';
import { describeOnStores } from './stores.ts';

/** More than the buffers of both ends of a connection hold. */
const AUDIO = Buffer.alloc(30_000_000);

interface Told {
  readonly action: string;
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
}

describeOnStores('plays under way when the server ends', {}, (under) => {
  let data: string;
  let flags: string[];
  let link: string;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'rollcall-plays-'));
    flags = await under.flags(data);
    const store = await openRollcallStore(await under.place(data), 4);
    const places = await openMediaPlaces({
      main: { kind: 'disk', folder: join(data, 'media') },
      archive: null,
    });
    const north = await store.access.createContactCenter('north', 'UTC', Date.now());
    await loadRows({ store }, north, [{ email: 'ada@calls.example', firstName: 'Ada' }]);
    const played = await record({ store, places }, north, { startedAt: Date.now() - 60_000, audio: AUDIO });
    link = await linkTo({ store }, north, played);
    await store.close();
  });
  after(() => rm(data, { recursive: true }));

  async function readEvents(): Promise<Told[]> {
    const { stdout, stderr, code } = await rollcall('audit', 'export', '--contact-center', 'north', ...flags);
    assert.equal(code, 0, stderr);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { action, outcome, details } = JSON.parse(line);
        return { action, outcome, details };
      });
  }

  /** Asks for the audio and stops reading after its first bytes. */
  async function play(address: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const [answer] = (await once(get(address + link, { headers, agent: false }), 'response')) as [
      IncomingMessage,
    ];
    answer.on('error', () => {});
    await once(answer, 'readable');
    return answer;
  }

  test('are told as begun, and how they ended once they are cut off', async () => {
    const seen = (await readEvents()).length;
    const server = await serveJson(...flags);
    await play(server.told.address);
    await play(server.told.address, { range: 'bytes=0-' });
    const { code } = await server.stop();
    assert.equal(code, 1);
    const range = { first: 0, last: AUDIO.length - 1 };
    const events = (await readEvents()).slice(seen);
    // In no order: they are cut off at once. The one with a range says more.
    const of = (outcome: string) =>
      events
        .filter((event) => event.outcome === outcome)
        .sort((a, b) => Object.keys(a.details).length - Object.keys(b.details).length);
    const action = 'recording.played';
    assert.deepEqual(
      of('begun').map(({ details }) => details),
      [{}, range],
    );
    assert.deepEqual(of('done'), [
      { action, outcome: 'done', details: { brokenOff: true } },
      { action, outcome: 'done', details: { ...range, brokenOff: true } },
    ]);
    assert.equal(events.length, 4);
  });

  test('are told as begun though the server is killed', async () => {
    const seen = (await readEvents()).length;
    const server = await serveJson(...flags);
    await play(server.told.address);
    while ((await readEvents()).length === seen) await pause(50);
    await server.stop('SIGKILL');
    assert.deepEqual((await readEvents()).slice(seen), [
      { action: 'recording.played', outcome: 'begun', details: {} },
    ]);
  });
});
