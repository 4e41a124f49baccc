/** What was done or tried, in the order in which it was kept. */
export interface AuditEventsTable {
  contact_center_id: number;
  number: number;
  at: number;
  actor_kind: string;
  token_id: string | null;
  action: string;
  subject: string | null;
  outcome: string;
  /** JSON object of small facts. */
  details: string;
}
