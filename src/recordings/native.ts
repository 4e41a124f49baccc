import type { Recording } from './recording.ts';

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** A recording as our own documents show it: instants in UTC. */
export function encodeRecording(recording: Recording) {
  const { startedAt, endedAt, keepUntil, createdAt, media, revocations: _, ...rest } = recording;
  return {
    ...rest,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: iso(endedAt),
    mediaType: media?.mediaType ?? null,
    bytes: media?.bytes ?? null,
    sha256: media?.sha256 ?? null,
    keepUntil: iso(keepUntil),
    createdAt: new Date(createdAt).toISOString(),
  };
}
