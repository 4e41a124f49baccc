import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { request as ask, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { ContactCenter } from '../src/access/contact-center.ts';
import { SURROUNDINGS } from '../src/app.ts';
import { Failure } from '../src/errors.ts';
import { type Link, mintSigningKey, signLink } from '../src/recordings/links.ts';
import type { MediaKey, MediaPlace } from '../src/recordings/media.ts';
import type { Recording } from '../src/recordings/recording.ts';
import { type AppUnderTest, loadRows, makeTokens, openAppUnderTest } from './app-under-test.ts';
import { announce, linkTo, record } from './recordings-under-test.ts';

/** Longer than one read, and no multiple of anything. */
const AUDIO = randomBytes(300_001);
const SHA256 = createHash('sha256').update(AUDIO).digest('hex');
const TOKEN_ID = '0199f6a4-0000-7000-8000-000000000001';
const DAY = 86_400_000;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

describe('audio behind links', () => {
  let opened: AppUnderTest;
  let address: URL;
  let north: ContactCenter;
  let south: ContactCenter;
  let played: Recording;
  let link: string;

  before(async () => {
    opened = await openAppUnderTest();
    const { access } = opened.app.store;
    north = await access.createContactCenter('north', 'America/New_York', SURROUNDINGS.now());
    south = await access.createContactCenter('south', 'UTC', SURROUNDINGS.now());
    for (const center of [north, south])
      await loadRows(opened.app, center, [{ email: 'a@b.test', firstName: 'A' }]);
    played = await record(opened.app, north, { ...recent(), audio: AUDIO, mediaType: 'audio/mpeg' });
    await record(opened.app, south, { ...recent(), audio: Buffer.from('of the south') });
    link = await linkTo(opened.app, north, played, { tokenId: TOKEN_ID });
    address = new URL(await opened.app.server.listen({ host: '127.0.0.1', port: 0 }));
  });
  after(() => opened.close());

  /** A start that no retention has passed by now. */
  const recent = () => ({ startedAt: Math.floor(Date.now() / 1000) * 1000 - DAY });

  function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { hostname: host, port } = address;
      const sent = ask({ host, port, path, method, headers, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  /** The events that were kept since this was last asked. */
  let seen = 0;
  async function takeEvents(center = north) {
    await opened.app.store.audit.flush();
    const events = await opened.app.store.audit.page(center, seen, 1000);
    seen = events.at(-1)?.number ?? seen;
    return events.map(({ action, actor, subject, outcome, details }) => ({
      action,
      actor,
      subject,
      outcome,
      details,
    }));
  }
  const takeOutcomes = async () => (await takeEvents()).map(({ action, outcome }) => `${action} ${outcome}`);
  const holder = { kind: 'link', tokenId: TOKEN_ID };

  test('is given whole, with what a player and a proxy need to know', async () => {
    await takeEvents();
    const { status, headers, body } = await get(link);
    assert.equal(status, 200);
    assert.ok(body.equals(AUDIO));
    const { date, connection, 'x-request-id': id, 'content-disposition': disposition, ...rest } = headers;
    assert.deepEqual(rest, {
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-store',
      'content-length': String(AUDIO.length),
      'content-security-policy': "default-src 'none'; media-src 'self'; sandbox allow-same-origin",
      'content-type': 'audio/mpeg',
      etag: `"${SHA256}"`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    assert.match(
      String(disposition),
      new RegExp(
        `^inline; filename="recording-${played.number}_\\d{4}-\\d\\d-\\d\\d_\\d\\d-\\d\\d-\\d\\d.mp3"$`,
      ),
    );
    assert.deepEqual(await takeEvents(), [
      {
        action: 'recording.played',
        actor: holder,
        subject: String(played.number),
        outcome: 'done',
        details: {},
      },
    ]);
  });

  test('has a name that tells when the call was, where the contact center is', async () => {
    const call = { startedAt: Date.UTC(2026, 2, 3, 14, 30, 5), legalHold: true };
    const of = await record(opened.app, north, { ...call, mediaType: 'audio/mp4' });
    const { headers } = await get(await linkTo(opened.app, north, of, { disposition: 'attachment' }));
    assert.equal(
      headers['content-disposition'],
      `attachment; filename="recording-${of.number}_2026-03-03_09-30-05.m4a"`,
    );
    assert.equal((await takeEvents()).at(-1)?.action, 'recording.downloaded');
  });

  test('is given in ranges: the first two bytes, as Safari asks first, and any others', async () => {
    await takeEvents();
    const size = AUDIO.length;
    for (const [range, first, last] of [
      ['bytes=0-1', 0, 1],
      ['bytes=0-', 0, size - 1],
      ['bytes=-1', size - 1, size - 1],
      ['bytes=65536-131071', 65_536, 131_071],
      ['bytes=1-299999', 1, 299_999],
      ['bytes=299999-999999999', 299_999, size - 1],
    ] as const) {
      const { status, headers, body } = await get(link, { range });
      assert.equal(status, 206, range);
      assert.equal(headers['content-range'], `bytes ${first}-${last}/${size}`);
      assert.equal(headers['content-length'], String(last - first + 1));
      assert.equal(headers['content-type'], 'audio/mpeg');
      assert.equal(headers.etag, `"${SHA256}"`);
      assert.ok(body.equals(AUDIO.subarray(first, last + 1)), range);
      const [event, ...more] = await takeEvents();
      assert.deepEqual(event?.details, { first, last });
      assert.deepEqual(more, []);
    }
  });

  test('is given whole where several ranges are asked for, or none that can be read', async () => {
    for (const range of ['bytes=0-1,5-6', 'bytes=5-1', 'items=0-1', 'nonsense']) {
      const { status, headers, body } = await get(link, { range });
      assert.equal(status, 200, range);
      assert.equal(headers['content-range'], undefined);
      assert.ok(body.equals(AUDIO));
    }
  });

  test('has no range behind its end', async () => {
    for (const range of [`bytes=${AUDIO.length}-`, 'bytes=-0']) {
      const { status, headers, body } = await get(link, { range });
      assert.equal(status, 416);
      assert.equal(headers['content-range'], `bytes */${AUDIO.length}`);
      assert.equal(headers['content-type'], 'application/problem+json');
      assert.deepEqual(JSON.parse(String(body)), {
        type: 'about:blank',
        title: 'Range Not Satisfiable',
        status: 416,
      });
    }
  });

  test('is given whole where If-Range names something else, a weak tag or a date', async () => {
    const range = 'bytes=0-1';
    assert.equal((await get(link, { range, 'if-range': `"${SHA256}"` })).status, 206);
    for (const other of [`W/"${SHA256}"`, '"other"', new Date(Date.now() + DAY).toUTCString()]) {
      const { status, body } = await get(link, { range, 'if-range': other });
      assert.equal(status, 200, other);
      assert.equal(body.length, AUDIO.length);
    }
    assert.equal((await get(link, { range: 'bytes=-0', 'if-range': '"other"' })).status, 200);
  });

  test('is not given again to whoever has it, and not at all where another was expected', async () => {
    await takeEvents();
    for (const range of [undefined, 'bytes=0-1', 'bytes=-0']) {
      const headers = range === undefined ? {} : { range };
      const known = await get(link, { ...headers, 'if-none-match': `"other", W/"${SHA256}"` });
      assert.equal(known.status, 304);
      assert.equal(known.headers.etag, `"${SHA256}"`);
      assert.equal(known.body.length, 0);
      assert.equal((await get(link, { ...headers, 'if-match': '"other"' })).status, 412);
    }
    assert.equal((await get(link, { 'if-none-match': '"other"', 'if-match': '*' })).status, 200);
    assert.equal((await takeEvents()).length, 1);
  });

  test('is told of by HEAD, which knows no ranges', async () => {
    const whole = await get(link);
    await takeEvents();
    for (const headers of [{}, { range: 'bytes=0-1' }, { range: 'bytes=-0' }]) {
      const answer = await get(link, headers, 'HEAD');
      assert.equal(answer.status, 200);
      assert.equal(answer.body.length, 0);
      const ignored = { date: '', 'x-request-id': '' };
      assert.deepEqual({ ...answer.headers, ...ignored }, { ...whole.headers, ...ignored });
    }
    assert.equal((await get(link, { 'if-none-match': '*' }, 'HEAD')).status, 304);
    assert.deepEqual(await takeEvents(), []);
  });

  test('is given to GET and HEAD alone', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await get(link, {}, method);
      assert.equal(status, 405);
      assert.equal(headers.allow, 'GET, HEAD');
    }
  });

  /** What every refusal looks like, whatever its reason. */
  async function assertRefused(path: string, reason: string | null, center = north): Promise<void> {
    await takeEvents(center);
    const answers = [await get(path), await get(path, { range: 'bytes=0-1', 'if-none-match': '*' })];
    for (const { status, headers, body } of answers) {
      assert.equal(status, 403, `${reason}`);
      const { date, connection, 'x-request-id': id, ...rest } = headers;
      assert.deepEqual(rest, {
        'cache-control': 'private, no-store',
        'content-type': 'application/problem+json',
        'content-length': String(body.length),
      });
      assert.equal(String(body), '{"type":"about:blank","title":"Forbidden","status":403}');
    }
    assert.equal((await get(path, {}, 'HEAD')).status, 403);
    const events = await takeEvents(center);
    assert.deepEqual(
      events.map(({ action, outcome, details }) => ({ action, outcome, ...details })),
      reason === null ? [] : Array(3).fill({ action: 'recording.refused', outcome: 'refused', reason }),
    );
  }

  test('is refused alike for every reason, and each try is in the audit', async () => {
    const { app } = opened;
    const of = async (recording: Pick<Recording, 'number' | 'revocations'>, change: Partial<Link> = {}) =>
      linkTo(app, north, recording, change);
    const other = await record(app, north, recent());

    await assertRefused(link.slice(0, -1) + (link.endsWith('A') ? 'B' : 'A'), 'signature');
    await assertRefused(
      link.replace(`/${north.id}/${played.number}?`, `/${north.id}/${other.number}?`),
      'signature',
    );
    await assertRefused(link.replace(/expires=\d+/, 'expires=9999999999'), 'signature');
    await assertRefused(link.replace(/&key=.{12}/, '&key=AAAAAAAAAAAA'), 'key');
    await assertRefused(`${link}&more=1`, 'form');
    await assertRefused(link.replace('?', '?a=b&'), 'form');
    await assertRefused(link.replace('media/', 'media/0'), null);
    await assertRefused(link.replace(/\?.*/, ''), 'form');
    await assertRefused(`/rollcall/v1/media/${north.id}/x?`, null);
    await assertRefused(`/rollcall/v1/media/9999/${played.number}`, null);
    await assertRefused(await of({ number: 999_999, revocations: 0 }), 'unknown');
    await assertRefused(await of(played, { expiresAt: Math.floor(Date.now() / 60_000) * 60_000 }), 'expired');

    // Signed by the other contact center's key, for either.
    seen = 0;
    const key = await app.store.signingKeys.current(south, 0);
    const said: Link = {
      contactCenterId: north.id,
      number: played.number,
      expiresAt: Math.ceil(Date.now() / 60_000 + 5) * 60_000,
      revocations: 0,
      tokenId: null,
      disposition: 'inline',
    };
    assert.equal((await get(signLink({ ...said, contactCenterId: south.id, number: 1 }, key))).status, 200);
    await assertRefused(signLink(said, key), 'key');
    await assertRefused(signLink(said, { ...mintSigningKey(0), id: key.id }), 'key');

    await app.store.recordings.change(north, other.number, { revoke: true }, () =>
      event('recording.revoked', other),
    );
    await assertRefused(await of(other), 'revoked');
    const again = await of({ ...other, revocations: 1 });
    assert.equal((await get(again)).status, 200);
    await app.store.recordings.purge(north, other.number, event('recording.purged', other));
    await assertRefused(again, 'purged');

    const late = await record(app, north, { startedAt: Date.now() - 91 * DAY });
    await assertRefused(await of(late), 'retention');
    await app.store.recordings.change(north, late.number, { legalHold: true }, () =>
      event('recording.changed', late),
    );
    assert.equal((await get(await of(late))).status, 200);
    const ended = await record(app, north, { ...recent(), keepUntil: Date.now() - 1 });
    await assertRefused(await of(ended), 'retention');
  });

  const event = (action: 'recording.revoked' | 'recording.purged' | 'recording.changed', of: Recording) =>
    ({
      at: 0,
      actor: { kind: 'cli' },
      action,
      subject: String(of.number),
      outcome: 'done',
      details: {},
    }) as const;

  test('that has not come in yet is not there', async () => {
    const pending = await announce(opened.app, north, recent());
    await takeEvents();
    const { status } = await get(await linkTo(opened.app, north, pending));
    assert.equal(status, 404);
    assert.deepEqual((await takeEvents())[0]?.details, { reason: 'pending' });
  });

  /** A failure is neither a part of the audio nor kept under its name. */
  function assertNoContent(headers: IncomingHttpHeaders): void {
    assert.equal(headers['content-type'], 'application/problem+json');
    const said = ['etag', 'content-range', 'content-disposition'].filter(
      (name) => headers[name] !== undefined,
    );
    assert.deepEqual(said, []);
  }

  test('that is gone from the disk is our fault, and told as such', async () => {
    const lost = await record(opened.app, north, recent());
    const path = await linkTo(opened.app, north, lost);
    await rm(join(opened.data, 'media', String(north.id), lost.mediaId.slice(-2), lost.mediaId));
    await takeEvents();
    const { status, headers } = await get(path);
    assert.equal(status, 503);
    assertNoContent(headers);
    assert.deepEqual(await takeOutcomes(), ['recording.played failed']);
    const head = await get(path, {}, 'HEAD');
    assert.equal(head.status, 503);
    assertNoContent(head.headers);
    assert.deepEqual(await takeOutcomes(), []);
  });

  test('that moves to the other tier after its record was read is found there', async (context) => {
    const { linked, letting } = opened.app.store;
    const { main, archive } = opened.app.places;
    assert.ok(archive);
    const moving = await record(opened.app, north, { ...recent(), audio: AUDIO });
    const path = await linkTo(opened.app, north, moving);
    const claim = { contactCenterId: north.id, number: moving.number, keyId: '' };
    const before = await linked.find({ ...claim, keyId: /&key=(.{12})/.exec(path)?.[1] ?? '' });
    const copy = { tier: 'archive', id: SURROUNDINGS.newId() } as const;
    assert.ok(await letting.beginMove(north, moving.number, copy));
    await archive.put({ contactCenterId: north.id, id: copy.id }, Readable.from([AUDIO]));
    const done = { ...event('recording.changed', moving), action: 'recording.archived' } as const;
    assert.ok(await letting.finishMove(north, moving.number, copy, 0, done));
    await main.remove({ contactCenterId: north.id, id: moving.mediaId });
    const stale = context.mock.method(linked, 'find');
    stale.mock.mockImplementationOnce(async () => before);
    const { status, body } = await get(path);
    assert.equal(stale.mock.callCount(), 2);
    assert.equal(status, 200);
    assert.ok(body.equals(AUDIO));
    stale.mock.mockImplementationOnce(async () => before, 2);
    assert.equal((await get(path, {}, 'HEAD')).status, 200);
    assert.equal(stale.mock.callCount(), 4);
  });

  test('that is shorter or longer than its record says is refused, to HEAD as to GET', async () => {
    const other = await record(opened.app, north, { ...recent(), audio: AUDIO });
    const path = await linkTo(opened.app, north, other);
    const key = { contactCenterId: north.id, id: other.mediaId };
    for (const audio of [AUDIO.subarray(0, 1000), Buffer.concat([AUDIO, Buffer.from('more')])]) {
      await opened.app.places.main.put(key, Readable.from([audio]));
      await takeEvents();
      for (const headers of [{}, { range: 'bytes=500-600' }]) {
        const answer = await get(path, headers);
        assert.equal(answer.status, 503);
        assertNoContent(answer.headers);
        assert.deepEqual(await takeOutcomes(), ['recording.played failed']);
      }
      assert.equal((await get(path, {}, 'HEAD')).status, 503);
    }
  });

  test('that is cut short as it is read ends in a broken connection or a failure, not in waiting', async () => {
    const { main } = opened.app.places;
    const { openFile } = main;
    // As where it is cut while it is open.
    Object.assign(main, {
      openFile: async (key: MediaKey) => {
        const file = await openFile?.call(main, key);
        return file == null ? null : { ...file, bytes: AUDIO.length };
      },
    });
    const cut = await record(opened.app, north, { ...recent(), audio: AUDIO });
    const key = { contactCenterId: north.id, id: cut.mediaId };
    await opened.app.places.main.put(key, Readable.from([AUDIO.subarray(0, 1000)]));
    const path = await linkTo(opened.app, north, cut);
    await takeEvents();
    await assert.rejects(get(path), { code: 'ECONNRESET' });
    assert.deepEqual(await takeOutcomes(), ['recording.played failed']);
    // A short range is read before anything is said.
    const { status, headers } = await get(path, { range: 'bytes=500-2000' });
    assert.equal(status, 503);
    assertNoContent(headers);
    assert.deepEqual(await takeOutcomes(), ['recording.played failed']);
    Object.assign(main, { openFile });
  });

  test('is told of once where the player goes away before its end, and says so', async () => {
    const long = await record(opened.app, north, { ...recent(), audio: Buffer.alloc(20_000_000) });
    const path = await linkTo(opened.app, north, long);
    await takeEvents();
    const { hostname: host, port } = address;
    await new Promise<void>((resolve, reject) => {
      const sent = ask({ host, port, path, agent: false }, (answer) => {
        answer.once('data', () => answer.destroy());
        answer.once('close', resolve);
      });
      sent.on('error', reject);
      sent.end();
    });
    let events = await takeEvents();
    while (events.length === 0) {
      await new Promise(setImmediate);
      events = await takeEvents();
    }
    assert.deepEqual(
      events.map(({ outcome, details }) => ({ outcome, details })),
      [{ outcome: 'done', details: { brokenOff: true } }],
    );
  });

  test('that is streamed through is told of once, with how that ended', async (context) => {
    const { main } = opened.app.places;
    const broken = (bytes: number) =>
      Readable.from(
        (async function* () {
          yield AUDIO.subarray(0, bytes);
          throw new Failure('unavailable', 'the storage hung up');
        })(),
      );
    // As a bucket: it has no files that could be opened.
    const { openFile } = main;
    Object.assign(main, { openFile: undefined });
    const open = context.mock.method(main, 'open', async () => Readable.from([AUDIO]));
    try {
      await takeEvents();
      assert.ok((await get(link)).body.equals(AUDIO));
      assert.deepEqual(await takeOutcomes(), ['recording.played done']);
      for (const content of [Readable.from([AUDIO.subarray(0, 1000)]), broken(1000)]) {
        open.mock.mockImplementationOnce(async () => content);
        await assert.rejects(get(link));
        let outcomes = await takeOutcomes();
        while (outcomes.length === 0) {
          await new Promise(setImmediate);
          outcomes = await takeOutcomes();
        }
        assert.deepEqual(outcomes, ['recording.played failed']);
      }
      open.mock.mockImplementationOnce(async () => {
        throw new Failure('unavailable', 'the storage is away', { retryAfter: 5 });
      });
      assert.equal((await get(link)).status, 503);
      assert.deepEqual(await takeOutcomes(), ['recording.played failed']);
    } finally {
      Object.assign(main, { openFile });
    }
  });

  test('is not given at all where it could not be told', async (context) => {
    const full = context.mock.method(opened.app.store.audit, 'expect', () => {
      throw new Failure('unavailable', 'the audit cannot be kept', { retryAfter: 30 });
    });
    const { status, headers, body } = await get(link);
    assert.deepEqual([status, headers['retry-after']], [503, '30']);
    assert.ok(body.length < 1000);
    full.mock.restore();
    assert.equal((await get(link)).status, 200);
  });

  describe('where the storage gives it out itself', () => {
    const signed: { key: MediaKey; seconds: number; mediaType: string; disposition: string }[] = [];
    const presign: NonNullable<MediaPlace['presign']> = async (key, options) => {
      signed.push({ key, ...options });
      return `https://storage.example/${key.id}?signature=s`;
    };
    before(async () => {
      Object.assign(opened.app.places.main, { presign });
      await opened.app.store.access.setSetting(north, 'recordings.delivery', 'redirect');
    });
    after(async () => {
      Object.assign(opened.app.places.main, { presign: undefined });
      await opened.app.store.access.setSetting(north, 'recordings.delivery', 'stream');
    });

    test('leads on to it, whole or in ranges, for no longer than five minutes or the link', async () => {
      await takeEvents();
      for (const range of [undefined, 'bytes=0-1']) {
        const { status, headers, body } = await get(link, range === undefined ? {} : { range });
        assert.equal(status, 302);
        assert.equal(headers.location, `https://storage.example/${played.mediaId}?signature=s`);
        assert.equal(headers['cache-control'], 'private, no-store');
        assert.equal(headers['referrer-policy'], 'no-referrer');
        assert.equal(headers['content-range'], undefined);
        assert.equal(body.length, 0);
      }
      const [first] = signed;
      assert.deepEqual(first?.key, { contactCenterId: north.id, id: played.mediaId });
      assert.equal(first?.mediaType, 'audio/mpeg');
      assert.match(String(first?.disposition), /^inline; filename="recording-/);
      assert.ok(signed.every(({ seconds }) => seconds >= 1 && seconds <= 300));
      assert.deepEqual(
        (await takeEvents()).map(({ action, actor, outcome, details }) => ({
          action,
          actor,
          outcome,
          details,
        })),
        [{ redirected: true }, { first: 0, last: 1, redirected: true }].map((details) => ({
          action: 'recording.played',
          actor: holder,
          outcome: 'done',
          details,
        })),
      );
    });

    test('answers HEAD, preconditions and ranges behind the end itself', async () => {
      signed.length = 0;
      await takeEvents();
      const head = await get(link, {}, 'HEAD');
      assert.deepEqual([head.status, head.headers['content-length']], [200, String(AUDIO.length)]);
      assert.equal((await get(link, { 'if-none-match': `"${SHA256}"` })).status, 304);
      assert.equal((await get(link, { range: `bytes=${AUDIO.length}-` })).status, 416);
      assert.deepEqual(await takeEvents(), []);
      assert.deepEqual(signed, []);
    });

    test('refuses what it would refuse anyway', async () => {
      signed.length = 0;
      const other = await record(opened.app, north, recent());
      const of = (change: Partial<Link>) => linkTo(opened.app, north, other, change);
      await assertRefused(await of({ expiresAt: Math.floor(Date.now() / 60_000) * 60_000 }), 'expired');
      const before = await of({});
      assert.equal((await get(before)).status, 302);
      const revoke = () => event('recording.revoked', other);
      await opened.app.store.recordings.change(north, other.number, { revoke: true }, revoke);
      await assertRefused(before, 'revoked');
      assert.equal(signed.length, 1);
    });
  });

  test('opens no more once its key is dropped; until then it outlives a rotation', async () => {
    const { signingKeys } = opened.app.store;
    const now = Date.now();
    const rotated = { ...event('recording.changed', played), action: 'key.rotated', subject: null } as const;
    await signingKeys.rotate(north, now, { endLinks: false }, rotated);
    assert.equal((await get(link)).status, 200);
    const fresh = await linkTo(opened.app, north, played);
    assert.equal((await get(fresh)).status, 200);
    await signingKeys.rotate(north, now, { endLinks: true }, rotated);
    await assertRefused(fresh, 'key');
  });
});

describe('audio behind links, limited', () => {
  test('is given ten times as often in a second to an address as a token may ask, and no token is charged', async () => {
    const opened = await openAppUnderTest({ rateLimit: 1 });
    try {
      const { app } = opened;
      const center = await app.store.access.createContactCenter('north', 'UTC', SURROUNDINGS.now());
      await loadRows(app, center, [{ email: 'a@b.test', firstName: 'A' }]);
      const recording = await record(app, center, { startedAt: Date.now() - DAY });
      const url = await linkTo(app, center, recording);
      // Far more than ten in a second, even on a machine that takes many of them for these.
      const asked = await Promise.all(Array.from({ length: 400 }, () => app.server.inject({ url })));
      const limited = asked.filter(({ statusCode }) => statusCode === 429);
      assert.ok(asked.filter(({ statusCode }) => statusCode === 200).length >= 10);
      assert.ok(limited.length > 0);
      for (const { headers } of limited) {
        assert.equal(headers['retry-after'], '1');
        assert.equal(headers.etag, undefined);
      }
      const tokens = await makeTokens(app, center);
      const list = `/rollcall/v1/recordings/${recording.number}`;
      const headers = { authorization: `Bearer ${tokens.good}` };
      assert.equal((await app.server.inject({ url: list, headers })).statusCode, 200);
      await app.store.audit.flush();
      const events = await app.store.audit.page(center, 0, 1000);
      const played = events.filter(({ action }) => action === 'recording.played');
      assert.equal(played.length, 400 - limited.length);
    } finally {
      await opened.close();
    }
  });
});
