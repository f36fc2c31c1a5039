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
  const names: { readonly bytes: Uint8Array; readonly text: string }[] = []; // as in the last message
  let text: Uint8Array = new Uint8Array();
  let i = 0;

  const skip = (wanted: Uint8Array): boolean => {
    for (let k = 0; k < wanted.length; k++) if (text[i + k] !== wanted[k]) return false;
    i += wanted.length;
    return true;
  };
  /** NaN for what is no plain number. */
  const number = (): number => {
    const isNegative = text[i] === MINUS;
    if (isNegative) i++;
    const from = i;
    let value = 0;
    let digit = text[i];
    for (; digit >= ZERO && digit <= NINE; digit = text[++i]) value = value * 10 + (digit - ZERO);
    let digits = i - from;
    if (digits === 0 || (digits > 1 && text[from] === ZERO)) return Number.NaN;
    if (digit === POINT) {
      const point = ++i;
      for (digit = text[i]; digit >= ZERO && digit <= NINE; digit = text[++i]) value = value * 10 + (digit - ZERO);
      const decimals = i - point;
      digits += decimals;
      if (decimals === 0 || digits > DIGITS_MAX) return Number.NaN;
      value /= POWERS[decimals];
    }
    if (digits > DIGITS_MAX) return Number.NaN;
    return isNegative ? -value : value;
  };
  /** Passes over a number that is not kept. */
  const skipNumber = (): boolean => {
    if (text[i] === MINUS) i++;
    const from = i;
    let digit = text[i];
    while (digit >= ZERO && digit <= NINE) digit = text[++i];
    const whole = i - from;
    if (whole === 0 || (whole > 1 && text[from] === ZERO)) return false;
    if (digit === POINT) {
      digit = text[++i];
      while (digit >= ZERO && digit <= NINE) digit = text[++i];
      return i > from + whole + 1 && i - from <= DIGITS_MAX;
    }
    return whole <= DIGITS_MAX;
  };
  /** The name that begins here, of the channel that is the `c`-th; null for one that needs a closer look. */
  const name = (c: number): string | null => {
    const known = names[c];
    if (known && text[i + known.bytes.length] === QUOTE) {
      const from = i;
      if (skip(known.bytes)) return known.text;
      i = from;
    }
    const from = i;
    while (i < text.length && text[i] !== QUOTE) {
      const letter = text[i++];
      const isPlain = (letter >= 0x41 && letter <= 0x5a) || (letter >= 0x61 && letter <= 0x7a) || letter === 0x5f;
      if (!isPlain && !(letter >= ZERO && letter <= NINE)) return null;
    }
    const found = Buffer.from(text.subarray(from, i)).toString('latin1');
    if (found.length > NAME_MAX || found.startsWith('_')) return null;
    names[c] = { bytes: Buffer.from(found), text: found };
    return found;
  };

  const read = (): Means | null => {
    if (!skip(BEFORE_AT)) return null;
    const at = number();
    if (!(at >= 0) || !skip(BEFORE_EVERY)) return null;
    if (!(number() > 0) || !skip(BEFORE_CHANNELS)) return null;
    const means: Record<string, number> = {};
    for (let c = 0; text[i] !== END; c++) {
      if (c > 0 && text[i++] !== COMMA) return null;
      if (text[i++] !== QUOTE) return null;
      const channel = name(c);
      if (channel === null || text[i] !== QUOTE || text[i + 1] !== COLON || text[i + 2] !== OPEN) return null;
      i += 3;
      const mean = number();
      if (Number.isNaN(mean)) return null;
      for (let k = 1; k < 4; k++) if (text[i++] !== COMMA || !skipNumber()) return null;
      if (text[i++] !== SHUT) return null;
      means[channel] = mean;
    }
    return text[i + 1] === END && i + 2 === text.length ? { at, means } : null;
  };

  return (payload) => {
    text = payload;
    i = 0;
    return read();
  };
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
