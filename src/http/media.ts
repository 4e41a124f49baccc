import { finished, Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { AuditEvent } from '../access/audit.ts';
import { type ContactCenter, settingOf } from '../access/contact-center.ts';
import type { AuditStore } from '../access/ports.ts';
import { formatLocal } from '../directory/time-zone.ts';
import { Failure } from '../errors.ts';
import { type Disposition, MEDIA_PATH, type ReadLink, readLink } from '../recordings/links.ts';
import type { ByteRange, MediaFile, MediaPlace, MediaPlaces } from '../recordings/media.ts';
import {
  judgeLink,
  judgeSigned,
  type LinkedRecording,
  type PlayableRecording,
  type Refusal,
} from '../recordings/playing.ts';
import type { LinkedRecordings } from '../recordings/ports.ts';
import { MEDIA_TYPES } from '../recordings/recording.ts';
import { DELIVERY } from '../recordings/settings.ts';
import { ignoreBodies } from './ignored-body.ts';
import type { Limits } from './limits.ts';
import { describeMedia } from './media-schema.ts';
import { weighPreconditions } from './preconditions.ts';
import { allowsRange, contentRange, selectRange } from './range.ts';
import { type Ending, sendMedia } from './send-media.ts';
import { HttpFailure } from './wire-failure.ts';

export interface MediaDeps {
  readonly linked: LinkedRecordings;
  readonly places: MediaPlaces;
  readonly audit: AuditStore;
  readonly limits: Limits;
  readonly now: () => number;
}

/** The route at which links are opened, as Fastify writes it. */
export const MEDIA_ROUTE = `${MEDIA_PATH}/:contactCenterId/:number`;

/**
 * A page that came in place of audio could run nothing, and fetch nothing. Its own origin it keeps: without
 * one Chromium does not load a link that is opened in a tab.
 */
const POLICY = "default-src 'none'; media-src 'self'; sandbox allow-same-origin";

const HEADERS = {
  'accept-ranges': 'bytes',
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  // The link itself is what lets a page play it.
  'referrer-policy': 'no-referrer',
};

/** Seconds for which a storage's own URL holds: it outlives a revocation, so it is short. */
const REDIRECT_SECONDS = 300;

/** How long a player may take nothing of an answer, in milliseconds; it then asks for the rest anew. */
const STALL = 300_000;

/** Serves audio to whoever holds a link: GET and HEAD, ranges, preconditions (RFC 9110). */
export function mountMedia(app: FastifyInstance, deps: MediaDeps): void {
  const proved: Proved = new LRUCache({ max: MOST_PROVED });
  app.register(async (scope) => {
    // The schema describes; links are read by hand.
    scope.setValidatorCompiler(() => () => true);
    scope.removeAllContentTypeParsers();
    ignoreBodies(scope);
    // Fastify's own HEAD would open the audio, only to drop it.
    for (const method of ['GET', 'HEAD']) {
      scope.route({
        method,
        url: MEDIA_ROUTE,
        exposeHeadRoute: false,
        schema: { ...describeMedia(), hide: method === 'HEAD' },
        config: { operation: 'recordings.media', cacheControl: 'private, no-store' },
        handler: (request, reply) => answer(deps, proved, request, reply),
      });
    }
  });
}

interface Opened {
  readonly link: ReadLink;
  readonly contactCenter: ContactCenter;
  readonly recording: PlayableRecording;
}

/** Links whose signature was found to hold, by what it was held against: a player sends the same one each time. */
type Proved = LRUCache<string, { readonly link: ReadLink; readonly found: LinkedRecording }>;
const MOST_PROVED = 2000;

/** Finds what a link opens. @throws HttpFailure forbidden, whatever is wrong with it */
async function openLink(deps: MediaDeps, proved: Proved, request: FastifyRequest): Promise<Opened> {
  const now = deps.now();
  const text = request.raw.url ?? '';
  const before = proved.get(text);
  const link = before?.link ?? readLink(text);
  const claim = link ?? readClaim(request);
  const found = claim === null ? null : await deps.linked.find(claim);
  // It names no contact center: there is nobody to tell of it.
  if (claim === null || found === null) throw new HttpFailure('forbidden');
  const { contactCenter } = found;
  const judge = before?.found === found ? judgeSigned : judgeLink;
  const judged = link === null ? 'form' : judge(link, found, now);
  if (link === null || typeof judged === 'string') {
    // Counted before it is kept: whoever guesses fills no audit.
    await deps.limits.refuse(request.ip);
    request.admitted = true;
    deps.audit.record(contactCenter, refusalOf(claim.number, link, judged as Refusal, now));
    throw new HttpFailure(judged === 'pending' ? 'not_found' : 'forbidden');
  }
  if (before?.found !== found) proved.set(text, { link, found });
  request.admitted = true;
  request.asker = { contactCenter: contactCenter.name, tokenId: link.tokenId };
  await deps.limits.play(request.ip);
  return { link, contactCenter, recording: judged };
}

/** What a text that is no link of ours claims to open, by its path; null where that is nothing. */
function readClaim({ params }: FastifyRequest) {
  const { contactCenterId, number } = params as Readonly<Record<string, string>>;
  const [center, of] = [contactCenterId, number].map((text) =>
    /^[1-9]\d{0,9}$/.test(text ?? '') ? Number(text) : null,
  );
  return center == null || of == null ? null : { contactCenterId: center, number: of, keyId: '' };
}

function refusalOf(number: number, link: ReadLink | null, reason: Refusal, at: number): AuditEvent {
  // Whose link it was is known only where the signature holds.
  const isSigned = !['form', 'key', 'signature'].includes(reason);
  return {
    at,
    actor: { kind: 'link', tokenId: isSigned ? (link?.tokenId ?? null) : null },
    action: 'recording.refused',
    subject: String(number),
    outcome: 'refused',
    details: { reason },
  };
}

async function answer(
  deps: MediaDeps,
  proved: Proved,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | Readable | Buffer> {
  const opened = await openLink(deps, proved, request);
  const { link, contactCenter, recording } = opened;
  const { bytes, mediaType, sha256 } = recording.media;
  const etag = `"${sha256}"`;
  const verdict = weighPreconditions(request.headers, etag);
  if (verdict === 'failed') throw new HttpFailure('precondition');
  const range = verdict === 'proceed' ? rangeOf(request, etag, bytes) : null;
  const disposition = dispositionOf(recording, link.disposition, contactCenter.timezone);
  reply.headers({ ...HEADERS, etag, 'content-disposition': disposition });
  if (verdict === 'not_modified') return reply.code(304).send();
  reply.header('content-type', mediaType);
  const place = placeOf(deps.places, recording);
  if (request.method === 'HEAD') {
    await needWhole(deps, opened);
    return reply.header('content-length', bytes).send();
  }
  if (place.presign !== undefined && settingOf(contactCenter, DELIVERY) === 'redirect') {
    const seconds = Math.min(REDIRECT_SECONDS, Math.ceil((link.expiresAt - deps.now()) / 1000));
    const url = await place.presign(keyOf(opened), { seconds, mediaType, disposition });
    deps.audit.record(contactCenter, playOf(opened, range, deps.now(), 'redirected'));
    return reply.redirect(url, 302);
  }
  const length = range === null ? bytes : range.last - range.first + 1;
  const told = deps.audit.expect(contactCenter, playOf(opened, range, deps.now(), 'begun'));
  const tell = (how: Ending) => told(playOf(opened, range, deps.now(), how));
  const content = await openContent(deps, opened, range, tell);
  if (range !== null) reply.code(206).header('content-range', contentRange(range, bytes));
  reply.header('content-length', length);
  reply.raw.setTimeout(STALL, () => reply.raw.destroy());
  if (content instanceof Readable) return watchLength(content, length, reply, tell);
  return sendMedia(reply, content, range ?? { first: 0, last: bytes - 1 }, tell);
}

/** The range to be sent, null for all. @throws HttpFailure range_not_satisfiable */
function rangeOf(request: FastifyRequest, etag: string, bytes: number): ByteRange | null {
  // Ranges are GET's alone (RFC 9110 section 14.2).
  if (request.method !== 'GET' || !allowsRange(request.headers['if-range']?.toString(), etag)) return null;
  const selection = selectRange(request.headers.range, bytes);
  if (selection.kind === 'unsatisfiable') {
    throw new HttpFailure('range_not_satisfiable', { contentRange: contentRange(null, bytes) });
  }
  return selection.kind === 'part' ? selection.range : null;
}

/**
 * Hangs up where less comes than was told: the client would wait for the rest for ever.
 * @param onEnd told how it ended
 */
function watchLength(
  content: Readable,
  length: number,
  reply: FastifyReply,
  onEnd: (how: Ending) => void,
): Readable {
  let left = length;
  let isBroken = false;
  finished(reply.raw, (error) => onEnd(isBroken ? 'failed' : error ? 'broken off' : 'done'));
  content.once('error', () => {
    isBroken = true;
  });
  content.on('data', (chunk: Buffer) => {
    left -= chunk.length;
  });
  content.once('end', () => {
    if (left === 0) return;
    isBroken = true;
    reply.raw.destroy();
  });
  // It has started to flow; the answer reads it from its first byte.
  return content.pause();
}

function playOf(
  { link, recording }: Opened,
  range: ByteRange | null,
  at: number,
  how: Ending | 'begun' | 'redirected',
): AuditEvent {
  return {
    at,
    actor: { kind: 'link', tokenId: link.tokenId },
    action: link.disposition === 'inline' ? 'recording.played' : 'recording.downloaded',
    subject: String(recording.number),
    outcome: how === 'failed' || how === 'begun' ? how : 'done',
    details: {
      ...(range === null ? {} : { first: range.first, last: range.last }),
      ...(how === 'broken off' ? { brokenOff: true } : {}),
      ...(how === 'redirected' ? { redirected: true } : {}),
    },
  };
}

const keyOf = ({ contactCenter, recording }: Opened) => ({
  contactCenterId: contactCenter.id,
  id: recording.mediaId,
});

/** Where a recording's audio lies. @throws Failure unavailable where that place is not set up */
function placeOf(places: MediaPlaces, { state }: PlayableRecording): MediaPlace {
  const place = state === 'stored' ? places.main : places.archive;
  if (place !== null) return place;
  throw new Failure('unavailable', 'the archive is not set up; start serve with --archive-media');
}

/** The audio, or its range. A failure of its place is in the audit too. */
async function openContent(
  deps: MediaDeps,
  opened: Opened,
  range: ByteRange | null,
  onFailed: (how: 'failed') => void,
): Promise<Readable | MediaFile> {
  try {
    const found = (await openOnce(deps, opened, range)) ?? (await openMoved(deps, opened, range));
    if (found === null) throw notThere();
    if (!(found instanceof Readable) && found.bytes !== opened.recording.media.bytes) {
      await found.close();
      throw notWhole();
    }
    return found;
  } catch (error) {
    onFailed('failed');
    throw error;
  }
}

const notThere = () =>
  new Failure('unavailable', 'audio is not where it should be; rollcall recordings sweep tells more');

const notWhole = () =>
  new Failure(
    'unavailable',
    'audio is shorter or longer than its record says; rollcall recordings sweep tells more',
  );

/** HEAD promises what GET gives. @throws Failure unavailable where the audio is not there, or not whole */
async function needWhole(deps: MediaDeps, opened: Opened): Promise<void> {
  const isWhole = async (where: Opened | null) => {
    if (where === null) return false;
    const found = await placeOf(deps.places, where.recording).find(keyOf(where));
    return found?.bytes === where.recording.media.bytes;
  };
  if (!(await isWhole(opened)) && !(await isWhole(await findMoved(deps, opened)))) throw notThere();
}

async function openOnce(
  { places }: MediaDeps,
  opened: Opened,
  range: ByteRange | null,
): Promise<Readable | MediaFile | null> {
  const place = placeOf(places, opened.recording);
  const key = keyOf(opened);
  return place.openFile?.(key) ?? place.open(key, range ?? undefined);
}

/** The audio where it lies now: it may have moved to the other tier just after its record was read. */
async function openMoved(
  deps: MediaDeps,
  opened: Opened,
  range: ByteRange | null,
): Promise<Readable | MediaFile | null> {
  const moved = await findMoved(deps, opened);
  return moved === null ? null : openOnce(deps, moved, range);
}

async function findMoved(deps: MediaDeps, { link, recording }: Opened): Promise<Opened | null> {
  const found = await deps.linked.find(link);
  const judged = found === null ? 'unknown' : judgeLink(link, found, deps.now());
  if (found === null || typeof judged === 'string' || judged.mediaId === recording.mediaId) return null;
  return { link, contactCenter: found.contactCenter, recording: judged };
}

/**
 * Content-Disposition (RFC 6266): when the call was and what it is. Ours alone, and plain ASCII, which
 * needs no escapes and no RFC 8187.
 */
export function dispositionOf(
  { number, startedAt, media }: PlayableRecording,
  disposition: Disposition,
  timezone: string,
): string {
  const start = formatLocal(startedAt, timezone).replace(' ', '_').replaceAll(':', '-');
  return `${disposition}; filename="recording-${number}_${start}.${MEDIA_TYPES[media.mediaType]}"`;
}
