import { ALLOWED, GROWING, WHOSE } from './plan-rules.ts';

/** A node of a plan as `explain (format json)` gives it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Recheck Cond'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The lines of a plan: what is done, and by which columns rows are found. */
export function linesOf(node: PlanNode, depth = 0): string[] {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': by } = node;
  // Which parameter it is changes with each column that a statement writes.
  const found = by?.replaceAll(/\$\d+/g, '?').replaceAll(/\[\?(?:, \?)*\]/g, '[...]');
  const line = [type, index ?? table, found].filter((part) => part !== undefined).join(' ');
  return ['  '.repeat(depth) + line, ...(node.Plans ?? []).flatMap((each) => linesOf(each, depth + 1))];
}

/** What is wrong with a plan, or null. */
export function postgresFaultOf(name: string, node: PlanNode): string | null {
  const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '' } = node;
  if (type === 'Seq Scan' && GROWING.has(table)) return `scans ${table}`;
  if (/Scan$/.test(type) && (index !== '' || GROWING.has(table)) && !(name in ALLOWED)) {
    const conditions = `${node['Index Cond'] ?? ''} ${node['Recheck Cond'] ?? ''}`;
    const columns = [...conditions.matchAll(/(\w+)\)?(?:::\w+)?(?:, \w+\))? (?:[=<>]+|IS) /g)].map(
      ([, column = '']) => column,
    );
    const isGrowing = GROWING.has(table) || [...GROWING].some((each) => index.startsWith(each));
    if (isGrowing && columns.every((column) => WHOSE.has(column))) {
      return `walks a whole tenant's part of ${table || index}`;
    }
  }
  // A list that is looked through row by row belongs into the index.
  if (GROWING.has(table) && node.Filter?.includes('= ANY (ARRAY') === true)
    return `looks through ${table} for a list`;
  for (const each of node.Plans ?? []) {
    const fault = postgresFaultOf(name, each);
    if (fault !== null) return fault;
  }
  return null;
}
