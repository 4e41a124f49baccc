import { isUtf8 } from 'node:buffer';
import { Failure } from '../../errors.ts';
import type { SourceRow } from '../import.ts';
import { NATIVE_FIELDS } from '../native.ts';
import type { Json } from '../user.ts';
import { type CsvRecord, CsvScanner, MAX_RECORD } from './csv-scanner.ts';
import { isTooDeep } from './json-scanner.ts';

/** Columns whose cells are lists, joined by semicolons or commas. */
const LISTS: ReadonlySet<string> = new Set([
  'extensions',
  'callbackTypes',
  'queues',
  'teams',
  'supervisedTeams',
]);
/** Columns whose cells are JSON. */
const STRUCTURES: ReadonlySet<string> = new Set(['skills', 'channels', 'agent', 'extra', 'dialectNumbers']);

/** A column that is not read: the reasons in a file of rejects, or one that was mapped to nothing. */
const IGNORED = '_rejected';

const plain = (name: string) => name.replace(/[^a-z0-9.]/gi, '').toLowerCase();
const FIELD_OF = new Map(NATIVE_FIELDS.map((field) => [plain(field), field])).set(plain(IGNORED), IGNORED);

/** The field that a column of the file is, by its name or as it was mapped; undefined for none. */
function fieldOf(header: string, columns: Readonly<Record<string, string>>): string | undefined {
  const name = (Object.hasOwn(columns, header) ? columns[header] : header) ?? '';
  if (name === '') return IGNORED;
  if (plain(name).startsWith('dialectnumbers.')) return `dialectNumbers.${name.slice(name.indexOf('.') + 1)}`;
  return FIELD_OF.get(plain(name));
}

function readHeader(
  record: readonly Buffer[],
  columns: Readonly<Record<string, string>>,
): (string | undefined)[] {
  const names = record.map((cell) => cell.toString('utf8').trim());
  const fields = names.map((name) => fieldOf(name, columns));
  if (fields.every((field) => field === undefined)) {
    throw new Failure(
      'invalid',
      'the first line of a CSV file must name its columns, such as email,firstName,lastName; add it, or map its names with --map "Their Name=firstName"',
    );
  }
  const unknown = fields.indexOf(undefined);
  if (unknown >= 0) {
    throw new Failure(
      'invalid',
      `column ${unknown + 1} of the header is no field of a user; map it with --map "Name=field", or leave it out with --map "Name="`,
    );
  }
  return fields;
}

/** A cell as the value that the native form would have; undefined for an empty one, which says nothing. */
function readCell(field: string, text: string): Json | undefined {
  if (text === '') return undefined;
  if (LISTS.has(field) && !text.startsWith('[')) {
    const parts = text.split(/[;,]/).map((part) => part.trim());
    const isNamed = field === 'teams' || field === 'supervisedTeams';
    return parts
      .filter((part) => part !== '')
      .map((part) => (isNamed && /^\d+$/.test(part) ? { number: Number(part) } : part));
  }
  if (LISTS.has(field) || STRUCTURES.has(field)) {
    if (isTooDeep(Buffer.from(text))) return text;
    try {
      return JSON.parse(text);
    } catch {
      // The field's own check says what it must be.
      return text;
    }
  }
  return text;
}

/** Reads CSV (RFC 4180) with a header; each row becomes what a native JSON row would be. */
export function readCsv(
  chunks: AsyncIterable<Buffer>,
  columns: Readonly<Record<string, string>>,
): { rows: AsyncIterable<SourceRow>; header: () => string | null } {
  let header: string | null = null;

  async function* records(): AsyncGenerator<CsvRecord> {
    const scanner = new CsvScanner();
    for await (const chunk of chunks) yield* scanner.push(chunk);
    yield* scanner.end();
  }
  async function* rows(): AsyncGenerator<SourceRow> {
    let fields: (string | undefined)[] | null = null;
    for await (const { line, bytes, cells, isTooLong } of records()) {
      const text = bytes.toString('utf8');
      if (fields === null) {
        fields = readHeader(cells ?? [], columns);
        header = text;
      } else if (isTooLong) {
        yield { line, text, problem: `is longer than ${MAX_RECORD} bytes` };
      } else if (cells === null) {
        yield { line, text, problem: 'is not valid CSV: check its quotes' };
      } else yield readRecord(cells, fields, line, text);
    }
  }
  return { rows: rows(), header: () => header };
}

function readRecord(
  record: readonly Buffer[],
  fields: readonly (string | undefined)[],
  line: number,
  text: string,
): SourceRow {
  if (!record.every((cell) => isUtf8(cell))) {
    return { line, text, problem: 'is not UTF-8; save the file as UTF-8' };
  }
  if (record.length !== fields.length) {
    return { line, text, problem: `has ${record.length} cells where the header has ${fields.length}` };
  }
  const value: Record<string, Json> = {};
  const numbers: Record<string, Json> = {};
  for (const [at, field] of fields.entries()) {
    const cell = record[at];
    if (field === undefined || field === IGNORED || cell === undefined) continue;
    const read = readCell(field, cell.toString('utf8').trim());
    if (read === undefined) continue;
    if (field.startsWith('dialectNumbers.')) numbers[field.slice('dialectNumbers.'.length)] = read;
    else value[field] = read;
  }
  if (Object.keys(numbers).length > 0) value.dialectNumbers = numbers;
  return { line, text, value };
}
