/**
 * An inverted index: under each search term of a dialect, the dialect numbers that it finds, sorted.
 * Derived from users; rebuilt when a dialect changes what it searches.
 */
export interface UserTermsTable {
  contact_center_id: number;
  dialect: string;
  term: string;
  number: number;
}
