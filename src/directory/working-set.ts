import { Failure } from '../errors.ts';
import { fold } from './fold.ts';
import { textKeysOf } from './keys.ts';
import { MAX_COUNTED, type UserPatch } from './patch.ts';
import type { KnownBy, KnownUser, NumberState, UserChange } from './ports.ts';
import { shownName, type User, wholeName } from './user.ts';

/** A user while a batch of rows is worked on: as they were, and as they will be. */
export interface Entry {
  readonly before: KnownUser | null;
  user: User;
  given: ReadonlySet<string>;
  touched: boolean;
}

const NONE: ReadonlySet<string> = new Set();

const refused = (field: string, text: string) =>
  new Failure('conflict', `${field}: ${text}`, { fields: { [field]: [text] } });

/**
 * The users that a batch of rows is about, kept in step as rows are applied, so that a row sees what the
 * rows before it did. It holds everyone whom any key of the batch may meet.
 */
export class WorkingSet {
  readonly #entries = new Set<Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #byNumber = new Map<number, Entry>();
  readonly #byEmail = new Map<string, Entry>();
  readonly #byLogin = new Map<string, Entry>();
  readonly #byExtension = new Map<string, Entry>();
  readonly #byDialect = new Map<string, Map<number, Entry>>();
  readonly #taken: ReadonlyMap<string, ReadonlySet<number>>;
  readonly #highest: Map<string, number>;
  readonly #dialects: readonly string[];
  readonly #room: { readonly own: ReadonlySet<number>; readonly above: number };
  nextNumber: number;

  /**
   * @param room the own numbers that were looked up in `taken`, and where those above all others begin
   * @param taken by dialect: which of the own numbers that new users of this batch will get were ever taken there
   */
  constructor(
    known: readonly KnownUser[],
    dialects: readonly string[],
    state: NumberState,
    taken: ReadonlyMap<string, ReadonlySet<number>>,
    room: { readonly own: ReadonlySet<number>; readonly above: number },
  ) {
    this.#room = room;
    this.#dialects = dialects;
    this.#taken = taken;
    this.#highest = new Map(state.highest);
    this.nextNumber = state.nextNumber;
    for (const dialect of dialects) this.#byDialect.set(dialect, new Map());
    for (const before of known) {
      this.#file({ before, user: before.user, given: before.given, touched: false });
    }
  }

  /** The own number of the next new user who brings none. */
  nextOwnNumber(): number {
    return this.#room.own.has(this.nextNumber)
      ? this.nextNumber
      : Math.max(this.nextNumber, this.#room.above);
  }

  get state(): NumberState {
    return { nextNumber: this.nextNumber, highest: this.#highest };
  }

  /**
   * Those of `known` and of the users of this set who answer to any of the keys, as this set leaves them:
   * for who works on before it is written.
   */
  carryOver(known: readonly KnownUser[], keys: KnownBy): KnownUser[] {
    const found = new Set<Entry>();
    const add = (entry: Entry | undefined) => entry?.touched === true && found.add(entry);
    for (const id of keys.ids) add(this.#byId.get(id));
    for (const number of keys.numbers) add(this.#byNumber.get(number));
    for (const email of keys.emails) add(this.#byEmail.get(email));
    for (const loginId of keys.loginIds) add(this.#byLogin.get(loginId));
    for (const extension of keys.extensions) add(this.#byExtension.get(extension));
    for (const [dialect, numbers] of keys.dialectNumbers) {
      for (const number of numbers) add(this.#byDialect.get(dialect)?.get(number));
    }
    const others = known.filter(({ user }) => !add(this.#byNumber.get(user.number)));
    return [...others, ...[...found].map(({ user, given }) => ({ user, given }))];
  }

  /** Which of these dialect numbers somebody in this set has. */
  takenNumbers(dialect: string, numbers: ReadonlySet<number>): Set<number> {
    const holders = this.#byDialect.get(dialect);
    return new Set([...numbers].filter((number) => holders?.has(number) === true));
  }

  /** What has to be written. */
  changes(): UserChange[] {
    return [...this.#entries]
      .filter((entry) => entry.touched)
      .map(({ before, user, given }) => ({ before, after: { user, given } }));
  }

  /**
   * The user that a row is about, or null for a new one.
   * @param isShownAs whether the row says just what its format shows of that user
   * @throws Failure conflict when two users answer to it.
   */
  find(patch: UserPatch, dialect: string | null, isShownAs: (entry: Entry) => boolean): Entry | null {
    const found: Entry[] = [];
    const add = (entry: Entry | undefined) =>
      entry !== undefined && !found.includes(entry) && found.push(entry);
    const vendorNumber = dialect === null ? undefined : patch.dialectNumbers?.[dialect];
    const numbered =
      vendorNumber === undefined ? undefined : this.#byDialect.get(dialect ?? '')?.get(vendorNumber);
    if (numbered?.given.has(dialect ?? '')) add(numbered);
    if (patch.id !== undefined) add(this.#byId.get(patch.id));
    for (const key of textKeysOf(patch)) {
      add(this.#byEmail.get(key));
      add(this.#byLogin.get(key));
    }
    const owner = patch.number === undefined ? undefined : this.#byNumber.get(patch.number);
    if (owner !== undefined && found.length === 0 && patch.id !== undefined) {
      // The file is of another contact center, where somebody else has that number.
      throw refused(
        'number',
        `belongs to user ${owner.user.number} already, who has another id; leave the number out`,
      );
    }
    add(owner);
    if (found.length > 1) {
      const numbers = found.map((entry) => entry.user.number).sort((a, b) => a - b);
      throw new Failure(
        'conflict',
        `users ${numbers.join(' and ')} both answer to this row; leave out or correct what names the wrong one: the id, number, email or login id`,
      );
    }
    const [known] = found;
    if (known !== undefined) return known;
    // A number that was only chosen here says little of whom the vendor means by it: the name must agree, or all
    // else, as it does for those without a name in an export of ours.
    return numbered !== undefined && (isNamedAs(numbered.user, patch) || isShownAs(numbered))
      ? numbered
      : null;
  }

  /** Puts a changed or new user in place. @throws Failure conflict when something unique is another's. */
  put(entry: Entry | null, user: User, given: Readonly<Record<string, number>>): Entry {
    this.#checkUnique(entry, user);
    this.#checkRoom(entry, user, given);
    const placed: Entry = entry ?? { before: null, user, given: NONE, touched: true };
    if (entry !== null) this.#unfile(entry);
    // Nobody else holds a new user.
    placed.user = entry === null ? user : withOwnNumbers(user);
    placed.touched = true;
    grow(placed);
    for (const [dialect, number] of Object.entries(given)) this.#give(placed, dialect, number);
    for (const dialect of this.#dialects) {
      if (placed.user.dialectNumbers[dialect] === undefined) this.#choose(placed, dialect, user.number);
    }
    this.#file(placed);
    return placed;
  }

  isLoginTaken(loginId: string): boolean {
    return this.#byLogin.has(fold(loginId));
  }

  /** A row is taken in whole or not at all: every number that it makes one choose must be there. */
  #checkRoom(entry: Entry | null, user: User, given: Readonly<Record<string, number>>): void {
    for (const dialect of this.#dialects) {
      const number = given[dialect];
      const holder = number === undefined ? undefined : this.#byDialect.get(dialect)?.get(number);
      const isChosen =
        number === undefined
          ? user.dialectNumbers[dialect] === undefined && !this.#isFree(dialect, user.number)
          : holder !== undefined && holder !== entry;
      if (isChosen && (this.#highest.get(dialect) ?? 0) >= MAX_COUNTED) {
        throw refused(`dialectNumbers.${dialect}`, 'no number is left to choose');
      }
    }
  }

  #isFree(dialect: string, number: number): boolean {
    return (
      number <= MAX_COUNTED &&
      this.#taken.get(dialect)?.has(number) !== true &&
      this.#byDialect.get(dialect)?.has(number) !== true
    );
  }

  #checkUnique(entry: Entry | null, user: User): void {
    const check = (field: string, holder: Entry | undefined) => {
      if (holder !== undefined && holder !== entry) {
        throw refused(field, `belongs to user ${holder.user.number} already`);
      }
    };
    check('number', this.#byNumber.get(user.number));
    check('id', this.#byId.get(user.id));
    if (user.email !== null) check('email', this.#byEmail.get(fold(user.email)));
    check('loginId', this.#byLogin.get(fold(user.loginId)));
    for (const extension of user.extensions) check('extension', this.#byExtension.get(extension));
  }

  /** Checks that the given dialect numbers are free or only chosen here. @throws Failure conflict */
  checkGiven(entry: Entry | null, given: Readonly<Record<string, number>>): void {
    for (const [dialect, number] of Object.entries(given)) {
      const holder = this.#byDialect.get(dialect)?.get(number);
      if (holder !== undefined && holder !== entry && holder.given.has(dialect)) {
        throw refused(`dialectNumbers.${dialect}`, `belongs to user ${holder.user.number} already`);
      }
    }
  }

  #give(entry: Entry, dialect: string, number: number): void {
    const numbers = this.#byDialect.get(dialect);
    if (numbers === undefined) return;
    const holder = numbers.get(number);
    if (holder !== undefined && holder !== entry) {
      // A number that was only chosen here gives way to the vendor's own.
      numbers.delete(number);
      holder.touched = true;
      holder.user = withOwnNumbers(holder.user);
      grow(holder);
      this.#choose(holder, dialect, null);
      numbers.set(holder.user.dialectNumbers[dialect] as number, holder);
    }
    entry.given = new Set([...entry.given, dialect]);
    this.#setNumber(entry, dialect, number);
  }

  /** Chooses a dialect number: the user's own where that was never taken there, else one above all. */
  #choose(entry: Entry, dialect: string, own: number | null): void {
    const number = own !== null && this.#isFree(dialect, own) ? own : (this.#highest.get(dialect) ?? 0) + 1;
    this.#setNumber(entry, dialect, number);
  }

  #setNumber(entry: Entry, dialect: string, number: number): void {
    const numbers: Record<string, number> = entry.user.dialectNumbers;
    numbers[dialect] = number;
    if (number <= MAX_COUNTED) this.#highest.set(dialect, Math.max(number, this.#highest.get(dialect) ?? 0));
  }

  #file(entry: Entry): void {
    const { user } = entry;
    this.#entries.add(entry);
    this.#byId.set(user.id, entry);
    this.#byNumber.set(user.number, entry);
    if (user.email !== null) this.#byEmail.set(fold(user.email), entry);
    this.#byLogin.set(fold(user.loginId), entry);
    for (const extension of user.extensions) this.#byExtension.set(extension, entry);
    for (const [dialect, holders] of this.#byDialect) {
      const number = user.dialectNumbers[dialect];
      if (number !== undefined) holders.set(number, entry);
    }
  }

  #unfile(entry: Entry): void {
    const { user } = entry;
    this.#byId.delete(user.id);
    this.#byNumber.delete(user.number);
    if (user.email !== null) this.#byEmail.delete(fold(user.email));
    this.#byLogin.delete(fold(user.loginId));
    for (const extension of user.extensions) this.#byExtension.delete(extension);
    for (const [dialect, holders] of this.#byDialect) {
      const number = user.dialectNumbers[dialect];
      if (number !== undefined) holders.delete(number);
    }
  }
}

/** A copy whose dialect numbers can be set without touching what was read. */
function withOwnNumbers(user: User): User {
  return { ...user, dialectNumbers: { ...user.dialectNumbers } };
}

/** Counts a change of a user; several in one batch are one. */
function grow(entry: Entry): void {
  const before = entry.before?.user.version;
  if (before === entry.user.version) entry.user = { ...entry.user, version: before + 1 };
}

/** Whether a row names a user as vendors show them: those with one field for it, or those with first and last. */
function isNamedAs(user: User, patch: UserPatch): boolean {
  const name = patch.name ?? wholeName({ firstName: '', lastName: '', ...patch });
  return name !== '' && [shownName(user), wholeName(user)].some((known) => fold(known) === fold(name));
}
