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
const SCALE = 1e4;
const DECIMALS = 4;
const BILLION = 1e9;
const BILLION_DIGITS = 9;
const BOUNDS = Int32Array.from({ length: BILLION_DIGITS + 1 }, (_, i) => 10 ** i);
const WHOLE = 1e15; // below it every decimal of that many digits is the shortest of its number
const [ZERO, MINUS, POINT, COMMA, CLOSE] = [48, 45, 46, 44, 93];

export function rollUpWriter(): RollUpWriter {
  const keys = new Map<readonly Channel[], readonly Uint8Array[]>();
  let into = Buffer.alloc(8_192);
  let n = 0;

  const text = (bytes: Uint8Array) => {
    for (let i = 0; i < bytes.length; i++) into[n++] = bytes[i];
  };
  /** @param least digits, with zeros in front */
  const digits = (value: number, least: number): void => {
    if (value >= BILLION) {
      digits(Math.floor(value / BILLION), 1);
      digits(value % BILLION, BILLION_DIGITS);
      return;
    }
    let left = value | 0; // below 2³¹: divided without going through a double
    let end = n + least;
    for (let more = BOUNDS[least]; more <= left && end < n + BILLION_DIGITS; more = BOUNDS[end - n]) end++;
    for (let at = end - 1; at >= n; at--) {
      const rest = (left / 10) | 0;
      into[at] = ZERO + (left - rest * 10);
      left = rest;
    }
    n = end;
  };
  const number = (value: number) => {
    const size = Math.abs(value);
    const whole = Math.floor(size);
    const part = whole === size ? 0 : Math.round(size * SCALE) - whole * SCALE;
    const isPlain = whole === size ? size < WHOLE : size * SCALE < WHOLE && (whole * SCALE + part) / SCALE === size;
    if (!isPlain) {
      n += into.write(JSON.stringify(value), n, 'latin1');
      return;
    }
    if (value < 0) into[n++] = MINUS;
    digits(whole, 1);
    if (part === 0) return;
    into[n++] = POINT;
    digits(part, DECIMALS);
    while (into[n - 1] === ZERO) n--;
  };

  return {
    write(at, channels, { spanMs, values, offset }) {
      const names = keys.get(channels) ?? channels.map(({ name }) => Buffer.from(`${JSON.stringify(name)}:[`));
      keys.set(channels, names);
      const most = 100 + channels.length * 4 * NUMBER_BYTES + names.reduce((sum, { length }) => sum + length, 0);
      if (into.length < most) into = Buffer.alloc(2 * most);
      n = into.write('{"at":', 0, 'latin1');
      number(at);
      n += into.write(',"every":', n, 'latin1');
      number(spanMs);
      n += into.write(',"channels":{', n, 'latin1');
      let isFirst = true;
      for (let c = 0; c < names.length; c++) {
        const from = offset + 4 * c;
        if (!(values[from + 3] > 0)) continue;
        if (!isFirst) into[n++] = COMMA;
        isFirst = false;
        text(names[c]);
        number(Math.round(values[from] * SCALE) / SCALE);
        for (let k = 1; k < 4; k++) {
          into[n++] = COMMA;
          number(values[from + k]);
        }
        into[n++] = CLOSE;
      }
      n += into.write('}}', n, 'latin1');
      const payload = Buffer.allocUnsafe(n);
      into.copy(payload, 0, 0, n);
      return payload;
    },
  };
}
