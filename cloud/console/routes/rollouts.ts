/** Deployments and their jobs. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { JobRefused } from '../../../actors/contracts/errors.ts';
import type { Job, JobExecution } from '../../../actors/contracts/jobs.ts';
import { hostOf } from '../../things/endpoints.ts';
import { EXECUTIONS_LISTED, EXECUTIONS_OF_ONE, EXECUTIONS_SHOWN } from '../../deployments.ts';
import { mergeWishes, PlanWords, planFields } from '../../rollouts/wishes.ts';
import { parseBody, RequestRefused } from '../errors.ts';
import type { ConsoleServices } from '../services.ts';

const Deployment = z.strictObject({
  model: z.string().min(1).max(160),
  to: z.string().min(1).max(128),
  ...planFields,
  plan: PlanWords.optional(),
});
const ORDERS = ['pause', 'resume', 'abort', 'rollback'] as const;

type OfId = { Params: { id: string } };

export function rolloutRoutes(
  app: FastifyInstance,
  { deployments, jobs, trustedKeys, mqttEndpoint, mqttsEndpoint }: ConsoleServices,
): void {
  app.get('/api/keys', async () => trustedKeys.map((pem) => ({ algorithm: 'ed25519', pem })));
  app.get('/api/jobs', async () => {
    const shown: (Job & { readonly executions: readonly JobExecution[] })[] = [];
    let room = EXECUTIONS_LISTED;
    for (const job of await jobs.list()) {
      try {
        const executions = room === 0 ? [] : await jobs.executions(job.jobId, { limit: Math.min(room, EXECUTIONS_OF_ONE) });
        room -= executions.length;
        shown.push({ ...job, executions });
      } catch (error) {
        if (!(error instanceof JobRefused && error.reason === 'ResourceNotFound')) throw error; // deleted a moment ago
      }
    }
    return shown;
  });
  const whole = async (job: Job) => ({ ...job, executions: await jobs.executions(job.jobId, { limit: EXECUTIONS_SHOWN }) });
  app.get<OfId>('/api/jobs/:id', async ({ params }) => whole(await jobs.describe(params.id)));
  app.delete<OfId>('/api/jobs/:id', async ({ params }) => whole(await jobs.cancel(params.id)));
  app.get('/api/deployments', async () => deployments.list());
  app.get<OfId>('/api/deployments/:id', async ({ params }) => deployments.show(params.id));
  app.delete<OfId>('/api/deployments/:id', async ({ params }) => deployments.cancel(params.id));
  app.post('/api/deployments', async ({ body }, reply) => {
    const { model, to, plan, ...said } = parseBody(Deployment, body);
    return reply.status(201).send(await deployments.deploy({ model, to, ...mergeWishes(plan, said) }));
  });
  for (const what of ORDERS)
    app.post<OfId>(`/api/deployments/:id/${what}`, async ({ params }) => deployments[what === 'abort' ? 'cancel' : what](params.id));

  // AWS IoT's DescribeEndpoint, for who signs nothing: a bare host as there, and beside it where the broker is in full.
  app.get<{ Querystring: { endpointType?: string } }>('/endpoint', async ({ query }) => {
    if (query.endpointType !== undefined && query.endpointType !== 'iot:Data-ATS' && query.endpointType !== 'iot:Data')
      throw new RequestRefused(400, 'InvalidRequestException', `endpointType ${query.endpointType} is not served here`, 'iot:Data-ATS is');
    if (mqttEndpoint === null) throw new RequestRefused(404, 'ResourceNotFoundException', 'this cloud has no MQTT port');
    return { endpointAddress: hostOf(mqttEndpoint), mqtt: mqttEndpoint, mqtts: mqttsEndpoint };
  });
}
