import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { untilDrained } from './output.ts';

describe('waiting for a stream', () => {
  it('leaves no listeners behind, however often it waits', async () => {
    const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => setImmediate(done) });
    for (let piece = 0; piece < 20; piece += 1) {
      assert.equal(stream.write('piece'), false);
      await untilDrained(stream);
      assert.equal(stream.writableLength, 0);
    }
    assert.deepEqual([stream.listenerCount('drain'), stream.listenerCount('error')], [0, 0]);
  });

  it('ends where the stream fails', async () => {
    const full = new Error('full');
    const stream = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => setImmediate(done, full),
    });
    let failure: Error | undefined;
    stream.on('error', (error) => {
      failure = error;
    });
    assert.equal(stream.write('piece'), false);
    await untilDrained(stream);
    assert.equal(failure, full);
  });
});
