import { createHash, type Hash } from 'node:crypto';
import type { Cell } from '../engine.ts';
import type { Schema } from '../schema/index.ts';

/** Every table that is moved, each behind those that its rows refer to. */
export const TABLES = [
  'contact_centers',
  'tokens',
  'roles',
  'teams',
  'users',
  'user_extensions',
  'user_terms',
  'dialects',
  'dialect_numbers',
  'retired_numbers',
  'dialect_counters',
  'number_counts',
  'import_counts',
  'recordings',
  'recording_counts',
  'signing_keys',
  'audit_events',
] as const satisfies readonly (keyof Schema)[];

export type TableName = (typeof TABLES)[number];

/** A table as every engine has it: columns by name, and those of its key in the key's order. */
export interface Table {
  readonly name: TableName;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** How many rows a table has, and the SHA-256 of them in hex: the same in every engine. */
export interface TableTotal {
  readonly rows: number;
  readonly sha256: string;
}

/** Makes the tables of what a catalogue tells: table, column, and its place in the key, from 1, or 0. */
export function readTables(catalogue: readonly Cell[][]): Table[] {
  return TABLES.flatMap((name) => {
    const own = catalogue.filter(([table]) => table === name);
    if (own.length === 0) return [];
    const key = own.filter(([, , place]) => Number(place) > 0);
    return [
      {
        name,
        columns: own.map(([, column]) => String(column)).sort(),
        key: key.sort((a, b) => Number(a[2]) - Number(b[2])).map(([, column]) => String(column)),
      },
    ];
  });
}

/** All rows of a table, in the order of its key. */
export function selectAll({ name, columns, key }: Table): string {
  return `select ${columns.join(', ')} from ${name} order by ${key.join(', ')}`;
}

/** Some rows of a table as the text that its checksum is of: a line of JSON for each. */
export function toLines(rows: readonly (readonly Cell[])[]): string {
  let lines = '';
  for (const row of rows) lines += `${JSON.stringify(row)}\n`;
  return lines;
}

/** The checksum of a table's rows in the order of their keys, as they come. */
export class TableSum {
  readonly #hash: Hash;
  #rows = 0;

  constructor({ name, columns }: Table) {
    this.#hash = createHash('sha256').update(`${JSON.stringify([name, columns])}\n`);
  }

  get rows(): number {
    return this.#rows;
  }

  add(rows: number, lines: string): void {
    this.#rows += rows;
    this.#hash.update(lines);
  }

  /** The total of what came so far. */
  total(): TableTotal {
    return { rows: this.#rows, sha256: this.#hash.copy().digest('hex') };
  }
}
