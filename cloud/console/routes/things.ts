/** Things and their certificates. Keys are made where they stay: what comes here is a request to be signed. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isThingName } from '../../../actors/contracts/ids.ts';
import { certificatesOf, DEVICE_ROLE_ALIAS, provisionThing, revokeThing } from '../../things/provisioning.ts';
import type { Thing } from '../../things/ports.ts';
import { parseBody } from '../errors.ts';
import type { ConsoleServices } from '../services.ts';
import { standingOf } from './turbines.ts';

const NewThing = z.strictObject({
  thing: z.string().refine(isThingName, 'is no name of a thing: 1 to 128 of letters, digits, : _ -'),
  csr: z.string().min(1).max(4_096),
});

export function thingRoutes(app: FastifyInstance, { things, view, deployments, mqttsEndpoint, httpsEndpoint }: ConsoleServices): void {
  const { registry } = things;

  const shown = ({ name, typeName, attributes, version, createdAt }: Thing) => ({
    thing: name,
    type: typeName,
    attributes,
    version,
    createdAt,
    groups: registry.groupsOf(name),
    certificates: certificatesOf(things, name).map(({ id, status, notAfter }) => ({ id, status, notAfter })),
    ...standingOf(deployments, name),
    turbine: view.turbine(name) ?? null,
  });
  app.get('/api/things', async () => registry.list().map(shown));
  app.get<{ Params: { thing: string } }>('/api/things/:thing', async ({ params }) => shown(registry.describe(params.thing)));
  app.post('/api/things', async ({ body }, reply) => {
    const { thing, csr } = parseBody(NewThing, body);
    const provisioned = await provisionThing(things, thing, csr);
    return reply.status(201).send({ ...provisioned, mqtts: mqttsEndpoint, https: httpsEndpoint, roleAlias: DEVICE_ROLE_ALIAS });
  });
  app.delete<{ Params: { thing: string } }>('/api/things/:thing/certificates', async ({ params }) => ({
    thing: params.thing,
    revoked: (await revokeThing(things, params.thing)).map(({ id }) => id),
  }));
}
