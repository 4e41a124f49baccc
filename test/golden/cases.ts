import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One request and the answer it must get, byte for byte. */
export interface GoldenCase {
  readonly dialect: string;
  readonly endpoint: string;
  readonly name: string;
  /** Where it is written down: file and line. */
  readonly source: string;
  readonly contactCenter: string;
  /** Asked of the server that takes one request per second and token. */
  readonly isLimited: boolean;
  /** How often the request is sent; the last answer counts. */
  readonly times: number;
  /** `both`: at the root and under the vendor's prefix; `exact`: at the path as it stands. */
  readonly at: 'both' | 'exact';
  readonly request: Message & { readonly method: string; readonly path: string };
  readonly answer: Message & { readonly status: number };
}

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The folders of cases, in the order in which they are told. */
export const FOLDERS = ['convoso', 'voiso', 'smartflo', 'problem'] as const;

const HERE = import.meta.dirname;

/** Every golden case, by folder, file and place in its file. */
export function readCases(): GoldenCase[] {
  return FOLDERS.flatMap((dialect) =>
    readdirSync(join(HERE, dialect))
      .filter((file) => file.endsWith('.http'))
      .sort()
      .flatMap((file) =>
        parseFile(dialect, `${dialect}/${file}`, readFileSync(join(HERE, dialect, file), 'utf8')),
      ),
  );
}

/**
 * Reads a file of cases. Lines before the first case may name texts (`@name = text`), which stand in
 * bodies as `{{name}}`. `{{N*text}}` is the text N times.
 */
function parseFile(dialect: string, file: string, text: string): GoldenCase[] {
  const [preamble = '', ...blocks] = text.split(/^### /m);
  const names = new Map<string, string>();
  const fill = (part: string): string =>
    part
      .replaceAll(/\{\{([a-z-]+)\}\}/g, (whole, name: string) => names.get(name) ?? whole)
      .replaceAll(/\{\{(\d+)\*([^}]+)\}\}/g, (_, times: string, each: string) => each.repeat(Number(times)));
  for (const [, name = '', value = ''] of preamble.matchAll(/^@([a-z-]+) = (.*)$/gm)) {
    names.set(name, fill(value));
  }
  let line = preamble.split('\n').length;
  return blocks.map((block) => {
    const source = `${file}:${line}`;
    line += block.split('\n').length - 1;
    return parseCase(dialect, source, block, fill);
  });
}

function parseCase(
  dialect: string,
  source: string,
  block: string,
  fill: (text: string) => string,
): GoldenCase {
  const [asked, answered, ...rest] = block.split(/^--- /m);
  if (asked === undefined || answered === undefined || rest.length > 0) {
    throw new Error(`${source}: a case has one line of dashes`);
  }
  const lines = asked.split('\n');
  const [endpoint, name] = (lines.shift() ?? '').split(' | ');
  const directives: Record<string, string> = {};
  while (lines[0]?.startsWith('# ')) {
    const [key = '', value = ''] = (lines.shift() ?? '').slice(2).split(': ');
    directives[key] = value;
  }
  const [method, path] = (lines.shift() ?? '').split(' ');
  const answerLines = answered.split('\n');
  const status = Number(answerLines.shift());
  if (!endpoint || !name || !method || !path || !(status >= 200)) {
    throw new Error(`${source}: a case has an endpoint, a name, a request line and a status`);
  }
  const {
    'contact-center': contactCenter = 'people',
    limited,
    times = '1',
    at = 'both',
    ...unknown
  } = directives;
  if (Object.keys(unknown).length > 0) throw new Error(`${source}: ${Object.keys(unknown)} means nothing`);
  if (at !== 'both' && at !== 'exact') throw new Error(`${source}: at is both or exact`);
  return {
    dialect,
    endpoint,
    name,
    source,
    contactCenter,
    isLimited: limited !== undefined,
    times: Number(times),
    at,
    request: { method, path: fill(path), ...parseMessage(lines, fill) },
    answer: { status, ...parseMessage(answerLines, fill) },
  };
}

/** Header lines, an empty line, and a body that ends before the last line ends. */
function parseMessage(lines: readonly string[], fill: (text: string) => string): Message {
  const blank = lines.indexOf('');
  const end = blank < 0 ? lines.length : blank;
  const headers = Object.fromEntries(
    lines.slice(0, end).map((line) => {
      const at = line.indexOf(': ');
      return [line.slice(0, at).toLowerCase(), fill(line.slice(at + 2))];
    }),
  );
  const body = lines
    .slice(end + 1)
    .join('\n')
    .replace(/\n+$/, '');
  return { headers, body: fill(body) };
}
