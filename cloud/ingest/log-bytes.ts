/**
 * Log messages as the original's application and the fleet print them, read from their bytes: no text is made that nobody needs.
 *
 *   {"logs": [{"ts": "2021-04-12T12:36:01.123+00:00", "data": ["1200", "", "2.19", …]}, …]}
 *
 * Whatever looks different, down to the order of the keys, is left to JSON's parser and the schema, which say what is wrong with it.
 */
import { POWERS_OF_TEN } from './decimal.ts';

/** A class, so that nothing that came as JSON can pass for one. */
export class LogBytes {
  readonly records: readonly LogBytesRecord[];
  /** [records × values of a record]; NaN: the sensor said nothing. */
  readonly values: Float64Array;

  constructor(records: readonly LogBytesRecord[], values: Float64Array) {
    this.records = records;
    this.values = values;
  }
}

export interface LogBytesRecord {
  readonly ts: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The first value as it was printed. */
  readonly first: string;
}

const [QUOTE, COMMA, COLON, DOT, MINUS, PLUS, ZERO, BLANK] = Buffer.from('",:.-+0 ');
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = Buffer.from('{}[]');
const [LOGS, TS, DATA] = ['"logs"', '"ts"', '"data"'].map((key) => Buffer.from(key));
const DIGITS_MAX = 15; // exact as a double, and so is the power of ten that divides them
const ABSENT = -1;

/** @param width values of a record. Null for whatever is not exactly of this form */
export function readLogBytes(payload: Uint8Array, width: number, recordsMax: number): LogBytes | null {
  return new LogReader(payload, width, recordsMax).message();
}

class LogReader {
  private readonly bytes: Buffer;
  private readonly width: number;
  private readonly recordsMax: number;
  private at = 0;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array, width: number, recordsMax: number) {
    this.bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.width = width;
    this.recordsMax = recordsMax;
  }

  message(): LogBytes | null {
    if (!this.is(OPEN) || !this.key(LOGS) || !this.is(OPEN_LIST)) return null;
    const records: LogBytesRecord[] = [];
    let values = new Float64Array(16 * this.width);
    do {
      if (records.length === this.recordsMax) return null;
      if ((records.length + 1) * this.width > values.length) {
        const wider = new Float64Array(2 * values.length);
        wider.set(values);
        values = wider;
      }
      const record = this.record(values, records.length * this.width);
      if (record === null) return null;
      records.push(record);
    } while (this.is(COMMA));
    if (!this.is(CLOSE_LIST) || !this.is(CLOSE)) return null;
    this.skip();
    return this.at === this.bytes.length ? new LogBytes(records, values) : null;
  }

  private record(values: Float64Array, offset: number): LogBytesRecord | null {
    if (!this.is(OPEN) || !this.key(TS) || !this.is(QUOTE)) return null;
    const from = this.at;
    const at = this.time();
    if (Number.isNaN(at)) return null;
    const ts = this.bytes.toString('latin1', from, this.at - 1);
    if (!this.is(COMMA) || !this.key(DATA) || !this.is(OPEN_LIST)) return null;
    let first = '';
    for (let i = 0; i < this.width; i++) {
      if ((i > 0 && !this.is(COMMA)) || !this.is(QUOTE)) return null;
      const start = this.at;
      if (!this.decimal(values, offset + i)) return null;
      if (i === 0) first = this.bytes.toString('latin1', start, this.at - 1);
    }
    return this.is(CLOSE_LIST) && this.is(CLOSE) ? { ts, at, first } : null;
  }

  /** To behind the closing quote. */
  private decimal(values: Float64Array, place: number): boolean {
    const { bytes } = this;
    let at = this.at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    const start = at;
    let point = ABSENT;
    let mantissa = 0;
    for (; ; at++) {
      const digit = bytes[at] - ZERO;
      if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
      else if (bytes[at] === DOT && point === ABSENT && at > start) point = at;
      else break;
    }
    if (bytes[at] !== QUOTE) return false;
    const decimals = point === ABSENT ? 0 : at - point - 1;
    const digits = at - start - (point === ABSENT ? 0 : 1);
    if (digits > DIGITS_MAX || (point !== ABSENT && decimals === 0)) return false;
    if (digits === 0) {
      if (isNegative) return false;
      values[place] = Number.NaN;
    } else {
      const value = decimals === 0 ? mantissa : mantissa / POWERS_OF_TEN[decimals];
      values[place] = isNegative ? -value : value;
    }
    this.at = at + 1;
    return true;
  }

  /** To behind the closing quote. NaN for what is no time. */
  private time(): number {
    const year = this.digits(4);
    const month = this.after(MINUS, 2);
    const day = this.after(MINUS, 2);
    const hour = this.after(0x54, 2); // T
    const minute = this.after(COLON, 2);
    const second = this.after(COLON, 2);
    if (!(year >= 1_000 && month >= 1 && month <= 12 && day >= 1 && (day <= 28 || day <= daysOf(year, month)))) return Number.NaN;
    if (!(hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59)) return Number.NaN;
    let ms = 0;
    if (this.bytes[this.at] === DOT) {
      const start = ++this.at;
      for (let digit = this.digits(1); digit >= 0; digit = this.digits(1)) if (this.at - start <= 3) ms = ms * 10 + digit;
      const length = this.at - start;
      if (length === 0 || length > 9) return Number.NaN;
      for (let i = length; i < 3; i++) ms *= 10;
    }
    const sign = this.bytes[this.at++];
    let zone = 0; // minutes
    if (sign === PLUS || sign === MINUS) {
      const hours = this.digits(2);
      const minutes = this.after(COLON, 2);
      if (!(hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59)) return Number.NaN;
      zone = (sign === PLUS ? 1 : -1) * (hours * 60 + minutes);
    } else if (sign !== 0x5a) return Number.NaN; // Z
    if (this.bytes[this.at++] !== QUOTE) return Number.NaN;
    return ((daysFrom1970(year, month, day) * 24 + hour) * 60 + minute - zone) * 60_000 + second * 1_000 + ms;
  }

  private after(sign: number, count: number): number {
    return this.bytes[this.at++] === sign ? this.digits(count) : ABSENT;
  }

  /** A number of so many digits; −1 when they are not there, and then nothing is taken. */
  private digits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const digit = this.bytes[this.at + i] - ZERO;
      if (!(digit >= 0 && digit <= 9)) return ABSENT;
      value = value * 10 + digit;
    }
    this.at += count;
    return value;
  }

  private key(key: Buffer): boolean {
    this.skip();
    for (let i = 0; i < key.length; i++) if (this.bytes[this.at + i] !== key[i]) return false;
    this.at += key.length;
    return this.is(COLON);
  }

  private is(sign: number): boolean {
    this.skip();
    if (this.bytes[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private skip(): void {
    while (this.bytes[this.at] === BLANK) this.at++;
  }
}

const daysOf = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** Of the Gregorian calendar, whose years are made to begin in March: the leap day is their last. */
function daysFrom1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}
