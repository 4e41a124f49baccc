import { isAscii, isUtf8 } from 'node:buffer';
import { Failure } from '../../errors.ts';
import type { SourceRow } from '../import.ts';
import { isObject } from '../patch.ts';
import type { Json, JsonObject } from '../user.ts';
import { type CsvHeader, type RowShape, readCsv, tellSeparator } from './csv.ts';
import { isTooDeep, JsonScanner, MAX_DEPTH, MAX_RECORD, type ScannedRow } from './json-scanner.ts';
import { notUtf8 } from './not-utf8.ts';
import { USER_ROWS } from './user-rows.ts';

export type SourceKind = 'json' | 'jsonl' | 'csv';

/** Bytes looked at to tell what a file is. */
const SNIFF = 65_536;

export interface SourceOptions {
  /** Names of CSV columns, by the name in the file. */
  readonly columns: Readonly<Record<string, string>>;
  /** What the rows are; users where it is not given. */
  readonly shape?: RowShape;
}

/** A file's rows, and what it was taken for. */
export interface Source {
  readonly kind: SourceKind;
  readonly rows: AsyncIterable<SourceRow>;
  /** A CSV file's header, for the rejects; null before it was read, and of other files. */
  readonly header: () => CsvHeader | null;
}

/**
 * Reads rows from a stream: JSON (a list, or a vendor's answer, or several behind each other), JSON lines,
 * or CSV with a header. It is told by its first bytes.
 * @throws Failure invalid where it is none of these
 */
export async function readSource(chunks: AsyncIterable<Buffer>, options: SourceOptions): Promise<Source> {
  const iterator = chunks[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  for (let size = 0; size < SNIFF; ) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    head.push(value);
    size += value.length;
  }
  let first = Buffer.concat(head);
  if (first[0] === 0xff || first[0] === 0xfe) {
    throw new Failure('invalid', 'the file is in UTF-16; save it as UTF-8 and try again');
  }
  if (first[0] === 0xef && first[1] === 0xbb && first[2] === 0xbf) first = first.subarray(3);
  const all = (async function* () {
    yield first;
    for (;;) {
      const { value, done } = await iterator.next();
      if (done === true) return;
      yield value;
    }
  })();

  const kind = tellKind(first);
  if (kind === 'csv') {
    const csv = readCsv(all, tellSeparator(first), options.columns, options.shape ?? USER_ROWS);
    return { kind, rows: csv.rows, header: csv.header };
  }
  const rows = kind === 'jsonl' ? readLines(all) : readJson(all);
  return { kind, rows, header: () => null };
}

function tellKind(first: Buffer): SourceKind {
  const text = first.toString('utf8').trimStart();
  if (text === '') throw new Failure('invalid', 'the file is empty');
  if (text[0] !== '{' && text[0] !== '[') return 'csv';
  const end = text.indexOf('\n');
  const line = end < 0 ? text : text.slice(0, end);
  // JSON lines: a line that is a whole text, or one that opens like the next.
  const next = end < 0 ? '' : (text.slice(end + 1).trimStart()[0] ?? '');
  if (end >= 0 && isJson(line)) return 'jsonl';
  // One that stops where a value must follow is the head of a page whose users are on lines of their own.
  const isHead = /[[,:{]\s*$/.test(line);
  return text[0] === '{' && /^\{\s*"/.test(line) && next === '{' && !isHead ? 'jsonl' : 'json';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function* readJson(chunks: AsyncIterable<Buffer>): AsyncGenerator<SourceRow> {
  const scanner = new JsonScanner();
  for await (const chunk of chunks) {
    for (const record of scanner.push(chunk)) yield* readBytes(record, []);
  }
  for (const record of scanner.end()) yield* readBytes(record, []);
}

async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<SourceRow> {
  const cutter = new LineCutter();
  for await (const chunk of chunks) yield* cutter.push(chunk);
  yield* cutter.end();
}

/** Cuts bytes into lines, each of which is a record. */
class LineCutter {
  /** The start of a line that goes on in the next chunk. */
  #pending: Buffer[] = [];
  #size = 0;
  #line = 1;

  /** The rows of lines that end in this chunk. Empty lines are none. */
  push(chunk: Buffer): SourceRow[] {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    const rows = end > 0 ? this.#take(chunk.subarray(0, end)) : [];
    this.#size += chunk.length - end;
    // A line that is too long is told in the end; it is not held.
    if (this.#size <= MAX_RECORD) this.#pending.push(chunk.subarray(end));
    else this.#pending = [];
    return rows;
  }

  /** What stands behind the last line end. */
  end(): SourceRow[] {
    return this.#take(Buffer.alloc(0));
  }

  #take(lines: Buffer): SourceRow[] {
    const rows: SourceRow[] = [];
    const first = Math.max(lines.indexOf(NEWLINE), 0);
    let rest = lines;
    if (this.#size + first > MAX_RECORD) {
      rows.push({ line: this.#line, text: '', problem: `is longer than ${MAX_RECORD} bytes` });
      rest = lines.subarray(first);
    } else if (this.#size > 0) rest = Buffer.concat([...this.#pending, lines]);
    this.#pending = [];
    this.#size = 0;
    this.#cut(rest, rows);
    return rows;
  }

  /** Many lines are made one text, of which each is a slice: text by text they cost several times that. */
  #cut(lines: Buffer, rows: SourceRow[]): void {
    const text = lines.toString('latin1');
    const isPlain = isAscii(lines);
    for (let start = 0; start < text.length; this.#line += 1) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      const bytes = isPlain ? null : lines.subarray(start, end);
      if (bytes !== null && !isAscii(bytes)) readBytes({ line: this.#line, bytes }, rows);
      else {
        const record = text.slice(start, end).trim();
        if (record !== '') readRecord(record, this.#line, rows);
      }
      start = end + 1;
    }
  }
}

const NEWLINE = 10;

/** Adds the rows of a record to others, and gives all. */
function readBytes({ line, bytes, problem }: ScannedRow, rows: SourceRow[]): SourceRow[] {
  const text = problem === undefined || bytes.length < MAX_RECORD ? bytes.toString('utf8').trim() : '';
  if (text !== '' && !isUtf8(bytes)) rows.push(notUtf8(line, bytes, problem));
  else if (problem !== undefined) rows.push({ line, text, problem });
  else readRecord(text, line, rows);
  return rows;
}

function readRecord(text: string, line: number, rows: SourceRow[]): void {
  if (isTooDeep(text)) {
    rows.push({ line, text, problem: `is nested more than ${MAX_DEPTH} levels deep` });
    return;
  }
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    rows.push({ line, text, problem: 'is not valid JSON' });
    return;
  }
  expand(value, line, text, rows);
}

/** Adds the users in a JSON value: a row, a list of them, or a vendor's whole answer. */
function expand(value: Json, line: number, text: string, rows: SourceRow[]): void {
  if (Array.isArray(value)) {
    for (const item of value) expand(item, line, JSON.stringify(item), rows);
  } else if (!isObject(value)) {
    rows.push({ line, text, problem: 'is not an object' });
  } else if (Object.hasOwn(value, 'id')) {
    // A user: a field of theirs that is only kept may be named as what a vendor's answer holds users under.
    rows.push({ line, text, value });
  } else if (isObject(value.data) || Array.isArray(value.data)) {
    expandData(value.data, line, rows);
  } else if (isObject(value.results) || Array.isArray(value.results)) {
    expandData(value, line, rows);
  } else if (isObject(value.value) || Array.isArray(value.value)) {
    expand(value.value, line, JSON.stringify(value.value), rows);
  } else if ((value.success === false || value.success === 'false') && !('email' in value)) {
    rows.push({ line, text, problem: "is a vendor's error answer, not a page of users" });
  } else {
    rows.push({ line, text, value });
  }
}

function expandData(data: JsonObject | readonly Json[], line: number, rows: SourceRow[]): void {
  const users = isObject(data) ? data.results : data;
  const items = Array.isArray(users) ? users : isObject(users) ? Object.values(users) : null;
  if (items === null) {
    rows.push({ line, text: JSON.stringify(data), problem: 'holds no users under data' });
    return;
  }
  for (const item of items) expand(item, line, JSON.stringify(item), rows);
}
