import { fold } from './fold.ts';
import type { Names } from './merge.ts';
import { MAX_COUNTED, type NamedRef } from './patch.ts';
import type { Named } from './user.ts';

/** What Convoso's four levels are called as access profiles (community documentation, "Access Profiles"). */
const PROFILES: readonly string[] = ['Agent', 'Supervisor', 'Manager', 'Admin'];

/**
 * Roles or teams by number and by name. A name is what they are known by; a number that comes with a new
 * name is kept where it is free.
 */
class Dictionary {
  readonly #byNumber = new Map<number, Named>();
  readonly #byName = new Map<string, Named>();
  readonly #usual: readonly string[];
  readonly #word: string;
  #highest = 0;
  added: Named[] = [];

  constructor(known: readonly Named[], word: string, usual: readonly string[]) {
    this.#usual = usual;
    this.#word = word;
    for (const each of known) this.#file(each);
  }

  find({ number, name }: NamedRef): Named {
    const found = name === undefined ? this.#byNumber.get(number ?? 0) : this.#byName.get(fold(name));
    return found ?? this.#make(number, name);
  }

  /** Forgets those made since `mark`: the row that named them was refused. */
  rewind(mark: number): void {
    const dropped = this.added.splice(mark);
    if (dropped.length === 0) return;
    for (const each of dropped) {
      this.#byNumber.delete(each.number);
      this.#byName.delete(fold(each.name));
    }
    this.#highest = 0;
    for (const number of this.#byNumber.keys()) this.#count(number);
  }

  #make(number: number | undefined, name: string | undefined): Named {
    const usualAt = name === undefined ? -1 : this.#usual.findIndex((each) => fold(each) === fold(name));
    const wanted = number ?? usualAt + 1;
    const made: Named = {
      number: wanted > 0 && !this.#byNumber.has(wanted) ? wanted : this.#highest + 1,
      name: name ?? this.#nameFor(wanted),
    };
    this.#file(made);
    this.added.push(made);
    return made;
  }

  #nameFor(number: number): string {
    const usual = this.#usual[number - 1];
    if (usual !== undefined && !this.#byName.has(fold(usual))) return usual;
    let made = `${this.#word} ${number}`;
    while (this.#byName.has(fold(made))) made += '*';
    return made;
  }

  #file(each: Named): void {
    this.#byNumber.set(each.number, each);
    this.#byName.set(fold(each.name), each);
    this.#count(each.number);
  }

  #count(number: number): void {
    if (number <= MAX_COUNTED) this.#highest = Math.max(this.#highest, number);
  }
}

/** The roles and teams of one contact center while rows are loaded. */
export class NameBook implements Names {
  readonly #roles: Dictionary;
  readonly #teams: Dictionary;

  constructor(roles: readonly Named[], teams: readonly Named[]) {
    this.#roles = new Dictionary(roles, 'Role', PROFILES);
    this.#teams = new Dictionary(teams, 'Team', []);
  }

  role(ref: NamedRef): Named {
    return this.#roles.find(ref);
  }

  team(ref: NamedRef): Named {
    return this.#teams.find(ref);
  }

  /** Where the book stands, for `rewind`. */
  mark(): readonly [number, number] {
    return [this.#roles.added.length, this.#teams.added.length];
  }

  rewind([roles, teams]: readonly [number, number]): void {
    this.#roles.rewind(roles);
    this.#teams.rewind(teams);
  }

  /** Those made since the last call, to be written. */
  takeAdded(): { roles: Named[]; teams: Named[] } {
    const added = { roles: this.#roles.added, teams: this.#teams.added };
    this.#roles.added = [];
    this.#teams.added = [];
    return added;
  }
}
