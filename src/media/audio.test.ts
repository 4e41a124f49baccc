import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { v7 as uuidV7 } from 'uuid';
import { Failure } from '../errors.ts';
import type { AudioFacts, AudioReader, ByteRange, MediaKey } from '../recordings/media.ts';
import { SeparateAudioReader } from './audio.ts';
import { DiskPlace } from './disk.ts';
import { RangedFile } from './ranges.ts';
import { readAudio } from './read-audio.ts';

const SAMPLES = join(import.meta.dirname, '../../test/samples');
const sample = (name: string) => readFile(join(SAMPLES, name));

/** A disk place that counts what is read from it. */
class CountingPlace extends DiskPlace {
  bytesRead = 0;
  override async open(key: MediaKey, range?: ByteRange): Promise<Readable | null> {
    const stream = await super.open(key, range);
    stream?.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
    });
    stream?.pause();
    return stream;
  }
}

/** Kinds and lengths of the samples, in seconds: a codec may add a frame at either end. */
const ACCEPTED: readonly (readonly [name: string, AudioFacts['mediaType'], least: number, most: number])[] = [
  ['pcm.wav', 'audio/wav', 0.25, 0.25],
  ['mulaw.wav', 'audio/wav', 1, 1],
  ['streamed.wav', 'audio/wav', 0.25, 0.25],
  ['cbr.mp3', 'audio/mpeg', 2, 2.2],
  ['vbr.mp3', 'audio/mpeg', 3, 3.15],
  ['vbr-uncounted.mp3', 'audio/mpeg', 3, 3.15],
  ['opus.ogg', 'audio/ogg', 20, 20.01],
  ['vorbis.ogg', 'audio/ogg', 1.5, 1.51],
  ['speex.ogg', 'audio/ogg', 1.98, 2.02],
  ['aac.m4a', 'audio/mp4', 2, 2.2],
  ['aac-fast.m4a', 'audio/mp4', 2, 2.2],
  ['aac-fragmented.mp4', 'audio/mp4', 3, 3.2],
  ['tone.flac', 'audio/flac', 0.5, 0.5],
];
const REFUSED = ['refused.aac', 'refused.mp2', 'refused.mp4', 'refused.webm', 'make.sh'];

describe('reading audio', () => {
  let folder: string;
  let place: CountingPlace;
  let reader: AudioReader;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-audio-'));
    place = new CountingPlace(folder);
    reader = new SeparateAudioReader();
  });
  after(async () => {
    await reader.close();
    await rm(folder, { recursive: true });
  });

  async function keep(...parts: (Buffer | Readable)[]): Promise<{ key: MediaKey; bytes: number }> {
    const key = { contactCenterId: 1, id: uuidV7() };
    const content = Readable.from(
      (async function* () {
        for (const part of parts) yield* part instanceof Readable ? part : [part];
      })(),
    );
    const { bytes } = await place.put(key, content);
    return { key, bytes };
  }

  /** The facts of a file, or the kind of the failure. */
  async function read(...parts: (Buffer | Readable)[]): Promise<AudioFacts | string> {
    const { key, bytes } = await keep(...parts);
    return reader.read(place, key, bytes).catch((error) => {
      if (error instanceof Failure) return error.kind;
      throw error;
    });
  }

  for (const [name, mediaType, least, most] of ACCEPTED) {
    it(`tells what ${name} is and how long it takes`, async () => {
      const found = await read(await sample(name));
      assert.ok(typeof found !== 'string', String(found));
      assert.equal(found.mediaType, mediaType);
      const seconds = Number(found.seconds);
      assert.ok(seconds >= least && seconds <= most, `${seconds} seconds`);
    });
  }

  for (const name of REFUSED) {
    it(`refuses ${name}`, async () => {
      assert.equal(await read(await sample(name)), 'unsupported_media_type');
    });
  }

  it('refuses what only looks like audio', async () => {
    const [mp3, wav, ogg] = await Promise.all(['cbr.mp3', 'pcm.wav', 'opus.ogg'].map(sample));
    const zip = Buffer.from('504b0304140000000800', 'hex');
    const id3 = Buffer.from('4944330300000000000a00000000000000000000', 'hex');
    const cases: Record<string, Buffer[]> = {
      nothing: [],
      'one byte': [Buffer.from('R')],
      'a page of HTML': [Buffer.from('<!doctype html><script>alert(1)</script>'.repeat(100))],
      'a page of HTML with audio behind it': [Buffer.from('<html><script>alert(1)</script>'), mp3 ?? zip],
      'text in UTF-16': [Buffer.from(`\uFEFF${'rollcall '.repeat(500)}`, 'utf16le')],
      'a ZIP with audio in it': [zip, wav ?? zip],
      'a ZIP behind tags of an MP3': [id3, zip, Buffer.alloc(5000)],
      'tags of an MP3 alone': [id3],
      'a RIFF header alone': [Buffer.from('RIFF\xff\xff\xff\x7fWAVE', 'latin1')],
      'zeros behind a RIFF header': [
        Buffer.from('RIFF\xff\xff\xff\x7fWAVE', 'latin1'),
        Buffer.alloc(100_000),
      ],
      'text behind the first bytes of an MP3': [
        Buffer.from('fffb9064', 'hex'),
        Buffer.from('x'.repeat(9000)),
      ],
      'two frames of an MP3 and text': [mp3?.subarray(0, 290) ?? zip, Buffer.from('x'.repeat(9000))],
      'the header of a WAV file without samples': [wavHeader(0)],
      'the header of a WAV file whose samples never came': [wavHeader(16_000)],
      'the header of a WAV file that was streamed, alone': [wavHeader(2 ** 32 - 37)],
      'the first page of an Ogg file without its beginning': [ogg?.subarray(10) ?? zip],
      'a FLAC mark alone': [Buffer.from('fLaC')],
      'an MP4 mark alone': [Buffer.from('00000018667479704d344120000000004d34412069736f6d', 'hex')],
    };
    for (const [what, parts] of Object.entries(cases)) {
      assert.equal(await read(...parts), 'unsupported_media_type', what);
    }
  });

  it('goes by content, whatever else a file may pass for', async () => {
    const html = Buffer.from('<script>alert(1)</script>');
    const found = await read(await sample('pcm.wav'), html);
    assert.equal(typeof found === 'string' ? found : found.mediaType, 'audio/wav');
  });

  it('tells the length of what is there where a file was cut off', async () => {
    const half = async (name: string) => {
      const whole = await sample(name);
      const found = await read(whole.subarray(0, whole.length / 2));
      return typeof found === 'string' ? found : Math.round(Number(found.seconds) * 10) / 10;
    };
    assert.equal(await half('mulaw.wav'), 0.5);
    assert.equal(await half('opus.ogg'), 9);
    // The table of its samples stood behind them.
    assert.equal(await half('aac.m4a'), 'unsupported_media_type');
  });

  it('reads a little of a large file', async () => {
    const sizes: Record<string, [readonly (Buffer | Readable)[], seconds: number]> = {
      wav: [[wavHeader(80_000_000), Readable.from(zeros(80_000_000))], 5000],
      ogg: [oggOf(await sample('opus.ogg'), 300), 20 * 300],
    };
    for (const [what, [parts, seconds]] of Object.entries(sizes)) {
      place.bytesRead = 0;
      const found = await read(...parts);
      assert.equal(typeof found === 'string' ? found : Math.round(Number(found.seconds)), seconds, what);
      assert.ok(place.bytesRead < 600_000, `${what}: ${place.bytesRead} bytes read`);
    }
  });

  it('believes in no call of years', async () => {
    const flac = await sample('tone.flac');
    // STREAMINFO's 36 bits of samples (RFC 9639 section 8.2).
    flac.fill(0xff, 22, 26);
    flac[21] = (flac[21] ?? 0) | 0x0f;
    assert.deepEqual(await read(flac), { mediaType: 'audio/flac', seconds: null });
  });

  it('reads several at once', async () => {
    const found = await Promise.all(ACCEPTED.map(async ([name]) => read(await sample(name))));
    assert.deepEqual(
      found.map((facts) => (typeof facts === 'string' ? facts : facts.mediaType)),
      ACCEPTED.map(([, mediaType]) => mediaType),
    );
  });

  it('says that the place failed where it did, and then reads on', async () => {
    const { key, bytes } = await keep(await sample('aac.m4a'));
    const gone = { ...key, id: uuidV7() };
    await assert.rejects(reader.read(place, gone, bytes), { kind: 'unavailable', retryAfter: 1 });
    const large = await keep(wavHeader(200_000), Buffer.from('LIST\0\0\x03\0'), Buffer.alloc(196_608));
    // The beginning is there, what it points to is not.
    await assert.rejects(reader.read(place, large.key, large.bytes + 1_000_000), { kind: 'unavailable' });
    assert.equal((await reader.read(place, key, bytes)).mediaType, 'audio/mp4');
  });
});

describe('reading damaged audio', () => {
  it('fetches so much of a file and no more', async () => {
    let fetched = 0;
    const file = new RangedFile(2 ** 40, new Uint8Array(), async (first, last) => {
      fetched += last - first + 1;
      return new Uint8Array(last - first + 1);
    });
    await assert.rejects(async () => {
      for (let at = 0; ; at += 1_000_000) await file.read(at, 1_000_000);
    }, /too much/);
    assert.ok(fetched <= 64 * 1024 * 1024);
  });

  it('gives facts or none, and never an error', async () => {
    const names = ACCEPTED.map(([name]) => name);
    const files = new Map(await Promise.all(names.map(async (name) => [name, await sample(name)] as const)));
    const damage = fc.record({
      name: fc.constantFrom(...names),
      // Most of what parsers go by stands at the beginning.
      bytes: fc.array(fc.tuple(fc.oneof(fc.nat(200), fc.nat(20_000)), fc.nat(255)), { maxLength: 12 }),
      cut: fc.option(fc.nat(20_000)),
      claimed: fc.option(fc.nat(0xffff_ffff)),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ name, bytes, cut, claimed }) => {
        const damaged = Buffer.from(files.get(name) ?? []).subarray(0, cut ?? undefined);
        for (const [at, value] of bytes) if (at < damaged.length) damaged[at] = value;
        if (claimed !== null && damaged.length > 44) damaged.writeUInt32LE(claimed, 40);
        const file = new RangedFile(damaged.length, new Uint8Array(), async (first, last) =>
          Uint8Array.from(damaged.subarray(first, last + 1)),
        );
        const found = await readAudio(file);
        if (found === null || found.seconds === null) return;
        assert.ok(found.seconds >= 0 && Number.isFinite(found.seconds));
      }),
      { numRuns: 300 },
    );
  });
});

function wavHeader(dataBytes: number): Buffer {
  const header = Buffer.from(
    'RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\x02\0\x10\0data\0\0\0\0',
    'latin1',
  );
  header.writeUInt32LE(dataBytes + 36, 4);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

function* zeros(bytes: number): Iterable<Buffer> {
  const chunk = Buffer.alloc(1_000_000);
  for (let at = 0; at < bytes; at += chunk.length) yield chunk;
}

/** An Ogg file's pages with audio again and again, the last one of them with as many times its samples. */
function oggOf(whole: Buffer, times: number): Buffer[] {
  const audioAt = whole.indexOf('OggS', whole.indexOf('OpusTags'));
  const lastAt = whole.lastIndexOf('OggS');
  const middle = whole.subarray(audioAt, lastAt);
  const last = Buffer.from(whole.subarray(lastAt));
  const preSkip = whole.readUInt16LE(whole.indexOf('OpusHead') + 10);
  last.writeBigUInt64LE(BigInt(times) * (last.readBigUInt64LE(6) - BigInt(preSkip)) + BigInt(preSkip), 6);
  return [whole.subarray(0, audioAt), ...Array.from({ length: times }, () => middle), last];
}
