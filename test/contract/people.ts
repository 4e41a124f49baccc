import type { ContactCenter } from '../../src/access/contact-center.ts';
import { blankUser } from '../../src/directory/merge.ts';
import type { UserWriting } from '../../src/directory/ports.ts';
import type { DialectIndex } from '../../src/directory/query.ts';
import type { User } from '../../src/directory/user.ts';
import type { Store } from '../../src/store/open.ts';

/** Three dialects, one for each kind of search, that no vendor has a part in. */
export const NAMES: DialectIndex = { name: 'alpha', searches: ['names'] };
export const FILTERS: DialectIndex = { name: 'beta', searches: ['filters'] };
export const FLAGGED: DialectIndex = { name: 'gamma', searches: ['flags'] };
export const ALL: readonly DialectIndex[] = [NAMES, FILTERS, FLAGGED];

export const ROLES = [
  { number: 1, name: 'Agent' },
  { number: 2, name: 'Night Shift' },
  { number: 3, name: 'Öğretmen' },
] as const;

export function idOf(number: number): string {
  return `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

/** A user with a number of their own in each dialect; what is not said is as for anyone. */
export function person(number: number, changes: Partial<User> = {}): User {
  return {
    ...blankUser(number, idOf(number), 'UTC', 1_700_000_000_000),
    loginId: `login-${number}`,
    role: ROLES[0],
    dialectNumbers: Object.fromEntries(ALL.map(({ name }) => [name, number])),
    ...changes,
  };
}

/** Writes new users, and the roles and teams that they name, in one transaction. */
export async function addUsers(
  store: Store,
  contactCenter: ContactCenter,
  users: readonly User[],
): Promise<void> {
  await store.writer.write(contactCenter, (writing) => insertUsers(writing, users));
}

/** The same, within a transaction that the caller runs. */
export async function insertUsers(writing: UserWriting, users: readonly User[]): Promise<void> {
  const roles = new Set((await writing.roles()).map((role) => role.number));
  const teams = new Set((await writing.teams()).map((team) => team.number));
  const newRoles = new Map(
    users.filter(({ role }) => !roles.has(role.number)).map(({ role }) => [role.number, role]),
  );
  const newTeams = new Map(
    users
      .flatMap((user) => [...user.teams, ...user.supervisedTeams])
      .filter((team) => !teams.has(team.number))
      .map((team) => [team.number, team]),
  );
  await writing.addRoles([...newRoles.values()]);
  await writing.addTeams([...newTeams.values()]);
  const state = await writing.numberState();
  const highest = new Map(state.highest);
  for (const user of users) {
    for (const [dialect, number] of Object.entries(user.dialectNumbers)) {
      highest.set(dialect, Math.max(number, highest.get(dialect) ?? 0));
    }
  }
  await writing.write(
    users.map((user) => ({ before: null, after: { user, given: new Set<string>() } })),
    { nextNumber: Math.max(state.nextNumber, ...users.map((user) => user.number + 1)), highest },
  );
}

/** Writes a change of one user, who is found by their own number. */
export async function changeUser(
  store: Store,
  contactCenter: ContactCenter,
  number: number,
  change: (user: User) => User,
  given: readonly string[] = [],
): Promise<void> {
  await store.writer.write(contactCenter, async (writing) => {
    const before = await findByNumber(writing, number);
    const user = change(before.user);
    await writing.write(
      [{ before, after: { user, given: new Set([...before.given, ...given]) } }],
      await writing.numberState(),
    );
  });
}

export async function findByNumber(writing: UserWriting, number: number) {
  const [found] = await writing.findKnown({ ...NO_KEYS, numbers: new Set([number]) });
  if (found === undefined) throw new Error(`there is no user ${number}`);
  return found;
}

export const NO_KEYS = {
  ids: new Set<string>(),
  numbers: new Set<number>(),
  emails: new Set<string>(),
  loginIds: new Set<string>(),
  extensions: new Set<string>(),
  dialectNumbers: new Map<string, Set<number>>(),
} as const;
