import type { Command } from 'commander';
import type { ContactCenter } from '../access/contact-center.ts';
import { READ_SCOPES } from '../access/token.ts';
import { createToken } from '../access/tokens.ts';
import { DIALECTS, SURROUNDINGS } from '../app.ts';
import type { MediaFlags } from '../config/media.ts';
import { demoRows } from '../directory/demo.ts';
import { importUsers } from '../directory/import.ts';
import { native } from '../directory/native.ts';
import { DEMO_DAYS } from '../recordings/demo.ts';
import type { MediaPlace } from '../recordings/media.ts';
import type { Store } from '../store/open.ts';
import { type CommonOptions, withMadeStore, withPlaces } from './context.ts';
import { countRecordings, fillRecordings } from './demo-recordings.ts';
import { print, wholeFlag } from './output.ts';
import type { NewCommand } from './program.ts';
import { startProgress } from './progress.ts';

const DEMO = 'demo';
const DEMO_USERS = 50;
const DEMO_RECORDINGS = 200;
const TOKEN_LIFE = 30 * 86_400_000;

/** Fills `demo` with the first N generated people. */
async function fillDemo(store: Store, contactCenter: ContactCenter, users: number): Promise<void> {
  const progress = startProgress(users, 'users');
  const bulk = store.openBulkWriter();
  try {
    const counts = await importUsers(bulk.writer, demoRows(users), {
      contactCenter,
      formatOf: () => native,
      dialects: DIALECTS.map((dialect) => dialect.name),
      now: SURROUNDINGS.now,
      newId: SURROUNDINGS.newId,
      dryRun: false,
      onRefused: ({ row, reason }) => {
        progress.tell(`person ${row.line}: ${reason}`);
      },
      onProgress: ({ made, changed, unchanged, refused }) =>
        progress.update(made + changed + unchanged + refused, `${made} made`),
    });
    if (counts.refused > 0) process.exitCode = 1;
  } finally {
    progress.stop();
    await bulk.close();
  }
}

/** The contact center `demo`, made where it is missing. */
async function findOrMakeDemo(store: Store): Promise<ContactCenter> {
  const found = await store.access.findContactCenter(DEMO);
  return found ?? store.access.createContactCenter(DEMO, 'America/Los_Angeles', SURROUNDINGS.now());
}

/**
 * The contact center `demo` with its people and recordings; those that are there are left as they are. As
 * recordings grow old and go, new ones take their place.
 */
export async function needDemo(store: Store, main: MediaPlace): Promise<ContactCenter> {
  const demo = await findOrMakeDemo(store);
  if ((await store.pages.count(demo)) === 0) await fillDemo(store, demo, DEMO_USERS);
  await fillRecordings(store, main, demo, DEMO_RECORDINGS);
  return (await store.access.findContactCenter(DEMO)) ?? demo;
}

/** A fresh token for `demo`. Those that ran out are dropped, so that starts do not pile them up. */
export async function createDemoToken(store: Store, contactCenter: ContactCenter): Promise<string> {
  await store.access.dropExpiredTokens(contactCenter, SURROUNDINGS.now());
  const { secret } = await createToken(store.access, SURROUNDINGS, {
    contactCenter,
    label: DEMO,
    scopes: READ_SCOPES,
    dialects: null,
    expiresIn: TOKEN_LIFE,
  });
  return secret;
}

interface DemoFlags extends CommonOptions, MediaFlags {
  readonly users: number;
  readonly recordings: number;
}

/** Gives `demo` so many recordings of the last days, under a progress bar. */
async function fillWithProgress(store: Store, flags: DemoFlags, demo: ContactCenter): Promise<void> {
  const progress = startProgress(flags.recordings, 'recordings');
  try {
    await withPlaces(flags, ({ main }) =>
      fillRecordings(store, main, demo, flags.recordings, (there) =>
        progress.update(there, `${there} recordings`),
      ),
    );
  } finally {
    progress.stop();
  }
}

/** `demo`. */
export function addDemoCommand(program: Command, newMediaCommand: NewCommand): void {
  newMediaCommand(
    program,
    'demo',
    'fill the contact center demo with generated people and calls, print a token',
  )
    .option('--users <n>', 'how many people', wholeFlag('--users', 1, 10_000_000), DEMO_USERS)
    .option(
      '--recordings <n>',
      `how many recordings, of the last ${DEMO_DAYS} days`,
      wholeFlag('--recordings', 0, 10_000_000),
      DEMO_RECORDINGS,
    )
    .action((flags: DemoFlags) =>
      withMadeStore(flags, async (store) => {
        const demo = await findOrMakeDemo(store);
        await fillDemo(store, demo, flags.users);
        await fillWithProgress(store, flags, demo);
        const token = await createDemoToken(store, demo);
        const users = await store.pages.count(demo);
        const recordings = await countRecordings(store, demo);
        print(flags.json === true, { contactCenter: DEMO, users, recordings, token }, [
          `${DEMO} has ${users} users and ${recordings} recordings`,
          `token  ${token}`,
        ]);
      }),
    );
}
