import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';

/** A recording as its row tells of it. */
export interface Row {
  readonly number: number;
  readonly mediaId: string;
  readonly state: 'pending' | 'stored' | 'archived' | 'purged';
  readonly sha256: string | null;
  readonly leftover: string | null;
  readonly moving: string | null;
}

/** Queries that find rows which do not agree with each other: each must find nothing. */
const WRONG: Readonly<Record<string, string>> = {
  'a tombstone that tells of somebody': `
    select number from recordings where state = 'purged' and
      (started_at <> 0 or coalesce(user_number, lead_id, call_id, direction, remote_number, ended_at, seconds,
        media_type, bytes, keep_until) is not null
        or (key_until is null and coalesce(sha256, fingerprint, idempotency_key) is not null))`,
  'a tombstone without an event, or with two': `
    select r.number from recordings r left join audit_events e
      on e.contact_center_id = r.contact_center_id and e.subject = r.number and e.action = 'recording.purged'
    where r.state = 'purged' group by r.number having count(e.number) <> 1`,
  'an event of a purge that did not come to be': `
    select e.subject from audit_events e join recordings r
      on r.contact_center_id = e.contact_center_id and r.number = e.subject
    where e.action = 'recording.purged' and r.state <> 'purged'`,
  'moves that events do not tell of': `
    select r.number from recordings r left join audit_events e on e.contact_center_id = r.contact_center_id
      and e.subject = r.number and e.action in ('recording.archived', 'recording.restored')
    where r.state <> 'purged' group by r.number
    having (r.state = 'archived') <> (count(e.number) % 2 = 1)`,
  'a recording under legal hold that was let go': `
    select number from recordings where legal_hold = 1 and state = 'purged'`,
  'counts that are not the counts of their days': `
    with counted as (
      select contact_center_id, 0, started_at / 86400000 as day, count(*) from recordings
        where user_number is not null group by 1, 3
      union all
      select contact_center_id, user_number, started_at / 86400000, count(*) from recordings
        where user_number is not null group by 1, 2, 3)
    select * from (select * from counted
        except select contact_center_id, user_number, day, count from recording_counts)
    union all
    select * from (select contact_center_id, user_number, day, count from recording_counts
        except select * from counted)`,
};

const filesIn = (place: string): Map<string, string> =>
  new Map(
    existsSync(place)
      ? readdirSync(place, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => [entry.name, join(entry.parentPath, basename(entry.name))])
      : [],
  );

/**
 * Reads store and folders past Rollcall, checks that every recording that came in and was not let go has its
 * audio, whole, where its row says, and gives the rows and how many files there are that are no recording's.
 */
export function checkLetting(
  data: string,
  archive: string,
): { readonly rows: Row[]; readonly others: number } {
  const db = new Database(join(data, 'rollcall.sqlite'), { readonly: true });
  let rows: Row[];
  try {
    assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
    for (const [what, sql] of Object.entries(WRONG)) {
      assert.deepEqual(db.prepare(sql).raw(true).all().slice(0, 3), [], what);
    }
    rows = db
      .prepare<[], Row>(
        'select number, media_id as mediaId, state, sha256, leftover, moving from recordings order by number',
      )
      .all();
  } finally {
    db.close();
  }
  const places = { stored: filesIn(join(data, 'media')), archived: filesIn(archive) };
  let whole = 0;
  for (const { number, mediaId, state, sha256 } of rows) {
    if (state === 'purged' || state === 'pending') continue;
    const path = places[state].get(mediaId);
    assert.ok(path !== undefined, `recording ${number} is ${state}, and its audio is not there`);
    const found = createHash('sha256').update(readFileSync(path)).digest('hex');
    assert.equal(found, sha256, `recording ${number} has other audio`);
    whole += 1;
  }
  return { rows, others: places.stored.size + places.archived.size - whole };
}
