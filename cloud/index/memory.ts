/**
 * An index in memory, for virtual time: the newest documents of each kind, bounded. A farm at full speed adds thousands for each that
 * somebody asks for: so they are only laid aside when they come, and put in order by their ids when they are asked for.
 */
import { QueryInvalid } from '../../actors/contracts/errors.ts';
import {
  type Aggregation,
  type AggregationRow,
  DOCUMENT_INDEXES,
  type DocumentBatch,
  type DocumentIndex,
  type IndexedDocument,
} from '../../actors/contracts/index.ts';
import { Fifo } from '../bus/fifo.ts';

/** @param capacity documents an index; beyond it the oldest go. */
export function memoryIndex(capacity = 200_000): DocumentIndex {
  const indexes = new Map<string, Shelf>();

  const documentsOf = (name: string): IndexedDocument[] => {
    const index = indexes.get(name);
    if (!index && DOCUMENT_INDEXES.includes(name)) return [];
    if (!index) throw new QueryInvalid(`no index ${name}`, { hint: `indexes: ${[...indexes.keys()].sort().join(', ') || 'none yet'}` });
    return documentsOn(index, capacity);
  };

  return {
    async add(name, documents) {
      const index = indexes.get(name) ?? { batches: new Fifo<DocumentBatch>(), count: 0 };
      indexes.set(name, index);
      index.batches.push(documents);
      index.count += documents.length;
      // Twice the capacity is kept, since some may come again under the same id.
      for (let oldest = index.batches.peek(); oldest && index.count - oldest.length >= 2 * capacity; oldest = index.batches.peek()) {
        index.batches.shift();
        index.count -= oldest.length;
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

interface Shelf {
  /** As they were added, oldest first. */
  batches: Fifo<DocumentBatch>;
  count: number;
}

/** Each id once, as it came last, in the order of the ids' first coming; the newest `capacity` of them. */
function documentsOn(shelf: Shelf, capacity: number): IndexedDocument[] {
  const byId = new Map<string, IndexedDocument>();
  for (let batch = shelf.batches.shift(); batch; batch = shelf.batches.shift())
    for (const document of batch) byId.set(document.id, document);
  const documents = [...byId.values()].slice(-capacity);
  shelf.batches.push(documents);
  shelf.count = documents.length;
  return documents;
}

function aggregate(documents: readonly IndexedDocument[], query: Aggregation): AggregationRow[] {
  if (documents.length === 0) return []; // no field is known yet
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
