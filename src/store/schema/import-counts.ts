/** How many imported rows had each outcome, since the contact center began. */
export interface ImportCountsTable {
  contact_center_id: number;
  outcome: string;
  count: number;
}
