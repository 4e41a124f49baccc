/**
 * One row a recording. Instants are milliseconds since 1970 UTC; a tombstone's start is 0, and what
 * else told of the call null. While it keeps its idempotency key it has the fingerprint and the audio's SHA-256. */
export interface RecordingsTable {
  contact_center_id: number;
  number: number;
  id: string;
  media_id: string;
  user_number: number | null;
  lead_id: number | null;
  call_id: string | null;
  direction: string | null;
  remote_number: string | null;
  started_at: number;
  ended_at: number | null;
  seconds: number | null;
  media_type: string | null;
  bytes: number | null;
  sha256: string | null;
  state: string;
  legal_hold: number;
  keep_until: number | null;
  revocations: number;
  created_at: number;
  leftover: string | null;
  moving: string | null;
  restored_at: number | null;
  idempotency_key: string | null;
  fingerprint: string | null;
  /** When a tombstone lets go of its idempotency key; null where it has none, and of what lives. */
  key_until: number | null;
}

/** How many recordings that are no tombstones start on each UTC day, of a user (or 0, everyone). */
export interface RecordingCountsTable {
  contact_center_id: number;
  user_number: number;
  /** Whole days since 1970 UTC. */
  day: number;
  count: number;
}
