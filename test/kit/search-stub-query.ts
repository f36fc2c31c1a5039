/** Searches of the stub of a search server, really computed over its documents: filters, sorting, metrics, and composite buckets by pages. */
import type { Fields, Mapping } from './search-stub-mapping.ts';

/** A document that was indexed. */
export interface Found {
  readonly id: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly fields: Fields;
}

type Value = string | number | boolean | null;
interface Refusal {
  readonly refusal: { readonly type: string; readonly reason: string };
}
type Metric = Readonly<Record<'avg' | 'max' | 'min' | 'sum', { readonly field: string } | undefined>>;
type Source = Readonly<
  Record<string, { terms?: { field: string; missing_bucket?: boolean }; date_histogram?: { field: string; fixed_interval: string } }>
>;

interface Search {
  readonly size?: number;
  readonly sort?: readonly Readonly<Record<string, 'asc' | 'desc'>>[];
  readonly search_after?: readonly Value[];
  readonly track_total_hits?: boolean;
  readonly query?: { readonly bool: { readonly filter: readonly Filter[] } };
  readonly aggs?: Readonly<
    Record<string, (Partial<Metric> & { composite?: Composite; aggs?: Readonly<Record<string, Partial<Metric>>> }) | undefined>
  >;
}
interface Filter {
  readonly range?: Readonly<Record<string, { readonly gte?: number; readonly lt?: number }>>;
  readonly term?: Readonly<Record<string, { readonly value: Value }>>;
  readonly exists?: { readonly field: string };
}
interface Composite {
  readonly size?: number;
  readonly sources: readonly Source[];
  readonly after?: Readonly<Record<string, Value>>;
}

const RESULT_WINDOW = 10_000; // index.max_result_window
const MAX_BUCKETS = 65_536; // search.max_buckets

export function runSearch(
  raw: Record<string, unknown>,
  documents: readonly Found[],
  mapping: Mapping,
): { readonly body: object } | Refusal {
  const search = raw as Search;
  const size = search.size ?? 10;
  if (size > RESULT_WINDOW)
    return refuse(
      'illegal_argument_exception',
      `Result window is too large, from + size must be less than or equal to: [${RESULT_WINDOW}]`,
    );
  const matching = documents.filter(({ fields }) => (search.query?.bool.filter ?? []).every((filter) => passes(filter, fields)));
  const aggregations: Record<string, object> = {};
  for (const [name, agg] of Object.entries(search.aggs ?? {})) {
    const result = agg?.composite ? composite(agg.composite, agg.aggs ?? {}, matching, mapping) : metric(agg ?? {}, matching, mapping);
    if ('refusal' in result) return result;
    aggregations[name] = result;
  }
  const sorted = sortHits(matching, search.sort ?? []).filter(
    ({ sort }) => !search.search_after || compareAll(sort, search.search_after, search.sort ?? []) > 0,
  );
  return {
    body: {
      took: 1,
      timed_out: false,
      hits: {
        ...(search.track_total_hits === false ? {} : { total: { value: matching.length, relation: 'eq' } }),
        hits: sorted.slice(0, size).map(({ document, sort }) => ({ _id: document.id, _source: document.source, sort })),
      },
      ...(search.aggs ? { aggregations } : {}),
    },
  };
}

function passes({ range, term, exists }: Filter, fields: Fields): boolean {
  if (exists) return fields[exists.field] !== undefined;
  for (const [field, { gte, lt }] of Object.entries(range ?? {})) {
    const value = fields[field];
    if (typeof value !== 'number' || (gte !== undefined && value < gte) || (lt !== undefined && value >= lt)) return false;
  }
  for (const [field, { value }] of Object.entries(term ?? {})) {
    const own = fields[field];
    if (own === undefined || (typeof own === 'string' ? own !== String(value) : own !== value)) return false;
  }
  return true;
}

function sortHits(documents: readonly Found[], sort: NonNullable<Search['sort']>) {
  return documents
    .map((document) => ({ document, sort: sort.map((by) => document.fields[Object.keys(by)[0]] ?? null) }))
    .sort((a, b) => compareAll(a.sort, b.sort, sort));
}

const compareAll = (a: readonly Value[], b: readonly Value[], sort: NonNullable<Search['sort']>): number => {
  for (const [i, by] of sort.entries()) {
    const order = compare(a[i], b[i]) * (Object.values(by)[0] === 'desc' ? -1 : 1);
    if (order !== 0) return order;
  }
  return 0;
};

/** Nulls first; texts by their code points, as UTF-8 has them. */
function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}

function metric(agg: Partial<Metric>, documents: readonly Found[], mapping: Mapping): { readonly value: number | null } | Refusal {
  const [[kind, options]] = Object.entries(agg);
  const field = options?.field ?? '';
  const type = mapping.properties[field]?.type;
  if (type === 'keyword' || type === 'text')
    return refuse('illegal_argument_exception', `Field [${field}] of type [${type}] is not supported for aggregation [${kind}]`);
  const values = documents.flatMap(({ fields }) => (fields[field] === undefined ? [] : [Number(fields[field])]));
  const sum = values.reduce((total, value) => total + value, 0);
  if (kind === 'sum') return { value: sum };
  if (values.length === 0) return { value: null };
  if (kind === 'avg') return { value: sum / values.length };
  return { value: values.reduce((a, b) => (kind === 'max' ? Math.max(a, b) : Math.min(a, b))) };
}

function composite(
  { size = 10, sources, after }: Composite,
  metrics: Readonly<Record<string, Partial<Metric>>>,
  documents: readonly Found[],
  mapping: Mapping,
): { readonly after_key?: object; readonly buckets: readonly object[] } | Refusal {
  if (size > MAX_BUCKETS)
    return refuse('too_many_buckets_exception', `Trying to create too many buckets. Must be less than or equal to: [${MAX_BUCKETS}]`);
  const named = sources.map((source) => Object.entries(source)[0]);
  for (const [, { terms }] of named)
    if (terms && mapping.properties[terms.field]?.type === 'text')
      return refuse('illegal_argument_exception', `Fielddata is disabled on [${terms.field}]`);
  const groups = new Map<string, { readonly key: readonly Value[]; readonly members: Found[] }>();
  for (const document of documents) {
    const key = named.map(([, { terms, date_histogram: histogram }]): Value | undefined => {
      if (terms) return document.fields[terms.field] ?? (terms.missing_bucket === true ? null : undefined);
      const { field, fixed_interval: interval } = histogram as { field: string; fixed_interval: string };
      const width = Number(/^(\d+)ms$/.exec(interval)?.[1]);
      const at = document.fields[field];
      return typeof at === 'number' ? Math.floor(at / width) * width : undefined;
    });
    if (key.includes(undefined)) continue;
    const group = groups.get(JSON.stringify(key)) ?? { key: key as Value[], members: [] };
    groups.set(JSON.stringify(key), group);
    group.members.push(document);
  }
  const order = named.map(([name]) => ({ [name]: 'asc' as const }));
  const start = after ? named.map(([name]) => after[name]) : null;
  const page = [...groups.values()]
    .sort((a, b) => compareAll(a.key, b.key, order))
    .filter(({ key }) => start === null || compareAll(key, start, order) > 0)
    .slice(0, size);
  const keyOf = (key: readonly Value[]) => Object.fromEntries(named.map(([name], i) => [name, key[i]]));
  const buckets: object[] = [];
  for (const { key, members } of page) {
    const values: Record<string, object> = {};
    for (const [name, agg] of Object.entries(metrics)) {
      const value = metric(agg, members, mapping);
      if ('refusal' in value) return value;
      values[name] = value;
    }
    buckets.push({ key: keyOf(key), doc_count: members.length, ...values });
  }
  return { ...(page.length === 0 ? {} : { after_key: keyOf(page[page.length - 1].key) }), buckets };
}

const refuse = (type: string, reason: string): Refusal => ({ refusal: { type, reason } });
