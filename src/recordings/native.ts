import type { Recording } from './recording.ts';

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** A recording as our own documents show it: instants in UTC. */
export function encodeRecording(recording: Recording) {
  const { media } = recording;
  return {
    number: recording.number,
    id: recording.id,
    userNumber: recording.userNumber,
    leadId: recording.leadId,
    callId: recording.callId,
    direction: recording.direction,
    remoteNumber: recording.remoteNumber,
    startedAt: recording.state === 'purged' ? null : new Date(recording.startedAt).toISOString(),
    endedAt: iso(recording.endedAt),
    seconds: recording.seconds,
    mediaType: media?.mediaType ?? null,
    bytes: media?.bytes ?? null,
    sha256: media?.sha256 ?? null,
    state: recording.state,
    legalHold: recording.legalHold,
    keepUntil: iso(recording.keepUntil),
    createdAt: new Date(recording.createdAt).toISOString(),
  };
}
