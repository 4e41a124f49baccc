import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fold, isStorable } from './fold.ts';

const anyText = fc.string({ unit: 'binary' });

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
