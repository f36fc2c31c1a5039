/**
 * Query strings of the console's API: `/api/query` as an aggregation (`index`, `from`, `to`, `every=30s`, `by=thing,feature`, `agg`,
 * `field`, `where.<field>=`), `/api/documents` as a look at the newest ones, and the range of a saved query.
 */
import { z } from 'zod';
import { QueryInvalid } from '../../actors/contracts/errors.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import type { Aggregation } from '../../actors/contracts/index.ts';
import { parseDuration } from '../../actors/contracts/units.ts';

type Raw = Readonly<Record<string, unknown>>;

const FIELD_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;
const FieldName = z.string().regex(FIELD_NAME, 'is no name of a field');
const Thing = z.string().refine(isThingName, 'is no name of a thing');
const LAST_INSTANT = 8_640_000_000_000_000; // milliseconds: what a date can say

/** Epoch milliseconds, or a date as ISO 8601 has it. */
const Instant = z.string().transform((text, context) => {
  const at = /^\d+$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (at <= LAST_INSTANT) return at;
  context.addIssue({ code: 'custom', message: `"${text}" is neither epoch milliseconds nor a date as 2026-05-31T20:05:24Z` });
  return z.NEVER;
});

const Width = z.string().transform((text, context) => {
  const width = parseDuration(text);
  if (width !== null && width > 0 && width <= LAST_INSTANT) return width;
  context.addIssue({ code: 'custom', message: `"${text}" is no width of time, as 30s, 5m, 1h` });
  return z.NEVER;
});

const Query = z
  .strictObject({
    index: FieldName,
    from: Instant.optional(),
    to: Instant.optional(),
    every: Width.optional(),
    by: z
      .string()
      .transform((text) => text.split(',').filter((field) => field !== ''))
      .pipe(
        z
          .array(FieldName)
          .max(4)
          .refine((fields) => new Set(fields).size === fields.length, 'names a field twice'),
      )
      .default([]),
    agg: z.enum(['mean', 'max', 'min', 'sum', 'count']).default('count'),
    field: FieldName.optional(),
    where: z.record(z.string(), z.string()).superRefine((conditions, context) => {
      for (const name of Object.keys(conditions))
        if (!FIELD_NAME.test(name)) context.addIssue({ code: 'custom', path: [name], message: 'is no name of a field' });
    }),
  })
  .refine(({ from = 0, to = LAST_INSTANT }) => from < to, { path: ['to'], error: 'is not after `from`' })
  .refine(({ agg, field }) => agg === 'count' || field !== undefined, { path: ['field'], error: 'says of what; only `count` needs none' });

/** @throws QueryInvalid naming every parameter that is wrong. */
export function parseQuery(raw: Raw): Aggregation {
  const conditions = Object.entries(raw).filter(([name]) => name.startsWith('where.'));
  const rest = Object.entries(raw).filter(([name]) => !name.startsWith('where.'));
  const { from, to, every, field, where, ...query } = parse(
    Query,
    { ...Object.fromEntries(rest), where: Object.fromEntries(conditions.map(([name, value]) => [name.slice('where.'.length), value])) },
    'as /api/query?index=verdicts&every=30s&by=thing,feature&agg=max&field=score',
  );
  return {
    ...query,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(every === undefined ? {} : { every }),
    ...(field === undefined ? {} : { field }),
    ...(conditions.length === 0
      ? {}
      : { where: Object.fromEntries(Object.entries(where).map(([name, value]) => [name, readValue(name, value)])) }),
  };
}

/** Its query string, which `parseQuery` reads as the same. */
export function printQuery({ index, from, to, every, by, agg, field, where = {} }: Aggregation): string {
  const pairs = {
    index,
    agg,
    field,
    by: by.length === 0 ? undefined : by.join(),
    every: every === undefined ? undefined : every % 1_000 === 0 ? `${every / 1_000}s` : `${every}ms`,
    from,
    to,
    ...Object.fromEntries(Object.entries(where).map(([name, value]) => [`where.${name}`, value])),
  };
  return Object.entries(pairs)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value)).replaceAll('%2C', ',')}`)
    .join('&');
}

const Documents = z.strictObject({
  index: FieldName,
  thing: Thing.optional(),
  limit: z
    .string()
    .regex(/^\d{1,5}$/, 'is no number of documents')
    .transform(Number)
    .pipe(z.number().min(1).max(10_000))
    .default(100),
});

/** @throws QueryInvalid */
export function parseDocumentQuery(raw: Raw): { readonly index: string; readonly thing?: string; readonly limit: number } {
  const { thing, ...rest } = parse(Documents, raw, 'as /api/documents?index=logs&thing=T-001&limit=100');
  return { ...rest, ...(thing === undefined ? {} : { thing }) };
}

const MOST_BUCKETS = 20_000;
const Range = z
  .strictObject({ to: Instant.optional(), span: Width.optional(), every: Width.optional(), thing: Thing.optional() })
  .refine(({ span = 0, every = Infinity }) => span / every <= MOST_BUCKETS, {
    path: ['every'],
    error: `makes more than ${MOST_BUCKETS} buckets of \`span\``,
  });

export interface Range {
  readonly to?: number;
  readonly span?: number;
  readonly every?: number;
  readonly thing?: string;
}

/** @throws QueryInvalid */
export function parseRange(raw: Raw): Range {
  const range = parse(Range, raw, 'as /api/dashboards/voltage-average?span=1h&every=30s&thing=T-001');
  return Object.fromEntries(Object.entries(range).filter(([, value]) => value !== undefined));
}

function parse<T>(schema: z.ZodType<T>, raw: unknown, hint: string): T {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new QueryInvalid(z.prettifyError(parsed.error), { hint });
}

/** Fields that hold text whatever it looks like: a thing may be called 100. */
const TEXTS: ReadonlySet<string> = new Set(['id', 'thing', 'deviceId', 'turbineId', 'feature', 'model', 'fleet', 'state', 'cause']);

const readValue = (field: string, text: string): string | number | boolean => {
  if (TEXTS.has(field)) return text;
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
};
