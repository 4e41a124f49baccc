import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { watchBody } from './body-time.ts';

describe('the time for a body', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  function watch(headers: Record<string, string>, isUpload: boolean) {
    const request = Object.assign(new EventEmitter(), {
      headers,
      complete: false,
      socket: { bytesRead: 100 },
    });
    let told = 0;
    watchBody(request as unknown as Parameters<typeof watchBody>[0], isUpload, () => {
      told += 1;
    });
    return { request, told: () => told };
  }

  it('is a minute, whatever comes', () => {
    for (const headers of [{ 'content-length': '5' }, { 'transfer-encoding': 'chunked' }]) {
      const { request, told } = watch(headers, false);
      mock.timers.tick(59_999);
      request.socket.bytesRead += 1;
      assert.equal(told(), 0);
      mock.timers.tick(1);
      assert.equal(told(), 1);
      mock.timers.tick(600_000);
      assert.equal(told(), 1);
    }
  });

  it('of an upload goes on for as long as it moves', () => {
    const { request, told } = watch({ 'content-length': '5' }, true);
    for (let minute = 0; minute < 100; minute += 1) {
      request.socket.bytesRead += 1;
      mock.timers.tick(60_000);
    }
    assert.equal(told(), 0);
    mock.timers.tick(60_000);
    assert.equal(told(), 1);
  });

  it('ends with the body, or the connection', () => {
    for (const event of ['end', 'close']) {
      const { request, told } = watch({ 'content-length': '5' }, false);
      request.emit(event);
      mock.timers.tick(120_000);
      assert.equal(told(), 0);
    }
    const { request, told } = watch({ 'content-length': '5' }, false);
    request.complete = true;
    mock.timers.tick(120_000);
    assert.equal(told(), 0);
  });

  it('is not watched where there is no body', () => {
    for (const headers of [{}, { 'content-length': '0' }]) {
      const { request } = watch(headers as Record<string, string>, false);
      assert.equal(request.listenerCount('close'), 0);
    }
  });
});
