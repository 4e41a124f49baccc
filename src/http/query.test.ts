import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bearerSecret, parseForm, parseJsonObject } from './query.ts';

const text = fc.string({ unit: 'grapheme' });

describe('forms', () => {
  it('read back what URLSearchParams writes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const expected = new Map<string, string[]>();
        for (const [name, value] of pairs) expected.set(name, [...(expected.get(name) ?? []), value]);
        const form = parseForm(new URLSearchParams(pairs).toString());
        assert.equal(Object.getPrototypeOf(form), null);
        assert.deepEqual(
          Object.entries(form).sort(),
          [...expected].map(([name, values]) => [name, values.length === 1 ? values[0] : values]).sort(),
        );
      }),
    );
  });

  it('are what URLSearchParams reads, or refused', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '=',
      '&',
      '+',
      '%',
      '%2',
      '%20',
      '%C3%A9',
      '%ff',
      'é',
      '%00',
      ' ',
      ';',
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (body) => {
          let form: ReturnType<typeof parseForm>;
          try {
            form = parseForm(body);
          } catch {
            assert.throws(() => decodeURIComponent(body), URIError);
            return;
          }
          const params = new URLSearchParams(body);
          for (const [name, value] of Object.entries(form)) {
            assert.deepEqual(Array.isArray(value) ? value : [value], params.getAll(name));
          }
          assert.deepEqual(new Set(Object.keys(form)), new Set(params.keys()));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('take no name for a property of objects', () => {
    const form = parseForm('__proto__=1&constructor=2&__proto__=3');
    assert.deepEqual(Object.entries(form), [
      ['__proto__', ['1', '3']],
      ['constructor', '2'],
    ]);
    assert.equal(Object.hasOwn(parseForm('a=1'), 'constructor'), false);
  });
});

describe('JSON bodies and bearer headers', () => {
  it('are objects, or nothing', () => {
    assert.deepEqual(parseJsonObject(' '), {});
    assert.deepEqual(parseJsonObject('{"a":[1]}'), { a: [1] });
    for (const body of ['[]', 'null', '1', '"x"', '{', '{"a":1}x'])
      assert.throws(() => parseJsonObject(body));
  });

  it('carry one secret', () => {
    assert.equal(bearerSecret('Bearer abc'), 'abc');
    assert.equal(bearerSecret('bearer   abc '), 'abc');
    assert.equal(bearerSecret(' abc ', true), 'abc');
    for (const header of [undefined, '', 'Bearer', 'Bearer ', 'abc', 'Basic abc', 'Bearer a b']) {
      assert.equal(bearerSecret(header) || undefined, undefined, header);
    }
  });
});
