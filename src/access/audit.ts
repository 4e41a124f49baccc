/** Who did something: a token at the API, a link's holder, somebody at the command line, or a job of ours. */
export type Actor =
  | { readonly kind: 'token'; readonly tokenId: string }
  /** `tokenId` is whose answer the link was in. */
  | { readonly kind: 'link'; readonly tokenId: string | null }
  | { readonly kind: 'cli' }
  | { readonly kind: 'job' };

export const AUDIT_ACTIONS = [
  'recording.added',
  'recording.dropped',
  'recording.played',
  'recording.downloaded',
  'recording.refused',
  'recording.changed',
  'recording.revoked',
  'recording.archived',
  'recording.restored',
  'recording.purged',
  'recording.lost',
  'setting.changed',
  'key.rotated',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Something that was done or tried, under audit. It holds no contents and no personal data. */
export interface AuditEvent {
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
  readonly actor: Actor;
  readonly action: AuditAction;
  /** The recording's number, or the setting's key. */
  readonly subject: string | null;
  /** `begun`: of what takes a while, told before it ends; how it ended is an event of its own. */
  readonly outcome: 'begun' | 'done' | 'refused' | 'failed';
  /** Facts such as a range of bytes, the reason of a refusal, an old and a new retention. Small. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}
