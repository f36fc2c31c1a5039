/**
 * The index in a search server. Documents wait in memory until there are enough of them or somebody asks, and then go in together by
 * the bulk helper, under their ids: the same id is the same document.
 *
 * Of a bulk request each document has its own end. What the server is too busy for is sent again, later and later; what it will
 * never take, for its mapping, is handed back by `flush`; everything else goes on. While the server is away documents wait.
 */
import { type Clock, sleep } from '../../actors/contracts/clock.ts';
import { FleetError, QueryInvalid, StoreUnavailable } from '../../actors/contracts/errors.ts';
import {
  type Aggregation,
  type AggregationRow,
  DOCUMENT_INDEXES,
  type DocumentIndex,
  type IndexedDocument,
  type RefusedDocument,
} from '../../actors/contracts/index.ts';
import { type AggregationAnswer, aggregationBody, checkQuery, type Fields, inOrder, rowsOf } from './elasticsearch-aggregation.ts';
import { isPassing, refusalOf, type SearchServer, statusOf } from './elasticsearch-server.ts';
import { lackingOf, mappingsOf } from './mapping.ts';

const FLUSH_AT = 2_000; // documents
const MOST_WAITING = 200_000; // documents
const ATTEMPTS = 6;
const ATTEMPTS_ASKED = 2; // while somebody waits for an answer
const BACK_OFF_MS = 500; // doubled with every attempt
const LONGEST_BACK_OFF_MS = 30_000;
const MOST_ROWS = 100_000;
const PAGE = 10_000; // hits: `index.max_result_window` by default

/** @throws StoreUnavailable, ConfigInvalid */
export async function openSearchIndex(
  server: SearchServer,
  { prefix, clock }: { readonly prefix: string; readonly clock: Clock },
): Promise<DocumentIndex> {
  const waiting = new Map<string, Map<string, IndexedDocument>>();
  const ready = new Set<string>(); // indexes that are there, with a mapping that fits
  let refusals: RefusedDocument[] = []; // to be told with the next flush
  let isWriting = false;
  let tail: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work);
    tail = turn.catch(() => {});
    return turn;
  };
  const nameOf = (index: string) => `${prefix}${index}`;

  /** Again and again while it may help, by our clock. */
  const insist = async <T>(attempts: number, work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error) || attempt >= attempts) throw error instanceof FleetError ? error : refusalOf(server.about, error);
        await backOff(attempt);
      }
    }
  };
  const backOff = (attempt: number) => sleep(clock, Math.min(LONGEST_BACK_OFF_MS, BACK_OFF_MS * 2 ** (attempt - 1)));

  /** Makes the index, or sees that the one that is there has the fields. */
  const prepare = async (index: string) => {
    if (ready.has(index)) return;
    const name = nameOf(index);
    const made = await server.request<{ error?: { type?: string; reason?: string } }>(
      'PUT',
      `/${name}`,
      { mappings: mappingsOf(index) },
      [400],
    );
    if (made.status === 400) {
      const { type, reason } = made.body.error ?? {};
      if (type !== 'resource_already_exists_exception')
        throw new StoreUnavailable(`${server.about} makes no index ${name}: ${type}: ${reason}`);
      const lacking = lackingOf(index, await propertiesIn(name), server.about);
      if (Object.keys(lacking).length > 0) await server.request('PUT', `/${name}/_mapping`, { properties: lacking });
    }
    ready.add(index);
  };
  const propertiesIn = async (name: string): Promise<Readonly<Record<string, { readonly type?: string }>>> => {
    const { status, body } = await server.request<
      Readonly<Record<string, { mappings: { properties?: Record<string, { type?: string }> } }>>
    >('GET', `/${name}/_mapping`, undefined, [404]);
    return status === 404 ? {} : Object.assign({}, ...Object.values(body).map(({ mappings }) => mappings.properties ?? {}));
  };

  /**
   * Sends documents until each has found its end, and takes those from `left` that have.
   * @throws StoreUnavailable when the server does not come back: what is left has to be sent again
   */
  const send = async (index: string, left: Map<string, IndexedDocument>, attempts: number): Promise<void> => {
    let most = left.size; // documents of one request
    for (let attempt = 1; left.size > 0; ) {
      const batch = [...left.values()].slice(0, most);
      const dropped = await insist(attempts, async () => {
        await prepare(index);
        return server.bulk(nameOf(index), batch.map(sendable)).catch((error: unknown) => {
          if (statusOf(error) === 413) return null;
          throw error;
        });
      });
      if (dropped === null && batch.length > 1) {
        most = batch.length >> 1;
        continue;
      }
      const ends = dropped ?? [{ id: batch[0].id, status: 400, reason: 'it is larger than a request may be (413)' }];
      const busy = ends.filter(({ status }) => status !== 400);
      const again = new Set(busy.map(({ id }) => id));
      for (const { id, status, reason } of ends)
        if (status === 400) refusals.push({ index, document: left.get(id) as IndexedDocument, reason });
      for (const { id } of batch) if (!again.has(id)) left.delete(id);
      if (busy.length === 0) continue;
      if (busy.some(({ status }) => status === 404)) ready.delete(index); // somebody has deleted it
      if (attempt >= attempts)
        throw new StoreUnavailable(`${server.about} did not take ${busy.length} documents of ${index}: ${busy[0].reason}`, {
          hint: 'they wait, and are sent again with the next ones',
        });
      await backOff(attempt++);
    }
  };
  /** @param only one index; absent: all, and one that fails keeps no other from being written */
  const write = (attempts: number, only?: string): Promise<void> =>
    inTurn(async () => {
      const failures: unknown[] = [];
      isWriting = true;
      for (const [index, documents] of [...waiting]) {
        if (only !== undefined && index !== only) continue;
        waiting.delete(index);
        try {
          await send(index, documents, attempts);
          await insist(attempts, () => server.request('POST', `/${nameOf(index)}/_refresh`, undefined, [404]));
        } catch (error) {
          failures.push(error);
          if (documents.size > 0) waiting.set(index, new Map([...documents, ...(waiting.get(index) ?? [])])); // for the next time
        }
      }
      isWriting = false;
      if (failures.length > 0) throw failures[0];
    });

  /** Null for an index in which nothing is yet. */
  const fieldsOf = async (index: string): Promise<Fields | null> => {
    const known = /^[a-z0-9_-]{1,100}$/.test(index) ? await insist(ATTEMPTS_ASKED, () => propertiesIn(nameOf(index))) : {};
    const fields = Object.entries(known).map(([field, { type }]) => [field, type ?? 'object'] as const);
    if (fields.length > 0) return new Map(fields);
    if (DOCUMENT_INDEXES.includes(index)) return null;
    throw new QueryInvalid(`no index ${index}`, { hint: `indexes: ${DOCUMENT_INDEXES.join(', ')}` });
  };
  const search = async <T>(index: string, body: object): Promise<T> =>
    (await insist(ATTEMPTS_ASKED, () => server.request<T>('POST', `/${nameOf(index)}/_search`, body))).body;

  await insist(1, async () => {
    await server.request('GET', '/'); // is it there, and what it should be?
    await server.request('PUT', `/_index_template/${prefix}documents`, {
      index_patterns: DOCUMENT_INDEXES.map(nameOf), // no wildcard: another farm's prefix may begin as ours does
      priority: 200,
      template: { mappings: mappingsOf('') }, // for one that is deleted while documents come
    });
    for (const index of DOCUMENT_INDEXES) await prepare(index);
  }).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  return {
    async add(index, documents) {
      const batch = waiting.get(index) ?? new Map<string, IndexedDocument>();
      if (batch.size + documents.length > MOST_WAITING)
        throw new StoreUnavailable(`${batch.size} documents of ${index} wait for ${server.about}, and no more can`);
      waiting.set(index, batch);
      for (const document of documents) batch.set(document.id, document);
      if (batch.size < FLUSH_AT || isWriting) return;
      await write(1).catch((error: unknown) => {
        if (!(error instanceof FleetError)) throw error; // they wait: the next flush says what is wrong
      });
    },
    async aggregate(query: Aggregation) {
      await write(ATTEMPTS_ASKED, query.index);
      const fields = await fieldsOf(query.index);
      if (fields === null) return [];
      checkQuery(query, fields);
      const all: AggregationRow[] = [];
      for (let after: object | null | undefined; after !== null; ) {
        const page = rowsOf(query, fields, await search<AggregationAnswer>(query.index, aggregationBody(query, after)));
        all.push(...page.rows);
        after = page.after;
        if (all.length > MOST_ROWS)
          throw new QueryInvalid(`that makes more than ${MOST_ROWS} rows`, { hint: 'ask for less time, wider buckets, or fewer groups' });
      }
      return inOrder(all);
    },
    async latest(index, { thing, limit = 100 } = {}) {
      await write(ATTEMPTS_ASKED, index);
      if ((await fieldsOf(index)) === null) return [];
      const found: IndexedDocument[] = [];
      let after: readonly unknown[] | null = null;
      for (let left = Math.max(0, Math.floor(limit)); left > 0; ) {
        const size = Math.min(PAGE, left);
        const { hits }: Hits = await search<Hits>(index, {
          size,
          sort: [{ at: 'desc' }, { id: 'desc' }],
          query: { bool: { filter: thing === undefined ? [] : [{ term: { thing: { value: thing } } }] } },
          ...(after ? { search_after: after } : {}),
        });
        found.push(...hits.hits.map(({ _source }) => _source));
        after = hits.hits[hits.hits.length - 1]?.sort ?? null;
        left = hits.hits.length < size ? 0 : left - size;
      }
      return found;
    },
    async flush() {
      await write(ATTEMPTS);
      const told = refusals;
      refusals = [];
      return told;
    },
    async close() {
      try {
        await write(1);
      } finally {
        await server.close();
      }
    },
  };
}

interface Hits {
  readonly hits: { readonly hits: readonly { readonly _source: IndexedDocument; readonly sort?: readonly unknown[] }[] };
}

/** A date has whole milliseconds. */
const sendable = (document: IndexedDocument): IndexedDocument =>
  Number.isInteger(document.at) ? document : { ...document, at: Math.floor(document.at) };
