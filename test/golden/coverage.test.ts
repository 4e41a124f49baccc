import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readCases } from './cases.ts';
import { COVERAGE, renderCoverage } from './coverage.ts';

test('docs/coverage.md is up to date (node test/golden/coverage.ts writes it)', () => {
  assert.equal(readFileSync(COVERAGE, 'utf8'), renderCoverage(readCases()));
});
