import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const SRC = join(import.meta.dirname, '..');

/** The packages that are loaded by a script, run in `src/`. */
function packagesOf(script: string): string[] {
  const watched = `
    import { registerHooks } from 'node:module';
    const packages = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        if (/^@?[a-z]/.test(specifier) && !specifier.startsWith('node:')) packages.add(specifier);
        return next(specifier, context);
      },
    });
    ${script}
    console.log(JSON.stringify([...packages]));`;
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', watched], { cwd: SRC });
  return JSON.parse(String(told));
}

describe('opening places for audio', () => {
  it('loads what speaks to S3 only where a bucket is named, and what parses audio in no server', () => {
    const open = (main: object) => `
      const { openMediaPlaces } = await import('./media/open.ts');
      await import('./app.ts');
      await openMediaPlaces(${JSON.stringify({ main, archive: null })});`;
    const isHeavy = (name: string) => /^(@aws-sdk|@smithy|music-metadata|file-type|strtok3)/.test(name);
    const onDisk = packagesOf(open({ kind: 'disk', folder: '/nowhere' }));
    assert.ok(onDisk.includes('fastify'));
    assert.deepEqual(onDisk.filter(isHeavy), []);
    const s3 = { kind: 's3', bucket: 'calls', prefix: '', endpoint: null, region: null, pathStyle: false };
    assert.ok(packagesOf(open(s3)).includes('@aws-sdk/client-s3'));
  });
});
