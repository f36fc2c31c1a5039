/** A process to be measured: the AWS-shaped API over a durable cloud, and a bare fastify route beside it. */
import Fastify from 'fastify';
import { silentLog } from '../../actors/contracts/log.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { createRunLog } from '../../scenarios/digest.ts';
import { openDoors } from '../../scenarios/doors.ts';
import { openCloud } from '../../scenarios/services.ts';

const [data, awsPort, barePort, clients] = process.argv.slice(2);
const clock = wallClock();
const host = '127.0.0.1';
const cloud = await openCloud(
  { kind: 'demo', data, host, mqttPort: 0, mqttsPort: 0 },
  { clock, log: silentLog, events: createRunLog({ keep: false }) },
);
await openDoors(cloud, { host, port: Number(awsPort), httpsPort: 0, log: silentLog, wall: clock, faults: null, site: null });
const things = Array.from({ length: Number(clients) }, (_, i) => `T-${i}`);
for (const thing of things) cloud.registry.register(thing);
await cloud.jobs.create({ jobId: 'bench', targets: things, document: { type: 'new_model' } });

const bare = Fastify();
bare.post<{ Params: { thing: string; job: string }; Body: { status: string; statusDetails: Record<string, string> } }>(
  '/things/:thing/jobs/:job',
  async ({ body }) => ({ executionState: { status: body.status, statusDetails: body.statusDetails, versionNumber: 1 } }),
);
await bare.listen({ host, port: Number(barePort) });

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system });
});
process.send?.(cloud.things.credentials.owner);
