/**
 * A search server as the documentation of Elasticsearch and OpenSearch says it behaves, as far as an index of documents asks: no such
 * server can be installed where the tests run.
 *
 * Bulk requests are NDJSON, each item has its own end, and what is indexed can be found after a refresh only. What has been
 * acknowledged outlives a restart; what was refreshed does not matter then, all of it can be found.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Mapping, mergeProperties, type ParseFailure, parseDocument, type Properties } from './search-stub-mapping.ts';
import { type Found, runSearch } from './search-stub-query.ts';

interface StoredIndex {
  readonly mapping: Mapping;
  /** As acknowledged, by id. */
  readonly documents: Map<string, Found>;
  /** As of the last refresh. */
  visible: Found[];
}

export interface SearchStub {
  readonly url: string;
  /** Documents of an index that were acknowledged, refreshed or not. */
  documents(index: string): readonly Found[];
  mapping(index: string): Mapping | undefined;
  /** Makes an index as somebody else did. */
  create(index: string, properties: Properties): void;
  remove(index: string): void;
  /** Requests so far, as `POST /_bulk`. */
  readonly requests: readonly string[];
  /** What comes of the next bulk requests: `whole` 429, each `item` of them 429 but every n-th, 413, or the line cut before (`lost`) or after (`unheard`) they are done. */
  readonly trouble: ('whole-429' | 'items-429' | 'too-large' | 'lost' | 'unheard' | '503')[];
  /** Largest request, bytes. */
  maxBytes: number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface StubOptions {
  readonly kind: 'elasticsearch' | 'opensearch';
  /** Who may ask, as the value of `Authorization`. */
  readonly authorization?: string;
}

const REJECTED = { type: 'es_rejected_execution_exception', reason: 'rejected execution of coordinating operation' };

export async function searchStub({ kind, authorization }: StubOptions, port: number): Promise<SearchStub> {
  const indexes = new Map<string, StoredIndex>();
  const templates: { readonly patterns: readonly string[]; readonly mappings: Mapping }[] = [];
  const requests: string[] = [];
  const trouble: SearchStub['trouble'] = [];
  const sockets = new Set<Socket>();
  let server: Server;

  const isElastic = kind === 'elasticsearch';
  const matching = (pattern: string) => [...indexes.keys()].filter((name) => matches(pattern, name));
  const create = (name: string, mappings: Partial<Mapping> = {}): StoredIndex => {
    const template = templates.find(({ patterns }) => patterns.some((pattern) => matches(pattern, name)))?.mappings;
    const mapping: Mapping = {
      dynamic_templates: mappings.dynamic_templates ?? template?.dynamic_templates ?? [],
      properties: { ...template?.properties, ...mappings.properties },
    };
    const index: StoredIndex = { mapping, documents: new Map(), visible: [] };
    indexes.set(name, index);
    return index;
  };

  /** @returns the items of the answer */
  const bulk = (lines: readonly string[], fate: SearchStub['trouble'][number] | undefined, inPath: string | undefined) => {
    const items: object[] = [];
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const action = JSON.parse(lines[i]) as { index?: { _index?: string; _id?: string } };
      if (!action.index) throw new Refusal(400, 'illegal_argument_exception', `Malformed action/metadata line [${i + 1}]`);
      const { _index: name = inPath ?? '', _id: id = `auto-${i}` } = action.index;
      const answer = (status: number, more: object) => items.push({ index: { _index: name, _id: id, status, ...more } });
      if (fate === 'items-429' && (i / 2) % 3 !== 0) {
        answer(429, { error: REJECTED });
        continue;
      }
      if (Buffer.byteLength(id) > 512) {
        answer(400, {
          error: {
            type: 'illegal_argument_exception',
            reason: `id is too long, must be no longer than 512 bytes but was: ${Buffer.byteLength(id)}`,
          },
        });
        continue;
      }
      const index = indexes.get(name) ?? create(name);
      const source = JSON.parse(lines[i + 1]) as Record<string, unknown>;
      const parsed = parseDocument(id, source, index.mapping, isElastic);
      if ('failure' in parsed) answer(400, { error: (parsed as ParseFailure).failure });
      else {
        const isNew = !index.documents.has(id);
        index.documents.set(id, { id, source, fields: parsed.fields });
        answer(isNew ? 201 : 200, { result: isNew ? 'created' : 'updated', _version: 1 });
      }
    }
    return items;
  };

  const answer = (method: string, path: string, body: string, contentType: string): { status: number; body: object; cut?: true } => {
    const parts = path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
    const json = () => (body === '' ? {} : JSON.parse(body)) as Record<string, unknown>;
    const [first, second] = parts;
    if (parts.length === 0)
      return {
        status: 200,
        body: isElastic
          ? { version: { number: '9.1.0', build_flavor: 'default' }, tagline: 'You Know, for Search' }
          : { version: { distribution: 'opensearch', number: '3.1.0' } },
      };
    if (first === '_index_template' && method === 'PUT') {
      const { index_patterns: patterns, template } = json() as { index_patterns: string[]; template: { mappings: Mapping } };
      templates.push({ patterns, mappings: template.mappings });
      return { status: 200, body: { acknowledged: true } };
    }
    if (parts[parts.length - 1] === '_bulk' && (method === 'POST' || method === 'PUT')) {
      if (!/^application\/(vnd\.elasticsearch\+)?x-ndjson/.test(contentType))
        throw new Refusal(406, 'media_type_header_exception', `Content-Type [${contentType}] is not supported`);
      if (!body.endsWith('\n'))
        throw new Refusal(400, 'illegal_argument_exception', 'The bulk request must be terminated by a newline [\\n]');
      const fate = trouble.shift();
      if (fate === 'whole-429') throw new Refusal(429, REJECTED.type, REJECTED.reason);
      if (fate === '503') throw new Refusal(503, 'no_master_block_exception', 'blocked by: [SERVICE_UNAVAILABLE/2/no master];');
      if (fate === 'too-large') throw new Refusal(413, 'content_too_long', 'entity too large');
      if (fate === 'lost') return { status: 0, body: {}, cut: true };
      const items = bulk(body.split('\n').slice(0, -1), fate, parts.length > 1 ? first : undefined);
      if (fate === 'unheard') return { status: 0, body: {}, cut: true };
      return { status: 200, body: { took: 1, errors: items.some((item) => 'error' in Object.values(item)[0]), items } };
    }
    if (parts.length === 1 && method === 'PUT') {
      if (!/^[a-z0-9][a-z0-9_.-]*$/.test(first))
        throw new Refusal(400, 'invalid_index_name_exception', `Invalid index name [${first}], must be lowercase`);
      if (indexes.has(first)) throw new Refusal(400, 'resource_already_exists_exception', `index [${first}/x] already exists`);
      create(first, json()['mappings'] as Mapping);
      return { status: 200, body: { acknowledged: true, shards_acknowledged: true, index: first } };
    }
    const found = matching(first);
    if (found.length === 0 && !first.includes('*')) throw new Refusal(404, 'index_not_found_exception', `no such index [${first}]`);
    if (second === '_mapping' && method === 'GET')
      return {
        status: 200,
        body: Object.fromEntries(found.map((name) => [name, { mappings: { properties: indexes.get(name)?.mapping.properties } }])),
      };
    if (second === '_mapping' && method === 'PUT') {
      for (const name of found) {
        const conflict = mergeProperties((indexes.get(name) as StoredIndex).mapping, json()['properties'] as Properties);
        if (conflict !== null) throw new Refusal(400, 'illegal_argument_exception', conflict);
      }
      return { status: 200, body: { acknowledged: true } };
    }
    if (second === '_refresh') {
      for (const name of found) {
        const index = indexes.get(name) as StoredIndex;
        index.visible = [...index.documents.values()];
      }
      return { status: 200, body: { _shards: { total: found.length, successful: found.length, failed: 0 } } };
    }
    if (second === '_search') {
      const index = indexes.get(found[0]) as StoredIndex;
      const outcome = runSearch(json(), index.visible, index.mapping);
      if ('refusal' in outcome) throw new Refusal(400, outcome.refusal.type, outcome.refusal.reason);
      return { status: 200, body: outcome.body };
    }
    throw new Refusal(405, 'illegal_argument_exception', `Incorrect HTTP method for uri [${path}] and method [${method}]`);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const [path] = (request.url ?? '/').split('?');
    requests.push(`${request.method} ${path}`);
    const send = (status: number, content: object) => {
      const versioned = isElastic && /vnd\.elasticsearch/.test(request.headers.accept ?? '');
      response.writeHead(status, {
        'content-type': versioned ? 'application/vnd.elasticsearch+json;compatible-with=9' : 'application/json; charset=UTF-8',
        ...(isElastic ? { 'x-elastic-product': 'Elasticsearch' } : {}),
      });
      response.end(JSON.stringify(content));
    };
    try {
      if (authorization !== undefined && request.headers.authorization !== authorization)
        throw new Refusal(401, 'security_exception', 'missing authentication credentials for REST request');
      if (body.length > stub.maxBytes) throw new Refusal(413, 'content_too_long', `entity content is too long [${body.length}]`);
      const {
        status,
        body: content,
        cut,
      } = answer(request.method ?? '', path, body.toString('utf8'), request.headers['content-type'] ?? '');
      if (cut) request.socket.destroy();
      else send(status, content);
    } catch (error) {
      if (!(error instanceof Refusal))
        return send(500, { error: { type: 'stub_failed', reason: String((error as Error).stack) }, status: 500 });
      const { status, type, message: reason } = error;
      send(status, { error: { root_cause: [{ type, reason }], type, reason }, status });
    }
  };

  const start = () =>
    new Promise<void>((ready) => {
      server = createServer((request, response) => void handle(request, response));
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      for (const index of indexes.values()) index.visible = [...index.documents.values()];
      server.listen(port, '127.0.0.1', ready);
    });
  await start();
  const bound = (server! as Server).address() as AddressInfo;

  const stub: SearchStub = {
    url: `http://127.0.0.1:${bound.port}`,
    documents: (index) => [...(indexes.get(index)?.documents.values() ?? [])],
    mapping: (index) => indexes.get(index)?.mapping,
    create: (index, properties) => void create(index, { properties }),
    remove: (index) => void indexes.delete(index),
    requests,
    trouble,
    maxBytes: 100 * 2 ** 20,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
    start,
  };
  return stub;
}

class Refusal extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, reason: string) {
    super(reason);
    this.status = status;
    this.type = type;
  }
}

const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.\\+?^${}()|[\]]/g, '\\$&'))
      .join('.*')}$`,
  ).test(name);
