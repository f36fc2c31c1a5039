/**
 * Values of rule SQL and what its operators make of them, as AWS IoT's developer guide has it (SQL version 2016-03-23). Nothing throws:
 * what makes no sense is Undefined, which is `undefined` here. Whole numbers are Int.
 *
 * Assumptions, where the guide leaves it open: Int / Int is cut towards zero; division by zero and what a double cannot hold are
 * Undefined; objects and arrays that are nested deeper than 64 equal nothing; an item of an array that is Undefined is left out; numbers
 * are doubles, not decimals of 34 digits; `a[0]` is an item of an array, AWS's `get(a, 0)`.
 */
export type Value = unknown;

const DEPTH_MAX = 64;

/** A number, or a text that is one by AWS's own expression, without blanks or a plus; null: neither. */
function toNumber(value: Value): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?([eE]-?\d+)?$/.test(value)) return null;
  return Number(value);
}

/** A Boolean, or a text that is one; null: neither. */
export function toBoolean(value: Value): boolean | null {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return null;
  const text = value.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : null;
}

const finite = (value: number): Value => (Number.isFinite(value) ? value : undefined);

function toText(value: Value): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return null;
  return JSON.stringify(value);
}

export function add(left: Value, right: Value): Value {
  if (typeof left === 'number' && typeof right === 'number') return finite(left + right);
  if (typeof left !== 'string' && typeof right !== 'string') return undefined;
  const [a, b] = [toText(left), toText(right)];
  return a === null || b === null ? undefined : a + b;
}

export function calculate(sign: '-' | '*' | '/' | '%', left: Value, right: Value): Value {
  const [a, b] = [toNumber(left), toNumber(right)];
  if (a === null || b === null) return undefined;
  switch (sign) {
    case '-':
      return finite(a - b);
    case '*':
      return finite(a * b);
    case '/': {
      const areInts = typeof left === 'number' && typeof right === 'number' && Number.isInteger(a) && Number.isInteger(b);
      return b === 0 ? undefined : finite(areInts ? Math.trunc(a / b) : a / b);
    }
    case '%':
      return b === 0 ? undefined : finite(a % b);
  }
}

export function negate(value: Value): Value {
  const number = toNumber(value);
  return number === null ? undefined : 0 - number;
}

export function compare(sign: '<' | '<=' | '>' | '>=', left: Value, right: Value): Value {
  const [a, b] = [toNumber(left), toNumber(right)];
  if (a === null || b === null) return undefined;
  return sign === '<' ? a < b : sign === '<=' ? a <= b : sign === '>' ? a > b : a >= b;
}

/** Undefined when either side is; values of different types are not equal. */
export function equals(left: Value, right: Value): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  return areEqual(left, right, 0);
}

/** Whether an array holds a value; Undefined when there is no value, or what should hold it is no array. */
export function isIn(value: Value, list: Value): boolean | undefined {
  return value === undefined || !Array.isArray(list) ? undefined : list.some((item) => areEqual(value, item, 0));
}

function areEqual(left: Value, right: Value, depth: number): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null || depth > DEPTH_MAX) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && areEqual(a[key], b[key], depth + 1));
}

export function and(left: Value, right: Value): Value {
  const [a, b] = [toBoolean(left), toBoolean(right)];
  return a === null || b === null ? undefined : a && b;
}

export function or(left: Value, right: Value): Value {
  const [a, b] = [toBoolean(left), toBoolean(right)];
  return a === null || b === null ? undefined : a || b;
}

export function not(value: Value): Value {
  const boolean = toBoolean(value);
  return boolean === null ? undefined : !boolean;
}

/** A member of an object, or an item of an array from 0; Undefined when there is none. */
export function member(value: Value, key: string | number): Value {
  if (typeof value !== 'object' || value === null) return undefined;
  if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined;
  return !Array.isArray(value) && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
