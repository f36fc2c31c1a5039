/** The console: the page, its API and the metrics, on one port of one address. */
import { existsSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fastifySwagger from '@fastify/swagger';
import Fastify from 'fastify';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Clock } from '../../actors/contracts/clock.ts';
import { EnvironmentLacking, reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import { sendError } from './errors.ts';
import type { AwsFront } from '../aws/front.ts';
import { guard, refusalOf } from './guard.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { modelRoutes } from './routes/models.ts';
import { objectRoutes } from './routes/objects.ts';
import { queryRoutes } from './routes/queries.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { streamRoutes } from './routes/stream.ts';
import { thingRoutes } from './routes/things.ts';
import { trainingRoutes } from './routes/trainings.ts';
import { turbineRoutes } from './routes/turbines.ts';
import type { ConsoleServices } from './services.ts';

export interface ConsoleOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly services: ConsoleServices;
  /** AWS-shaped requests, told apart by their signature; null: none are served. */
  readonly aws?: AwsFront | null;
  readonly log: Log;
  readonly wall: Pick<Clock, 'setTimeout' | 'clearTimeout' | 'now'>;
}

export interface Console {
  readonly url: string;
  close(): Promise<void>;
}

const BODY_LIMIT = 64 * 1024;

/** @throws EnvironmentLacking when the port is taken. */
export async function openConsole({ host, port, services, aws = null, log, wall }: ConsoleOptions): Promise<Console> {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    serverFactory: (console) => splitServer(console, aws, host),
  });
  guard(app, host);
  app.setErrorHandler((error, request, reply) => {
    if (sendError(reply, error) >= 500) log.error({ route: request.routeOptions.url, reason: reasonOf(error) }, 'a request failed');
  });
  app.setNotFoundHandler((request, reply) => {
    reply.status(404).send({
      error: {
        code: 'not.found',
        message: `there is nothing at ${request.url.split('?')[0]}`,
        hint: 'GET /api/openapi.json names what there is',
      },
    });
  });
  await app.register(fastifySwagger, { openapi: { info: { title: 'windfleet', version: '1' } } });

  const metrics = createMetrics(services, aws);
  let stream = { close() {} };
  await app.register(async (api) => {
    api.get('/healthz', async () => ({ status: 'ok' }));
    api.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
    api.get('/api/openapi.json', async () => app.swagger());
    queryRoutes(api, services);
    turbineRoutes(api, services);
    rolloutRoutes(api, services);
    modelRoutes(api, services);
    deadLetterRoutes(api, services);
    objectRoutes(api, services);
    thingRoutes(api, services);
    stream = streamRoutes(api, services, trainingRoutes(api), wall);
  });
  const page = join(import.meta.dirname, 'web');
  if (existsSync(page)) await app.register(fastifyStatic, { root: page });

  await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new EnvironmentLacking(`console port ${port} on ${host} ${error.code === 'EACCES' ? 'may not be opened' : 'is taken'}`, {
      cause: error,
      hint: 'end what uses it, or choose another with --port (0 picks a free one)',
    });
  });
  const bound = app.server.address();

  return {
    url: `http://${host}:${typeof bound === 'object' && bound ? bound.port : port}`,
    async close() {
      stream.close();
      await app.close();
    },
  };
}

/** Prometheus: read from the fleet's view when asked. */
function createMetrics({ view, jobs, letters, ingested = { documents: 0, lost: 0 } }: ConsoleServices, aws: AwsFront | null): Registry {
  const registry = new Registry();
  new Gauge({
    name: 'windfleet_turbines',
    help: 'Turbines by state',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { state } of view.turbines()) this.inc({ state });
    },
  });
  new Gauge({
    name: 'windfleet_alarms_standing',
    help: 'Alarms that stand',
    registers: [registry],
    collect() {
      this.set(view.alarms().filter(({ clearedAt }) => clearedAt === null).length);
    },
  });
  new Gauge({
    name: 'windfleet_jobs',
    help: 'Jobs by status',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { status } of await jobs.list()) this.inc({ status });
    },
  });
  new Gauge({
    name: 'windfleet_dead_letters',
    help: 'Letters that are kept',
    registers: [registry],
    collect() {
      this.set(letters.counts().letters);
    },
  });
  new Counter({
    name: 'windfleet_dead_letters_total',
    help: 'Letters since the start by what became of them: refused, pushed out by newer ones, replayed',
    labelNames: ['event'],
    registers: [registry],
    collect() {
      const { refused, pushedOut, replayed } = letters.counts();
      this.reset();
      for (const [event, count] of Object.entries({ refused, pushedOut, replayed })) this.inc({ event }, count);
    },
  });
  for (const [name, help, count] of [
    ['windfleet_ingest_documents_total', 'Documents made of messages and captures since the start', () => ingested.documents],
    ['windfleet_ingest_lost_total', 'Documents and messages given up since the start: nothing could keep them', () => ingested.lost],
  ] as const)
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(count());
      },
    });
  new Counter({
    name: 'windfleet_aws_requests_total',
    help: 'AWS-shaped requests by plane, operation and outcome: ok, or the exception',
    labelNames: ['plane', 'operation', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { count, ...labels } of aws?.counts() ?? []) this.inc(labels, count);
    },
  });
  return registry;
}

const HEAD_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 900_000; // for a head and a body to arrive: objects have gigabytes
const KEEP_ALIVE_MS = 72_000;

/** AWS's clients go by the AWS door. What a browser's page of another site sends never gets there: the console refuses it. */
function splitServer(console: RequestListener, aws: AwsFront | null, host: string): Server {
  const server = createServer(
    { headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      if (aws?.claims(request) && refusalOf(request.headers, host) === null) aws.answer(request, response);
      else console(request, response);
    },
  );
  return server;
}
