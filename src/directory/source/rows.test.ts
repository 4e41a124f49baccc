import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../errors.ts';
import type { SourceRow } from '../import.ts';
import type { JsonObject } from '../user.ts';
import { readSource } from './rows.ts';

const A = { id: 1, name: 'Ada "x" \\ {[', email: 'a@x' };
const B = { id: 2, name: 'Béa ]}, ü 👩🏽‍🚀', extra: { deep: [1, { data: 2 }], value: 'v' }, list: [] };
const C = { id: 3, name: '', data: 'a text', results: 4, value: null };
const ROWS = [A, B, C];

async function read(chunks: readonly Buffer[]): Promise<{ kind: string; rows: SourceRow[] }> {
  const source = await readSource(
    (async function* () {
      yield* chunks;
    })(),
    { columns: {} },
  );
  const rows: SourceRow[] = [];
  for await (const row of source.rows) rows.push(row);
  return { kind: source.kind, rows };
}

const readText = (text: string) => read([Buffer.from(text)]);

/** The rows of a text, none of which may be bad. */
async function values(text: string): Promise<JsonObject[]> {
  const { rows } = await readText(text);
  return rows.map((row) => {
    assert.ok('value' in row, `line ${row.line}: ${'problem' in row ? row.problem : ''}`);
    return row.value;
  });
}

const keyed = Object.fromEntries(ROWS.map((row) => [String(row.id), row]));
const official = (results: unknown) => ({
  success: true,
  data: { offset: 0, limit: '20', total: '3', results },
});
const smartflo = (data: unknown) => ({ has_more: false, count: 3, last_seen_id: 3, data });

/** Every way in which three users may stand in a file. */
const CONTAINERS: Readonly<Record<string, unknown>> = {
  'an official answer of Convoso': official(keyed),
  'an official answer with a list': official(ROWS),
  'a page of Smartflo': smartflo(ROWS),
  'a bare list': ROWS,
  'results at the top': { results: keyed },
  'a list under value': { value: ROWS },
};

describe('users in JSON', () => {
  for (const [what, container] of Object.entries(CONTAINERS)) {
    it(`are found in ${what}, however it is laid out`, async () => {
      const line = JSON.stringify(container);
      const pretty = JSON.stringify(container, null, 2);
      for (const text of [
        line,
        `${line}\n`,
        `\n\n  ${line}`,
        pretty,
        `${pretty}\n`,
        JSON.stringify(container, null, '\t').replaceAll('\n', '\r\n'),
        `\ufeff${line}`,
        `\ufeff${pretty}`,
      ]) {
        assert.deepEqual(await values(text), ROWS, text.slice(0, 60));
      }
      for (const separator of ['\n', '', ' ', '\r\n', '\n\n']) {
        assert.deepEqual(
          await values(line + separator + line),
          [...ROWS, ...ROWS],
          JSON.stringify(separator),
        );
      }
      for (const separator of ['\n', ' ', '']) {
        assert.deepEqual(await values(pretty + separator + pretty), [...ROWS, ...ROWS]);
      }
    });
  }

  it('are found where a page has its users on lines of their own', async () => {
    const lines = ROWS.map((row) => JSON.stringify(row)).join(',\n');
    for (const text of [
      `{"has_more":false,"data":[\n${lines}\n]}`,
      `{"success":true,"data":{"results":{\n"1":${JSON.stringify(A)},\n"2":${JSON.stringify(B)},\n"3":${JSON.stringify(C)}}}}`,
      `[\n${lines}\n]\n`,
      `[${lines}]`,
    ]) {
      assert.deepEqual(await values(text), ROWS, text.slice(0, 60));
    }
  });

  it('are found as JSON lines, of users and of whole pages', async () => {
    const { rows, kind } = await readText(ROWS.map((row) => JSON.stringify(row)).join('\n'));
    assert.equal(kind, 'jsonl');
    assert.deepEqual(
      rows.map((row) => row.line),
      [1, 2, 3],
    );
    const pages = [official(keyed), smartflo([]), smartflo([A]), { value: B }, []].map((page) =>
      JSON.stringify(page),
    );
    assert.deepEqual(await values(`${pages.join('\n')}\n`), [...ROWS, A, B]);
    assert.deepEqual(await values(`${pages.join('\r\n')}\r\n`), [...ROWS, A, B]);
    assert.deepEqual(await values(pages.join('')), [...ROWS, A, B]);
  });

  it("are found alone: one object, or one under value as Voiso's sample has it", async () => {
    assert.deepEqual(await values(JSON.stringify({ value: A })), [A]);
    assert.deepEqual(await values(JSON.stringify({ value: A }, null, 2)), [A]);
    assert.deepEqual(await values(JSON.stringify(A)), [A]);
    assert.deepEqual(await values(JSON.stringify(A, null, 2)), [A]);
    assert.deepEqual(await values(`${JSON.stringify(A, null, 2)}\n${JSON.stringify(B, null, 2)}`), [A, B]);
  });

  it('may be none', async () => {
    for (const empty of [[], official({}), official([]), smartflo([]), { results: {} }, { value: [] }]) {
      assert.deepEqual(await values(JSON.stringify(empty)), []);
      assert.deepEqual(await values(`${JSON.stringify(empty)}\n`), []);
      assert.deepEqual(await values(JSON.stringify(empty, null, 2)), []);
    }
  });

  it('are the same whatever the chunks', async () => {
    const texts = Object.values(CONTAINERS).flatMap((container) => [
      JSON.stringify(container),
      JSON.stringify(container, null, 1),
      `${JSON.stringify(container)}\n${JSON.stringify(container)}`,
    ]);
    texts.push(`[${JSON.stringify(A)}, {broken, ${JSON.stringify(B)}, nonsense, "text", 12 ]`);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...texts),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        async (text, sizes) => {
          const bytes = Buffer.from(text);
          const chunks: Buffer[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          assert.deepEqual(await read(chunks), await read([bytes]));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are found for any values', async () => {
    // Where it has met a key that is one backslash, JSON.parse of V8 13.6 takes any key of one escape for it.
    const isRead = (value: object) => !JSON.stringify(value).includes(String.raw`"\\":`);
    const row = fc
      .dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
      .filter(isRead)
      .map((value) => ({
        id: 1,
        ...JSON.parse(JSON.stringify(value)),
        data: 1,
        value: 1,
      }));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1 }), fc.boolean(), async (rows, isPretty) => {
        assert.deepEqual(await values(JSON.stringify(rows, null, isPretty ? 2 : 0)), rows);
        assert.deepEqual(await values(JSON.stringify(smartflo(rows), null, isPretty ? 2 : 0)), rows);
        assert.deepEqual(await values(rows.map((each) => JSON.stringify(each)).join('\n')), rows);
      }),
    );
  });
});

describe('what is broken in JSON', () => {
  it('is named with its line, and costs nothing else', async () => {
    const text = [
      '[',
      JSON.stringify(A),
      ',{"id": 1, oops},',
      '  {"id": tru}',
      ', 12, "text", null, [1],',
      '{"multi":',
      '  1 2},',
      JSON.stringify(B),
      ']',
    ].join('\n');
    const { rows } = await readText(text);
    assert.deepEqual(
      rows.map((row) => [row.line, 'value' in row ? row.value.id : row.problem]),
      [
        [2, 1],
        [3, 'is not valid JSON'],
        [4, 'is not valid JSON'],
        [5, 'is not an object'],
        [5, 'is not an object'],
        [5, 'is not an object'],
        [5, 'is not an object'],
        [6, 'is not valid JSON'],
        [8, 2],
      ],
    );
    assert.equal(rows[1]?.text, '{"id": 1, oops}');
  });

  it('is one line of JSON lines, the first among them', async () => {
    for (const bad of ['{"id": 1, oops}', '{"id":1', '{"id":1}}', 'null', '"x"', '}', '{"a":"']) {
      const lines = [JSON.stringify(A), bad, '', JSON.stringify(B)];
      const { rows } = await readText(lines.join('\n'));
      assert.deepEqual(
        rows.map((row) => [row.line, 'value' in row]),
        [
          [1, true],
          [2, false],
          [4, true],
        ],
        bad,
      );
    }
    const { rows } = await readText(`{"id": 1, "a": oops}\n${JSON.stringify(A)}\n${JSON.stringify(B)}\n`);
    assert.deepEqual(
      rows.map((row) => 'value' in row),
      [false, true, true],
    );
  });

  it('is a line beyond all measure, or one that nests too deep', async () => {
    const nested = (levels: number) => `{"id":7,"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    const lines = [
      JSON.stringify(A),
      `{"id":5,"x":"${'x'.repeat(17_000_000)}"}`,
      nested(65),
      nested(64),
      `{"id":8,"x":"${'['.repeat(100)}"}`,
      '['.repeat(70_000),
      JSON.stringify(B),
    ];
    for (const end of ['', '\n']) {
      const bytes = Buffer.from(lines.join('\n') + end);
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += 262_144) chunks.push(bytes.subarray(at, at + 262_144));
      const { rows } = await read(chunks);
      assert.deepEqual(
        rows.map((row) => [row.line, 'value' in row ? row.value.id : row.problem]),
        [
          [1, 1],
          [2, 'is longer than 16777216 bytes'],
          [3, 'is nested more than 64 levels deep'],
          [4, 7],
          [5, 8],
          [6, 'is nested more than 64 levels deep'],
          [7, 2],
        ],
      );
    }
    // The last line may be the one that is too long.
    const { rows } = await readText(`${JSON.stringify(A)}\n{"x":"${'x'.repeat(17_000_000)}`);
    assert.deepEqual(
      rows.map((row) => ('value' in row ? row.value.id : row.problem)),
      [1, 'is longer than 16777216 bytes'],
    );
  });

  it("is a vendor's error answer that was saved among the pages", async () => {
    for (const text of [
      '{"success":false,"code":5001,"text":"Invalid auth token"}\n',
      '{"success":"false","message":"Too many requests"}',
    ]) {
      const { rows } = await readText(text);
      assert.equal(rows.length, 1);
      assert.ok(rows[0] !== undefined && 'problem' in rows[0] && /error answer/.test(rows[0].problem), text);
    }
  });

  it('is told where an answer holds no users at all', async () => {
    for (const text of ['{"success":true,"data":{"id":1,"email":"a@x"}}', '{"data":{}}']) {
      for (const each of [text, `${text}\n`]) {
        const { rows } = await readText(each);
        assert.equal(rows.filter((row) => 'problem' in row).length, 1, each);
      }
    }
  });

  it('never takes a complete user along when the file is cut off', async () => {
    for (const text of [
      JSON.stringify(official(keyed)),
      JSON.stringify(smartflo(ROWS), null, 1),
      JSON.stringify(ROWS),
      ROWS.map((row) => JSON.stringify(row)).join('\n'),
      `${JSON.stringify(smartflo([A]))}\n${JSON.stringify(smartflo([B, C]))}`,
    ]) {
      const bytes = Buffer.from(text);
      const { rows: whole } = await read([bytes]);
      // Where each user ends in the file, by its own text.
      const ends = ROWS.map((row) => {
        const pretty = text.includes('\n ');
        const needle = pretty ? `"id": ${row.id}` : `"id":${row.id}`;
        const start = bytes.lastIndexOf('{', bytes.indexOf(needle));
        let depth = 0;
        let isText = false;
        for (let at = start; at < bytes.length; at += 1) {
          const byte = String.fromCharCode(bytes[at] ?? 0);
          if (isText && byte === '\\') at += 1;
          else if (byte === '"') isText = !isText;
          else if (!isText && (byte === '{' || byte === '[')) depth += 1;
          else if (!isText && (byte === '}' || byte === ']')) {
            depth -= 1;
            if (depth === 0) return at + 1;
          }
        }
        return bytes.length;
      });
      assert.equal(whole.length, 3);
      for (let size = 1; size < bytes.length; size += 1) {
        const { rows } = await read([bytes.subarray(0, size)]);
        const found = rows.flatMap((row) => ('value' in row ? [row.value.id] : []));
        const complete = ROWS.filter((_, at) => (ends[at] ?? 0) <= size).map((row) => row.id);
        const isPageOnALine = text.startsWith('{"has_more"') && size > text.indexOf('\n');
        if (isPageOnALine) assert.ok(found.length >= 1, `${size} of ${bytes.length}`);
        else assert.deepEqual(found, complete, `${size} of ${bytes.length}: ${text.slice(0, 40)}`);
        const isCut = rows.some((row) => 'problem' in row);
        const isWholeText = ROWS.some((_, at) => ends[at] === size) || /\n$/.test(text.slice(0, size));
        assert.ok(
          isCut || isWholeText || !text.startsWith('{"has_more"') || size >= text.indexOf('\n'),
          `${size}`,
        );
      }
    }
  });

  it('is text that is not UTF-8, and no other', async () => {
    const bad = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xe9]), Buffer.from('"}')]);
    for (const [head, between, tail] of [
      ['[', ',', ']'],
      ['', '\n', ''],
    ] as const) {
      const bytes = Buffer.concat([
        Buffer.from(head + JSON.stringify(A) + between),
        bad,
        Buffer.from(between + JSON.stringify(B) + tail),
      ]);
      const { rows } = await read([bytes]);
      assert.deepEqual(
        rows.map((row) => ('problem' in row ? row.problem : 'good')),
        ['good', 'is not UTF-8; save the file as UTF-8', 'good'],
      );
      assert.deepEqual(
        rows.map((row) => ('bytes' in row ? row.bytes : null)),
        [null, bad, null],
      );
    }
  });

  it('is a file in UTF-16, or an empty one', async () => {
    const text = JSON.stringify(ROWS);
    for (const bytes of [
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
      Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(text, 'utf16le').swap16()]),
    ]) {
      for (const chunks of [[bytes], [bytes.subarray(0, 1), bytes.subarray(1)]]) {
        await assert.rejects(
          read(chunks),
          (error) => error instanceof Failure && /UTF-16/.test(error.message),
        );
      }
    }
    for (const bytes of ['', ' \n\t ', '\ufeff', '\ufeff\n']) {
      await assert.rejects(
        readText(bytes),
        (error) => error instanceof Failure && /empty/.test(error.message),
      );
    }
  });
});
