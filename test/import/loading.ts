import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { DIALECTS, FORMATS } from '../../src/app.ts';
import { exportUsers } from '../../src/directory/export.ts';
import type { UserFormat } from '../../src/directory/format.ts';
import { importUsers, type SourceRow } from '../../src/directory/import.ts';
import type { ImportCounts, UserWriter } from '../../src/directory/ports.ts';
import { readSource } from '../../src/directory/source/rows.ts';
import type { JsonObject, User } from '../../src/directory/user.ts';
import { openStore, type Store } from '../../src/store/open.ts';

/** When every load of these tests happens. */
export const NOW = Date.UTC(2026, 2, 1);

export interface Loaded extends ImportCounts {
  /** "line: reason" of each refused row. */
  readonly refusals: readonly string[];
}

/** A contact center of a real store, and what these tests do with it. */
export interface Loader {
  readonly contactCenter: ContactCenter;
  /** Loads rows in one format, a few lines or thousands. */
  load(format: string, rows: readonly JsonObject[], dryRun?: boolean): Promise<Loaded>;
  /** Everyone by their own number. */
  people(): Promise<User[]>;
  /** The one user of that number. */
  person(number: number): Promise<User>;
  /** Everyone in one format, as a file would hold them. */
  text(format: string): Promise<string>;
  /** Loads such a file. */
  loadText(format: string, text: string): Promise<Loaded>;
}

export function formatNamed(name: string): UserFormat {
  const found = FORMATS.find((format) => format.name === name);
  if (found === undefined) throw new Error(`there is no format ${name}`);
  return found;
}

/** Loads rows by a writer, which need not be a store's own. */
export async function loadBy(
  writer: UserWriter,
  contactCenter: ContactCenter,
  format: string,
  rows: AsyncIterable<SourceRow>,
  how: { readonly newId: () => string; readonly dryRun?: boolean; readonly batchSize?: number },
): Promise<Loaded> {
  const refusals: string[] = [];
  const counts = await importUsers(writer, rows, {
    contactCenter,
    formatOf: () => formatNamed(format),
    dialects: DIALECTS.map((dialect) => dialect.name),
    now: () => NOW,
    dryRun: false,
    ...how,
    onRefused: ({ row, reason }) => {
      refusals.push(`${row.line}: ${reason}`);
    },
    onProgress: () => {},
  });
  return { ...counts, refusals };
}

/** Makes ids that are the same in each run. */
export function idMaker(of: number): () => string {
  let ids = 0;
  return () => {
    ids += 1;
    return `0190000${of % 10}-0000-7000-8000-${String(ids).padStart(12, '0')}`;
  };
}

/** Rows as a file would hold them, one a line, behind so many others. */
export async function* numbered(rows: readonly JsonObject[], others = 0): AsyncGenerator<SourceRow> {
  for (const [at, value] of rows.entries()) {
    yield { line: others + at + 1, text: JSON.stringify(value), value };
  }
}

/** Opens a store for the tests of the enclosing group; gives what makes contact centers in it. */
export function useLoader(): (timezone?: string) => Promise<Loader> {
  let folder = '';
  let store: Store;
  let made = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-import-'));
    const dialects = DIALECTS.map((dialect) => dialect.index);
    store = await openStore({ data: folder, dialects, now: () => NOW, cacheMiB: 16 });
  });
  after(async () => {
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  return async (timezone = 'UTC') => {
    made += 1;
    const contactCenter = await store.access.createContactCenter(`center-${made}`, timezone, NOW);
    const newId = idMaker(made);
    const loadRows = (format: string, rows: AsyncIterable<SourceRow>, dryRun = false) =>
      loadBy(store.writer, contactCenter, format, rows, { newId, dryRun });
    const people = () => store.pages.pageByNumber(contactCenter, 0, 100_000);
    return {
      contactCenter,
      load: (format, rows, dryRun) => loadRows(format, numbered(rows), dryRun),
      people,
      person: async (number) => {
        const found = (await people()).find((user) => user.number === number);
        if (found === undefined) throw new Error(`there is no user ${number}`);
        return found;
      },
      text: async (format) => {
        let text = '';
        for await (const piece of exportUsers(store.pages, contactCenter, formatNamed(format), NOW))
          text += piece;
        return text;
      },
      loadText: async (format, text) => {
        const chunks = (async function* () {
          yield Buffer.from(text);
        })();
        const source = await readSource(chunks, { columns: {} });
        return loadRows(format, source.rows);
      },
    };
  };
}

/** A Smartflo row with little in it. */
export function smartfloRow(id: number, changes: JsonObject = {}): JsonObject {
  return {
    id,
    name: `Person ${id}`,
    agent: null,
    login_id: `person${id}@example.com`,
    is_login_based_calling_enabled: false,
    is_international_outbound_enabled: false,
    user_role: { id: 1, name: 'Agent' },
    extension: null,
    user_status: 1,
    ...changes,
  };
}

/** A Voiso row with little in it. */
export function voisoRow(id: number, changes: JsonObject = {}): JsonObject {
  return {
    id,
    name: `Person ${id}`,
    email: `person${id}@example.com`,
    sip_account: null,
    sag: 'Agent',
    extension: null,
    caller_id: null,
    timezone: 'UTC',
    webrtc_ringtone: null,
    assigned_teams: '',
    supervisor_in_teams: '',
    assigned_skills: [],
    assigned_queues: '',
    employee_id: null,
    assigned_channels: [],
    ...changes,
  };
}

/** A row of Convoso's official page with little in it. */
export function convosoRow(id: number, changes: JsonObject = {}): JsonObject {
  return {
    id,
    acl_access_profile: 1,
    email: `person${id}@example.com`,
    first_name: 'Person',
    last_name: String(id),
    user_level: 1,
    status: 'Y',
    local_gmt: '0.00',
    extension: [],
    last_login: null,
    ...changes,
  };
}
