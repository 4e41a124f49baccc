import type { FastifyRequest } from 'fastify';
import { settingOf } from '../access/contact-center.ts';
import type { Access } from '../access/tokens.ts';
import { type Disposition, expiryOf, signLink } from '../recordings/links.ts';
import type { SigningKeys } from '../recordings/ports.ts';
import type { Recording } from '../recordings/recording.ts';
import { LINK_SECONDS } from '../recordings/settings.ts';
import { HttpFailure } from './wire-failure.ts';

export interface LinkDeps {
  readonly signingKeys: SigningKeys;
  /** Where clients reach this server, without a slash at the end; null for where each request came to. */
  readonly publicUrl: string | null;
  readonly now: () => number;
}

/** Makes the links of one answer. */
export interface Links {
  /** All that the links depend on besides their recordings: answers that have it in common have the same links. */
  readonly sameness: readonly string[];
  /** When they end, in milliseconds. */
  readonly expiresAt: number;
  /** An absolute URL at which the recording's audio is played or downloaded. */
  link(recording: Pick<Recording, 'number' | 'revocations'>, disposition?: Disposition): string;
}

/** A host as RFC 3986 has it, with a port or none. What else a client says is not put into an answer. */
const HOST = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Where the client reaches this server.
 * @throws HttpFailure malformed where the request's host is none (RFC 9112 section 3.2)
 */
export function baseOf(request: FastifyRequest, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl;
  const { protocol, host, socket } = request;
  // HTTP/1.0 needs no Host: what is left is the address that was called.
  if (!host) {
    const address = socket.localFamily === 'IPv6' ? `[${socket.localAddress}]` : socket.localAddress;
    return `${protocol}://${address}:${socket.localPort}`;
  }
  if (!HOST.test(host)) throw new HttpFailure('malformed');
  return `${protocol}://${host}`;
}

/** Opens the links of one answer to who asks. @throws HttpFailure malformed; Failure unavailable */
export async function openLinks(
  deps: LinkDeps,
  request: FastifyRequest,
  { contactCenter, token }: Access,
): Promise<Links> {
  const base = baseOf(request, deps.publicUrl);
  const now = deps.now();
  const key = await deps.signingKeys.current(contactCenter, now);
  const expiresAt = expiryOf(now, settingOf(contactCenter, LINK_SECONDS));
  return {
    sameness: [base, key.id, String(expiresAt), token.id],
    expiresAt,
    link: ({ number, revocations }, disposition = 'inline') =>
      base +
      signLink(
        {
          contactCenterId: contactCenter.id,
          number,
          expiresAt,
          revocations,
          tokenId: token.id,
          disposition,
        },
        key,
      ),
  };
}
