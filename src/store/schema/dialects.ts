/** The dialects that every user has a number in. */
export interface DialectsTable {
  name: string;
  /** Comma list of what its terms were made for. */
  searches: string;
}

/** A user's id in one dialect. */
export interface DialectNumbersTable {
  contact_center_id: number;
  dialect: string;
  number: number;
  user_number: number;
  /** 1 where that vendor's file gave the number, 0 where it was chosen here. */
  given: number;
  /** The user's own version, so that a page can tell who has changed without reading their rows. */
  version: number;
}

/** Dialect numbers that somebody had and nobody may have again. */
export interface RetiredNumbersTable {
  contact_center_id: number;
  dialect: string;
  number: number;
}

/** The greatest number ever taken in a dialect. */
export interface DialectCountersTable {
  contact_center_id: number;
  dialect: string;
  highest: number;
}

/**
 * How many dialect numbers lie in each block of 2 ** (8 * level) numbers, for levels 1 to 3: an offset or
 * a total is found by adding up a few hundred rows instead of walking the directory.
 */
export interface NumberCountsTable {
  contact_center_id: number;
  dialect: string;
  level: number;
  block: number;
  count: number;
}
