/** One row a token; the secret itself is nowhere. */
export interface TokensTable {
  contact_center_id: number;
  token_id: string;
  /** SHA-256 of the secret in hex; the one key that is looked up across contact centers. */
  hash: string;
  label: string;
  /** Comma list. */
  scopes: string;
  /** Comma list, or null for every dialect. */
  dialects: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}
