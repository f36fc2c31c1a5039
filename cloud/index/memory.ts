/** An index in memory, for virtual time: the newest documents of each kind, bounded. */
import { QueryInvalid } from '../../actors/contracts/errors.ts';
import {
  type Aggregation,
  type AggregationRow,
  DOCUMENT_INDEXES,
  type DocumentIndex,
  type IndexedDocument,
} from '../../actors/contracts/index.ts';

/** @param capacity documents an index; beyond it the oldest go. */
export function memoryIndex(capacity = 200_000): DocumentIndex {
  const indexes = new Map<string, Map<string, IndexedDocument>>();

  const documentsOf = (name: string): IndexedDocument[] => {
    const index = indexes.get(name);
    if (!index && DOCUMENT_INDEXES.includes(name)) return [];
    if (!index) throw new QueryInvalid(`no index ${name}`, { hint: `indexes: ${[...indexes.keys()].sort().join(', ') || 'none yet'}` });
    return [...index.values()];
  };

  return {
    async add(name, documents) {
      const index = indexes.get(name) ?? new Map<string, IndexedDocument>();
      indexes.set(name, index);
      for (const document of documents) index.set(document.id, document);
      for (const id of index.keys()) {
        if (index.size <= capacity) break;
        index.delete(id);
      }
    },
    aggregate: async (query) => aggregate(documentsOf(query.index), query),
    latest: async (name, { thing, limit = 100 } = {}) =>
      documentsOf(name)
        .filter((document) => thing === undefined || document.thing === thing)
        .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
        .slice(0, limit),
    flush: async () => [],
    close: async () => {},
  };
}

function aggregate(documents: readonly IndexedDocument[], query: Aggregation): AggregationRow[] {
  const known = new Set(documents.flatMap((document) => Object.keys(document)));
  for (const field of [...query.by, ...Object.keys(query.where ?? {}), ...(query.field === undefined ? [] : [query.field])])
    if (!known.has(field))
      throw new QueryInvalid(`no field ${field} in index ${query.index}`, { hint: `fields: ${[...known].sort().join(', ')}` });
  if (query.agg !== 'count' && query.field === undefined) throw new QueryInvalid(`${query.agg} wants a field`);

  const groups = new Map<string, { readonly at: number | null; readonly by: AggregationRow['by']; readonly values: number[] }>();
  for (const document of documents) {
    if (document.at < (query.from ?? -Infinity) || document.at >= (query.to ?? Infinity)) continue;
    if (Object.entries(query.where ?? {}).some(([field, value]) => document[field] !== value)) continue;
    const value = query.field === undefined ? 1 : document[query.field];
    if (typeof value !== 'number') continue;
    const at = query.every === undefined ? null : Math.floor(document.at / query.every) * query.every;
    const by = Object.fromEntries(query.by.map((field) => [field, document[field] ?? null]));
    const key = JSON.stringify([at, by]);
    const group = groups.get(key) ?? { at, by, values: [] };
    groups.set(key, group);
    group.values.push(value);
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const combine = {
    count: (values: readonly number[]) => values.length,
    sum,
    mean: (values: readonly number[]) => sum(values) / values.length,
    max: (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b)),
    min: (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b)),
  }[query.agg];
  return [...groups.values()]
    .map(({ at, by, values }) => ({ at, by, value: combine(values) }))
    .sort((a, b) => (a.at ?? 0) - (b.at ?? 0) || (JSON.stringify(a.by) < JSON.stringify(b.by) ? -1 : 1));
}
