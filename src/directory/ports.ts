import type { ContactCenter } from '../access/contact-center.ts';
import type { Page, PageQuery, UserField } from './query.ts';
import type { Named, User } from './user.ts';

/** Where users are read from, page by page. */
export interface UserPages {
  /** One page; unknown dialects have no users. `match` texts are folded by the caller's side of the store. */
  page<F extends UserField>(contactCenter: ContactCenter, query: PageQuery<F>): Promise<Page<F>>;
  /** Everyone by their own number, for exports that belong to no dialect. Ascending, after `after`. */
  pageByNumber(contactCenter: ContactCenter, after: number, limit: number): Promise<User[]>;
  /** The own number of the user whose email, or else whose login id, is this text; null for nobody. */
  findNumber(contactCenter: ContactCenter, text: string): Promise<number | null>;
  /** How many users a contact center has. */
  count(contactCenter: ContactCenter): Promise<number>;
  /** The greatest dialect number, or null where there is nobody. */
  lastNumber(contactCenter: ContactCenter, dialect: string): Promise<number | null>;
}

/** What an imported row may be known by. Texts are folded. */
export interface KnownBy {
  readonly ids: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number>;
  readonly emails: ReadonlySet<string>;
  readonly loginIds: ReadonlySet<string>;
  readonly extensions: ReadonlySet<string>;
  /** By dialect. */
  readonly dialectNumbers: ReadonlyMap<string, ReadonlySet<number>>;
}

/** A user as a writer sees them: also which of the dialect numbers a vendor gave. */
export interface KnownUser {
  readonly user: User;
  /** Dialects whose number came from that vendor's file; the others were chosen here. */
  readonly given: ReadonlySet<string>;
}

/** A change to be written: `before` is null for a new user. */
export interface UserChange {
  readonly before: KnownUser | null;
  readonly after: KnownUser;
}

/** Dialect numbers that stand in the way of the contact center's next ones. */
export interface NumberState {
  /** The own number that the next new user gets. */
  readonly nextNumber: number;
  /** By dialect: the greatest number that was ever taken there. */
  readonly highest: ReadonlyMap<string, number>;
}

/** What a load reads of a contact center. */
export interface UserReading {
  findKnown(keys: KnownBy): Promise<KnownUser[]>;
  /** Which of these dialect numbers were ever taken, by whom or by nobody any more. */
  takenNumbers(dialect: string, numbers: ReadonlySet<number>): Promise<Set<number>>;
  /** The revision grows with each change of the contact center's users or settings. */
  numberState(): Promise<NumberState & { readonly revision: number }>;
  roles(): Promise<Named[]>;
  teams(): Promise<Named[]>;
}

/** Somebody else has written what a change was worked out from. */
export class Overtaken extends Error {}

/** One writing transaction in one contact center. All of it is kept, or none. */
export interface UserWriting extends UserReading {
  /** Has the transaction fail with Overtaken where the contact center is at another revision. */
  expect(revision: number): Promise<void>;
  addRoles(roles: readonly Named[]): Promise<void>;
  addTeams(teams: readonly Named[]): Promise<void>;
  write(changes: readonly UserChange[], state: NumberState): Promise<void>;
  /** Adds to the contact center's counts of imported rows, shown at /metrics. */
  countImported(outcomes: ImportCounts): Promise<void>;
}

export interface ImportCounts {
  readonly made: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly refused: number;
}

/** Where users are written. */
export interface UserWriter {
  /** Reads outside of a transaction: what the next one will write can be worked out before it begins. */
  reading(contactCenter: ContactCenter): UserReading;
  /** Runs `work` alone in the contact center; its writes are kept when it resolves, dropped when it rejects. */
  write<T>(contactCenter: ContactCenter, work: (writing: UserWriting) => Promise<T>): Promise<T>;
}
