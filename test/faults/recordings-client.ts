import assert from 'node:assert/strict';

/** More than any answer takes, in milliseconds. */
const ANSWER = 30_000;

/** A client of recordings, of a server that may be killed at any time. */
export class RecordingsClient {
  /** Whether the server should answer: false once it was told to die. */
  isServed = true;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(address: string, token: string) {
    this.#base = `${address}/rollcall/v1/recordings`;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  /** Whether this is what a client sees of a server that was killed, and not an answer. */
  hasGone(error: unknown): boolean {
    return !this.isServed && error instanceof TypeError;
  }

  /** Gives the number of the recording that was acknowledged. @throws TypeError where no answer comes */
  async upload(audio: Buffer, key: string | undefined): Promise<number> {
    const form = new FormData();
    form.append('recording', JSON.stringify({ user: 'ann@faults.example', startedAt: new Date(STARTED) }));
    form.append('audio', new Blob([Uint8Array.from(audio)]), 'call.wav');
    const answer = await this.#ask(this.#base, {
      method: 'POST',
      body: form,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    });
    const text = await answer.text();
    assert.equal(answer.status, 201, text);
    const { number }: { number: number } = JSON.parse(text);
    return number;
  }

  /** Resolves once it was acknowledged. @throws TypeError where no answer comes */
  async remove(number: number): Promise<void> {
    const answer = await this.#ask(`${this.#base}/${number}`, { method: 'DELETE' });
    assert.equal(answer.status, 204, await answer.text());
  }

  /** What the link to a recording plays; null where it was let go. */
  async play(number: number): Promise<Buffer | null> {
    const answer = await this.#ask(`${this.#base}/${number}`);
    const text = await answer.text();
    assert.equal(answer.status, 200, `recording ${number}: ${text}`);
    const { state, links }: { state: string; links: { play: string } | null } = JSON.parse(text);
    if (state === 'purged') return null;
    assert.ok(links !== null, `recording ${number} is ${state} and has no link`);
    const audio = await this.#ask(links.play);
    assert.equal(audio.status, 200, `recording ${number} plays`);
    return Buffer.from(await audio.arrayBuffer());
  }

  #ask(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Readonly<Record<string, string>>) };
    return fetch(url, { ...init, headers, signal: AbortSignal.timeout(ANSWER) });
  }
}

/** When all calls began: on one day, and so that no retention is over. */
const STARTED = Date.now() - 86_400_000;
