/** JSON of a package's members, parsed at the door: bounded, UTF-8, and what is wrong with it in a text that is bounded too. */
import { z } from 'zod';
import { reasonOf } from '../contracts/errors.ts';

const SHOWN = 20; // faults
const LONGEST = 2_000; // characters of them

/**
 * @param refused makes the error from what is wrong: `is no JSON (…)`
 * @param isPlainly whether a value is surely what the schema passes; false does not mean that it is not: what is large need not pass by it
 */
export function parseJson<T>(
  schema: z.ZodType<T>,
  bytes: Uint8Array,
  maxBytes: number,
  refused: (why: string, cause?: unknown) => Error,
  isPlainly?: (value: unknown) => value is T,
): T {
  if (bytes.length > maxBytes) throw refused(`has ${bytes.length} bytes; ${maxBytes} at most`);
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw refused(`is no JSON (${printable(reasonOf(error))})`, error);
  }
  if (isPlainly?.(raw)) return raw;
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const faults = printable(z.prettifyError(new z.ZodError(issues.slice(0, SHOWN))));
  throw refused(`is malformed:\n${faults}${issues.length > SHOWN ? `\n… and ${issues.length - SHOWN} more` : ''}`);
}

/** Nothing that a terminal would obey, and no more than a person reads. */
const printable = (text: string): string => {
  const plain = text.replace(/[^\P{C}\n]/gu, '?');
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
};
