import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../errors.ts';
import type { SourceRow } from '../import.ts';
import { decodeNative } from '../native.ts';
import { readSource } from './rows.ts';

async function read(text: string | Buffer, columns: Readonly<Record<string, string>> = {}, size = 1_000_000) {
  const bytes = Buffer.from(text);
  const source = await readSource(
    (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
    { columns },
  );
  assert.equal(source.kind, 'csv');
  const rows: SourceRow[] = [];
  for await (const row of source.rows) rows.push(row);
  return { rows, header: source.header() };
}

const said = (rows: readonly SourceRow[]) => rows.map((row) => ('value' in row ? row.value : row.problem));
const lines = (rows: readonly SourceRow[]) => rows.map((row) => row.line);

describe('users in CSV', () => {
  it('have their fields from the header, however it is spelt', async () => {
    const { rows, header } = await read(
      'E-Mail,FIRST_NAME,last name, LoginId ,dialectNumbers.convoso,dialect_numbers.voiso\na@x,Ada,A,ada,5,6\n',
    );
    assert.deepEqual(said(rows), [
      {
        email: 'a@x',
        firstName: 'Ada',
        lastName: 'A',
        loginId: 'ada',
        dialectNumbers: { convoso: '5', voiso: '6' },
      },
    ]);
    assert.deepEqual(header, {
      fields: ['email', 'firstName', 'lastName', 'loginId', 'dialectNumbers.convoso', 'dialectNumbers.voiso'],
      hasReasons: false,
      separator: ',',
    });
  });

  it('have columns renamed or left out as they were mapped', async () => {
    const { rows } = await read('Adres;x,Ad,Notlar\na@x,Ada,secret\n', {
      'Adres;x': 'email',
      Ad: 'firstName',
      Notlar: '',
    });
    assert.deepEqual(said(rows), [{ email: 'a@x', firstName: 'Ada' }]);
  });

  it('stand between semicolons or tabs, where the header has no comma', async () => {
    for (const text of [
      'email;Ad;extensions\na@x;"Lee; Ann";"1;2"\n',
      'email\tAd\textensions\na@x\tLee; Ann\t1;2\n',
      '\r\n"email";"Ad";"extensions"\r\na@x;"Lee; Ann";"1;2"\r\n',
    ]) {
      for (const size of [1, 1000]) {
        const { rows } = await read(text, { Ad: 'firstName' }, size);
        assert.deepEqual(said(rows), [{ email: 'a@x', firstName: 'Lee; Ann', extensions: ['1', '2'] }]);
      }
    }
    const { rows } = await read('email;firstName\na@x;B, C\nb@x;1,5;x\n');
    assert.deepEqual(said(rows), [{ email: 'a@x', firstName: 'B, C' }, 'has 3 cells where the header has 2']);
    // A comma in a quoted name is none between cells.
    const mapped = await read('"Mail, work";Ad\na@x;Ada\n', { 'Mail, work': 'email', Ad: 'firstName' });
    assert.deepEqual(said(mapped.rows), [{ email: 'a@x', firstName: 'Ada' }]);
  });

  it('are kept byte by byte where they are not UTF-8', async () => {
    const row = Buffer.from('a@x,Zo\xeb', 'latin1');
    const { rows } = await read(
      Buffer.concat([Buffer.from('email,firstName\n'), row, Buffer.from('\nb@x,B\n')]),
    );
    const [bad] = rows;
    assert.ok(bad !== undefined && 'bytes' in bad);
    assert.deepEqual(bad.bytes, row);
    assert.equal(rows.length, 2);
  });

  it('have lists, names and structures in their cells', async () => {
    const { rows } = await read(
      'email,extensions,teams,queues,callbackTypes,skills,agent\n' +
        'a@x,100; 200,Sales;7,"Front, Back",system,"[{""name"":""Claims"",""value"":3}]",null\n' +
        'b@x,"[""1""]",,,,,not json\n',
    );
    assert.deepEqual(said(rows), [
      {
        email: 'a@x',
        extensions: ['100', '200'],
        teams: ['Sales', { number: 7 }],
        queues: ['Front', 'Back'],
        callbackTypes: ['system'],
        skills: [{ name: 'Claims', value: 3 }],
        agent: null,
      },
      { email: 'b@x', extensions: ['1'], agent: 'not json' },
    ]);
    const [first, second] = rows;
    assert.ok(first !== undefined && 'value' in first && second !== undefined && 'value' in second);
    assert.deepEqual(decodeNative(first.value, { timezone: 'UTC' }).teams, [
      { name: 'Sales' },
      { number: 7 },
    ]);
    assert.throws(() => decodeNative(second.value, { timezone: 'UTC' }), /agent/);
  });

  it('say nothing by an empty cell, and nothing of their reasons', async () => {
    const { rows } = await read('_rejected,email,firstName\nno good,a@x,\n,b@x,B\n');
    assert.deepEqual(said(rows), [{ email: 'a@x' }, { email: 'b@x', firstName: 'B' }]);
  });

  it('come with a byte order mark, CRLF, spaces, and in any chunks', async () => {
    const text = '\ufeffemail,firstName\r\na@x, Ada \r\n"b@x","B ""x"", y"\r\nç@x,Ünal';
    for (const size of [1, 2, 3, 7, 1000]) {
      const { rows, header } = await read(text, {}, size);
      assert.deepEqual(said(rows), [
        { email: 'a@x', firstName: 'Ada' },
        { email: 'b@x', firstName: 'B "x", y' },
        { email: 'ç@x', firstName: 'Ünal' },
      ]);
      assert.deepEqual(lines(rows), [2, 3, 4]);
      assert.deepEqual(header?.fields, ['email', 'firstName']);
    }
  });

  it('keep any text in quotes', async () => {
    const name = fc.string({ unit: 'grapheme' }).filter((text) => text.trim() === text && text !== '');
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 1 }), async (names) => {
        const cells = names.map((text) => `a@x,"${text.replaceAll('"', '""')}"`);
        const { rows } = await read(`email,firstName\n${cells.join('\n')}\n`);
        assert.deepEqual(
          rows.map((row) => ('value' in row ? row.value.firstName : row.problem)),
          names,
        );
      }),
    );
  });
});

describe('what is wrong in CSV', () => {
  it('is a header that is not there, or that nobody knows', async () => {
    for (const [text, reason] of [
      ['a@x,Ada,A\nb@x,B,B\n', /first line of a CSV file must name its columns.*--map/],
      ['email,Ad\na@x,Ada\n', /column 2 of the header/],
    ] as const) {
      await assert.rejects(
        read(text),
        (error) => error instanceof Failure && reason.test(error.message),
        text,
      );
    }
  });

  it('is a row with more or fewer cells', async () => {
    const { rows } = await read('email,firstName\na@x\nb@x,B,b\nc@x,C\n');
    assert.deepEqual(said(rows), [
      'has 1 cells where the header has 2',
      'has 3 cells where the header has 2',
      { email: 'c@x', firstName: 'C' },
    ]);
    assert.deepEqual(lines(rows), [2, 3, 4]);
    assert.equal(rows[1]?.text, 'b@x,B,b');
  });

  it('is named with the line on which it begins, over quoted line ends and empty lines', async () => {
    for (const end of ['\n', '\r\n']) {
      const text = [
        'email,firstName',
        'a@x,"A',
        'still A"',
        '',
        '',
        'b@x',
        'c@x,"C',
        '',
        'still C"',
        'd@x,D,d',
        'e@x,E',
      ].join(end);
      const { rows } = await read(text);
      assert.deepEqual(lines(rows), [2, 6, 7, 10, 11], JSON.stringify(end));
    }
  });

  it('is a quote gone wrong, which costs its own row alone', async () => {
    const { rows } = await read('email,firstName\na@x,A\nb@x,"B" x\nc@x,C "quoted" c\nd@x,D\ne@x\nf@x,F\n');
    assert.deepEqual(said(rows), [
      { email: 'a@x', firstName: 'A' },
      'is not valid CSV: check its quotes',
      // A quote inside of an unquoted cell can mean nothing else.
      { email: 'c@x', firstName: 'C "quoted" c' },
      { email: 'd@x', firstName: 'D' },
      'has 1 cells where the header has 2',
      { email: 'f@x', firstName: 'F' },
    ]);
    assert.deepEqual(lines(rows), [2, 3, 4, 5, 6, 7]);
    assert.equal(rows[1]?.text, 'b@x,"B" x');
  });

  it('is a quote that never ends, which is told', async () => {
    const { rows } = await read('email,firstName\na@x,A\nb@x,"B\nc@x,C\nd@x,"D"\n');
    assert.deepEqual(said(rows), [
      { email: 'a@x', firstName: 'A' },
      'is not valid CSV: check its quotes',
      { email: 'c@x', firstName: 'C' },
      { email: 'd@x', firstName: 'D' },
    ]);
    assert.deepEqual(lines(rows), [2, 3, 4, 5]);
    assert.equal(rows[1]?.text, 'b@x,"B');
  });

  it('is a row that is not UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('email,firstName\na@x,'),
      Buffer.from([0xfc]),
      Buffer.from('\nb@x,B\n'),
    ]);
    const { rows } = await read(bytes);
    assert.deepEqual(said(rows), ['is not UTF-8; save the file as UTF-8', { email: 'b@x', firstName: 'B' }]);
  });

  it('is a record beyond all measure', async () => {
    const { rows } = await read(`email,firstName\na@x,"${'x'.repeat(1_100_000)}\nb@x,B\n`, {}, 65_536);
    assert.equal(rows.length, 2);
    assert.ok(rows[0] !== undefined && 'problem' in rows[0]);
    assert.deepEqual(said(rows.slice(1)), [{ email: 'b@x', firstName: 'B' }]);
  });

  it('is never a reason to lose a whole row when the file is cut off', async () => {
    const text = 'email,firstName\na@x,"A ""x""\ny"\nb@x,B\n"c@x",C\n';
    const ends = [text.indexOf('\nb@x'), text.indexOf('\n"c@x'), text.length - 1];
    for (let size = 'email,firstName\n'.length; size <= text.length; size += 1) {
      const { rows } = await read(text.slice(0, size));
      const good = rows.flatMap((row) => ('value' in row ? [row.value.email] : []));
      for (const [at, email] of ['a@x', 'b@x', 'c@x'].entries()) {
        if (size >= (ends[at] ?? 0)) assert.ok(good.includes(email), `${size}: ${good}`);
      }
    }
  });
});
