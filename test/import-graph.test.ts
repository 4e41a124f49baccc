import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

/** One import of a file: of another file (from `src/`), or of a package. */
interface Import {
  readonly from: string;
  readonly to: string;
  readonly isOurs: boolean;
  /** Written as `import type` or `export type`: gone once the types are stripped. */
  readonly isTypeOnly: boolean;
}

const STATEMENT =
  /^(?:import|export)\s+(?:(?<clause>[\w*{][^;'"]*?)\sfrom\s*)?['"](?<named>[^'"]+)['"]|\bimport\s*\(\s*['"](?<called>[^'"]+)['"]/gm;

/** The imports of a file's text, whether written with `import`, `export ... from` or `import()`. */
function readImports(from: string, text: string): Import[] {
  return [...text.matchAll(STATEMENT)].map(({ groups = {} }) => {
    const specifier = groups.named ?? groups.called ?? '';
    const isOurs = specifier.startsWith('.');
    return {
      from,
      to: isOurs ? normalize(join(dirname(from), specifier)) : specifier,
      isOurs,
      isTypeOnly: groups.clause?.startsWith('type ') ?? false,
    };
  });
}

const files = globSync('src/**/*.ts', { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
const imports = files.flatMap(({ file, text }) => readImports(file, text));

/** The room that a file is in: a folder of src/, one dialect's folder, or a file that is a room of its own. */
function roomOf(file: string): string {
  const [, folder = '', inner] = file.split('/');
  return folder === 'dialects' ? `dialects/${inner}` : folder;
}

/** What each room may import besides itself, as values and as types. Everyone may raise src/errors.ts. */
const DOMAIN = ['directory', 'recordings', 'access'];
const MAY_IMPORT: Readonly<
  Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }>
> = {
  'errors.ts': { values: [], types: [] },
  'version.ts': { values: [], types: [] },
  config: { values: [], types: [] },
  directory: { values: [], types: DOMAIN },
  recordings: { values: ['access', 'directory'], types: DOMAIN },
  access: { values: [], types: DOMAIN },
  store: { values: DOMAIN, types: DOMAIN },
  media: { values: DOMAIN, types: DOMAIN },
  jobs: { values: DOMAIN, types: DOMAIN },
  http: { values: DOMAIN, types: DOMAIN },
};
const DIALECT = [...DOMAIN, 'http'];

/** These put the parts together, and see everything but what starts them. */
const SEES_ALL: Readonly<Record<string, readonly string[]>> = {
  'main.ts': [],
  'app.ts': ['cli', 'main.ts'],
  'letting-thread.ts': ['cli', 'main.ts', 'app.ts'],
  'letting-thread-entry.ts': ['cli', 'main.ts', 'app.ts'],
  cli: ['main.ts'],
};

function isAllowed({ from, to, isTypeOnly }: Import): boolean {
  const [room, target] = [roomOf(from), roomOf(to)];
  if (room === target || target === 'errors.ts') return true;
  const unseen = SEES_ALL[room];
  if (unseen !== undefined) return !unseen.includes(target);
  const rule = room.startsWith('dialects/') ? { values: DIALECT, types: DIALECT } : MAY_IMPORT[room];
  return rule?.[isTypeOnly ? 'types' : 'values'].includes(target) ?? false;
}

/** Packages that belong behind a wall, and the rooms that may use them. */
const PACKAGES: readonly (readonly [name: RegExp, rooms: RegExp])[] = [
  [/^(kysely|better-sqlite3|pg|pg-copy-streams)$/, /^store$/],
  [/^(fastify|@fastify\/.+)$/, /^(http|dialects\/.+|app\.ts)$/],
  // The settings only ask whether a text is an address; the command line ends connections that outlast it.
  [/^node:(http|https|http2|net|tls)$/, /^(http|config|cli)$/],
  [/^(commander|cli-progress)$/, /^cli$/],
  [/^(@aws-sdk\/.+|file-type|music-metadata|strtok3)$/, /^media$/],
];

const tell = ({ from, to, isTypeOnly }: Import) => `${from} -> ${to}${isTypeOnly ? ' (types)' : ''}`;

describe('the import graph', () => {
  test('reads every way of importing', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from '../access/b.ts';",
      "import { type C,\n  d } from '../store/c.ts'",
      "export * from './e.ts';",
      "export type { F } from './f.ts';",
      "import './g.ts';",
      "const h = await import('./h.ts');",
      "import { readFile } from 'node:fs/promises';",
      'a(d, h, readFile);',
    ].join('\n');
    assert.deepEqual(readImports('src/directory/x.ts', text).map(tell), [
      'src/directory/x.ts -> src/directory/a.ts',
      'src/directory/x.ts -> src/access/b.ts (types)',
      'src/directory/x.ts -> src/store/c.ts',
      'src/directory/x.ts -> src/directory/e.ts',
      'src/directory/x.ts -> src/directory/f.ts (types)',
      'src/directory/x.ts -> src/directory/g.ts',
      'src/directory/x.ts -> src/directory/h.ts',
      'src/directory/x.ts -> node:fs/promises',
    ]);
  });

  test('is read whole', () => {
    assert.ok(files.length > 80, 'files under src/');
    const known = new Set(files.map(({ file }) => file));
    const ours = imports.filter(({ isOurs, to }) => isOurs && to.startsWith('src/') && to.endsWith('.ts'));
    assert.deepEqual(ours.filter(({ to }) => !known.has(to)).map(tell), []);
    for (const { file, text } of files) {
      const written = text.match(/\bfrom '|^import '|\bimport\(/gm) ?? [];
      assert.equal(readImports(file, text).length, written.length, `imports of ${file}`);
    }
  });

  test('every room has its rule', () => {
    const rooms = new Set(files.map(({ file }) => roomOf(file)));
    const unknown = [...rooms].filter(
      (room) => !room.startsWith('dialects/') && !(room in MAY_IMPORT) && !(room in SEES_ALL),
    );
    assert.deepEqual(unknown, []);
  });

  test('breaks no wall between rooms', () => {
    const ours = imports.filter(({ isOurs, to }) => isOurs && to.startsWith('src/'));
    assert.deepEqual(ours.filter((each) => !isAllowed(each)).map(tell), []);
  });

  test('a dialect knows neither another dialect nor the store', () => {
    const broken = imports.filter(
      ({ from, to }) =>
        roomOf(from).startsWith('dialects/') &&
        (to.startsWith('src/store/') || (to.startsWith('src/dialects/') && roomOf(to) !== roomOf(from))),
    );
    assert.deepEqual(broken.map(tell), []);
  });

  test('only app.ts knows every dialect', () => {
    const knowing = imports.filter(
      ({ from, to }) => to.startsWith('src/dialects/') && roomOf(to) !== roomOf(from),
    );
    assert.deepEqual([...new Set(knowing.map(({ from }) => from))], ['src/app.ts']);
  });

  test('packages stay in their rooms', () => {
    const broken = imports.filter(({ from, to, isOurs }) =>
      PACKAGES.some(([name, rooms]) => !isOurs && name.test(to) && !rooms.test(roomOf(from))),
    );
    assert.deepEqual(broken.map(tell), []);
  });

  test('the domain uses no package that speaks HTTP, SQL or to a terminal', () => {
    const packages = imports.filter(
      ({ from, to, isOurs }) => DOMAIN.includes(roomOf(from)) && !isOurs && !to.startsWith('node:'),
    );
    assert.deepEqual([...new Set(packages.map(({ to }) => to))], []);
  });

  test('the environment is read where the process starts, and nowhere else', () => {
    const reading = files.filter(({ text }) =>
      /\bprocess\s*\.\s*env\b|\benv\s*\}\s*=\s*process\b/.test(text),
    );
    assert.deepEqual(
      reading.map(({ file }) => file).filter((file) => !/^src\/(main\.ts$|config\/)/.test(file)),
      [],
    );
    const named = imports.filter(({ to }) => to === 'node:process');
    assert.deepEqual(named.map(tell), []);
  });
});
