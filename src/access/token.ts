import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Failure } from '../errors.ts';

/** What a token may be allowed to do. */
export const SCOPES = ['users:read', 'recordings:read', 'recordings:write'] as const;
export type Scope = (typeof SCOPES)[number];
/** What a token may do where nothing else is asked for: look, and change nothing. */
export const READ_SCOPES: readonly Scope[] = ['users:read', 'recordings:read'];

/** A credential of a contact center, as the store keeps it: never the secret itself. */
export interface Token {
  readonly id: string;
  readonly contactCenterId: number;
  readonly label: string;
  readonly scopes: readonly Scope[];
  /** Dialects it works in; null for all. */
  readonly dialects: readonly string[] | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

const PREFIX = 'rollcall_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62 ** 43 is the first power above 2 ** 256, 62 ** 6 the first above 2 ** 32. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const SHAPE = new RegExp(`^${PREFIX}[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`);

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text;
  return text;
}

function checksumOf(body: string): string {
  let text = '';
  for (let rest = crc32(body); text.length < CHECKSUM_LENGTH; rest = Math.floor(rest / 62)) {
    text = DIGITS[rest % 62] + text;
  }
  return text;
}

/**
 * A new secret: the prefix that secret scanners look for, 256 random bits, and a CRC-32 of both, so that
 * a mistyped or cut-off token is told from an unknown one without asking the store.
 */
export function mintSecret(random: (bytes: number) => Buffer = randomBytes): string {
  const secret = PREFIX + base62(BigInt(`0x${random(32).toString('hex')}`), SECRET_LENGTH);
  return secret + checksumOf(secret);
}

/** Whether a text has the form and the checksum of one of our secrets. */
export function isSecret(text: string): boolean {
  if (!SHAPE.test(text)) return false;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  return checksumOf(body) === text.slice(-CHECKSUM_LENGTH);
}

/** What the store keeps in place of a secret: its SHA-256 in hex. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** Reads "users:read,recordings:read". @throws Failure invalid */
export function parseScopes(text: string): Scope[] {
  const scopes = text.split(',').map((scope) => scope.trim());
  const known = SCOPES.filter((scope) => scopes.includes(scope));
  if (scopes.some((scope) => !SCOPES.some((each) => each === scope))) {
    throw new Failure('invalid', `scopes are a comma list of ${SCOPES.join(', ')}`);
  }
  return known;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a length of time such as "90d", "12h" or "30m" into milliseconds. @throws Failure invalid */
export function parseDuration(text: string): number {
  const match = /^([1-9]\d{0,5})([mhd])$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw new Failure('invalid', 'a length of time is a whole number and m, h or d, such as 90d');
  }
  return Number(match[1]) * unit;
}
