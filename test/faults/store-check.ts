import assert from 'node:assert/strict';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Queries that find what does not agree with users: each must find nothing. */
const WRONG: Readonly<Record<string, string>> = {
  'a user without a number in a dialect': `
    select u.number from users u cross join (values ('convoso'), ('voiso'), ('smartflo')) as d
    left join dialect_numbers n on n.contact_center_id = u.contact_center_id
      and n.user_number = u.number and n.dialect = d.column1
    where n.number is null`,
  'a dialect number of nobody': `
    select n.number from dialect_numbers n left join users u
      on u.contact_center_id = n.contact_center_id and u.number = n.user_number
    where u.number is null`,
  'a term of a number that nobody has': `
    select t.number from user_terms t left join dialect_numbers n
      on n.contact_center_id = t.contact_center_id and n.dialect = t.dialect and n.number = t.number
    where n.number is null`,
  'a user who is not found by name in Convoso': `
    select u.number from users u join dialect_numbers n
      on n.contact_center_id = u.contact_center_id and n.user_number = u.number and n.dialect = 'convoso'
    left join user_terms t on t.contact_center_id = u.contact_center_id and t.dialect = 'convoso'
      and t.term = 'any=' || lower(u.last_name) and t.number = n.number
    where t.number is null`,
  'a user without all terms of Voiso': `
    select u.number from users u join dialect_numbers n
      on n.contact_center_id = u.contact_center_id and n.user_number = u.number and n.dialect = 'voiso'
    left join terms_held t on t.cc = u.contact_center_id and t.dialect = 'voiso' and t.number = n.number
    where coalesce(t.count, 0) <> 3 + (u.caller_id_group is not null)`,
  'a user without the one term of Smartflo': `
    select n.number from dialect_numbers n
    left join terms_held t on t.cc = n.contact_center_id and t.dialect = n.dialect and t.number = n.number
    where n.dialect = 'smartflo' and coalesce(t.count, 0) <> 1`,
  'extensions that differ from those of the user': `
    select u.number from users u
    left join extensions_held x on x.cc = u.contact_center_id and x.number = u.number
    where u.extensions <> coalesce(x.list, '')`,
  'an extension of nobody': `
    select x.extension from user_extensions x left join users u
      on u.contact_center_id = x.contact_center_id and u.number = x.user_number
    where u.number is null`,
  'counts that are not the counts of their blocks': `
    with counted as (
      select contact_center_id, dialect, level, number >> (8 * level) as block, count(*) as count
      from dialect_numbers cross join (select 1 as level union select 2 union select 3) group by 1, 2, 3, 4)
    select * from (select * from counted except
        select contact_center_id, dialect, level, block, count from number_counts where count <> 0)
    union all select * from (select contact_center_id, dialect, level, block, count from number_counts
        where count <> 0 except select * from counted)`,
  'a counter below a number that is taken': `
    select n.number from dialect_numbers n left join dialect_counters c
      on c.contact_center_id = n.contact_center_id and c.dialect = n.dialect
    where c.highest is null or n.number > c.highest`,
  'a next number that is taken': `
    select c.name from contact_centers c
    where c.next_number <= (select max(number) from users u where u.contact_center_id = c.contact_center_id)`,
  'a role or team that is not there': `
    select u.number from users u left join roles r
      on r.contact_center_id = u.contact_center_id and r.number = u.role_number where r.number is null
    union all
    select u.number from users u, json_each(u.teams) j left join teams t
      on t.contact_center_id = u.contact_center_id and t.number = j.value where t.number is null`,
  'an email that two have': `
    select email_key from users where email_key is not null
    group by contact_center_id, email_key having count(*) > 1`,
};

/** What users have by their other tables, worked out once: those tables are keyed by what is looked up. */
const HELD = `
  create temp table terms_held as
    select contact_center_id as cc, dialect, number, count(*) as count from user_terms group by 1, 2, 3;
  create index temp.terms_held_by on terms_held (cc, dialect, number);
  create temp table extensions_held as
    select cc, number, group_concat(extension, ',') as list from
      (select contact_center_id as cc, user_number as number, extension from user_extensions order by 1, 2, 3)
    group by 1, 2;
  create index temp.extensions_held_by on extensions_held (cc, number)`;

/**
 * Reads the store's file past Rollcall and checks that every user is whole. For users whose extensions were
 * given in ascending order and whose last names are ASCII, as the people of these tests.
 * @returns the emails there are, sorted
 */
export function checkStore(data: string): string[] {
  const db = new Database(join(data, 'rollcall.sqlite'), { readonly: true });
  try {
    assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
    assert.deepEqual(db.pragma('foreign_key_check'), []);
    db.exec(HELD);
    for (const [what, sql] of Object.entries(WRONG)) {
      assert.deepEqual(db.prepare(sql).raw(true).all().slice(0, 3), [], what);
    }
    return db.prepare<[], string>('select email from users order by email').pluck(true).all();
  } finally {
    db.close();
  }
}

/** How many rows imports have counted as made, over all. */
export function countMade(data: string): number {
  const db = new Database(join(data, 'rollcall.sqlite'), { readonly: true });
  try {
    const sql = `select coalesce(sum(count), 0) from import_counts where outcome = 'made'`;
    return Number(db.prepare(sql).pluck(true).get());
  } finally {
    db.close();
  }
}
