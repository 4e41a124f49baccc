import type { AudioFacts } from '../recordings/media.ts';
import { RangedFile } from './ranges.ts';
import { readAudio } from './read-audio.ts';

/** What the process is given: a file to read, by its beginning, and bytes of it that it wanted. */
export type Given =
  | { readonly kind: 'file'; readonly size: number; readonly bytes: Uint8Array }
  | { readonly kind: 'range'; readonly bytes: Uint8Array };

/** What it says: that it is there, which bytes it wants, and what it found. */
export type Said =
  | { readonly kind: 'ready' }
  | { readonly kind: 'want'; readonly first: number; readonly last: number }
  | { readonly kind: 'found'; readonly facts: AudioFacts | null };

let receive: (bytes: Uint8Array) => void = () => {};

function say(said: Said): void {
  process.send?.(said);
}

function fetch(first: number, last: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    receive = resolve;
    say({ kind: 'want', first, last });
  });
}

process.on('message', (given: Given) => {
  if (given.kind === 'range') receive(given.bytes);
  else
    readAudio(new RangedFile(given.size, given.bytes, fetch)).then((facts) => say({ kind: 'found', facts }));
});
// Whoever stops a whole group of processes lets the first of them finish what is under way.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// It ends with the channel to whoever started it: nothing else keeps it.
say({ kind: 'ready' });
