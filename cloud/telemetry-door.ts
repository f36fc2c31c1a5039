/**
 * The door for the fleet's own telemetry: what passes is what the schemas in `ingest/messages` pass, and what a farm sends hundreds of
 * times a second passes without them.
 *
 * A roll-up as the fleet writes it is read from its bytes in one go; a verdict is parsed and looked at by hand. Whatever looks
 * different (spaces, another order, more keys, numbers with an exponent) goes the long way: through JSON and the schema, which alone
 * say what is refused and why.
 */
import type { VerdictReport } from '../actors/contracts/telemetry.ts';
import type { Millis } from '../actors/contracts/units.ts';
import { TelemetryMessage, VerdictMessage } from './ingest/messages.ts';

/** What the cloud keeps of a roll-up. */
export interface Means {
  readonly at: Millis;
  /** Mean of each channel. */
  readonly means: Readonly<Record<string, number>>;
}

/** @throws ZodError or SyntaxError for what is no roll-up. */
export type ReadMeans = (payload: Uint8Array) => Means;

const BEFORE_EVERY = Buffer.from(',"every":');
const BEFORE_CHANNELS = Buffer.from(',"channels":{');
const BEFORE_AT = Buffer.from('{"at":');
const [QUOTE, COMMA, COLON, OPEN, SHUT, END, MINUS, POINT, ZERO, NINE] = [0x22, 0x2c, 0x3a, 0x5b, 0x5d, 0x7d, 0x2d, 0x2e, 0x30, 0x39];
const NAME_MAX = 64;
const DIGITS_MAX = 15; // so many are exact in a double, and so is their quotient by a power of ten below 10²²
const POWERS = Float64Array.from({ length: DIGITS_MAX + 1 }, (_, i) => 10 ** i);

/** A reader of roll-ups: it remembers the names of channels that it has met. */
export function meansReader(): ReadMeans {
  const quick = quickReader();
  return (payload) => quick(payload) ?? slowly(payload);
}

function slowly(payload: Uint8Array): Means {
  const { at, channels } = TelemetryMessage.parse(parse(payload));
  return { at, means: Object.fromEntries(Object.entries(channels).map(([name, [mean]]) => [name, mean])) };
}

/** @returns null for whatever is not exactly as the fleet writes it. */
export function quickReader(): (payload: Uint8Array) => Means | null {
  const keys: Key[] = []; // as in the last message
  let alike: Means['means'] | null = null; // means under these very keys: to copy them is cheaper than to build their like
  const values: number[] = [];
  const number: ReadNumber = { value: Number.NaN };
  return (text) => {
    let i = readNumber(text, after(text, 0, BEFORE_AT), number);
    const at = number.value;
    i = readNumber(text, after(text, i, BEFORE_EVERY), number);
    if (i < 0 || !(at >= 0) || !(number.value > 0)) return null;
    i = after(text, i, BEFORE_CHANNELS);
    if (i < 0) return null;
    let count = 0;
    for (; text[i] !== END; count++) {
      if (count > 0 && text[i++] !== COMMA) return null;
      let from = count < keys.length ? after(text, i, keys[count].bytes) : NOWHERE;
      if (from < 0) {
        const met = keyAt(text, i);
        if (!met) return null;
        keys[count] = met;
        alike = null;
        from = i + met.bytes.length;
      }
      i = readNumber(text, from, number);
      if (i < 0) return null;
      values[count] = number.value;
      for (let k = 1; k < 4; k++) {
        if (text[i] !== COMMA) return null;
        i = endOfNumber(text, i + 1); // of a number that is not kept
        if (i < 0) return null;
      }
      if (text[i++] !== SHUT) return null;
    }
    if (text[i + 1] !== END || i + 2 !== text.length) return null;
    if (count < keys.length) {
      keys.length = count;
      alike = null;
    }
    const means: Record<string, number> = { ...alike };
    for (let c = 0; c < count; c++) means[keys[c].name] = values[c];
    alike = means;
    return { at, means };
  };
}

/** A channel's name with what is around it: `"rps":[`. */
interface Key {
  readonly bytes: Uint8Array;
  readonly name: string;
}

const NOWHERE = -1;

/** Where what follows `wanted` begins; nowhere when something else is there. */
function after(text: Uint8Array, from: number, wanted: Uint8Array): number {
  if (from < 0) return NOWHERE;
  for (let k = 0; k < wanted.length; k++) if (text[from + k] !== wanted[k]) return NOWHERE;
  return from + wanted.length;
}

/** The end of the plain number that begins here: no exponent, no more digits than a double has. */
function endOfNumber(text: Uint8Array, begin: number): number {
  if (begin < 0) return NOWHERE;
  const from = text[begin] === MINUS ? begin + 1 : begin;
  let i = from;
  let digit = text[i];
  while (digit >= ZERO && digit <= NINE) digit = text[++i];
  const whole = i - from;
  if (whole === 0 || (whole > 1 && text[from] === ZERO)) return NOWHERE;
  if (digit !== POINT) return whole <= DIGITS_MAX ? i : NOWHERE;
  digit = text[++i];
  while (digit >= ZERO && digit <= NINE) digit = text[++i];
  const decimals = i - from - whole - 1;
  return decimals > 0 && whole + decimals <= DIGITS_MAX ? i : NOWHERE;
}

interface ReadNumber {
  value: number;
}

/** As `endOfNumber`, with what the number is: in one go, since most of a roll-up are digits. */
function readNumber(text: Uint8Array, begin: number, into: ReadNumber): number {
  if (begin < 0) return NOWHERE;
  const isNegative = text[begin] === MINUS;
  const from = isNegative ? begin + 1 : begin;
  let i = from;
  let value = 0;
  let digit = text[i];
  for (; digit >= ZERO && digit <= NINE; digit = text[++i]) value = value * 10 + (digit - ZERO);
  const whole = i - from;
  if (whole === 0 || (whole > 1 && text[from] === ZERO)) return NOWHERE;
  let decimals = 0;
  if (digit === POINT) {
    digit = text[++i];
    for (; digit >= ZERO && digit <= NINE; digit = text[++i]) value = value * 10 + (digit - ZERO);
    decimals = i - from - whole - 1;
    if (decimals === 0) return NOWHERE;
  }
  if (whole + decimals > DIGITS_MAX) return NOWHERE;
  if (decimals > 0) value /= POWERS[decimals];
  into.value = isNegative ? -value : value;
  return i;
}

/** Null for one that needs a closer look. */
function keyAt(text: Uint8Array, from: number): Key | null {
  if (text[from] !== QUOTE) return null;
  let i = from + 1;
  while (i < text.length && text[i] !== QUOTE) {
    const letter = text[i++];
    const isPlain = (letter >= 0x41 && letter <= 0x5a) || (letter >= 0x61 && letter <= 0x7a) || letter === 0x5f;
    if (!isPlain && !(letter >= ZERO && letter <= NINE)) return null;
  }
  const name = Buffer.from(text.subarray(from + 1, i)).toString('latin1');
  if (name.length > NAME_MAX || name.startsWith('_')) return null;
  if (text[i + 1] !== COLON || text[i + 2] !== OPEN) return null;
  return { bytes: Uint8Array.from(text.subarray(from, i + 3)), name };
}

const VERDICT_KEYS = 7; // and one that may be absent

/** @throws ZodError or SyntaxError for what is no verdict. */
export const readVerdict = (payload: Uint8Array): VerdictReport => parseVerdict(parse(payload));

/** @throws ZodError for what is no verdict. */
export const parseVerdict = (body: unknown): VerdictReport => (isVerdict(body) ? body : VerdictMessage.parse(body));

/** Whether a body is a verdict as the schema has it, with nothing besides; false does not mean that it is none. */
export function isVerdict(body: unknown): body is VerdictReport {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const { at, model, anomalous, score, worst, scores, announced, tookMs } = body as Record<string, unknown>;
  return (
    isNumber(at) &&
    at >= 0 &&
    typeof model === 'string' &&
    model.length <= 128 &&
    typeof anomalous === 'boolean' &&
    isNumber(score) &&
    typeof worst === 'string' &&
    worst.length <= NAME_MAX &&
    typeof announced === 'boolean' &&
    isScores(scores) &&
    (tookMs === undefined || (isNumber(tookMs) && tookMs >= 0)) &&
    Object.keys(body).length === VERDICT_KEYS + (tookMs === undefined ? 0 : 1)
  );
}

function isScores(scores: unknown): boolean {
  if (typeof scores !== 'object' || scores === null || Array.isArray(scores) || Object.hasOwn(scores, '__proto__')) return false;
  for (const name in scores) if (name.length > NAME_MAX || !isNumber((scores as Record<string, unknown>)[name])) return false;
  return true;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const parse = (payload: Uint8Array): unknown =>
  JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
