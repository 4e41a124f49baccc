import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { LoadRequest } from './load.ts';
import { rollcall } from './processes.ts';
import type { Scenario } from './scenarios.ts';

const ROOT = join(tmpdir(), 'rollcall-bench-data');
const USERS = 1000;
/** Days that have calls, and the calls of a user on one of them: two pages of 20. */
const DAYS = 25;
const CALLS = 40;
const DAY = 86_400_000;
/** The first call of a day is at six in the morning, UTC; questions begin at any second before it. */
const MORNING = 6 * 3600;
const FIRST = Date.UTC(2026, 0, 5);

const email = (user: number) => `agent${user}@bench.example`;

/** Users that have calls where there are so many recordings. */
const usersOf = (recordings: number) => recordings / (DAYS * CALLS);

/**
 * Rows straight into the store, in the order in which calls end: those of one user lie far apart, as they
 * would. There is no audio behind them.
 */
const fill = (cc: number, recordings: number) => `
  begin;
  insert into recordings (contact_center_id, number, id, media_id, user_number, lead_id, direction, remote_number,
    started_at, ended_at, seconds, media_type, bytes, sha256, state, legal_hold, revocations, created_at)
  with recursive n(i) as (select 0 union all select i + 1 from n where i < ${recordings - 1}),
  calls as (
    select i, i % ${usersOf(recordings)} as user, i / ${usersOf(recordings)} % ${CALLS} as call,
      i / ${usersOf(recordings) * CALLS} as day from n),
  placed as (
    select *, ${FIRST} + day * ${DAY} + ${MORNING} * 1000 + call * 900000 + user * 7 as start from calls)
  select ${cc}, i + 1, printf('019b8000-0000-7000-8000-%012x', i),
    printf('019b8000-0000-7000-9000-%012x', i), user + 1, 1 + i % 200000, 'outbound',
    printf('+1555%07d', i), start, start + 300000, 300, 'audio/mpeg', 1200000, lower(hex(randomblob(32))),
    'stored', 0, 0, start from placed;
  insert into recording_counts
    select ${cc}, 0, started_at / ${DAY}, count(*) from recordings group by 3
    union all select ${cc}, user_number, started_at / ${DAY}, count(*) from recordings group by 2, 3;
  update contact_centers set next_recording_number = ${recordings + 1}, recordings_revision = 1;
  commit`;

/** A data folder with that many recordings, made anew. */
export async function prepareRecordings(recordings: number): Promise<string> {
  const data = join(ROOT, `recordings-${recordings}`);
  if (existsSync(data)) rmSync(data, { recursive: true });
  mkdirSync(ROOT, { recursive: true });
  await rollcall(['contact-center', 'create', 'demo', '--data', data]);
  // Nothing is let go while pages are asked for.
  await rollcall(['contact-center', 'set', 'demo', 'recordings.retentionDays', '36500', '--data', data]);
  const people = `${data}-people.jsonl`;
  const rows = Array.from({ length: USERS }, (_, at) => JSON.stringify({ email: email(at + 1) }));
  writeFileSync(people, `${rows.join('\n')}\n`);
  await rollcall(['import', people, '--contact-center', 'demo', '--data', data]);
  rmSync(people);
  const db = new Database(join(data, 'rollcall.sqlite'));
  try {
    db.exec(fill(1, recordings));
  } finally {
    db.close();
  }
  return data;
}

const wall = (at: number) => new Date(at).toISOString().slice(0, 19).replace('T', ' ');

/** A page of a user's day. No two questions are the same, so that each is answered from the store. */
export const USER_AND_DAY: Scenario = {
  name: 'recordings of a user and day, 20 with total',
  leastRatio: 0.2,
  isKeyed: true,
  requests: (recordings, token) =>
    Array.from({ length: 50_000 }, (_, at): LoadRequest => {
      const pick = at * 7919;
      const day = FIRST + (Math.floor(pick / usersOf(recordings)) % DAYS) * DAY;
      const query = new URLSearchParams({
        auth_token: token,
        user: email(1 + (pick % usersOf(recordings))),
        start_time: wall(day + (at % MORNING) * 1000),
        end_time: wall(day + DAY - 1000),
      });
      return { method: 'GET', path: `/v1/users/recordings?${query}` };
    }),
};

/** The same asked again and again, as by integrations that poll: more questions than users, and answers that are kept. */
export const USER_AND_DAY_AGAIN: Scenario = {
  ...USER_AND_DAY,
  name: 'recordings of a user and day, of 2,000 in turn',
  requests: (recordings, token) => USER_AND_DAY.requests(recordings, token).slice(0, 2000),
};
