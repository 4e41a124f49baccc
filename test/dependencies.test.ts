import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

/** Versions by package, as `package.json` names them. */
function readPackage(): Map<string, string> {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return new Map(
    Object.entries({ ...dependencies, ...devDependencies }).map(([name, of]) => [name, String(of)]),
  );
}

/** The lines of the tables in docs/dependencies.md, as package, version and reason. */
function readLines(): string[][] {
  return readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| [^-]/.test(line) && !line.startsWith('| package |'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('dependencies', () => {
  const named = readPackage();
  const lines = readLines();

  test('are pinned to one version', () => {
    assert.ok(named.size > 20, 'package.json names packages');
    const loose = [...named].filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    assert.deepEqual(loose, []);
  });

  test('stand in docs/dependencies.md with their versions, each once, and nothing else does', () => {
    const told = lines.map(([name = '', version = '']) => `${name} ${version}`);
    assert.deepEqual(told.toSorted(), [...named].map((each) => each.join(' ')).toSorted());
  });

  test('each have their reason', () => {
    for (const [name = '', , why = '', ...rest] of lines) {
      assert.ok(why.length >= 10, `${name} says why`);
      assert.deepEqual(rest, [], `${name} has three cells`);
    }
  });
});
