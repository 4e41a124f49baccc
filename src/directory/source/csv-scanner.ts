/** Cuts CSV (RFC 4180) into records, without holding more than one of them. */

export interface CsvRecord {
  /** The line on which the record begins, from 1. */
  readonly line: number;
  /** The record without its line end. */
  readonly bytes: Buffer;
  /** Null where its quotes are wrong, or it is too long. */
  readonly cells: readonly Buffer[] | null;
  /** Whether the line goes on and on; what it holds is not kept. */
  readonly isTooLong: boolean;
}

/** The longest record, in bytes: behind this, a quote that is open was never meant to be. */
export const MAX_RECORD = 1024 * 1024;
/** Cells of a record that are kept; more are no row of any header. */
const MAX_CELLS = 1000;

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Where a field ends, and its text; `end` is the place of what follows it. */
type Field = { readonly end: number; readonly cell: Buffer } | 'wrong' | 'incomplete';

/**
 * A scanner that takes up again at the next line where quotes are wrong: a quote that is never closed
 * costs its line, and not the rest of the file.
 */
export class CsvScanner {
  readonly #separator: number;
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;
  /** Inside of a line that was found too long: its rest is dropped. */
  #isSkipping = false;

  /** @param separator the ASCII character between cells */
  constructor(separator: string) {
    this.#separator = separator.charCodeAt(0);
  }

  /** The records that end in this chunk. Empty lines are none. */
  *push(chunk: Buffer): Generator<CsvRecord> {
    yield* this.#scan(chunk, false);
  }

  /** What stands behind the last line end. */
  *end(): Generator<CsvRecord> {
    yield* this.#scan(Buffer.alloc(0), true);
  }

  *#scan(chunk: Buffer, isEnd: boolean): Generator<CsvRecord> {
    const text = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    if (this.#isSkipping) {
      const newline = text.indexOf(NEWLINE);
      if (newline < 0) return;
      this.#isSkipping = false;
      this.#line += 1;
      start = newline + 1;
    }
    while (start < text.length) {
      const record = readRecord(text, start, isEnd, this.#separator);
      if (record === null) break;
      if (record === 'too long') {
        yield { line: this.#line, bytes: Buffer.alloc(0), cells: null, isTooLong: true };
        this.#isSkipping = true;
        start = text.length;
        break;
      }
      const bytes = text.subarray(start, record.end);
      if (bytes.length > 0) yield { line: this.#line, bytes, cells: record.cells, isTooLong: false };
      for (
        let at = text.indexOf(NEWLINE, start);
        at >= 0 && at < record.next;
        at = text.indexOf(NEWLINE, at + 1)
      ) {
        this.#line += 1;
      }
      start = record.next;
    }
    this.#rest = Buffer.from(text.subarray(start));
  }
}

/** The record at `start`; null where it goes on behind the text, `too long` where its line does for too long. */
function readRecord(
  text: Buffer,
  start: number,
  isEnd: boolean,
  separator: number,
): { readonly end: number; readonly next: number; readonly cells: Buffer[] | null } | 'too long' | null {
  const cells: Buffer[] = [];
  for (let at = start; ; ) {
    const field =
      text[at] === QUOTE ? readQuoted(text, at, isEnd, separator) : readPlain(text, at, isEnd, separator);
    if (field === 'wrong' || (field === 'incomplete' && text.length - start > MAX_RECORD)) {
      const line = readLine(text, start, isEnd);
      return line === null || line === 'too long' ? line : { ...line, cells: null };
    }
    if (field === 'incomplete') return null;
    if (cells.length <= MAX_CELLS) cells.push(field.cell);
    if (text[field.end] !== separator) return { end: field.end, next: behindLine(text, field.end), cells };
    at = field.end + 1;
  }
}

function readQuoted(text: Buffer, at: number, isEnd: boolean, separator: number): Field {
  let hasQuotes = false;
  for (let from = at + 1; ; ) {
    const quote = text.indexOf(QUOTE, from);
    if (quote < 0) return isEnd ? 'wrong' : 'incomplete';
    const next = text[quote + 1];
    if (next === QUOTE) {
      hasQuotes = true;
      from = quote + 2;
      continue;
    }
    const end = quote + 1;
    // What follows decides; a carriage return only with what follows that.
    const isOpen = next === undefined || (next === RETURN && text[end + 1] === undefined);
    if (isOpen && !isEnd) return 'incomplete';
    const isClosed =
      isOpen || next === separator || next === NEWLINE || (next === RETURN && text[end + 1] === NEWLINE);
    if (!isClosed) return 'wrong';
    const cell = text.subarray(at + 1, quote);
    return {
      end,
      cell: hasQuotes ? Buffer.from(cell.toString('latin1').replaceAll('""', '"'), 'latin1') : cell,
    };
  }
}

function readPlain(text: Buffer, at: number, isEnd: boolean, separator: number): Field {
  let end = at;
  while (end < text.length && text[end] !== separator && text[end] !== NEWLINE) end += 1;
  if (end === text.length && !isEnd) return 'incomplete';
  if (text[end] !== separator && end > at && text[end - 1] === RETURN) end -= 1;
  return { end, cell: text.subarray(at, end) };
}

function readLine(
  text: Buffer,
  start: number,
  isEnd: boolean,
): { end: number; next: number } | 'too long' | null {
  const newline = text.indexOf(NEWLINE, start);
  if (newline < 0 && !isEnd) return text.length - start <= MAX_RECORD ? null : 'too long';
  const end = newline < 0 ? text.length : newline;
  return { end: text[end - 1] === RETURN && end > start ? end - 1 : end, next: newline < 0 ? end : end + 1 };
}

function behindLine(text: Buffer, end: number): number {
  return Math.min(text[end] === RETURN ? end + 2 : end + 1, text.length);
}
