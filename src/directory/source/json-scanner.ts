/** Finds the users in a JSON text of any length, without holding more than one of them. */

export interface ScannedRow {
  /** The line on which the record begins, from 1. */
  readonly line: number;
  readonly bytes: Buffer;
  /** Set where the record cannot be read at all. */
  readonly problem?: string;
}

/** The longest record, in bytes. */
export const MAX_RECORD = 16 * 1024 * 1024;

/** The deepest nesting of a record; what reads values one inside the other would run out of stack. */
export const MAX_DEPTH = 64;

/** Whether a JSON text nests its lists and objects deeper than any user does. */
export function isTooDeep(text: string): boolean {
  // Nearly every text has too few brackets to be deep: those are counted without looking at each character.
  let openings = 0;
  for (const bracket of ['[', '{']) {
    for (let at = text.indexOf(bracket); at >= 0 && openings <= MAX_DEPTH; openings += 1)
      at = text.indexOf(bracket, at + 1);
  }
  if (openings <= MAX_DEPTH) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) inString = !inString;
    else if (inString) at += code === BACKSLASH ? 1 : 0;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
  }
  return false;
}

/** Keys under which vendors' answers hold their users (seeds: `data`, `data.results`, `value`). */
const CONTAINER_KEYS: ReadonlySet<string> = new Set(['data', 'results', 'value']);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const isSpace = (byte: number) => byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;

/**
 * What the scanner is inside of: `list` holds records, `values` is an object whose values are records,
 * `wrapper` an object one of whose keys may lead to either.
 */
type Frame = 'list' | 'values' | 'wrapper';

/**
 * A scanner over the bytes of one or more JSON texts. It keeps to the structure alone (strings, brackets)
 * so that a record that is not valid JSON costs that record and nothing behind it.
 */
export class JsonScanner {
  readonly #frames: Frame[] = [];
  #line = 1;
  /** Inside a string, and behind a backslash in it. */
  #inString = false;
  #escaped = false;
  /** Brackets open inside the value that is being captured or skipped; 0 when there is none. */
  #depth = 0;
  #inScalar = false;
  #capture: Buffer[] | null = null;
  #captured = 0;
  #captureLine = 1;
  #isTooLong = false;
  /** Whether the captured value is a whole text of its own, which may turn out to be a wrapper. */
  #mayWrap = false;
  #key = '';
  #keyStart = -1;
  #isKeyNext = false;
  #isContainerNext = false;
  /** Whether the wrapper led to users, were they none. */
  #hasLed = false;

  /** The records that end in this chunk. */
  *push(chunk: Buffer): Generator<ScannedRow> {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (byte === NEWLINE) this.#line += 1;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) {
          this.#inString = false;
          if (this.#keyStart >= 0) {
            this.#key += chunk.toString('latin1', this.#keyStart, at);
            this.#keyStart = -1;
          }
          if (this.#depth === 0 && this.#capture !== null && !this.#inScalar) {
            yield this.#finish(chunk, start, at + 1);
          }
        }
        continue;
      }
      if (this.#depth > 0) {
        if (byte === QUOTE) {
          this.#inString = true;
          if (this.#mayWrap && this.#depth === 1 && this.#isKeyNext) this.#openKey(at);
        } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
          if (this.#mayWrap && this.#depth === 1 && this.#isContainerNext) {
            // The text is a vendor's answer: what was captured so far is its head, and no record.
            this.#drop();
            this.#hasLed = false;
            this.#frames.push('wrapper');
            start = this.#enter(byte, at);
            continue;
          }
          this.#depth += 1;
        } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
          this.#depth -= 1;
          if (this.#depth === 0 && this.#capture !== null) yield this.#finish(chunk, start, at + 1);
        } else if (this.#mayWrap && this.#depth === 1) this.#watch(byte);
        continue;
      }
      if (this.#inScalar) {
        if (byte !== COMMA && byte !== CLOSE_LIST && byte !== CLOSE_OBJECT && !isSpace(byte)) continue;
        this.#inScalar = false;
        if (this.#capture !== null) yield this.#finish(chunk, start, at);
      }
      if (isSpace(byte)) continue;
      const frame = this.#frames.at(-1);
      if (frame === 'wrapper' || frame === 'values') {
        if (byte === CLOSE_OBJECT) {
          this.#frames.pop();
          if (frame === 'wrapper' && !this.#hasLed) {
            this.#hasLed = true;
            yield { line: this.#line, bytes: Buffer.alloc(0), problem: 'holds no users under data' };
          }
        } else if (byte === QUOTE && this.#isKeyNext) {
          this.#inString = true;
          this.#openKey(at);
        } else if (byte === COLON) this.#isKeyNext = false;
        else if (byte === COMMA) this.#isKeyNext = true;
        else if (frame === 'values') start = this.#begin(byte, at, false);
        else if ((byte === OPEN_OBJECT || byte === OPEN_LIST) && CONTAINER_KEYS.has(this.#key)) {
          start = this.#enter(byte, at);
        } else this.#skip(byte);
      } else if (frame === 'list') {
        if (byte === CLOSE_LIST) this.#frames.pop();
        else if (byte !== COMMA) start = this.#begin(byte, at, false);
      } else if (byte === OPEN_LIST) this.#frames.push('list');
      else if (byte !== COMMA) start = this.#begin(byte, at, true);
    }
    // A key or a record that goes on in the next chunk.
    if (this.#keyStart >= 0) {
      this.#key += chunk.toString('latin1', this.#keyStart);
      this.#keyStart = 0;
    }
    if (this.#capture !== null) this.#keep(chunk.subarray(start));
  }

  /** What is wrong at the end of the text, if anything. */
  *end(): Generator<ScannedRow> {
    const isWhole = this.#capture !== null && this.#inScalar && this.#frames.length === 0;
    if (this.#capture !== null) {
      const bytes = Buffer.concat(this.#capture);
      yield isWhole
        ? { line: this.#captureLine, bytes }
        : { line: this.#captureLine, bytes, problem: 'the file ends inside this record: it was cut off' };
    } else if (this.#frames.length > 0 || this.#depth > 0 || this.#inString) {
      yield {
        line: this.#line,
        bytes: Buffer.alloc(0),
        problem: 'the file ends before its list is closed: it was cut off',
      };
    }
  }

  #openKey(at: number): void {
    this.#key = '';
    this.#keyStart = at + 1;
  }

  /** Follows keys and values of a text that may be a wrapper. */
  #watch(byte: number): void {
    if (byte === COLON) {
      this.#isKeyNext = false;
      this.#isContainerNext = CONTAINER_KEYS.has(this.#key);
    } else if (byte === COMMA) {
      this.#isKeyNext = true;
      this.#isContainerNext = false;
    } else if (!isSpace(byte)) this.#isContainerNext = false;
  }

  /** Goes into the list or object that a wrapper's key leads to; gives where a capture would start. */
  #enter(byte: number, at: number): number {
    // `value` holds one user (Voiso's sample).
    this.#hasLed ||= byte === OPEN_LIST || this.#key !== 'data';
    if (byte === OPEN_OBJECT && this.#key === 'value') return this.#begin(byte, at, false);
    if (byte === OPEN_LIST) this.#frames.push('list');
    else this.#frames.push(this.#key === 'results' ? 'values' : 'wrapper');
    this.#isKeyNext = true;
    this.#key = '';
    return at + 1;
  }

  /** Starts to capture a value; gives where it starts. */
  #begin(byte: number, at: number, mayWrap: boolean): number {
    this.#capture = [];
    this.#captured = 0;
    this.#isTooLong = false;
    this.#captureLine = this.#line;
    this.#mayWrap = mayWrap && byte === OPEN_OBJECT;
    this.#isKeyNext = true;
    this.#isContainerNext = false;
    this.#open(byte);
    return at;
  }

  #skip(byte: number): void {
    this.#mayWrap = false;
    this.#open(byte);
  }

  #open(byte: number): void {
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#depth = 1;
    else this.#inScalar = true;
  }

  #keep(bytes: Buffer): void {
    if (this.#isTooLong) return;
    this.#captured += bytes.length;
    this.#isTooLong = this.#captured > MAX_RECORD;
    if (this.#isTooLong) this.#capture = [];
    else this.#capture?.push(Buffer.from(bytes));
  }

  #finish(chunk: Buffer, start: number, end: number): ScannedRow {
    this.#keep(chunk.subarray(start, end));
    const bytes = Buffer.concat(this.#capture ?? []);
    const line = this.#captureLine;
    const isTooLong = this.#isTooLong;
    this.#drop();
    return isTooLong ? { line, bytes, problem: `is longer than ${MAX_RECORD} bytes` } : { line, bytes };
  }

  #drop(): void {
    this.#capture = null;
    this.#captured = 0;
    this.#isTooLong = false;
    this.#mayWrap = false;
    this.#depth = 0;
  }
}
