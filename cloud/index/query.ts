/** The query string of `GET /api/query` as an aggregation: `index`, `from`, `to`, `every=30s`, `by=thing,feature`, `agg`, `field`, `where.<field>=`. */
import { z } from 'zod';
import { QueryInvalid } from '../../actors/contracts/errors.ts';
import type { Aggregation } from '../../actors/contracts/index.ts';
import { parseDuration } from '../../actors/contracts/units.ts';

const FieldName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/, 'is no name of a field');

/** Epoch milliseconds, or a date. */
const Instant = z.string().transform((text, context) => {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(at)) return at;
  context.addIssue({ code: 'custom', message: `"${text}" is neither epoch milliseconds nor a date` });
  return z.NEVER;
});

const Width = z.string().transform((text, context) => {
  const width = parseDuration(text);
  if (width !== null && width > 0) return width;
  context.addIssue({ code: 'custom', message: `"${text}" is no width of time, as 30s, 5m, 1h` });
  return z.NEVER;
});

const Query = z.strictObject({
  index: FieldName,
  from: Instant.optional(),
  to: Instant.optional(),
  every: Width.optional(),
  by: z
    .string()
    .transform((text) => text.split(',').filter((field) => field !== ''))
    .pipe(z.array(FieldName).max(4))
    .default([]),
  agg: z.enum(['mean', 'max', 'min', 'sum', 'count']).default('count'),
  field: FieldName.optional(),
});

/** @throws QueryInvalid naming every parameter that is wrong. */
export function parseQuery(raw: Readonly<Record<string, unknown>>): Aggregation {
  const entries = Object.entries(raw);
  const parsed = Query.safeParse(Object.fromEntries(entries.filter(([name]) => !name.startsWith('where.'))));
  if (!parsed.success)
    throw new QueryInvalid(z.prettifyError(parsed.error), {
      hint: 'as /api/query?index=verdicts&every=30s&by=thing,feature&agg=max&field=score',
    });
  const where = entries
    .filter(([name]) => name.startsWith('where.'))
    .map(([name, value]) => [FieldName.parse(name.slice(6)), readValue(String(value))] as const);
  const { from, to, every, field, ...rest } = parsed.data;
  return {
    ...rest,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(every === undefined ? {} : { every }),
    ...(field === undefined ? {} : { field }),
    ...(where.length === 0 ? {} : { where: Object.fromEntries(where) }),
  };
}

const readValue = (text: string): string | number | boolean =>
  /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text === 'true' || text === 'false' ? text === 'true' : text;
