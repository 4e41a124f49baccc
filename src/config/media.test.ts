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

  it('may be buckets, which share what is said of S3', () => {
    const env = defaultMedia({ ROLLCALL_S3_REGION: 'eu-central-1', ROLLCALL_S3_PATH_STYLE: 'true' });
    const flags = { data: '.', media: 's3://calls', archiveMedia: 's3://cold.calls//old/2026/' };
    const s3 = { kind: 's3', region: 'eu-central-1', pathStyle: true } as const;
    assert.deepEqual(readMediaConfig({ ...flags, ...env, s3Endpoint: 'https://s3.example.com/' }), {
      main: { ...s3, bucket: 'calls', prefix: '', endpoint: 'https://s3.example.com' },
      archive: { ...s3, bucket: 'cold.calls', prefix: 'old/2026', endpoint: 'https://s3.example.com' },
    });
    const { main } = readMediaConfig({ data: '.', media: 's3://calls' });
    assert.deepEqual(main, {
      ...s3,
      bucket: 'calls',
      prefix: '',
      endpoint: null,
      region: null,
      pathStyle: false,
    });
  });

  it('are refused where they name nothing', () => {
    for (const media of [
      '',
      's3://',
      's3://UPPER',
      's3://a',
      's3://calls/../other',
      's3://calls/a b',
      'ftp://x/',
    ]) {
      assert.throws(
        () => readMediaConfig({ data: '.', media }),
        { kind: 'invalid', message: /--media takes/ },
        media,
      );
    }
    const archiveMedia = 'gs://calls';
    const told = { kind: 'invalid', message: /--archive-media takes/ };
    assert.throws(() => readMediaConfig({ data: '.', archiveMedia }), told);
  });

  it('are refused where what is said of S3 cannot be', () => {
    const media = 's3://calls';
    for (const s3Endpoint of [
      's3.example.com',
      'ftp://s3.example.com',
      'https://key@s3.example.com',
      'https://a?b',
    ]) {
      const told = { kind: 'invalid', message: /--s3-endpoint/ };
      assert.throws(() => readMediaConfig({ data: '.', media, s3Endpoint }), told, s3Endpoint);
    }
    const told = { kind: 'invalid', message: /ROLLCALL_S3_PATH_STYLE/ };
    assert.throws(() => readMediaConfig({ data: '.', media, s3PathStyle: 'yes' }), told);
  });

  it('are refused where the archive is the place that it archives', () => {
    const told = { kind: 'invalid', message: /the same place/ };
    const pairs = [
      ['/srv/a/media', '/srv/a/../a/media/'],
      ['s3://calls/a', 's3://calls/a/'],
    ];
    for (const [media = '', archiveMedia = ''] of pairs) {
      assert.throws(() => readMediaConfig({ data: '.', media, archiveMedia }), told);
    }
    const archiveMedia = 's3://calls/b';
    assert.notEqual(readMediaConfig({ data: '.', media: 's3://calls/a', archiveMedia }).archive, null);
  });
});
