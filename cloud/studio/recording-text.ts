/**
 * Samples → lines of a recording, byte for byte as `printRecordedSample` defines them, some times as fast: a number that lies on its
 * channel's grid goes out digit by digit, the time of a tick is printed once, and no text is made.
 */
import { type Channel, column, printReading } from '../../actors/contracts/channels.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { printTime, recordingColumns } from '../../actors/contracts/recording.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface RecordingPrinter {
  /** Adds a line for each thing. @param at epoch milliseconds @param values [things × channels] */
  print(at: Millis, values: Float64Array): void;
  /** Bytes that wait to be taken. */
  readonly waiting: number;
  /** All that waits; it holds until the next `print`. */
  take(): Uint8Array;
}

/** What stands in a column: the name of the turbine, the time, or the channel of that index. */
const THING = -1;
const TIME = -2;

const COMMA = 0x2c;
const NEWLINE = 0x0a;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

const LONGEST_CELL = 128; // a name; numbers and times are shorter
const LARGEST = 1e9; // scaled: beyond it whole numbers might not print exactly

export function recordingPrinter(things: readonly ThingName[], channels: readonly Channel[]): RecordingPrinter {
  const width = channels.length;
  const cells = recordingColumns(channels).map((name) =>
    name === 'nanoId' || name === 'turbineId' ? THING : name === 'eventTime' ? TIME : column(channels, name),
  );
  const names = things.map((thing) => Buffer.from(thing, 'latin1'));
  const decimals = channels.map((channel) => channel.decimals ?? -1);
  const scales = decimals.map((digits) => 10 ** Math.max(0, digits));
  const roomForRow = cells.length * (LONGEST_CELL + 1);
  let out = Buffer.alloc(1 << 16);
  let end = 0;

  return {
    get waiting() {
      return end;
    },
    take() {
      const taken = out.subarray(0, end);
      end = 0;
      return taken;
    },
    print(at, values) {
      const time = Buffer.from(printTime(at), 'latin1');
      for (let row = 0; row < things.length; row++) {
        if (end + roomForRow > out.length) {
          const larger = Buffer.alloc(2 * out.length + roomForRow);
          larger.set(out.subarray(0, end));
          out = larger;
        }
        const bytes = out;
        let to = end;
        for (let i = 0; i < cells.length; i++) {
          const cell = cells[i];
          if (i > 0) bytes[to++] = COMMA;
          if (cell < 0) {
            const text = cell === THING ? names[row] : time;
            for (let k = 0; k < text.length; k++) bytes[to++] = text[k];
            continue;
          }
          const value = values[row * width + cell];
          const scaled = value * scales[cell];
          const whole = Math.round(scaled);
          const isOnGrid = decimals[cell] >= 0 && Math.abs(scaled - whole) < 1e-5 && Math.abs(whole) < LARGEST;
          if (isOnGrid && (whole !== 0 || value === 0)) to = writeFixed(bytes, to, whole, decimals[cell]);
          else to += bytes.write(printReading(channels[cell], value), to, 'latin1');
        }
        bytes[to++] = NEWLINE;
        end = to;
      }
    },
  };
}

/** Writes whole / 10^decimals with that many decimals. @param whole below 2³¹. @returns where it ends */
function writeFixed(bytes: Uint8Array, from: number, whole: number, decimals: number): number {
  let to = from;
  let left = whole;
  if (whole < 0) {
    bytes[to++] = MINUS;
    left = -whole;
  }
  let length = 1;
  for (let rest = left; rest >= 10; rest = (rest / 10) | 0) length++;
  length = Math.max(length, decimals + 1);
  to += decimals > 0 ? length + 1 : length;
  let at = to;
  for (let i = 0; i < length; i++) {
    if (i === decimals && decimals > 0) bytes[--at] = POINT;
    const rest = (left / 10) | 0;
    bytes[--at] = ZERO + left - 10 * rest;
    left = rest;
  }
  return to;
}
