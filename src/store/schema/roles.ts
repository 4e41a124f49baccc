/** One row a role of a contact center. */
export interface RolesTable {
  contact_center_id: number;
  number: number;
  name: string;
  name_key: string;
}

/** One row a team of a contact center. */
export type TeamsTable = RolesTable;
