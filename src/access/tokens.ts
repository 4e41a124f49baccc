import { Failure } from '../errors.ts';
import type { ContactCenter } from './contact-center.ts';
import type { AccessStore } from './ports.ts';
import { hashSecret, isSecret, mintSecret, type Scope, type Token } from './token.ts';

/** Who asks: a token that was found good, and its contact center. */
export interface Access {
  readonly contactCenter: ContactCenter;
  readonly token: Token;
}

/** What the outside world gives to the services: the time and new ids. */
export interface Surroundings {
  readonly now: () => number;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

/** Makes a token and gives its secret, which is kept nowhere. */
export async function createToken(
  store: AccessStore,
  surroundings: Surroundings,
  wanted: {
    readonly contactCenter: ContactCenter;
    readonly label: string;
    readonly scopes: readonly Scope[];
    readonly dialects: readonly string[] | null;
    /** Milliseconds from now, or null for no end. */
    readonly expiresIn: number | null;
  },
): Promise<{ token: Token; secret: string }> {
  const createdAt = surroundings.now();
  const token: Token = {
    id: surroundings.newId(),
    contactCenterId: wanted.contactCenter.id,
    label: wanted.label,
    scopes: wanted.scopes,
    dialects: wanted.dialects,
    createdAt,
    expiresAt: wanted.expiresIn === null ? null : createdAt + wanted.expiresIn,
    revokedAt: null,
  };
  const secret = mintSecret();
  await store.addToken(token, hashSecret(secret));
  return { token, secret };
}

/**
 * Finds who asks with a secret. Missing, mistyped, unknown, expired and revoked ones fail alike.
 * @throws Failure unauthenticated
 */
export async function authenticate(
  store: AccessStore,
  secret: string | undefined,
  now: number,
): Promise<Access> {
  const access =
    secret !== undefined && isSecret(secret) ? await findAccess(store, hashSecret(secret), now) : null;
  if (access === null) {
    throw new Failure('unauthenticated', 'the token is missing, unknown, expired or revoked');
  }
  return access;
}

/** Finds who asks by the SHA-256 of a secret; null where its token is unknown, expired or revoked. */
export async function findAccess(store: AccessStore, hash: string, now: number): Promise<Access | null> {
  const found = await store.findToken(hash);
  if (found === null || found.token.revokedAt !== null) return null;
  return found.token.expiresAt === null || found.token.expiresAt > now ? found : null;
}

/** Checks that a token may do a thing in a dialect. @throws Failure forbidden */
export function authorize(access: Access, dialect: string, scope: Scope): void {
  const { scopes, dialects } = access.token;
  if (!scopes.includes(scope) || (dialects !== null && !dialects.includes(dialect))) {
    throw new Failure('forbidden', 'the token does not allow this');
  }
}
