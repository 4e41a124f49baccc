import { LRUCache } from 'lru-cache';
import { type ContactCenter, historyOf } from '../access/contact-center.ts';
import type { UserPages } from '../directory/ports.ts';
import type { Listed, PageQuery, UserField } from '../directory/query.ts';

/** What is kept, in characters, and what keeping one user costs besides. */
const MAX_SIZE = 64_000_000;
const OVERHEAD = 150;
/** Once full, one in so many is let in: readers of more than fits would else push out all that others reuse. */
const ADMIT_ONE_IN = 8;
/** Shelves that are kept, and how many there may have been before all is begun anew: keys are exact up to 2^53. */
const MAX_SHELVES = 10_000;
const MOST_BASES = 2 ** 21;
/** Pages over which the share of users found is averaged. */
const MEMORY = 16;

/** A way in which a wire shows one user. */
export interface Encoding<F extends UserField> {
  /** Names everything that the text depends on besides the user: profile, zone, year. */
  readonly name: string;
  readonly fields: readonly F[];
  readonly encode: (user: Listed<F>) => string;
}

/** A page as texts, each with its dialect number. */
export interface EncodedPage {
  readonly users: readonly EncodedUser[];
  readonly hasMore: boolean;
  readonly total: number | null;
}

export interface EncodedUser {
  readonly number: number;
  readonly text: string;
}

interface Kept {
  readonly version: number;
  readonly text: string;
}

/** What is kept of one contact center in one encoding. */
interface Shelf {
  /** What their versions are of. */
  readonly history: string;
  /** Where its users are. */
  readonly kept: LRUCache<number, Kept>;
  /** Its users' keys are this and their dialect number: numbers are found faster than texts. */
  readonly base: number;
  readonly fields: readonly UserField[];
  /** Which share of the users on the last pages was found here. */
  found: number;
}

/**
 * Users as a wire shows them, kept by their version: a user who changes is encoded anew, and nobody else
 * is. Where most users of the last pages were found here, a page first asks an index who is on it and at
 * which version, and reads the rows of those alone who are not found. Elsewhere rows are read at once.
 */
export class EncodedUsers {
  readonly #pages: UserPages;
  #kept = createKept();
  readonly #shelves: LRUCache<string, Shelf>;
  #bases = 0;
  #refused = 0;

  /** @param maxShelves ways of showing the users of a contact center of which any are kept */
  constructor(pages: UserPages, maxShelves = MAX_SHELVES) {
    this.#pages = pages;
    this.#shelves = new LRUCache({ max: maxShelves });
  }

  /** A page of users as texts. */
  async page<F extends UserField>(
    contactCenter: ContactCenter,
    query: Omit<PageQuery<F>, 'fields'>,
    encoding: Encoding<F>,
  ): Promise<EncodedPage> {
    const shelf = this.#shelfOf(contactCenter, query.dialect, encoding);
    const isIndexFirst = shelf.found > 0.5;
    const fields = (isIndexFirst ? VERSION : shelf.fields) as readonly (F | 'version')[];
    const page = await this.#pages.page(contactCenter, { ...query, fields });
    const texts = page.users.map((user) => this.#find(shelf, user));
    const missing = page.users.filter((_, at) => texts[at] === undefined);
    if (page.users.length > 0) {
      shelf.found += (1 - missing.length / page.users.length - shelf.found) / MEMORY;
    }
    const rows =
      isIndexFirst && missing.length > 0
        ? await this.#read<F>(contactCenter, query.dialect, shelf, missing)
        : missing;
    const fresh = new Map(rows.map((user) => [user.dialectNumber, this.#keep(shelf, user, encoding)]));
    return {
      users: page.users.flatMap(({ dialectNumber: number }, at) => {
        const text = texts[at] ?? fresh.get(number);
        // Who lost the number between the two readings is on the page no more.
        return text === undefined ? [] : [{ number, text }];
      }),
      hasMore: page.hasMore,
      total: page.total,
    };
  }

  async #read<F extends UserField>(
    contactCenter: ContactCenter,
    dialect: string,
    shelf: Shelf,
    users: readonly Listed<'version'>[],
  ): Promise<Listed<F | 'version'>[]> {
    const numbers = users.map((user) => user.dialectNumber);
    const page = await this.#pages.page(contactCenter, {
      dialect,
      match: { kind: 'numbered', numbers },
      limit: numbers.length,
      count: 'none',
      fields: shelf.fields as readonly (F | 'version')[],
    });
    return page.users;
  }

  #find({ base, kept: all }: Shelf, { dialectNumber, version }: Listed<'version'>): string | undefined {
    const kept = all.get(base + dialectNumber);
    return kept?.version === version ? kept.text : undefined;
  }

  #keep<F extends UserField>(
    { base, kept }: Shelf,
    user: Listed<F | 'version'>,
    { encode }: Encoding<F>,
  ): string {
    const text = encode(user as Listed<F>);
    const isFull = kept.calculatedSize > MAX_SIZE - 100_000;
    this.#refused = isFull ? (this.#refused + 1) % ADMIT_ONE_IN : 0;
    if (this.#refused === 0) kept.set(base + user.dialectNumber, { version: user.version, text });
    return text;
  }

  #shelfOf(contactCenter: ContactCenter, dialect: string, { name, fields }: Encoding<UserField>): Shelf {
    const key = `${contactCenter.id} ${dialect} ${name}`;
    const history = historyOf(contactCenter);
    let shelf = this.#shelves.get(key);
    if (shelf?.history !== history) {
      // No two ever have the same: what a shelf had is still there when it itself is not.
      if (this.#bases === MOST_BASES) {
        this.#bases = 0;
        this.#shelves.clear();
        this.#kept = createKept();
      }
      const base = this.#bases * 2 ** 31;
      this.#bases += 1;
      shelf = { history, kept: this.#kept, base, fields: [...fields, 'version'], found: 0 };
      this.#shelves.set(key, shelf);
    }
    return shelf;
  }
}

const createKept = () =>
  new LRUCache<number, Kept>({
    maxSize: MAX_SIZE,
    sizeCalculation: ({ text }) => text.length + OVERHEAD,
  });

const VERSION: readonly UserField[] = ['version'];
