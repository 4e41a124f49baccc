import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultMedia, readMediaConfig } from './media.ts';

describe('places for audio', () => {
  it('lie in the data folder where nothing else is said, and have no archive', () => {
    const found = readMediaConfig({ data: '/srv/rollcall', ...defaultMedia({}) });
    assert.deepEqual(found, { main: { kind: 'disk', folder: '/srv/rollcall/media' }, archive: null });
  });

  it('are named by flags, else by the environment', () => {
    const env = defaultMedia({ ROLLCALL_MEDIA: '/mnt/a', ROLLCALL_ARCHIVE_MEDIA: '/mnt/b' });
    assert.deepEqual(readMediaConfig({ data: '.', ...env, media: '/mnt/c' }), {
      main: { kind: 'disk', folder: '/mnt/c' },
      archive: { kind: 'disk', folder: '/mnt/b' },
    });
    assert.deepEqual(defaultMedia({ ROLLCALL_MEDIA: '' }), {});
  });

  it('are refused where they name nothing', () => {
    assert.throws(() => readMediaConfig({ data: '.', media: '' }), { kind: 'invalid', message: /--media/ });
    const remote = { data: '.', archiveMedia: 'ftp://files.example/' };
    assert.throws(() => readMediaConfig(remote), { kind: 'invalid', message: /--archive-media/ });
  });
});
