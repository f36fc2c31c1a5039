/** Numbers as devices print them. */

export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const DIGITS_MAX = 15; // a whole number of so many digits and its power of ten are exact, and so their quotient is rounded once
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** `12`, `-0.10`, `5E-12`, to the nearest double; NaN for what is no such number, infinite ones too: no blanks, no hexadecimals. */
export function readDecimal(text: string): number {
  const isNegative = text.charCodeAt(0) === 45;
  const first = isNegative ? 1 : 0;
  let mantissa = 0;
  let point = -1;
  for (let i = first; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
    else if (digit === -2 && point < 0 && i > first) point = i;
    else return readSlowly(text);
  }
  const decimals = point < 0 ? 0 : text.length - point - 1;
  const digits = text.length - first - (point < 0 ? 0 : 1);
  if (digits === 0 || digits > DIGITS_MAX || (point >= 0 && decimals === 0)) return readSlowly(text);
  const value = decimals === 0 ? mantissa : mantissa / POWERS_OF_TEN[decimals];
  return isNegative ? -value : value;
}

function readSlowly(text: string): number {
  if (!DECIMAL.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}
