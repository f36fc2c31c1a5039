/** What was indexed: aggregations, documents as they are, and the saved queries that need no writing. */
import type { FastifyInstance } from 'fastify';
import { askDashboard, SAVED_QUERIES, savedQuery } from '../../dashboards.ts';
import { parseDocumentQuery, parseQuery, parseRange, printQuery } from '../../index/query.ts';
import type { ConsoleServices } from '../services.ts';

type Asked = { Querystring: Record<string, unknown> };

export function queryRoutes(app: FastifyInstance, { index, now }: Pick<ConsoleServices, 'index' | 'now'>): void {
  app.get<Asked>('/api/query', async ({ query }) => index.aggregate(parseQuery(query)));
  app.get<Asked>('/api/documents', async ({ query }) => {
    const { index: name, ...options } = parseDocumentQuery(query);
    return index.latest(name, options);
  });
  app.get('/api/dashboards', async () =>
    SAVED_QUERIES.map(({ series, ...saved }) => ({
      ...saved,
      series: series.map(({ label, query }) => ({ label, query: `/api/query?${printQuery(query)}` })),
    })),
  );
  app.get<Asked & { Params: { id: string } }>('/api/dashboards/:id', async ({ params, query }) => {
    const saved = savedQuery(params.id);
    return askDashboard(index, saved, { to: now(), ...parseRange(query) });
  });
}
