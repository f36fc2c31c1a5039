/**
 * A CSV of any size → samples: bytes are read as numbers where they stand; a row with anything unusual in it goes to `parseRow`, which
 * reads it too or says what is wrong.
 */
import type { Machine } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { createFileFaults } from '../../actors/contracts/file-faults.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import { parseHeader, parseRow, type RecordingShape, ROW_HINT, thingNameOf } from '../../actors/contracts/recording.ts';
import { readLines } from './read-lines.ts';
import { createRows, type SampleSource } from './samples.ts';

const LONGEST_ROW = 16_384; // bytes
const MOST_FAULTS = 100_000; // then it is not worth going on

/** @param chunks reads the file from its start */
export function csvSource(file: string, chunks: () => AsyncIterable<Uint8Array>, { name, channels }: Machine): SampleSource {
  const rows = createRows();
  return {
    machine: name,
    channels,
    things: rows.things,
    notes: () => [],
    async read(hear) {
      const faults = createFileFaults();
      const values = new Float64Array(channels.length);
      let shape: RecordingShape | null = null;
      let samples = 0;
      let fast: FastRow | null = null;
      rows.rewind();
      await readLines(chunks(), file, LONGEST_ROW, (bytes, from, to, line) => {
        if (shape === null || fast === null) {
          shape = parseHeader(bytes.toString('utf8', from, to), file, channels);
          fast = fastRow(shape, values);
          return;
        }
        let { thing, at } = fast;
        if (fast.parse(bytes, from, to)) ({ thing, at } = fast);
        else {
          const text = bytes.toString('utf8', from, to);
          if (text.trim() === '') return;
          const row = parseRow(text, shape, values, 0);
          for (const wrong of row.wrong) faults.add(`${file}:${line} ${wrong}`);
          if (faults.count > MOST_FAULTS) faults.refuse(`${ROW_HINT}; it was read no further than line ${line}`);
          if (row.wrong.length > 0) return;
          ({ thing, at } = row);
        }
        const row = rows.of(thing);
        if (row < 0) throw new FileInvalid(`${file}:${line} ${thing} is one turbine too many: a file may hold ${rows.things.length}`);
        if (at < rows.lastAt[row]) faults.add(`${file}:${line} goes back in time for ${thing}`);
        rows.lastAt[row] = at;
        samples++;
        hear(row, at, values, 0);
      });
      if (shape === null) throw new FileInvalid(`${file}:1 is empty`, { hint: 'record one with `windfleet data record`' });
      faults.refuse(ROW_HINT);
      if (samples === 0) throw new FileInvalid(`${file}:2 holds no sample`, { hint: 'record one with `windfleet data record`' });
    },
  };
}

/** Reads plain rows from bytes: whole numbers and decimals, times as the original writes them. */
export interface FastRow {
  /** Of the row read last. */
  readonly thing: string;
  readonly at: number;
  /** @returns false for anything else, and for what is no row at all. The sample's values are written. */
  parse(bytes: Buffer, from: number, to: number): boolean;
}

const COMMA = 0x2c;
const ZERO = 0x30;
const MOST_NAMES = 100_000;
const MOST_DIGITS = 15; // a whole number of so many is exact, and so is its quotient by a power of ten
const TENS = Float64Array.from({ length: MOST_DIGITS + 1 }, (_, i) => 10 ** i);

export function fastRow({ cells }: RecordingShape, values: Float64Array): FastRow {
  const names = new Map<string, string>(); // by the text in the file
  let thing = '';
  let at = 0;
  let dayText = ''; // the date read last, and its midnight
  let dayAt = 0;

  const time = (bytes: Buffer, from: number, to: number): boolean => {
    // 2021-04-12T12:36:01.123456+00:00
    const zoned = to - from === 32 && bytes[from + 26] === 0x2b && bytes[from + 27] === ZERO && bytes[from + 28] === ZERO;
    if (!zoned || bytes[from + 29] !== 0x3a || bytes[from + 30] !== ZERO || bytes[from + 31] !== ZERO) return false;
    if (bytes[from + 10] !== 0x54 || bytes[from + 13] !== 0x3a || bytes[from + 16] !== 0x3a || bytes[from + 19] !== 0x2e) return false;
    const hour = digits(bytes, from + 11, 2);
    const minute = digits(bytes, from + 14, 2);
    const second = digits(bytes, from + 17, 2);
    const milli = digits(bytes, from + 20, 3);
    if (!(hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60 && milli >= 0)) return false;
    if (digits(bytes, from + 23, 3) < 0) return false;
    const day = bytes.toString('latin1', from, from + 10);
    if (day !== dayText) {
      const midnight = Date.parse(`${day}T00:00:00.000Z`);
      if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(midnight)) return false;
      dayText = day;
      dayAt = midnight;
    }
    at = dayAt + ((hour * 60 + minute) * 60 + second) * 1_000 + milli;
    return true;
  };

  return {
    get thing() {
      return thing;
    },
    get at() {
      return at;
    },
    parse(bytes, from, to) {
      let i = from;
      for (let c = 0; c < cells.length; c++) {
        const cell = cells[c];
        if (c > 0 && (i >= to || bytes[i++] !== COMMA)) return false;
        if (typeof cell === 'number') {
          let negative = false;
          if (bytes[i] === 0x2d && i < to) {
            negative = true;
            i++;
          }
          let whole = 0;
          let count = 0;
          let point = -1;
          for (; i < to; i++) {
            const digit = bytes[i] - ZERO;
            if (digit >= 0 && digit <= 9) {
              whole = whole * 10 + digit;
              count++;
            } else if (bytes[i] === 0x2e && point < 0 && count > 0) point = count;
            else break;
          }
          if (i < to && bytes[i] !== COMMA) return false;
          if (count === 0) {
            if (negative) return false;
            values[cell] = Number.NaN;
          } else {
            if (count > MOST_DIGITS) return false;
            const value = point < 0 ? whole : whole / TENS[count - point];
            values[cell] = negative ? -value : value;
          }
          continue;
        }
        const start = i;
        while (i < to && bytes[i] !== COMMA) {
          if (bytes[i] === 0x22) return false; // a quote
          i++;
        }
        if (cell === 'time' && !time(bytes, start, i)) return false;
        if (cell === 'thing') {
          const text = bytes.toString('latin1', start, i);
          let name = names.get(text);
          if (name === undefined) {
            name = thingNameOf(text);
            if (!isThingName(name)) return false;
            if (names.size < MOST_NAMES) names.set(text, name);
          }
          thing = name;
        }
      }
      return i === to;
    },
  };
}

/** −1 when one of them is no digit. */
function digits(bytes: Buffer, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const digit = bytes[i] - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}
