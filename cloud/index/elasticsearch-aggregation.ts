/** Aggregations as a search server has them: a composite of buckets of time and of terms, a page after the other. */
import { QueryInvalid } from '../../actors/contracts/errors.ts';
import type { Aggregation, AggregationRow } from '../../actors/contracts/index.ts';

/** Type of each field of an index, by the server's mapping. */
export type Fields = ReadonlyMap<string, string>;

const NUMBERS: readonly string[] = ['double', 'float', 'half_float', 'long', 'integer', 'short', 'byte', 'date'];
const PAGE = 1_000; // buckets of one answer
const METRICS = { mean: 'avg', max: 'max', min: 'min', sum: 'sum' } as const;
const TIME = 'bucket';
const VALUE = 'value';

/** @throws QueryInvalid for a field that is not there, or that holds something else */
export function checkQuery(query: Aggregation, fields: Fields): void {
  if (query.agg !== 'count' && query.field === undefined) throw new QueryInvalid(`${query.agg} wants a field`);
  const typeOf = (field: string): string => {
    const type = fields.get(field);
    if (type !== undefined) return type;
    throw new QueryInvalid(`no field ${field} in index ${query.index}`, { hint: `fields: ${[...fields.keys()].sort().join(', ')}` });
  };
  for (const field of query.by) typeOf(field);
  if (query.field !== undefined && !NUMBERS.includes(typeOf(query.field)))
    throw new QueryInvalid(`field ${query.field} of index ${query.index} holds no numbers`);
  for (const [field, value] of Object.entries(query.where ?? {})) {
    const type = typeOf(field);
    const fits = typeof value === 'number' ? NUMBERS.includes(type) : typeof value === 'boolean' ? type === 'boolean' : type === 'keyword';
    if (!fits) throw new QueryInvalid(`field ${field} of index ${query.index} is a ${type}, and ${JSON.stringify(value)} is not`);
  }
}

/** The body of a search. @param after where the page before ended */
export function aggregationBody({ from, to, every, by, agg, field, where = {} }: Aggregation, after?: object): object {
  const filter = [
    ...(from === undefined && to === undefined
      ? []
      : [{ range: { at: { ...(from === undefined ? {} : { gte: from }), ...(to === undefined ? {} : { lt: to }) } } }]),
    ...Object.entries(where).map(([name, value]) => ({ term: { [name]: { value } } })),
    ...(field === undefined ? [] : [{ exists: { field } }]),
  ];
  const metric = agg === 'count' ? {} : { aggs: { [VALUE]: { [METRICS[agg]]: { field } } } };
  const sources = [
    ...(every === undefined ? [] : [{ [TIME]: { date_histogram: { field: 'at', fixed_interval: `${every}ms` } } }]),
    ...by.map((name, i) => ({ [`by${i}`]: { terms: { field: name, missing_bucket: true } } })),
  ];
  const grouped = sources.length > 0;
  return {
    size: 0,
    track_total_hits: !grouped,
    query: { bool: { filter } },
    ...(grouped ? { aggs: { groups: { composite: { size: PAGE, sources, ...(after ? { after } : {}) }, ...metric } } } : metric),
  };
}

export interface AggregationAnswer {
  readonly hits: { readonly total?: { readonly value: number } };
  readonly aggregations?: {
    readonly [VALUE]?: { readonly value: number | null };
    readonly groups?: {
      readonly after_key?: Readonly<Record<string, unknown>>;
      readonly buckets: readonly {
        readonly key: Readonly<Record<string, string | number | boolean | null>>;
        readonly doc_count: number;
        readonly [VALUE]?: { readonly value: number | null };
      }[];
    };
  };
}

/** Rows of one answer, and where to go on; null when it was the last. */
export function rowsOf(query: Aggregation, fields: Fields, { hits, aggregations }: AggregationAnswer) {
  const { by, every, agg } = query;
  if (by.length === 0 && every === undefined) {
    const total = hits.total?.value ?? 0;
    const row = { at: null, by: {}, value: agg === 'count' ? total : (aggregations?.[VALUE]?.value ?? Number.NaN) };
    return { rows: total === 0 ? [] : [row], after: null };
  }
  const groups = aggregations?.groups;
  const rows = (groups?.buckets ?? []).map(
    ({ key, doc_count: count, [VALUE]: value }): AggregationRow => ({
      at: every === undefined ? null : Number(key[TIME]),
      by: Object.fromEntries(by.map((field, i) => [field, groupOf(key[`by${i}`] ?? null, fields.get(field))])),
      value: agg === 'count' ? count : (value?.value ?? Number.NaN),
    }),
  );
  return { rows, after: rows.length < PAGE ? null : (groups?.after_key ?? null) };
}

/** Some servers say a boolean as 1 or 0. */
const groupOf = (value: string | number | boolean | null, type: string | undefined) =>
  type === 'boolean' && value !== null ? value === true || value === 1 || value === 'true' : value;

/** By time, then by group, as every kind of index has them. */
export const inOrder = (rows: readonly AggregationRow[]): readonly AggregationRow[] =>
  [...rows].sort((a, b) => (a.at ?? 0) - (b.at ?? 0) || (JSON.stringify(a.by) < JSON.stringify(b.by) ? -1 : 1));
