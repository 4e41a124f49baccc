import { isUtf8 } from 'node:buffer';
import { Failure } from '../../errors.ts';
import type { SourceRow } from '../import.ts';
import type { Json } from '../user.ts';
import { type CsvRecord, CsvScanner, MAX_RECORD } from './csv-scanner.ts';
import { notUtf8 } from './not-utf8.ts';

/** What the columns of a CSV file can be. */
export interface RowShape {
  /** What a row is of, such as "a user". */
  readonly of: string;
  /** A header that a file may have. */
  readonly example: string;
  /** The field that a column's name stands for, or "field.part"; undefined for none. */
  fieldOf(name: string): string | undefined;
  /** The value of a cell that is not empty, as a JSON row would have it. */
  readCell(field: string, text: string): Json;
}

/** A column that is not read: the reasons in a file of rejects, or one that was mapped to nothing. */
const IGNORED = '_rejected';

/** A column's name without spaces, dashes and case. */
export const plain = (name: string): string => name.replace(/[^a-z0-9.]/gi, '').toLowerCase();

/** The field that a column of the file is, by its name or as it was mapped; undefined for none. */
function fieldOf(
  header: string,
  columns: Readonly<Record<string, string>>,
  shape: RowShape,
): string | undefined {
  const name = (Object.hasOwn(columns, header) ? columns[header] : header) ?? '';
  if (name === '' || plain(name) === plain(IGNORED)) return IGNORED;
  return shape.fieldOf(name);
}

function readHeader(
  record: readonly Buffer[],
  columns: Readonly<Record<string, string>>,
  shape: RowShape,
): (string | undefined)[] {
  const names = record.map((cell) => cell.toString('utf8').trim());
  const fields = names.map((name) => fieldOf(name, columns, shape));
  if (fields.every((field) => field === undefined)) {
    throw new Failure(
      'invalid',
      `the first line of a CSV file must name its columns, such as ${shape.example}; add it, or map its names with --map "Their Name=${shape.example.split(',')[1]}"`,
    );
  }
  const unknown = fields.indexOf(undefined);
  if (unknown >= 0) {
    throw new Failure(
      'invalid',
      `column ${unknown + 1} of the header is no field of ${shape.of}; map it with --map "Name=field", or leave it out with --map "Name="`,
    );
  }
  return fields;
}

/** The header of a CSV file as it was understood. */
export interface CsvHeader {
  /** The field that each column is, by our own names; empty for a column that is not read. */
  readonly fields: readonly string[];
  /** Whether the first column holds why a row was refused. */
  readonly hasReasons: boolean;
  readonly separator: string;
}

/**
 * What stands between the cells of a CSV file that begins so: a comma, or where its header has none, a semicolon or
 * a tab, which spreadsheets write where a comma is in numbers.
 */
export function tellSeparator(first: Buffer): string {
  const header = /[^\r\n]+/.exec(first.toString('latin1'))?.[0].replaceAll(/"[^"]*"/g, '') ?? '';
  return [',', ';', '\t'].find((separator) => header.includes(separator)) ?? ',';
}

/** Reads CSV (RFC 4180) with a header; each row becomes what a native JSON row would be. */
export function readCsv(
  chunks: AsyncIterable<Buffer>,
  separator: string,
  columns: Readonly<Record<string, string>>,
  shape: RowShape,
): { rows: AsyncIterable<SourceRow>; header: () => CsvHeader | null } {
  let header: CsvHeader | null = null;

  async function* records(): AsyncGenerator<CsvRecord> {
    const scanner = new CsvScanner(separator);
    for await (const chunk of chunks) yield* scanner.push(chunk);
    yield* scanner.end();
  }
  async function* rows(): AsyncGenerator<SourceRow> {
    let fields: (string | undefined)[] | null = null;
    for await (const { line, bytes, cells, isTooLong } of records()) {
      if (fields === null) {
        fields = readHeader(cells ?? [], columns, shape);
        header = {
          fields: fields.map((field) => (field === undefined || field === IGNORED ? '' : field)),
          hasReasons: plain(cells?.[0]?.toString('utf8') ?? '') === plain(IGNORED),
          separator,
        };
        continue;
      }
      if (isTooLong) yield { line, text: '', problem: `is longer than ${MAX_RECORD} bytes` };
      else if (!isUtf8(bytes)) yield notUtf8(line, bytes);
      else {
        const text = bytes.toString('utf8');
        if (cells === null) yield { line, text, problem: 'is not valid CSV: check its quotes' };
        else yield readRecord(cells, fields, line, text, shape);
      }
    }
  }
  return { rows: rows(), header: () => header };
}

function readRecord(
  record: readonly Buffer[],
  fields: readonly (string | undefined)[],
  line: number,
  text: string,
  shape: RowShape,
): SourceRow {
  if (record.length !== fields.length) {
    return { line, text, problem: `has ${record.length} cells where the header has ${fields.length}` };
  }
  const value: Record<string, Json> = {};
  const parts: Record<string, Record<string, Json>> = {};
  for (const [at, field] of fields.entries()) {
    const cell = record[at];
    if (field === undefined || field === IGNORED || cell === undefined) continue;
    const given = cell.toString('utf8').trim();
    // An empty cell says nothing.
    if (given === '') continue;
    const read = shape.readCell(field, given);
    const dot = field.indexOf('.');
    if (dot < 0) value[field] = read;
    else parts[field.slice(0, dot)] = { ...parts[field.slice(0, dot)], [field.slice(dot + 1)]: read };
  }
  return { line, text, value: { ...value, ...parts } };
}
