/** The index in Elasticsearch 9, through its official client. */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { DocumentIndex } from '../../actors/contracts/index.ts';
import type { IndexCredentials } from '../config.ts';
import { openSearchIndex } from './elasticsearch-index.ts';
import { bulkOptions, type Dropped, REQUEST_MS, type SearchServer } from './elasticsearch-server.ts';

export interface SearchIndexOptions {
  /** `http://127.0.0.1:9200` */
  readonly node: string;
  /** Before the name of every index. */
  readonly prefix: string;
  readonly credentials: IndexCredentials;
  readonly clock: Clock;
}

/** @throws StoreUnavailable when it does not answer or lets nobody in; ConfigInvalid for another product, or a mapping that does not fit */
export async function elasticsearchIndex({ prefix, clock, ...options }: SearchIndexOptions): Promise<DocumentIndex> {
  return openSearchIndex(await elasticsearchServer(options), { prefix, clock });
}

async function elasticsearchServer({ node, credentials }: Pick<SearchIndexOptions, 'node' | 'credentials'>): Promise<SearchServer> {
  const { Client } = await import('@elastic/elasticsearch'); // heavy: only where it is wanted
  const { apiKey, username, password } = credentials;
  const auth = apiKey !== undefined ? { apiKey } : username !== undefined ? { username, password: password ?? '' } : null;
  const client = new Client({ node, maxRetries: 0, requestTimeout: REQUEST_MS, ...(auth ? { auth } : {}) });
  return {
    about: `Elasticsearch at ${node}`,
    async request<T>(method: string, path: string, body?: object, allowed: readonly number[] = []) {
      const answer = await client.transport.request<T>(
        { method, path, ...(body === undefined ? {} : { body: body as Record<string, unknown> }) },
        { meta: true, ignore: [...allowed] },
      );
      return { status: answer.statusCode ?? 0, body: answer.body };
    },
    async bulk(index, documents) {
      const dropped: Dropped[] = [];
      await client.helpers.bulk(bulkOptions(index, documents, dropped));
      return dropped;
    },
    close: () => client.close(),
  };
}
