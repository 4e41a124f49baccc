import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GoldenCase, readCases } from './cases.ts';

/** The document that tells what the golden cases cover. */
export const COVERAGE = join(import.meta.dirname, '../../docs/coverage.md');

const TITLES: Readonly<Record<string, string>> = {
  convoso: 'Convoso',
  voiso: 'Voiso',
  smartflo: 'Smartflo',
  problem: 'Paths of no vendor',
};

/** The text of docs/coverage.md: per dialect and endpoint, the names of its golden cases. */
export function renderCoverage(cases: readonly GoldenCase[]): string {
  const lines = [
    '# What is covered',
    '',
    'Every request below is sent to a running server, and its answer compared byte for byte: status, headers',
    "and body. Where the path is a vendor's, it is asked at the root and under the vendor's prefix. The cases",
    'are in `test/golden/`; this page is made from their names by `node test/golden/coverage.ts`.',
  ];
  const byDialect = Map.groupBy(cases, ({ dialect }) => dialect);
  for (const [dialect, ofDialect] of byDialect) {
    lines.push('', `## ${TITLES[dialect] ?? dialect} (${ofDialect.length} cases)`);
    const byEndpoint = Map.groupBy(ofDialect, ({ endpoint }) => endpoint);
    for (const endpoint of [...byEndpoint.keys()].sort()) {
      lines.push('', `### \`${endpoint}\``, '');
      for (const { name, answer } of byEndpoint.get(endpoint) ?? [])
        lines.push(`- ${answer.status}: ${name}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) writeFileSync(COVERAGE, renderCoverage(readCases()));
