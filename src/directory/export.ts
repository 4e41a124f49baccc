import type { ContactCenter } from '../access/contact-center.ts';
import type { FormatContext, FormatUser, UserFormat } from './format.ts';
import type { UserPages } from './ports.ts';

/** Users read at once. */
const CHUNK = 500;

/**
 * Everyone in one format, as pieces of text in order. Users who come while it runs may be missing from it;
 * what its head says of their number holds.
 * @param onProgress told of how many users were given out
 */
export async function* exportUsers(
  pages: UserPages,
  contactCenter: ContactCenter,
  format: UserFormat,
  now: number,
  onProgress: (users: number) => void = () => {},
): AsyncGenerator<string> {
  const count = await pages.count(contactCenter);
  const { dialect } = format;
  const lastNumber = dialect === null ? null : await pages.lastNumber(contactCenter, dialect);
  const context: FormatContext = { timezone: contactCenter.timezone, now };
  const { head, separator, tail } = format.envelope({ count, lastNumber });
  yield head;
  let given = 0;
  for await (const users of dialect === null
    ? byNumber(pages, contactCenter)
    : byDialect(pages, contactCenter, dialect, format)) {
    const rows = users.slice(0, count - given).map((user) => format.row(user, context));
    if (rows.length === 0) break;
    yield (given === 0 ? '' : separator) + rows.join(separator);
    given += rows.length;
    onProgress(given);
  }
  yield given === 0 && head === '' ? '' : tail;
}

async function* byNumber(pages: UserPages, contactCenter: ContactCenter): AsyncGenerator<FormatUser[]> {
  for (let after = 0; ; ) {
    const users = await pages.pageByNumber(contactCenter, after, CHUNK);
    if (users.length === 0) return;
    yield users.map((user) => ({ ...user, dialectNumber: user.number }));
    after = users.at(-1)?.number ?? after;
  }
}

async function* byDialect(
  pages: UserPages,
  contactCenter: ContactCenter,
  dialect: string,
  format: UserFormat,
): AsyncGenerator<FormatUser[]> {
  for (let after = 0, hasMore = true; hasMore; ) {
    const page = await pages.page(contactCenter, {
      dialect,
      match: { kind: 'everyone' },
      after,
      limit: CHUNK,
      count: 'none',
      fields: format.fields,
    });
    // The format reads no fields but those it asked for.
    yield page.users as FormatUser[];
    after = page.users.at(-1)?.dialectNumber ?? after;
    hasMore = page.hasMore;
  }
}
