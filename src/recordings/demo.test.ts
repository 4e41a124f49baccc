import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEMO_DAYS, demoAudio, demoCall, demoStarts } from './demo.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1, 12, 30, 15, 250);
const CALLS = Array.from({ length: 200 }, (_, at) => at + 1);

describe('generated calls', () => {
  it('have audio as long as is said, that sounds and neither clicks nor clips', () => {
    const lengths = new Set<number>();
    for (const call of CALLS) {
      const audio = demoAudio(call);
      const { seconds } = demoCall(call, { startedAt: NOW, userNumbers: [1], leads: 1 });
      assert.equal(audio.toString('latin1', 0, 4) + audio.toString('latin1', 8, 16), 'RIFFWAVEfmt ');
      assert.equal(audio.readUInt32LE(4), audio.length - 8);
      // PCM, one channel, samples and bytes in a second, bytes and bits in a sample.
      assert.deepEqual([audio.readUInt16LE(20), audio.readUInt16LE(22)], [1, 1]);
      assert.deepEqual([audio.readUInt32LE(24), audio.readUInt32LE(28)], [8000, 8000]);
      assert.deepEqual([audio.readUInt16LE(32), audio.readUInt16LE(34)], [1, 8]);
      assert.equal(audio.readUInt32LE(40), audio.length - 44);
      assert.equal(audio.length - 44, (seconds ?? 0) * 8000);
      lengths.add(audio.length);
      const samples = audio.subarray(44);
      assert.ok(Math.max(...samples) > 200 && Math.min(...samples) < 56, 'loud enough to hear');
      assert.ok(Math.max(...samples) < 255 && Math.min(...samples) > 0, 'not clipped');
      for (let at = 0; at < samples.length; at += 2000) assert.ok(Math.abs((samples[at] ?? 0) - 128) <= 1);
    }
    assert.deepEqual([...lengths].sort(), [16_044, 24_044, 8044]);
    assert.ok(new Set(CALLS.map((call) => demoAudio(call).toString('latin1'))).size > 190);
    assert.deepEqual(demoAudio(7), demoAudio(7));
  });

  it('are spread over days within the retention, in whole seconds', () => {
    for (const calls of [1, 7, 200, 50_000]) {
      const starts = demoStarts(calls, NOW);
      assert.equal(starts.length, calls);
      assert.ok(starts.every((start) => start % 1000 === 0 && start > NOW - DEMO_DAYS * DAY - 1000));
      assert.ok(starts.every((start) => start <= NOW - 60_000));
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
      );
    }
    const perDay = Map.groupBy(demoStarts(DEMO_DAYS * 10, NOW), (start) => Math.floor((NOW - start) / DAY));
    assert.deepEqual(new Set([...perDay.values()].map((day) => day.length)), new Set([10]));
  });

  it('are spread over users and leads, some of whom are called again', () => {
    const userNumbers = [3, 5, 8, 13, 21];
    const calls = CALLS.map((call) => demoCall(call, { startedAt: NOW, userNumbers, leads: 60 }));
    assert.deepEqual(new Set(calls.map((call) => call.userNumber)), new Set(userNumbers));
    const leads = calls.flatMap((call) => call.leadId ?? []);
    assert.ok(leads.length > 120 && new Set(leads).size > 40 && new Set(leads).size <= 60);
    for (const call of calls) {
      assert.equal(call.leadId === null, call.direction === 'internal');
      assert.equal(call.remoteNumber === null, call.direction === 'internal');
      assert.match(call.remoteNumber ?? '+15551000000', /^\+1555\d{7}$/);
    }
  });
});
