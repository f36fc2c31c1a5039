/** A flood: many publishers, a subscriber that takes nothing, and devices that run their jobs meanwhile. */
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { silentLog } from '../../actors/contracts/log.ts';
import { embeddedBroker } from '../../cloud/bus/embedded.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { serveJobs } from '../../cloud/jobs/mqtt.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { removeFolder, scratchFolder } from './farm-process.ts';
import type { FloodReport } from './flood-clients.ts';
import { freePort } from './free-port.ts';
import { RawClient } from './raw-mqtt.ts';

export interface FloodOutcome {
  readonly report: FloodReport;
  /** Telemetry that a subscriber within the broker's process heard. */
  readonly heard: number;
  /** Job executions, and how many of them ended SUCCEEDED. */
  readonly executions: number;
  readonly succeeded: number;
  /** Job notifications that were sent, and that the slow subscriber got once it took messages again. */
  readonly notified: number;
  readonly slowNotified: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly peakWaitingBytes: number;
  readonly peakMegabytes: number;
  readonly seconds: number;
  /** The slowest answer that a device got, in ms. */
  readonly slowestAnswerMs: number;
}

export async function flood({
  clients,
  messages,
  bytes = 500,
  devices,
  jobs,
}: {
  readonly clients: number;
  readonly messages: number;
  readonly bytes?: number;
  readonly devices: number;
  readonly jobs: number;
}): Promise<FloodOutcome> {
  const folder = scratchFolder();
  const clock = wallClock();
  const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: clock, log: silentLog });
  const service = await openJobService({ clock, store: libsqlJobStore(join(folder, 'jobs.db')) });
  serveJobs(broker, service, clock, silentLog);
  const { port } = broker.address!;
  const open = async (clientId: string) => {
    const client = new RawClient(connect(port, '127.0.0.1'));
    client.connect({ clientId });
    await client.next('connack');
    return client;
  };

  let heard = 0;
  let notified = 0;
  const local = broker.connect('counter');
  await local.subscribe('wind-turbine/#', () => heard++);
  await local.subscribe('$aws/things/+/jobs/notify', () => notified++);
  const slow = await open('slow');
  slow.subscribe([
    { filter: 'wind-turbine/#', qos: 0 },
    { filter: '$aws/things/+/jobs/notify', qos: 1 },
  ]);
  await slow.next('suback');
  slow.socket.pause();

  const things = Array.from({ length: devices }, (_, i) => `T-${i}`);
  for (let j = 0; j < jobs; j++)
    await service.create({ jobId: `job-${j}`, things, targets: things, document: { type: 'new_model' } } as Parameters<
      typeof service.create
    >[0]);

  let slowestAnswerMs = 0;
  const run = async (thing: string) => {
    const client = await open(thing);
    const ask = async (rest: string, body: object): Promise<{ execution?: { jobId: string } }> => {
      const asked = clock.now();
      client.publish({ topic: `$aws/things/${thing}/jobs/${rest}`, payload: JSON.stringify(body), qos: 1, messageId: 1 });
      const { topic, payload } = await client.next('publish');
      slowestAnswerMs = Math.max(slowestAnswerMs, clock.now() - asked);
      if (topic !== `$aws/things/${thing}/jobs/${rest}/accepted`) throw new Error(`${topic}: ${payload}`);
      return JSON.parse(payload!.toString());
    };
    for (;;) {
      const { execution } = await ask('start-next', {});
      if (!execution) break;
      await ask(`${execution.jobId}/update`, { status: 'SUCCEEDED' });
    }
    client.socket.end(Buffer.from([0xe0, 0]));
  };

  let peakWaitingBytes = 0;
  let peakMegabytes = 0;
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      peakWaitingBytes = Math.max(peakWaitingBytes, broker.counters()['waiting.bytes']);
      peakMegabytes = Math.max(peakMegabytes, process.memoryUsage().rss / 1e6);
      await new Promise((turned) => setTimeout(turned, 20));
    }
  };
  const watching = watch();
  const began = clock.now();
  const child = fork(join(import.meta.dirname, 'flood-clients.js'), [JSON.stringify({ port, clients, messages, bytes })]);
  const flooded = new Promise<FloodReport>((done, failed) => {
    child.once('message', (report) => done(report as FloodReport));
    child.once('exit', (code) => failed(new Error(`the flood's process ended with ${code}`)));
  });
  const [report] = await Promise.all([flooded, ...things.map(run)]);
  const seconds = (clock.now() - began) / 1_000;

  // A marker behind everything: once the slow one has it, it has all that was kept for it.
  slow.socket.resume();
  await broker.announce('$aws/things/marker/jobs/notify', '{}');
  while ((await slow.next('publish')).topic !== '$aws/things/marker/jobs/notify');
  isOver = true;
  await watching;

  let succeeded = 0;
  let executions = 0;
  for (let j = 0; j < jobs; j++)
    for (const { status } of await service.executions(`job-${j}`)) {
      executions++;
      if (status === 'SUCCEEDED') succeeded++;
    }
  const outcome = {
    report,
    heard,
    executions,
    succeeded,
    notified,
    slowNotified: slow.got.filter(({ cmd, topic }) => cmd === 'publish' && topic!.startsWith('$aws/')).length,
    counters: broker.counters(),
    peakWaitingBytes,
    peakMegabytes,
    seconds,
    slowestAnswerMs,
  };
  slow.socket.destroy();
  await service.close();
  await broker.close();
  removeFolder(folder);
  return outcome;
}
