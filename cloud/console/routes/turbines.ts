/** Turbines, their alarms, faults and commands. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deployments, ModelStanding } from '../../../actors/contracts/deployments.ts';
import { didYouMean, NotFound } from '../../../actors/contracts/errors.ts';
import type { TurbineView } from '../../../actors/contracts/fleet-view.ts';
import { parseBody, RequestRefused } from '../errors.ts';
import type { ConsoleServices } from '../services.ts';

const Fault = z.strictObject({
  fault: z.string().min(1).max(64),
  severity: z.number().min(0).max(1).default(0.5),
  overSeconds: z.number().min(0).max(86_400).default(0),
  forSeconds: z.number().positive().max(86_400).optional(),
  onset: z.enum(['ramp', 'wear', 'intermittent', 'periodic']).optional(),
  recoverySeconds: z.number().min(0).max(86_400).optional(),
  channel: z.string().min(1).max(64).optional(),
});
const Command = z.discriminatedUnion('command', [
  z.strictObject({ command: z.enum(['start', 'stop', 'reset']) }),
  z.strictObject({ command: z.literal('derate'), fraction: z.number().min(0).max(1) }),
]);
const Inspect = z.strictObject({ on: z.boolean() });

/** What is installed and what of it is accepted; both null for a turbine that was never heard of. */
export const standingOf = (
  deployments: Pick<Deployments, 'standing'>,
  thing: string,
): { readonly [fact in keyof ModelStanding]: ModelStanding[fact] | null } =>
  deployments.standing(thing) ?? { installed: null, accepted: null };

type OfThing = { Params: { thing: string } };

export function turbineRoutes(app: FastifyInstance, { view, deployments, faults, command, inspect, chart, site }: ConsoleServices): void {
  const find = (thing: string): TurbineView => {
    const turbine = view.turbine(thing);
    if (turbine) return turbine;
    const known = view.turbines().map((one) => one.thing);
    throw new NotFound(`no turbine ${thing}.${didYouMean(thing, known)}`, {
      hint: `turbines: ${known.slice(0, 10).join(', ') || 'none yet'}`,
    });
  };
  const injector = () => {
    if (faults) return faults;
    throw new RequestRefused(
      409,
      'fault.refused',
      'no farm of twins runs in this process',
      'faults are injected where the twins are: windfleet up',
    );
  };

  const withStanding = (turbine: TurbineView) => ({ ...turbine, ...standingOf(deployments, turbine.thing) });
  app.get('/api/turbines', async () => view.turbines().map(withStanding));
  app.get<OfThing>('/api/turbines/:thing', async ({ params }) => withStanding(find(params.thing)));
  app.get<OfThing>('/api/turbines/:thing/transitions', async ({ params }) => view.transitions(find(params.thing).thing));
  app.get('/api/site', async () => {
    if (site) return site();
    throw new NotFound('no farm runs in this process', { hint: 'windfleet up' });
  });
  app.get('/api/alarms', async () => view.alarms());
  app.get('/api/chart', async () => chart);
  app.get('/api/faults', async () => ({ catalogue: faults?.catalogue ?? [], active: faults?.active() ?? [] }));

  app.post<OfThing>('/api/turbines/:thing/faults', async ({ params, body }, reply) => {
    const { fault, severity, overSeconds, forSeconds, onset, recoverySeconds, channel } = parseBody(Fault, body);
    const { thing } = find(params.thing);
    injector().inject(thing, {
      fault,
      severity,
      over: overSeconds * 1_000,
      ...(forSeconds === undefined ? {} : { for: forSeconds * 1_000 }),
      ...(onset === undefined ? {} : { onset }),
      ...(recoverySeconds === undefined ? {} : { recovery: recoverySeconds * 1_000 }),
      ...(channel === undefined ? {} : { channel }),
    });
    return reply.status(201).send({ thing, fault, severity });
  });
  app.delete<OfThing & { Querystring: { fault?: string } }>('/api/turbines/:thing/faults', async ({ params, query }) => {
    const { thing } = find(params.thing);
    return { thing, cleared: injector().clear(thing, query.fault) };
  });
  app.post<OfThing>('/api/turbines/:thing/commands', async ({ params, body }, reply) => {
    const order = parseBody(Command, body);
    const { thing } = find(params.thing);
    await command(thing, order);
    return reply.status(202).send({ thing, ...order });
  });
  app.post<OfThing>('/api/turbines/:thing/inspect', async ({ params, body }, reply) => {
    const { on } = parseBody(Inspect, body);
    await inspect(find(params.thing).thing, on);
    return reply.status(202).send({ thing: params.thing, on });
  });
}
