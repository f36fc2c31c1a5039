/**
 * JSON from outside: UTF-8 or refused, at most 32 deep (counted before it is parsed: no stack can overflow), without names that
 * reach prototypes, and without numbers that a double cannot hold.
 */
import { AwsFailure } from './failure.ts';

const DEPTH = 32;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** An empty body stands for `{}`. @throws AwsFailure InvalidRequestException */
export function parseJsonObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  checkDepth(body);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    throw new AwsFailure('InvalidRequestException', 'the body is no JSON in UTF-8');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AwsFailure('InvalidRequestException', 'the body must be a JSON object');
  checkValue(value, '');
  return value as Record<string, unknown>;
}

const [QUOTE, BACKSLASH, OPEN_BRACE, OPEN_BRACKET, CLOSE_BRACE, CLOSE_BRACKET] = Buffer.from('"\\{[}]');

function checkDepth(body: Uint8Array): void {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > DEPTH) throw new AwsFailure('InvalidRequestException', `the body is nested deeper than ${DEPTH}`);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
}

function checkValue(value: unknown, path: string): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      throw new AwsFailure('InvalidRequestException', `${path} is a number beyond 2^53`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      if (FORBIDDEN.has(name)) throw new AwsFailure('InvalidRequestException', `${at} is no name for a member`);
      checkValue(member, at);
    }
  }
}
