import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContactCenter } from '../access/contact-center.ts';
import { Answers } from './answers.ts';

const center = (id: number, revision: number): ContactCenter => ({
  id,
  name: `center-${id}`,
  timezone: 'UTC',
  settings: {},
  history: 'first 0',
  revision,
  recordingsRevision: 0,
});

/** Makes answers that tell how often one was made. */
function counter() {
  let made = 0;
  return async () => `answer ${++made}`;
}

describe('kept answers', () => {
  it('are given again while nothing was written', async () => {
    const answers = new Answers();
    const make = counter();
    const first = await answers.find(center(1, 5), ['voiso', 'x'], make);
    assert.equal(first.payload, 'answer 1');
    assert.equal(await answers.find(center(1, 5), ['voiso', 'x'], make), first);
  });

  it('are made anew for another revision, contact center or question', async () => {
    const answers = new Answers();
    const make = counter();
    const asked = [
      await answers.find(center(1, 5), ['voiso', 'x'], make),
      await answers.find(center(1, 6), ['voiso', 'x'], make),
      await answers.find(center(2, 5), ['voiso', 'x'], make),
      await answers.find(center(1, 5), ['voiso', 'y'], make),
      await answers.find(center(1, 5), ['voiso,x'], make),
      await answers.find(center(1, 5), ['voiso', 1], make),
      await answers.find(center(1, 5), ['voiso', '1'], make),
    ];
    assert.deepEqual(
      asked.map(({ payload }) => payload),
      asked.map((_, at) => `answer ${at + 1}`),
    );
  });

  it('are not those that failed', async () => {
    const answers = new Answers();
    await assert.rejects(answers.find(center(1, 1), ['x'], () => Promise.reject(new Error('no'))));
    assert.equal((await answers.find(center(1, 1), ['x'], async () => 'yes')).payload, 'yes');
  });

  it('are of the same bytes, be they plain letters or not', () => {
    const answers = new Answers();
    for (const text of ['', 'plain', 'Jos\u00e9', '\u96ea \u{1f600}']) {
      const { payload, length } = answers.keep(center(1, 1), [text], text);
      assert.deepEqual(
        typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload,
        Buffer.from(text),
      );
      assert.equal(length, Buffer.byteLength(text));
    }
  });

  it('take a bounded room: the oldest go, and a very long one is not kept', () => {
    const answers = new Answers();
    answers.keep(center(1, 1), ['first'], 'a'.repeat(200_000));
    answers.keep(center(1, 1), ['huge'], 'a'.repeat(300_000));
    assert.equal(answers.peek(center(1, 1), ['huge']), undefined);
    assert.notEqual(answers.peek(center(1, 1), ['first']), undefined);
    for (let at = 0; at < 100; at += 1) answers.keep(center(1, 1), [at], 'a'.repeat(200_000));
    assert.equal(answers.peek(center(1, 1), ['first']), undefined);
  });
});
