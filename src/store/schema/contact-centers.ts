/** One row a contact center. */
export interface ContactCentersTable {
  contact_center_id: number;
  name: string;
  timezone: string;
  /** JSON object of the settings that were set. */
  settings: string;
  /** Grows with each writing transaction of the contact center. */
  revision: number;
  /** The own number of the next new user. */
  next_number: number;
  created_at: number;
}
