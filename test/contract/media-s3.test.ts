import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { MediaPlace } from '../../src/recordings/media.ts';
import { describeMediaPlace } from './media-contract.ts';
import { BucketUnderTest, describeWithS3, ENDPOINT } from './s3-under-test.ts';

const buckets = new WeakMap<MediaPlace, BucketUnderTest>();
const bucketOf = (place: MediaPlace) => buckets.get(place) ?? assert.fail('a place of this test');

/** Takes in audio that never ends, and says when parts of it have been sent. */
const ENDLESS = `
  import { Readable } from 'node:stream';
  import { S3Place } from ${JSON.stringify(join(import.meta.dirname, '../../src/media/s3.ts'))};
  const [bucket, endpoint] = process.argv.slice(1);
  let pieces = 0;
  const endless = new Readable({ read() {
    if (++pieces === 400) process.stdout.write('x');
    setImmediate(() => this.push(Buffer.alloc(100_000)));
  } });
  const place = new S3Place({ bucket, endpoint, prefix: 'calls', region: null, pathStyle: true });
  await place.put({ contactCenterId: 1, id: '01a20551-df8e-7717-9a15-ee7b909a215f' }, endless);
`;

describeWithS3('audio in S3', {}, () => {
  describeMediaPlace({
    name: 'a bucket',
    async open() {
      const bucket = await new BucketUnderTest().make();
      const place = bucket.open('calls');
      buckets.set(place, bucket);
      return place;
    },
    async drop(place) {
      await place.close();
      await bucketOf(place).drop();
    },
    async leaveUnfinished(place) {
      const args = ['--input-type=module', '-e', ENDLESS, bucketOf(place).name, ENDPOINT ?? ''];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'exit');
      await Promise.race([once(child.stdout, 'data'), ended]);
      child.kill('SIGKILL');
      assert.deepEqual(await ended, [null, 'SIGKILL']);
    },
    everything: (place) => bucketOf(place).everything(),
  });
});
