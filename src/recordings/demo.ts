import { hash } from 'node:crypto';
import type { Direction, NewRecording } from './recording.ts';

/** Generated calls with audio that plays: the same call always sounds the same. */

const DAY = 86_400_000;
/** The demonstration's calls lie in this many days: well within the retention that is set by default. */
export const DEMO_DAYS = 80;

const RATE = 8000;
/** Samples in a note, a quarter of a second. */
const NOTE = RATE / 4;
const HEADER = 44;

/** A scale that sounds well in any order (A minor pentatonic, two octaves), in hertz. */
const PITCHES = [220, 261.63, 293.66, 329.63, 392, 440, 523.25, 587.33, 659.26, 783.99];

/** A note that swells and fades, so that nothing clicks where two meet: 8-bit samples around 128. */
function playNote(pitch: number): Buffer {
  const note = Buffer.alloc(NOTE);
  for (let at = 0; at < NOTE; at += 1) {
    const volume = Math.sin((Math.PI * at) / NOTE);
    note[at] = 128 + Math.round(90 * volume * Math.sin((2 * Math.PI * pitch * at) / RATE));
  }
  return note;
}

const NOTES = PITCHES.map(playNote);

/** Repeatable choices for one call: question 0 to 15, an answer from 0 up to `of`. */
function chooser(call: number): (question: number, of: number) => number {
  const digest = hash('sha256', `rollcall demo call ${call}`, 'buffer');
  return (question, of) => digest.readUInt16LE(2 * question) % of;
}

type Choose = ReturnType<typeof chooser>;

/** How long the call's audio is: 1, 2 or 3 whole seconds. */
const secondsOf = (choose: Choose) => 1 + choose(0, 3);

/**
 * The audio of a generated call: a WAV file of 8-bit mono PCM at 8 kHz, a telephone's rate, 8 to 24 KB.
 * https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
 */
export function demoAudio(call: number): Buffer {
  const choose = chooser(call);
  const notes = 4 * secondsOf(choose);
  const size = notes * NOTE;
  const header = Buffer.alloc(HEADER);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(HEADER - 8 + size, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // one channel
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE, 28); // bytes in a second
  header.writeUInt16LE(1, 32); // bytes in a sample of all channels
  header.writeUInt16LE(8, 34); // bits in a sample
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(size, 40);
  const melody = Array.from({ length: notes }, (_, at) => NOTES[choose(4 + at, NOTES.length)]);
  return Buffer.concat([header, ...melody.filter((note) => note !== undefined)]);
}

const DIRECTIONS: readonly Direction[] = ['outbound', 'outbound', 'inbound', 'internal'];

/** Starts of calls spread evenly over the days before `now`, the oldest first; whole seconds, as on the wires. */
export function demoStarts(calls: number, now: number): number[] {
  const gap = (DEMO_DAYS * DAY) / (calls + 1);
  return Array.from({ length: calls }, (_, at) => {
    const age = Math.max((calls - at) * gap, 60_000);
    return Math.floor((now - age) / 1000) * 1000;
  });
}

/** What is said of a generated call, by one of these users with one of these many leads. */
export function demoCall(
  call: number,
  facts: { readonly startedAt: number; readonly userNumbers: readonly number[]; readonly leads: number },
): NewRecording {
  const { startedAt, userNumbers, leads } = facts;
  const choose = chooser(call);
  const userNumber = userNumbers[choose(1, userNumbers.length)];
  if (userNumber === undefined) throw new Error('calls are made by users, and there are none');
  const seconds = secondsOf(choose);
  const direction = DIRECTIONS[choose(2, DIRECTIONS.length)] ?? 'outbound';
  const lead = choose(3, leads);
  return {
    userNumber,
    leadId: direction === 'internal' ? null : 4001 + lead,
    callId: `demo-${call}`,
    direction,
    remoteNumber: direction === 'internal' ? null : `+1555${1_000_000 + lead}`,
    startedAt,
    endedAt: startedAt + seconds * 1000,
    seconds,
    keepUntil: null,
    legalHold: false,
  };
}
