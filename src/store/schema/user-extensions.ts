/** One row an extension: whose it is. */
export interface UserExtensionsTable {
  contact_center_id: number;
  extension: string;
  user_number: number;
}
