import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CellReader, packCells } from './packed-cells.ts';

const cell = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\0', 'a', 'ü', '👩🏽‍🚀'),
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.constantFrom(-1, 2 ** 53 - 1, -62_135_596_800_000),
  fc.constant(null),
);

describe('packed cells', () => {
  it('come out as they went in, in parts of any size, each behind what all share', () => {
    fc.assert(
      fc.property(fc.array(fc.array(cell)), fc.array(cell), (parts, shared) => {
        const reader = new CellReader(structuredClone(packCells(parts.flat())));
        for (const part of parts) assert.deepEqual(reader.take(part.length, shared), [...shared, ...part]);
      }),
    );
  });
});
