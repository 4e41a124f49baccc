import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { BucketUnderTest, ENDPOINT, noS3 } from '../contract/s3-under-test.ts';
import { makeFolder, succeed } from '../faults/commands.ts';
import { ROOT, rollcall, serveJson } from './server-process.ts';
import { describeOnStores } from './stores.ts';

describeOnStores('a server whose audio lies in S3', { skip: noS3 }, (store) => {
  it('takes recordings in, plays them, and leads on to the storage where it is set to', async () => {
    const folder = await makeFolder('media-s3');
    const bucket = await new BucketUnderTest().make();
    const place = [
      '--media',
      `s3://${bucket.name}/calls`,
      '--s3-endpoint',
      ENDPOINT ?? '',
      '--s3-path-style',
    ];
    const data = await store.flags(join(folder.path, 'data'));
    const center = ['--contact-center', 'north', ...data];
    try {
      await succeed('contact-center', 'create', 'north', ...data);
      const people = join(folder.path, 'people.jsonl');
      await writeFile(people, '{"email":"ann@s3.example"}\n');
      await succeed('import', people, ...center);
      const sample = join(ROOT, 'test/samples/tone.flac');
      const said = [
        '--user',
        'ann@s3.example',
        '--started',
        new Date(Date.now() - 3_600_000).toISOString(),
        '--lead',
        '7',
        '--json',
      ];
      const { id } = JSON.parse(await succeed('recordings', 'add', sample, ...center, ...place, ...said));
      assert.deepEqual(await bucket.everything(), [`calls/1/${id.slice(-2)}/${id}`]);
      // It finds fault with the settings of a PostgreSQL that is for tests.
      assert.match((await rollcall('doctor', ...data, ...place)).stdout, /^ok {4}media {17}ok$/m);

      const scopes = ['--scopes', 'recordings:read', '--name', 'qa', '--json'];
      const { token } = JSON.parse(await succeed('token', 'create', ...center, ...scopes));
      const server = await serveJson(...data, ...place);
      try {
        const find = async () => {
          const query = new URLSearchParams({ auth_token: token, lead_id: '7' });
          const answer = await fetch(`${server.told.address}/v1/lead/get-recordings?${query}`);
          const url = /"url":"([^"]+)"/.exec(await answer.text())?.[1];
          return url?.replaceAll('\\/', '/') ?? assert.fail('a link');
        };
        const audio = await readFile(sample);
        const whole = await fetch(await find(), { redirect: 'manual' });
        assert.equal(whole.status, 200);
        assert.equal(whole.headers.get('content-type'), 'audio/flac');
        assert.ok(Buffer.from(await whole.arrayBuffer()).equals(audio));
        const part = await fetch(await find(), { headers: { range: 'bytes=0-1' } });
        assert.equal(part.status, 206);
        assert.equal(await part.text(), 'fL');
        await succeed('contact-center', 'set', 'north', 'recordings.delivery', 'redirect', ...data);
        const away = await fetch(await find(), { redirect: 'manual' });
        assert.equal(away.status, 302);
        const there = await fetch(away.headers.get('location') ?? assert.fail('a location'));
        assert.equal(there.headers.get('content-type'), 'audio/flac');
        assert.ok(Buffer.from(await there.arrayBuffer()).equals(audio));
      } finally {
        await server.stop();
      }
    } finally {
      await bucket.drop();
      await folder.drop();
    }
  });

  it('is told which bucket is not there', async () => {
    const folder = await makeFolder('media-s3-missing');
    try {
      const data = await store.flags(join(folder.path, 'data'));
      await succeed('contact-center', 'create', 'north', ...data);
      const place = ['--media', 's3://rollcall-nowhere', '--s3-endpoint', ENDPOINT ?? '', '--s3-path-style'];
      const { code, stdout } = await rollcall('doctor', ...data, ...place);
      assert.equal(code, 1);
      assert.match(stdout, /^BAD {3}media {17}cannot use s3:\/\/rollcall-nowhere: there is no such bucket/m);
    } finally {
      await folder.drop();
    }
  });
});
