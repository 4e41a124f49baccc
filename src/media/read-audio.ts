import { fileTypeFromTokenizer } from 'file-type';
import { type IAudioMetadata, type IOptions, parseBuffer, parseFromTokenizer } from 'music-metadata';
import type { AudioFacts } from '../recordings/media.ts';
import type { MediaType } from '../recordings/recording.ts';
import { shortenOgg } from './ogg.ts';
import { type RangedFile, RangeTokenizer } from './ranges.ts';

/** What file-type calls the kinds that are taken in. Films have the same containers: their tracks tell. */
const TYPES: Readonly<Record<string, MediaType>> = {
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  spx: 'audio/ogg',
  m4a: 'audio/mp4',
  m4b: 'audio/mp4',
  mp4: 'audio/mp4',
  flac: 'audio/flac',
};

/** Longer than this, in seconds, is no call: the file says something untrue of itself. */
const LONGEST = 31 * 86_400;

/** Frames are counted in MP3 files up to this, in bytes: an hour at 32 kbit/s; longer ones are estimated. */
const LONGEST_COUNTED = 16 * 1024 * 1024;

/** No WAV file has less before its samples, in bytes. */
const WAV_HEADER = 44;

/** Tags are not wanted, and what stands behind the audio is a tag. */
const OPTIONS: IOptions = { skipCovers: true, skipPostHeaders: true };

/**
 * What a file says of itself; null where it is no audio that is taken in, or none that can be read.
 * Files are hostile: whoever calls this bounds its time and memory.
 */
export async function readAudio(file: RangedFile): Promise<AudioFacts | null> {
  try {
    const found = await fileTypeFromTokenizer(new RangeTokenizer(file, { size: file.size }));
    const mediaType = found === undefined ? undefined : TYPES[found.ext];
    if (mediaType === undefined) return null;
    const { format } = await parse(file, mediaType);
    // The kind is told by a few bytes at the beginning; what is played has a rate of samples.
    if (format.hasAudio !== true || format.hasVideo === true || !(Number(format.sampleRate) > 0)) return null;
    // Any bytes may look like a frame of an MP3, but no four in a row.
    if (mediaType === 'audio/mpeg' && format.duration === undefined && file.size <= LONGEST_COUNTED)
      return null;
    const seconds = lengthOf(format, file.size);
    // A header may stand alone: what was to come never did.
    if (mediaType === 'audio/wav' && !(Number(seconds) > 0)) return null;
    return { mediaType, seconds };
  } catch {
    // Parsers raise all kinds of errors, and what is broken cannot be played.
    return null;
  }
}

async function parse(file: RangedFile, mediaType: MediaType): Promise<IAudioMetadata> {
  if (mediaType === 'audio/ogg') {
    const short = await shortenOgg(file);
    // Only in full does it read the last page.
    if (short !== null) return parseBuffer(short, mediaType, { ...OPTIONS, duration: true });
  }
  const whole = await parseFromTokenizer(
    new RangeTokenizer(file, { size: file.size, mimeType: mediaType }),
    OPTIONS,
  );
  if (mediaType !== 'audio/mpeg' || !isEstimated(whole.format) || file.size > LONGEST_COUNTED) return whole;
  return parseFromTokenizer(new RangeTokenizer(file, { mimeType: mediaType }), {
    ...OPTIONS,
    duration: true,
  });
}

/** Whether an MP3's length was worked out from its size and first frames, for lack of a header that counts them. */
function isEstimated({ duration, numberOfSamples, sampleRate }: IAudioMetadata['format']): boolean {
  return duration === undefined || duration === Number(numberOfSamples) / Number(sampleRate);
}

function lengthOf({ duration, container, bitrate }: IAudioMetadata['format'], size: number): number | null {
  if (duration === undefined || !(duration >= 0 && duration <= LONGEST)) return null;
  // Some WAV files say how long they were meant to be, even where they were cut off.
  if (container !== 'WAVE' || bitrate === undefined || !(bitrate > 0)) return duration;
  return Math.min(duration, (Math.max(size - WAV_HEADER, 0) * 8) / bitrate);
}
