import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allowsRange, contentRange, selectRange } from './range.ts';

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const bytes = (first: number, last: number) => ({ kind: 'part', range: { first, last } });
const WHOLE = { kind: 'whole' };
const UNSATISFIABLE = { kind: 'unsatisfiable' };

describe('ranges', () => {
  it('are given as RFC 9110 section 14.1.2 has them', () => {
    for (const [header, selection] of [
      ['bytes=0-499', bytes(0, 499)],
      ['bytes=500-999', bytes(500, 999)],
      ['bytes=-500', bytes(9500, 9999)],
      ['bytes=9500-', bytes(9500, 9999)],
      ['bytes=0-1', bytes(0, 1)],
      ['bytes=0-0', bytes(0, 0)],
      ['bytes=0-', bytes(0, 9999)],
      ['bytes=-1', bytes(9999, 9999)],
      ['bytes=-99999', bytes(0, 9999)],
      ['bytes=9999-10000', bytes(9999, 9999)],
      ['BYTES=0-1', bytes(0, 1)],
      ['bytes=007-08', bytes(7, 8)],
      ['bytes= 0-1 , ', bytes(0, 1)],
      ['bytes=,0-1', bytes(0, 1)],
      [`bytes=${'9'.repeat(40)}-`, UNSATISFIABLE],
      [`bytes=0-${'9'.repeat(40)}`, bytes(0, 9999)],
      [`bytes=-${'9'.repeat(400)}`, bytes(0, 9999)],
      ['bytes=10000-', UNSATISFIABLE],
      ['bytes=10000-20000', UNSATISFIABLE],
      ['bytes=-0', UNSATISFIABLE],
      ['bytes=-00', UNSATISFIABLE],
      // Several are answered whole.
      ['bytes=0-0,-1', WHOLE],
      ['bytes=500-600,601-999', WHOLE],
      ['bytes=0-1, 20000-', WHOLE],
      // What is malformed counts as not sent.
      ['bytes=1-0', WHOLE],
      [`bytes=${'9'.repeat(30)}1-${'9'.repeat(30)}0`, WHOLE],
      ['bytes=', WHOLE],
      ['bytes=,', WHOLE],
      ['bytes=-', WHOLE],
      ['bytes=--1', WHOLE],
      ['bytes=a-b', WHOLE],
      ['bytes=0x0-1', WHOLE],
      ['bytes=0 - 1', WHOLE],
      ['bytes =0-1', WHOLE],
      ['bytes=0-1-2', WHOLE],
      ['bytes=+0-1', WHOLE],
      ['bytes=1.5-2', WHOLE],
      ['bytes:0-1', WHOLE],
      ['0-1', WHOLE],
      ['items=0-1', WHOLE],
      ['bytes=٠-١', WHOLE],
      ['', WHOLE],
      [undefined, WHOLE],
    ] as const) {
      assert.deepEqual(selectRange(header, 10_000), selection, header);
    }
  });

  it('lie within what there is, and hold what was asked for', () => {
    fc.assert(
      fc.property(
        size,
        fc.bigInt({ min: 0n, max: 2n ** 70n }),
        fc.bigInt({ min: 0n, max: 2n ** 70n }),
        (n, a, b) => {
          const there = BigInt(n);
          const closed = selectRange(`bytes=${a}-${b}`, n);
          if (b < a) assert.deepEqual(closed, WHOLE);
          else if (a >= there) assert.deepEqual(closed, UNSATISFIABLE);
          else assert.deepEqual(closed, bytes(Number(a), Number(b < there ? b : there - 1n)));
          const open = selectRange(`bytes=${a}-`, n);
          assert.deepEqual(open, a >= there ? UNSATISFIABLE : bytes(Number(a), n - 1));
          const suffix = selectRange(`bytes=-${a}`, n);
          if (a === 0n) assert.deepEqual(suffix, UNSATISFIABLE);
          else assert.deepEqual(suffix, bytes(Number(a > there ? 0n : there - a), n - 1));
        },
      ),
    );
    fc.assert(
      fc.property(size, fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), (n, a, b) => {
        fc.pre(a <= b && a < n);
        assert.deepEqual(selectRange(`bytes=${a}-${b}`, n), bytes(a, Math.min(b, n - 1)));
      }),
    );
  });

  it('are never taken from any other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), size, (text, n) => {
        const selection = selectRange(`bytes=${text}`, n);
        if (selection.kind !== 'part') return;
        assert.match(text, /^[\t ,]*(\d+-\d*|-\d+)[\t ,]*$/);
        const { first, last } = selection.range;
        assert.ok(first >= 0 && first <= last && last < n);
      }),
      { numRuns: 2000 },
    );
  });

  it('of nothing at all: there is none', () => {
    assert.deepEqual(selectRange('bytes=0-', 0), UNSATISFIABLE);
    assert.deepEqual(selectRange('bytes=-5', 0), WHOLE);
    assert.deepEqual(selectRange('bytes=-0', 0), UNSATISFIABLE);
  });

  it('take no longer for a long header', () => {
    const header = `bytes=${'0'.repeat(16_000)}-${' ,'.repeat(8_000)}x`;
    assert.deepEqual(selectRange(header, 10), WHOLE);
  });

  it('are told in Content-Range', () => {
    assert.equal(contentRange({ first: 0, last: 1 }, 10), 'bytes 0-1/10');
    assert.equal(contentRange(null, 10), 'bytes */10');
  });

  it('depend on If-Range: only the same strong tag lets one through', () => {
    const etag = '"ba7816bf"';
    assert.ok(allowsRange(undefined, etag));
    assert.ok(allowsRange('"ba7816bf"', etag));
    for (const other of [
      'W/"ba7816bf"',
      '"BA7816BF"',
      '"other"',
      'ba7816bf',
      '*',
      '',
      '"ba7816bf", "other"',
      'Wed, 04 Mar 2026 12:00:00 GMT',
      'Fri, 31 Dec 9999 23:59:59 GMT',
    ]) {
      assert.equal(allowsRange(other, etag), false, other);
    }
  });
});
