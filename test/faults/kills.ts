import { randomInt } from 'node:crypto';

/** How often a test kills, and what it draws its moments from. */
export interface Kills {
  readonly count: number;
  readonly seed: number;
  /** The next number from 0 on and below 1. */
  readonly random: () => number;
}

/**
 * What a test of kills is to do: `usual` kills, or as many as ROLLCALL_RECORDING_KILLS says. ROLLCALL_SEED draws the
 * same moments again; what the killed process had come to by then is the machine's.
 */
export function planKills(usual: number): Kills {
  const seed = Number(process.env.ROLLCALL_SEED ?? randomInt(2 ** 32));
  return { count: Number(process.env.ROLLCALL_RECORDING_KILLS ?? usual), seed, random: drawFrom(seed) };
}

/** Numbers that a seed makes again: mulberry32 (Tommy Ettinger, public domain). */
function drawFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let drawn = Math.imul(state ^ (state >>> 15), state | 1);
    drawn = (drawn + Math.imul(drawn ^ (drawn >>> 7), drawn | 61)) ^ drawn;
    return ((drawn ^ (drawn >>> 14)) >>> 0) / 2 ** 32;
  };
}
