/** The index in OpenSearch, through its official client. */
import type { DocumentIndex } from '../../actors/contracts/index.ts';
import type { SearchIndexOptions } from './elasticsearch.ts';
import { openSearchIndex } from './elasticsearch-index.ts';
import { bulkOptions, type Dropped, REQUEST_MS, type SearchServer } from './elasticsearch-server.ts';

/** @throws StoreUnavailable when it does not answer or lets nobody in; ConfigInvalid for a mapping that does not fit */
export async function opensearchIndex({ prefix, clock, ...options }: SearchIndexOptions): Promise<DocumentIndex> {
  return openSearchIndex(await opensearchServer(options), { prefix, clock });
}

async function opensearchServer({ node, credentials }: Pick<SearchIndexOptions, 'node' | 'credentials'>): Promise<SearchServer> {
  const { Client } = await import('@opensearch-project/opensearch'); // heavy: only where it is wanted
  const { apiKey, username, password } = credentials;
  const client = new Client({
    node,
    maxRetries: 0,
    requestTimeout: REQUEST_MS,
    ...(apiKey === undefined ? {} : { headers: { authorization: `ApiKey ${apiKey}` } }),
    ...(apiKey === undefined && username !== undefined ? { auth: { username, password: password ?? '' } } : {}),
  });
  return {
    about: `OpenSearch at ${node}`,
    async request<T>(method: string, path: string, body?: object, allowed: readonly number[] = []) {
      const answer = await client.transport.request(
        { method, path, ...(body === undefined ? {} : { body: body as Record<string, unknown> }) },
        { ignore: [...allowed] },
      );
      return { status: answer.statusCode ?? 0, body: answer.body as T };
    },
    async bulk(index, documents) {
      const dropped: Dropped[] = [];
      await client.helpers.bulk(bulkOptions(index, documents, dropped));
      return dropped;
    },
    close: () => client.close(),
  };
}
