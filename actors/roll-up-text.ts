/**
 * The telemetry message of a roll-up, written as bytes: `{"at":…,"every":…,"channels":{"rps":[mean,min,max,count],…}}`, the very text of
 * JSON. A farm sends a hundred a second of a thousand digits each, and digits cost most of what a message costs.
 *
 * A number of at most four decimals and fifteen digits is its own shortest text, so it is written from its digits as a whole number.
 */
import type { Channel } from './contracts/channels.ts';
import type { RollUp } from './contracts/shard.ts';
import type { Millis } from './contracts/units.ts';

export interface RollUpWriter {
  /** Means have four decimals; channels without a reading are left out. @param at epoch milliseconds */
  write(at: Millis, channels: readonly Channel[], rollUp: RollUp): Uint8Array;
}

const NUMBER_BYTES = 32;
const HEAD_BYTES = 100; // and the tail's
const SLAB_BYTES = 1 << 16; // for many messages: one allocation each would cost more than its copy
const SCALE = 1e4;
const DECIMALS = 4;
const BILLION = 1e9;
const BILLION_DIGITS = 9;
const BOUNDS = Int32Array.from({ length: BILLION_DIGITS + 1 }, (_, i) => 10 ** i);
const WHOLE = 1e15; // below it every decimal of that many digits is the shortest of its number
const [ZERO, MINUS, POINT, COMMA, CLOSE] = [48, 45, 46, 44, 93];
const AT = Buffer.from('{"at":');
const EVERY = Buffer.from(',"every":');
const CHANNELS = Buffer.from(',"channels":{');
const END = Buffer.from('}}');

export function rollUpWriter(): RollUpWriter {
  const keys = new Map<readonly Channel[], { readonly names: readonly Uint8Array[]; readonly most: number }>();
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let used = 0;

  return {
    write(at, channels, { spanMs, values, offset }) {
      const known = keys.get(channels) ?? keysOf(channels);
      keys.set(channels, known);
      const { names, most } = known;
      if (slab.length - used < most) {
        slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, most));
        used = 0;
      }
      const into = slab;
      let n = text(into, used, AT);
      n = number(into, n, at);
      n = text(into, n, EVERY);
      n = number(into, n, spanMs);
      n = text(into, n, CHANNELS);
      const first = n;
      for (let c = 0; c < names.length; c++) {
        const from = offset + 4 * c;
        if (!(values[from + 3] > 0)) continue;
        if (n > first) into[n++] = COMMA;
        n = text(into, n, names[c]);
        n = channel(into, n, Math.round(values[from] * SCALE) / SCALE, values[from + 1], values[from + 2], values[from + 3]);
      }
      n = text(into, n, END);
      const payload = slab.subarray(used, n);
      used = n;
      return payload;
    },
  };
}

function keysOf(channels: readonly Channel[]) {
  const names = channels.map(({ name }) => Buffer.from(`${JSON.stringify(name)}:[`));
  return { names, most: HEAD_BYTES + names.reduce((sum, { length }) => sum + length + 4 * NUMBER_BYTES, 0) };
}

// Each of these writes from `n` on and returns where it has ended: a place that several functions share would live in memory.

function channel(into: Buffer, n: number, mean: number, least: number, greatest: number, count: number): number {
  const end = number(into, n, mean);
  let to = end;
  into[to++] = COMMA;
  to = least === mean ? again(into, to, n, end) : number(into, to, least); // most readings are new once a second at most
  into[to++] = COMMA;
  to = greatest === mean ? again(into, to, n, end) : number(into, to, greatest);
  into[to++] = COMMA;
  to = number(into, to, count);
  into[to++] = CLOSE;
  return to;
}

function text(into: Buffer, n: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) into[n + i] = bytes[i];
  return n + bytes.length;
}

/** What lies from `from` to `end`, once more. */
function again(into: Buffer, n: number, from: number, end: number): number {
  for (let i = from; i < end; i++) into[n + i - from] = into[i];
  return n + end - from;
}

function number(into: Buffer, n: number, value: number): number {
  const size = Math.abs(value);
  const whole = Math.floor(size);
  const part = whole === size ? 0 : Math.round(size * SCALE) - whole * SCALE;
  const isPlain = whole === size ? size < WHOLE : size * SCALE < WHOLE && (whole * SCALE + part) / SCALE === size;
  if (!isPlain) return n + into.write(JSON.stringify(value), n, 'latin1');
  let to = n;
  if (value < 0) into[to++] = MINUS;
  to = digits(into, to, whole, 1);
  if (part === 0) return to;
  into[to++] = POINT;
  to = digits(into, to, part, DECIMALS);
  while (into[to - 1] === ZERO) to--;
  return to;
}

/** @param least digits, with zeros in front */
function digits(into: Buffer, n: number, value: number, least: number): number {
  if (value >= BILLION) return digits(into, digits(into, n, Math.floor(value / BILLION), 1), value % BILLION, BILLION_DIGITS);
  let left = value | 0; // below 2³¹: divided without going through a double
  let end = n + least;
  for (let more = BOUNDS[least]; more <= left && end < n + BILLION_DIGITS; more = BOUNDS[end - n]) end++;
  for (let at = end - 1; at >= n; at--) {
    const rest = (left / 10) | 0;
    into[at] = ZERO + (left - rest * 10);
    left = rest;
  }
  return end;
}
