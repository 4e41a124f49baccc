import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fold, isStorable } from './fold.ts';

const anyText = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 750, maxLength: 1000 }) },
);

describe('folding', () => {
  it('is the same done twice', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        assert.equal(fold(fold(text)), fold(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('does not see how letters are put together, nor space around them', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom('', ' ', '\t', '\u00a0', '\u3000'), (text, space) => {
        assert.equal(fold(text.normalize('NFD')), fold(text.normalize('NFC')));
        assert.equal(fold(space + text + space), fold(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('does not see the case of any letter that has one of each', () => {
    for (let code = 1; code < 0x2ffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const letter = String.fromCodePoint(code);
      assert.equal(fold(fold(letter)), fold(letter), code.toString(16));
      assert.equal(fold(letter.toLowerCase()), fold(letter), code.toString(16));
    }
  });

  it('keeps what is not letters, and takes no character for another', () => {
    for (const text of ['%', '_', '*', "o'neil", 'a  b', '٣', 'ß', 'ı']) assert.equal(fold(text), text);
    assert.notEqual(fold('I'), fold('ı'));
    assert.notEqual(fold('e'), fold('é'));
  });
});

describe('folding of long texts', () => {
  it('gives what an index takes, and tells them apart', () => {
    const letters = Array.from({ length: 3000 }, (_, at) =>
      String.fromCharCode(0x4e00 + ((at * 7919) % 20_000)),
    );
    const folded = [799, 800, 801, 1000, 2999, 3000].map((length) => fold(letters.slice(0, length).join('')));
    for (const each of folded) assert.ok(Buffer.byteLength(each) <= 2400);
    assert.equal(new Set(folded).size, folded.length);
    assert.equal(fold(` ${'Ab'.repeat(2000)} `), fold('aB'.repeat(2000)));
  });
});

describe('what can be stored', () => {
  it('is what comes back through UTF-8, without NUL', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '\0', '\ud800', '\udc00', '\ud83d\ude80', 'é') }),
        (text) => {
          const isSame = Buffer.from(text, 'utf8').toString('utf8') === text;
          assert.equal(isStorable(text), isSame && !text.includes('\0'));
        },
      ),
    );
  });
});
