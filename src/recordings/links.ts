import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

/** How a browser is asked to treat the audio: played in place, or kept as a file (RFC 6266). */
export type Disposition = 'inline' | 'attachment';

/** A key that signs links of one contact center. */
export interface SigningKey {
  /** 12 characters of base64url; stands in the links that it signed. */
  readonly id: string;
  /** 256 random bits in base64url. */
  readonly secret: string;
  readonly createdAt: number;
  /** From then on it signs nothing more; null for the key that signs now. */
  readonly retiredAt: number | null;
}

/** What a link says, all of it signed. Instants are milliseconds since 1970 UTC. */
export interface Link {
  readonly contactCenterId: number;
  /** The recording's own number. */
  readonly number: number;
  /** A whole minute. */
  readonly expiresAt: number;
  /** The recording's revocations when the link was made. */
  readonly revocations: number;
  /** The token in whose answer the link was; null where it was made by hand. */
  readonly tokenId: string | null;
  readonly disposition: Disposition;
}

/** A link as it came: what it claims, which nothing has proved yet. */
export interface ReadLink extends Link {
  readonly keyId: string;
  /** The part that is signed, and its signature. */
  readonly signed: string;
  readonly signature: string;
}

/** The longest that a link may last, in seconds: seven days. No key is kept for longer once it is retired. */
export const MAX_LINK_SECONDS = 604_800;

const MINUTE = 60_000;

/** When a link made now ends: rounded up to a minute, so that links made in one minute are the same. */
export function expiryOf(now: number, seconds: number): number {
  return Math.ceil((now + seconds * 1000) / MINUTE) * MINUTE;
}

/** Where links lead. */
export const MEDIA_PATH = '/rollcall/v1/media';

/** Keeps what is signed here apart from whatever else the key might ever sign. */
const PURPOSE = 'rollcall recording link 1\n';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** A text that was signed has one spelling: no leading zeros, no escapes, no other order. */
const FORM = new RegExp(
  `^(?<signed>${MEDIA_PATH}/(?<center>[1-9]\\d{0,9})/(?<number>[1-9]\\d{0,9})` +
    `\\?expires=(?<expires>[1-9]\\d{0,10})&revocations=(?<revocations>0|[1-9]\\d{0,9})` +
    `&token=(?<token>${UUID}|none)&as=(?<as>inline|attachment)&key=(?<key>[A-Za-z0-9_-]{12}))` +
    '&signature=(?<signature>[A-Za-z0-9_-]{43})$',
);

/** Keys as Node's own objects: given a secret's bytes, it makes one for each signature, at ten times the cost. */
const keyObjects = new WeakMap<object, KeyObject>();

function keyObjectOf(key: Pick<SigningKey, 'secret'>): KeyObject {
  let object = keyObjects.get(key);
  if (object === undefined) {
    object = createSecretKey(key.secret, 'base64url');
    keyObjects.set(key, object);
  }
  return object;
}

function signatureOf(signed: string, key: Pick<SigningKey, 'secret'>): string {
  return createHmac('sha256', keyObjectOf(key))
    .update(PURPOSE + signed)
    .digest('base64url');
}

/** The path and query of a link, signed with HMAC-SHA256 (RFC 2104) over all that comes before the signature. */
export function signLink(link: Link, key: Pick<SigningKey, 'id' | 'secret'>): string {
  const signed =
    `${MEDIA_PATH}/${link.contactCenterId}/${link.number}?expires=${link.expiresAt / 1000}` +
    `&revocations=${link.revocations}&token=${link.tokenId ?? 'none'}&as=${link.disposition}&key=${key.id}`;
  return `${signed}&signature=${signatureOf(signed, key)}`;
}

/** Reads a link's path and query; null where it has not the form of one of ours. Proves nothing. */
export function readLink(pathAndQuery: string): ReadLink | null {
  const parts = FORM.exec(pathAndQuery)?.groups;
  if (parts === undefined) return null;
  const {
    signed = '',
    center,
    number,
    expires,
    revocations,
    token = '',
    as,
    key = '',
    signature = '',
  } = parts;
  return {
    contactCenterId: Number(center),
    number: Number(number),
    expiresAt: Number(expires) * 1000,
    revocations: Number(revocations),
    tokenId: token === 'none' ? null : token,
    disposition: as === 'attachment' ? 'attachment' : 'inline',
    keyId: key,
    signed,
    signature,
  };
}

/**
 * Whether a key signed a link as it came. Takes as long whichever character is wrong. What ends later than
 * anything that the key signed before it was retired is the work of somebody else who has it.
 */
export function isSignedBy(link: ReadLink, key: Pick<SigningKey, 'secret' | 'retiredAt'>): boolean {
  const isSame = timingSafeEqual(Buffer.from(signatureOf(link.signed, key)), Buffer.from(link.signature));
  return isSame && (key.retiredAt === null || link.expiresAt <= forgetAt(key.retiredAt));
}

/** A new key. */
export function mintSigningKey(now: number, random: (bytes: number) => Buffer = randomBytes): SigningKey {
  return {
    id: random(9).toString('base64url'),
    secret: random(32).toString('base64url'),
    createdAt: now,
    retiredAt: null,
  };
}

/** When a retired key may be forgotten: the last link that it can have signed has ended by then. */
export function forgetAt(retiredAt: number): number {
  return expiryOf(retiredAt, MAX_LINK_SECONDS);
}
