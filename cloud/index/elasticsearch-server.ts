/** A search server as the index uses it: what the official clients of Elasticsearch and OpenSearch have in common. */
import { ConfigInvalid, reasonOf, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { IndexedDocument } from '../../actors/contracts/index.ts';

export interface Answer<T = unknown> {
  readonly status: number;
  readonly body: T;
}

/** A document of a bulk request that was not taken. */
export interface Dropped {
  readonly id: string;
  readonly status: number;
  /** `mapper_parsing_exception: failed to parse field [rps] …` */
  readonly reason: string;
}

export interface SearchServer {
  /** How it is called, and where it is. */
  readonly about: string;
  /** One request, and no retry. @throws what the client throws; statuses in `allowed` are answers */
  request<T>(method: 'GET' | 'PUT' | 'POST', path: string, body?: object, allowed?: readonly number[]): Promise<Answer<T>>;
  /** By the client's bulk helper, indexed under their ids. @returns those that were not taken. @throws as above when a request fails as a whole */
  bulk(index: string, documents: readonly IndexedDocument[]): Promise<readonly Dropped[]>;
  close(): Promise<void>;
}

const FLUSH_BYTES = 5_000_000; // of one request; servers take 100 MB by default
export const REQUEST_MS = 30_000;

/** What either client's bulk helper is told. @param dropped gets what was not taken */
export const bulkOptions = (index: string, documents: readonly IndexedDocument[], dropped: Dropped[]) => ({
  datasource: [...documents],
  onDocument: ({ id }: IndexedDocument) => ({ index: { _index: index, _id: id } }),
  onDrop: ({ status, error, operation }: { readonly status: number; readonly error: unknown; readonly operation: unknown }) => {
    const { _id: id } = (operation as { index: { _id: string } }).index;
    dropped.push({ id, status, reason: error === null ? 'too many requests' : causeOf(error) });
  },
  flushBytes: FLUSH_BYTES,
  concurrency: 2,
  retries: 0, // by our clock, not by the machine's
});

/** Of what a client threw; null when no server answered. */
export function statusOf(error: unknown): number | null {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : null;
}

/** Another try may do: the server is away, busy, or starting. */
export function isPassing(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status === 429 || status >= 500;
  return ['ConnectionError', 'TimeoutError', 'NoLivingConnectionsError'].includes((error as Error).name);
}

/** A failed request, in words and with its mend; the client's own error may hold headers, and stays out of it. */
export function refusalOf(about: string, error: unknown): StoreUnavailable | ConfigInvalid {
  const status = statusOf(error);
  if (status === 401 || status === 403)
    return new StoreUnavailable(`${about} does not let us in (${status}): ${typeOf(error)}`, {
      hint: 'WINDFLEET_INDEX_API_KEY, or WINDFLEET_INDEX_USERNAME and WINDFLEET_INDEX_PASSWORD, must be of somebody who may',
    });
  if ((error as Error).name === 'ProductNotSupportedError')
    return new ConfigInvalid(`${about} is no Elasticsearch`, { hint: 'for OpenSearch: index: { kind: opensearch, node: … }' });
  if (status !== null) return new StoreUnavailable(`${about} refused (${status}): ${typeOf(error)}`);
  return new StoreUnavailable(`${about} does not answer: ${reasonOf(error)}`, { hint: 'does it run, and is that its address?' });
}

/** `index_not_found_exception: no such index [x]` of an error's body. */
function typeOf(error: unknown): string {
  const { body } = error as { body?: unknown };
  const told = typeof body === 'object' && body !== null ? (body as { error?: unknown }).error : body;
  return told === undefined ? reasonOf(error) : causeOf(told);
}

/** Of an error in a server's answer, with what lies below it. */
export function causeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { type, reason, caused_by: below } = error as { type?: string; reason?: string; caused_by?: unknown };
  const text = [type, reason].filter(Boolean).join(': ');
  return below ? `${text} (${causeOf(below)})` : text;
}
