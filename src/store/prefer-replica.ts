import type { EngineFigures } from '../access/ports.ts';
import type { UserPages } from '../directory/ports.ts';
import type { RecordingStore } from '../recordings/ports.ts';
import type { Replica } from './postgres/replica.ts';

/** Pages of users, by the replica where it can answer. */
export function preferReplicaForUsers(
  replica: Replica,
  byReplica: UserPages,
  byPrimary: UserPages,
): UserPages {
  return {
    page: (contactCenter, query) =>
      replica.answer(
        contactCenter,
        'revision',
        () => byReplica.page(contactCenter, query),
        () => byPrimary.page(contactCenter, query),
      ),
    pageByNumber: (contactCenter, after, limit) =>
      replica.answer(
        contactCenter,
        'revision',
        () => byReplica.pageByNumber(contactCenter, after, limit),
        () => byPrimary.pageByNumber(contactCenter, after, limit),
      ),
    count: (contactCenter) =>
      replica.answer(
        contactCenter,
        'revision',
        () => byReplica.count(contactCenter),
        () => byPrimary.count(contactCenter),
      ),
    // What writers ask before they write.
    findNumber: (contactCenter, text) => byPrimary.findNumber(contactCenter, text),
    lastNumber: (contactCenter, dialect) => byPrimary.lastNumber(contactCenter, dialect),
  };
}

type Listing = Pick<RecordingStore, 'page' | 'list'>;

/** Pages of recordings, by the replica where it can answer. */
export function preferReplicaForRecordings(
  replica: Replica,
  byReplica: Listing,
  byPrimary: Listing,
): Listing {
  return {
    page: (contactCenter, query) =>
      replica.answer(
        contactCenter,
        'recordingsRevision',
        () => byReplica.page(contactCenter, query),
        () => byPrimary.page(contactCenter, query),
      ),
    list: (contactCenter, query) =>
      replica.answer(
        contactCenter,
        'recordingsRevision',
        () => byReplica.list(contactCenter, query),
        () => byPrimary.list(contactCenter, query),
      ),
  };
}

/** The figures of an engine and its replica together. */
export function addFigures(one: EngineFigures, other: EngineFigures): EngineFigures {
  return {
    definitions: [...one.definitions, ...other.definitions],
    here: () => new Map([...one.here(), ...other.here()]),
    asked: async () => new Map([...(await one.asked()), ...(await other.asked())]),
  };
}
