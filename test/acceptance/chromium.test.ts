import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { openRollcallStore } from '../../src/app.ts';
import { loadRows } from '../app-under-test.ts';
import { wav } from '../recordings/center.ts';
import { linkTo } from '../recordings-under-test.ts';
import { rollcall, type ServerProcess, serveJson, type Told } from './server-process.ts';
import { describeOnStores } from './stores.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const skip = CHROMIUM === undefined && 'there is no Chromium here (Debian: apt-get install chromium)';

/** Half an hour, of which a browser fetches far from all before it is asked to go on elsewhere. */
const AUDIO = wav(Buffer.alloc(30_000_000));
const BYTES_PER_SECOND = 16_000;

/** What of a page's own world the functions below use; they run there. */
interface Media {
  src: string;
  currentTime: number;
  readonly duration: number;
  readonly paused: boolean;
  readonly error: { readonly message: string } | null;
  play(): Promise<void>;
  addEventListener(name: string, listener: () => void, options: { readonly once: true }): void;
}
declare const document: {
  createElement(name: 'audio'): Media;
  querySelector(name: 'video'): Media | null;
  readonly body: { append(element: Media): void };
};

describeOnStores('a recording in Chromium', { skip }, (under) => {
  let data: string;
  let flags: string[];
  let server: ServerProcess & { readonly told: Told };
  let browser: Browser;
  /** A page of somebody else's, as a CRM that shows calls. */
  const crm = createServer((_, response) => response.end('<!doctype html><title>calls</title>'));
  let url: string;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'rollcall-chromium-'));
    flags = await under.flags(data);
    server = await serveJson(...flags);
    assert.equal((await rollcall('contact-center', 'create', 'north', ...flags)).code, 0);
    const scopes = 'recordings:read,recordings:write';
    const { stdout } = await rollcall(
      ...['token', 'create', '--contact-center', 'north', '--name', 'test', '--scopes', scopes],
      ...flags,
      '--json',
    );
    const { token } = JSON.parse(stdout);
    const store = await openRollcallStore(await under.place(data), 4);
    const north = await store.access.findContactCenter('north');
    assert.ok(north);
    await loadRows({ store }, north, [{ email: 'ada@calls.example', firstName: 'Ada' }]);
    await store.close();
    const form = new FormData();
    form.set('recording', JSON.stringify({ user: 'ada@calls.example', startedAt: new Date().toISOString() }));
    form.set('audio', new Blob([AUDIO]), 'call.wav');
    const headers = { authorization: `Bearer ${token}` };
    const sent = await fetch(`${server.told.address}/rollcall/v1/recordings`, {
      method: 'POST',
      headers,
      body: form,
    });
    assert.equal(sent.status, 201);
    const answer = await fetch(`${server.told.address}/v1/users/recordings?user=ada`, { headers });
    const { data: told } = (await answer.json()) as { data: { entries: { url: string }[] } };
    url = told.entries[0]?.url ?? '';
    crm.listen(0, '127.0.0.1');
    await once(crm, 'listening');
    browser = await chromium.launch({
      executablePath: CHROMIUM ?? '',
      args: ['--autoplay-policy=no-user-gesture-required', '--mute-audio'],
    });
  });
  after(async () => {
    await browser?.close();
    crm.close();
    await server?.stop();
    await rm(data, { recursive: true });
  });

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    page.setDefaultTimeout(30_000);
    return page;
  }

  test('plays on the page of another site, and goes on at once where the listener moves to', {
    timeout: 60_000,
  }, async () => {
    const page = await openPage();
    await page.goto(`http://127.0.0.1:${(crm.address() as AddressInfo).port}/`);
    const played = await page.evaluate(async (src) => {
      const audio = document.createElement('audio');
      const next = (name: string) =>
        new Promise<void>((resolve, reject) => {
          audio.addEventListener(name, () => resolve(), { once: true });
          audio.addEventListener('error', () => reject(new Error(audio.error?.message)), { once: true });
        });
      const known = next('loadedmetadata');
      audio.src = src;
      document.body.append(audio);
      await known;
      await audio.play();
      while (audio.currentTime === 0) await next('timeupdate');
      const start = audio.currentTime;
      const there = next('seeked');
      audio.currentTime = 1500;
      await there;
      while (audio.currentTime <= 1500.1) await next('timeupdate');
      return { duration: audio.duration, start, end: audio.currentTime, isPaused: audio.paused };
    }, url);
    assert.ok(Math.abs(played.duration - 30_000_000 / BYTES_PER_SECOND) < 0.1, `${played.duration} seconds`);
    assert.ok(played.start > 0 && played.start < 60);
    assert.ok(played.end > 1500 && !played.isPaused);
    await page.close();

    const store = await openRollcallStore(await under.place(data), 4);
    const north = await store.access.findContactCenter('north');
    assert.ok(north);
    const readFirsts = async () =>
      (await store.audit.page(north, 0, 1000))
        .filter(({ action, outcome }) => action === 'recording.played' && outcome === 'done')
        .map(({ details }) => Number(details.first ?? 0));
    // It asked for what was wanted, not for all; the server tells of it a moment after the page is gone.
    while (!(await readFirsts()).some((first) => first > 1400 * BYTES_PER_SECOND)) await pause(50);
    await store.close();
  });

  test('plays in a tab of its own, which may run nothing', { timeout: 60_000 }, async () => {
    const page = await openPage();
    const errors: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(url);
    // Nothing plays by itself in a sandbox: the listener presses a key.
    await page.keyboard.press('Space');
    for (let seconds = 0; seconds < 0.2; ) {
      await pause(50);
      seconds = await page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
    }
    assert.equal(await page.evaluate(() => document.querySelector('video')?.paused), false);
    assert.deepEqual(errors, []);
    await page.close();
  });

  test('is kept as a file under a readable name where the link says so', async () => {
    const page = await openPage();
    const store = await openRollcallStore(await under.place(data), 4);
    const north = await store.access.findContactCenter('north');
    assert.ok(north);
    const path = await linkTo({ store }, north, { number: 1, revocations: 0 }, { disposition: 'attachment' });
    await store.close();
    const download = page.waitForEvent('download');
    await page.goto(server.told.address + path).catch(() => {});
    assert.match((await download).suggestedFilename(), /^recording-1_[\d_-]+\.wav$/);
    await page.close();
  });
});
