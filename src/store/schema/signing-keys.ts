/** Keys that sign recordings' links. */
export interface SigningKeysTable {
  contact_center_id: number;
  key_id: string;
  /** 256 random bits in base64url. */
  secret: string;
  created_at: number;
  retired_at: number | null;
}
