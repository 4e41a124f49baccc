import type { ContactCenter } from '../access/contact-center.ts';
import { isSignedBy, type ReadLink, type SigningKey } from './links.ts';
import type { Recording } from './recording.ts';
import { isPastRetention } from './retention.ts';

/** Why a link is refused. For the audit alone: whoever holds the link is told none of it. */
export type Refusal =
  /** It is no link of ours at all. */
  | 'form'
  | 'key'
  | 'signature'
  | 'expired'
  | 'unknown'
  | 'revoked'
  | 'purged'
  | 'retention'
  /** Signed and good, but the audio has not come in yet. */
  | 'pending';

/** What is found by what a link claims. */
export interface LinkedRecording {
  readonly contactCenter: ContactCenter;
  readonly recording: Recording | null;
  readonly key: SigningKey | null;
}

/** A recording whose audio lies somewhere. */
export type PlayableRecording = Recording & {
  readonly state: 'stored' | 'archived';
  readonly media: NonNullable<Recording['media']>;
};

/** Whether a link opens what it names, now. The signature comes first: nothing is believed before. */
export function judgeLink(link: ReadLink, found: LinkedRecording, now: number): PlayableRecording | Refusal {
  if (found.key === null) return 'key';
  return isSignedBy(link, found.key) ? judgeSigned(link, found, now) : 'signature';
}

/** The same of a link whose signature is known to hold by the key that was found. */
export function judgeSigned(
  link: ReadLink,
  { contactCenter, recording }: LinkedRecording,
  now: number,
): PlayableRecording | Refusal {
  if (link.expiresAt <= now) return 'expired';
  if (recording === null) return 'unknown';
  const { state, media } = recording;
  if (state === 'purged') return 'purged';
  if (link.revocations !== recording.revocations) return 'revoked';
  if (isPastRetention(contactCenter, recording, now)) return 'retention';
  if (state === 'pending' || media === null) return 'pending';
  return { ...recording, state, media };
}
