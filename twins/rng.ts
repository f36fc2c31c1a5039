/**
 * Random numbers as a pure function of (seed, label of the stream, step).
 *
 * No state is drawn down: `rng.fork(thing).fork('wind').normal(step)` is the same number on any worker, in any order, so one more
 * turbine, fault or worker shifts nobody else's. Mixing: murmur3's 32-bit finaliser (Appleby); keys: FNV-1a with SplitMix64's finaliser.
 */
import type { Rng } from '../actors/contracts/rng.ts';
import { cosineOfTurn, minusLogOfRest } from './elementary.ts';

export function createRng(seed: number): Rng {
  return stream(BigInt.asUintN(64, BigInt(seed)));
}

/** The stream of a key, on the other side of a thread. */
export const rngOfKey = ([low, high]: Rng['key']): Rng => stream((BigInt(high) << 32n) | BigInt(low));

function stream(key: bigint): Rng {
  const lo = Number(key & 0xffffffffn) >>> 0;
  const hi = Number(key >> 32n) >>> 0;
  return {
    uniform: (step) => uniformAt(lo, hi, step),
    normal: (step) => normalAt(lo, hi, step),
    fork: (label) => stream(hash64(label, key)),
    key: [lo, hi],
  };
}

/**
 * `normal(step)` of each stream, in a column: a number that is returned would be one on the heap. First all the words, then all the numbers:
 * neither waits for the other then.
 */
export function fillNormals(into: Float64Array, { low, high, ones, twos }: KeyColumns, step: number): void {
  const above = aboveWord(step);
  for (let i = 0; i < low.length; i++) {
    const place = mix(low[i] ^ step, high[i]);
    ones[i] = mix(place ^ 1, above ^ high[i]);
    twos[i] = mix(place ^ 2, above ^ high[i]);
  }
  for (let i = 0; i < low.length; i++) into[i] = normalOf(ones[i], twos[i]);
}

function normalAt(low: number, high: number, step: number): number {
  const place = mix(low ^ step, high);
  const above = aboveWord(step) ^ high;
  return normalOf(mix(place ^ 1, above), mix(place ^ 2, above));
}

/** A normal draw of two words (Box and Muller): √(−2 ln(1 − u)) cos(2π v). */
const normalOf = (u: number, v: number): number => Math.sqrt(2 * minusLogOfRest(u)) * cosineOfTurn(v);

const uniformAt = (low: number, high: number, step: number): number => (mix(mix(low ^ step, high), aboveWord(step) ^ high) >>> 0) / WORD;

const WORD = 0x1_0000_0000;
/** What of a step does not fit in 32 bits. */
const aboveWord = (step: number): number => (step >>> 0 === step ? 0 : Math.floor(step / WORD));

/** The keys of streams in two columns, and room for two words of each: for `fillNormals`. */
export interface KeyColumns {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly ones: Int32Array;
  readonly twos: Int32Array;
}

export const keyColumns = (streams: readonly Rng[]): KeyColumns => ({
  low: Uint32Array.from(streams, ({ key }) => key[0]),
  high: Uint32Array.from(streams, ({ key }) => key[1]),
  ones: new Int32Array(streams.length),
  twos: new Int32Array(streams.length),
});

/** 32 random bits of a stream for kernels, signed: a function of its key, of a step below 2³² and of which word of the step is wanted. */
export const mixWords = (low: number, high: number, step: number, word: number): number =>
  mix(mix(low ^ step, high) ^ Math.imul(word, 0x9e3779b9), high);

/** A 32-bit avalanche of two words (murmur3's finaliser, twice); signed, since an unsigned one would be a number on the heap. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ b;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a in 64 bits over the label, started from the parent's key: a million streams without a collision to be feared. */
function hash64(label: string, key: bigint): bigint {
  let h = 0xcbf29ce484222325n ^ key;
  for (let i = 0; i < label.length; i++) h = BigInt.asUintN(64, (h ^ BigInt(label.charCodeAt(i))) * 0x100000001b3n);
  h = BigInt.asUintN(64, (h ^ (h >> 30n)) * 0xbf58476d1ce4e5b9n);
  return BigInt.asUintN(64, (h ^ (h >> 27n)) * 0x94d049bb133111ebn);
}
