/** Models, their lineage, and the aliases that point to them. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { lineageOf } from '../../models/lineage.ts';
import { parseBody } from '../errors.ts';
import type { ConsoleServices } from '../services.ts';

const NewAlias = z.strictObject({ alias: z.string().max(64), model: z.string().min(1).max(160) });

type OfId = { Params: { id: string } };

export function modelRoutes(app: FastifyInstance, { catalogue, jobs, deployments, view, dated }: ConsoleServices): void {
  const namesOf = async () => {
    const aliases = (await catalogue.aliases()).filter(({ version }) => version !== null);
    return (model: { readonly name: string; readonly version: string }) =>
      aliases.filter(({ name, version }) => name === model.name && version === model.version).map(({ alias }) => alias);
  };

  app.get('/api/models', async () => {
    const aliases = await namesOf();
    return (await catalogue.list()).map((model) => ({ ...model, aliases: aliases(model) }));
  });
  app.get<OfId>('/api/models/:id', async ({ params }) => {
    const model = await catalogue.describe(params.id);
    const running = new Map(view.turbines().map(({ thing, model }) => [thing, model]));
    return {
      ...model,
      aliases: (await namesOf())(model),
      grants: await catalogue.grants(model),
      lineage: await lineageOf(model, {
        jobs: () => jobs.list(),
        executions: (id) => jobs.executions(id),
        running,
        standing: deployments.standing,
      }),
    };
  });
  app.get('/api/aliases', async () => catalogue.aliases());
  app.post('/api/aliases', async ({ body }, reply) => {
    const { alias, model } = parseBody(NewAlias, body);
    return reply.status(201).send(await catalogue.setAlias(alias, model, dated()));
  });
  app.delete<OfId>('/api/aliases/:id', async ({ params }) => catalogue.removeAlias(params.id, dated()));
}
