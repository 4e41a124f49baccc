import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';

/** A recording as its row tells of it. */
export interface Row {
  readonly number: number;
  /** What its audio is named by: each attempt to take it in has a name of its own. */
  readonly mediaId: string;
  readonly state: string;
  readonly lead: number | null;
  readonly sha256: string | null;
  readonly bytes: number | null;
}

/** Queries that find rows which do not agree with each other: each must find nothing. */
const WRONG: Readonly<Record<string, string>> = {
  'a stored recording without its facts, or a pending one that has some': `
    select number from recordings where (state = 'stored') <> (sha256 is not null)
      or (sha256 is null) <> (bytes is null) or (sha256 is null) <> (media_type is null)`,
  'a state that an import does not make': `select number from recordings where state not in ('pending', 'stored')`,
  'one idempotency key twice, or none': `
    select max(number) from recordings group by contact_center_id, idempotency_key
    having count(*) > 1 or idempotency_key is null`,
  'a stored recording without an event, or with two': `
    select r.number from recordings r left join audit_events e
      on e.contact_center_id = r.contact_center_id and e.subject = r.number and e.action = 'recording.added'
    where r.state = 'stored' group by r.number having count(e.number) <> 1`,
  'an event of a recording that is not stored': `
    select e.subject from audit_events e left join recordings r
      on r.contact_center_id = e.contact_center_id and r.number = e.subject and r.state = 'stored'
    where r.number is null and e.action <> 'recording.dropped'`,
  'a number that will be taken again': `
    select r.number from recordings r join contact_centers c on c.contact_center_id = r.contact_center_id
    where r.number >= c.next_recording_number`,
  'counts that are not the counts of their days': `
    with counted as (
      select contact_center_id, 0, started_at / 86400000 as day, count(*) from recordings group by 1, 3
      union all
      select contact_center_id, user_number, started_at / 86400000, count(*) from recordings group by 1, 2, 3)
    select * from (select * from counted
        except select contact_center_id, user_number, day, count from recording_counts)
    union all
    select * from (select contact_center_id, user_number, day, count from recording_counts
        except select * from counted)`,
};

const sha256Of = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/**
 * Reads store and folder past Rollcall, checks that every stored recording has its audio, whole, and gives
 * what is there: the rows, the audio that no stored row tells of, and how many uploads never became whole.
 */
export function checkRecordings(data: string): {
  readonly rows: Row[];
  readonly orphans: string[];
  readonly unfinished: number;
} {
  const db = new Database(join(data, 'rollcall.sqlite'), { readonly: true });
  let rows: Row[];
  try {
    assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
    assert.deepEqual(db.pragma('foreign_key_check'), []);
    for (const [what, sql] of Object.entries(WRONG)) {
      assert.deepEqual(db.prepare(sql).raw(true).all().slice(0, 3), [], what);
    }
    const sql =
      'select number, media_id as mediaId, state, lead_id as lead, sha256, bytes from recordings order by number';
    rows = db.prepare<[], Row>(sql).all();
  } finally {
    db.close();
  }
  const media = join(data, 'media');
  const paths = existsSync(media)
    ? readdirSync(media, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [];
  const [unfinished, whole] = [true, false].map((wanted) =>
    paths.filter((path) => path.startsWith(join(media, 'unfinished')) === wanted),
  );
  const byName = new Map(whole?.map((path) => [basename(path), path]));
  for (const { number, mediaId, state, sha256 } of rows) {
    if (state !== 'stored') continue;
    const path = byName.get(mediaId);
    assert.ok(path !== undefined, `recording ${number} has no audio`);
    assert.equal(sha256Of(path), sha256, `recording ${number} has other audio`);
  }
  const stored = new Set(rows.filter(({ state }) => state === 'stored').map(({ mediaId }) => mediaId));
  return {
    rows,
    orphans: [...byName.keys()].filter((name) => !stored.has(name)),
    unfinished: unfinished?.length ?? 0,
  };
}
