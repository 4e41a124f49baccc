import { type ParseResult, parseSync, type RangeVar } from 'libpg-query';
import type { Statement } from '../../src/store/engine.ts';
import { DISTRIBUTED_TABLES, REFERENCE_TABLES, SHARD_KEY } from '../../src/store/postgres/sharding.ts';

/** Kinds of statements in which the tables are those of the queries in them, or there are none. */
const HARMLESS: ReadonlySet<string> = new Set(['SelectStmt', 'TransactionStmt', 'VariableSetStmt']);
const DISTRIBUTED: ReadonlySet<string> = new Set(DISTRIBUTED_TABLES);
const REFERENCE: ReadonlySet<string> = new Set(REFERENCE_TABLES);

/** Any part of a parsed statement, by its name in PostgreSQL's parser. */
type Part = { readonly [key: string]: unknown };
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null;

/** All parts of that name below a part, from the outside inwards. */
function partsOf(of: unknown, name: string): Part[] {
  if (Array.isArray(of)) return of.flatMap((each) => partsOf(each, name));
  if (!isPart(of)) return [];
  return Object.entries(of).flatMap(([key, value]) => [
    ...(key === name && isPart(value) ? [value] : []),
    ...partsOf(value, name),
  ]);
}

/** Names of columns, "d.number", at one end of a comparison; a cast is looked through. */
function columnIn(node: unknown): string[] | null {
  if (!isPart(node) || !isPart(node.ColumnRef)) return null;
  return partsOf(node.ColumnRef.fields, 'String').map((each) => String(each.sval));
}

function parameterIn(node: unknown): number | null {
  if (!isPart(node)) return null;
  if (isPart(node.TypeCast)) return parameterIn(node.TypeCast.arg);
  return isPart(node.ParamRef) ? Number(node.ParamRef.number) : null;
}

/** What holds for every row, of a condition. */
function conjunctsOf(condition: unknown): Part[] {
  if (!isPart(condition)) return [];
  const { BoolExpr: all } = condition;
  if (isPart(all) && all.boolop === 'AND_EXPR' && Array.isArray(all.args))
    return all.args.flatMap(conjunctsOf);
  return [condition];
}

interface Level {
  /** Tables by the names that they have here. */
  readonly tables: Map<string, string>;
  readonly conditions: Part[];
}

/** The tables of one FROM and what joins them; tables of queries in it are looked at with those. */
function readFrom(from: readonly unknown[], into: Level, faults: string[]): void {
  for (const item of from) {
    if (!isPart(item)) continue;
    if (isPart(item.RangeVar)) addTable(item.RangeVar as RangeVar, into);
    else if (isPart(item.JoinExpr)) {
      const { jointype, larg, rarg, quals } = item.JoinExpr;
      if (jointype !== 'JOIN_INNER') faults.push(`joins by ${jointype}`);
      readFrom([larg, rarg], into, faults);
      into.conditions.push(...conjunctsOf(quals));
    } else if (!isPart(item.RangeSubselect)) faults.push(`reads from ${Object.keys(item)}`);
  }
}

function addTable({ relname, alias, catalogname, schemaname }: RangeVar, into: Level): void {
  const isServers = schemaname === 'pg_catalog' || schemaname === 'information_schema';
  if (isServers || catalogname !== undefined || relname === undefined) return;
  // What is the server's own is read on the node that is asked.
  if (!/^(pg_|citus_)/.test(relname)) into.tables.set(alias?.aliasname ?? relname, relname);
}

/** Faults of one level of a statement, and the parameters by which it says whose rows it is about. */
function checkLevel({ tables, conditions }: Level, faults: string[], parameters: Set<number>): void {
  const bound = new Set<string>();
  const equal: [string, string][] = [];
  const [only] = tables.keys();
  const keyOf = (node: unknown): string | null => {
    const names = columnIn(node);
    if (names?.at(-1) !== SHARD_KEY) return null;
    return names.length === 2 ? String(names[0]) : tables.size === 1 ? String(only) : null;
  };
  for (const { A_Expr: compared } of conditions) {
    if (
      !isPart(compared) ||
      compared.kind !== 'AEXPR_OP' ||
      partsOf(compared.name, 'String')[0]?.sval !== '='
    ) {
      continue;
    }
    const [left, right] = [keyOf(compared.lexpr), keyOf(compared.rexpr)];
    if (left !== null && right !== null) equal.push([left, right]);
    for (const [table, other] of [
      [left, compared.rexpr],
      [right, compared.lexpr],
    ] as const) {
      const parameter = parameterIn(other);
      if (table === null || parameter === null) continue;
      bound.add(table);
      parameters.add(parameter);
    }
  }
  for (let isMore = true; isMore; ) {
    isMore = false;
    for (const [one, other] of equal) {
      if (bound.has(one) === bound.has(other)) continue;
      bound.add(one).add(other);
      isMore = true;
    }
  }
  for (const [name, table] of tables) {
    if (REFERENCE.has(table)) continue;
    if (!DISTRIBUTED.has(table)) faults.push(`reads ${table}, which sharding.ts does not know`);
    else if (!bound.has(name)) faults.push(`does not say whose rows of ${table} it is about`);
  }
}

function checkSelect(select: Part, faults: string[], parameters: Set<number>): void {
  const level: Level = { tables: new Map(), conditions: conjunctsOf(select.whereClause) };
  readFrom((select.fromClause as unknown[] | undefined) ?? [], level, faults);
  checkLevel(level, faults, parameters);
}

function checkInsert(insert: Part, faults: string[], parameters: Set<number>): void {
  const { relname = '' } = insert.relation as RangeVar;
  const columns = (insert.cols as Part[]).map((each) => String((each.ResTarget as Part).name));
  const at = columns.indexOf(SHARD_KEY);
  // A shared table is written on every node, whosever the row is.
  if (REFERENCE.has(relname) && at < 0) return;
  if (!DISTRIBUTED.has(relname) && !REFERENCE.has(relname)) {
    faults.push(`writes ${relname}, which sharding.ts does not know`);
  }
  const select = isPart(insert.selectStmt) ? (insert.selectStmt.SelectStmt as Part) : {};
  const rows = (select.valuesLists as Part[] | undefined) ?? [];
  if (rows.length === 0) faults.push('inserts what another query gives');
  for (const { List: row } of rows) {
    const parameter = parameterIn((isPart(row) ? (row.items as unknown[]) : [])[at]);
    if (parameter === null) faults.push(`does not say whose rows of ${relname} it adds`);
    else parameters.add(parameter);
  }
  const conflict = insert.onConflictClause;
  const set = isPart(conflict) ? partsOf(conflict.targetList, 'ResTarget') : [];
  if (set.some(({ name }) => name === SHARD_KEY)) faults.push('moves rows to another contact center');
}

/** `update` and `delete`. */
function checkChange(change: Part, faults: string[], parameters: Set<number>): void {
  const level: Level = { tables: new Map(), conditions: conjunctsOf(change.whereClause) };
  addTable(change.relation as RangeVar, level);
  if (change.fromClause !== undefined || change.usingClause !== undefined) faults.push('changes by a join');
  checkLevel(level, faults, parameters);
  const set = (change.targetList as Part[] | undefined) ?? [];
  if (set.some(({ ResTarget }) => isPart(ResTarget) && ResTarget.name === SHARD_KEY)) {
    faults.push('moves rows to another contact center');
  }
}

const keysOf = (of: unknown): string[] => partsOf(of, 'String').map((each) => String(each.sval));

function checkConstraint(table: string, constraint: Part, column: string | null, faults: string[]): void {
  const kind = String(constraint.contype);
  const isShared = REFERENCE.has(table);
  const own = (keys: unknown) => (keys === undefined && column !== null ? [column] : keysOf(keys));
  if (kind === 'CONSTR_PRIMARY' || kind === 'CONSTR_UNIQUE') {
    if (!isShared && !own(constraint.keys).includes(SHARD_KEY)) {
      faults.push(`has a unique key of ${table} without the contact center`);
    }
  } else if (kind === 'CONSTR_FOREIGN') {
    const { relname = '' } = constraint.pktable as RangeVar;
    if (REFERENCE.has(relname)) return;
    const at = own(constraint.fk_attrs).indexOf(SHARD_KEY);
    if (isShared || at < 0 || keysOf(constraint.pk_attrs)[at] !== SHARD_KEY) {
      faults.push(`refers from ${table} to ${relname} without the contact center`);
    }
  } else if (kind !== 'CONSTR_NOTNULL' && kind !== 'CONSTR_NULL' && kind !== 'CONSTR_DEFAULT') {
    faults.push(`has a constraint of ${table} that Citus may refuse: ${kind}`);
  }
}

function checkColumn(table: string, column: Part, faults: string[]): void {
  const name = String(column.colname);
  const type = keysOf((column.typeName as Part).names).at(-1);
  if (/serial/.test(String(type))) faults.push(`has a sequence in ${table}`);
  if (name === SHARD_KEY && type !== 'int4') faults.push(`has a contact center of another type in ${table}`);
  for (const constraint of partsOf(column.constraints, 'Constraint')) {
    checkConstraint(table, constraint, name, faults);
  }
}

/** Statements that change the schema; what is not known here to be taken by Citus is a fault. */
function checkSchema(kind: string, part: Part, faults: string[]): void {
  const table = String((part.relation as RangeVar | undefined)?.relname);
  const isKnown = DISTRIBUTED.has(table) || REFERENCE.has(table);
  if (!isKnown) faults.push(`${kind} of ${table}, which sharding.ts does not know`);
  if (kind === 'CreateStmt') {
    const elements = part.tableElts as Part[];
    for (const { ColumnDef: column, Constraint: constraint } of elements) {
      if (isPart(column)) checkColumn(table, column, faults);
      else if (isPart(constraint)) checkConstraint(table, constraint, null, faults);
      else faults.push(`has a table made in a way that is not known here`);
    }
    const columns = partsOf(elements, 'ColumnDef').map(({ colname }) => colname);
    if (DISTRIBUTED.has(table) && !columns.includes(SHARD_KEY))
      faults.push(`makes ${table} without a contact center`);
  } else if (kind === 'IndexStmt') {
    const columns = partsOf(part.indexParams, 'IndexElem').map(({ name }) => name);
    if (part.unique === true && DISTRIBUTED.has(table) && !columns.includes(SHARD_KEY)) {
      faults.push(`has a unique index of ${table} without the contact center`);
    }
  } else if (kind === 'AlterTableStmt') {
    for (const { subtype, def } of partsOf(part.cmds, 'AlterTableCmd')) {
      if (subtype === 'AT_AddColumn') {
        for (const column of partsOf(def, 'ColumnDef')) checkColumn(table, column, faults);
      } else if (subtype !== 'AT_SetRelOptions') faults.push(`alters ${table} by ${subtype}`);
    }
  } else faults.push(`is a ${kind}`);
}

export interface Routing {
  /** What keeps a router query of Citus from serving it. */
  readonly faults: string[];
  /** Whether it says of which contact center it is. */
  readonly isRouted: boolean;
}

/** Reads a statement with PostgreSQL's own parser, and tells what of it Citus would not send to one node. */
export function routingOf({ sql, parameters: places }: Pick<Statement, 'sql' | 'parameters'>): Routing {
  const faults: string[] = [];
  const parameters = new Set<number>();
  const { stmts = [] }: ParseResult = parseSync(sql);
  // Each node counts for itself, so that two may give the same number.
  if (partsOf(stmts, 'FuncCall').some(({ funcname }) => keysOf(funcname).at(-1) === 'nextval')) {
    faults.push('takes from a sequence');
  }
  for (const { stmt = {} } of stmts) {
    for (const [kind, part] of Object.entries<Part>(stmt)) {
      if (kind === 'InsertStmt') checkInsert(part, faults, parameters);
      else if (kind === 'UpdateStmt' || kind === 'DeleteStmt') checkChange(part, faults, parameters);
      else if (!HARMLESS.has(kind)) checkSchema(kind, part, faults);
      for (const select of selectsIn(part)) checkSelect(select, faults, parameters);
    }
  }
  const names = new Set([...parameters].map((at) => JSON.stringify(places[at - 1])));
  if (names.size > 1) faults.push(`is about several contact centers: ${[...names]}`);
  return { faults, isRouted: parameters.size > 0 };
}

/** Every query inside of a statement: of a union each side by itself. */
function selectsIn(of: unknown): Part[] {
  if (Array.isArray(of)) return of.flatMap(selectsIn);
  if (!isPart(of)) return [];
  const inside = Object.values(of).flatMap(selectsIn);
  return String(of.op).startsWith('SETOP_') ? [of, ...inside] : inside;
}
