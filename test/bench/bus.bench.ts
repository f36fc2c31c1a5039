import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { silentLog } from '../../actors/contracts/log.ts';
import { embeddedBroker } from '../../cloud/bus/embedded.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { serveJobs } from '../../cloud/jobs/mqtt.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import type { Figure } from '../kit/bench.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';
import type { RequestTask } from '../kit/request-clients.ts';

const CONNECTIONS = 16;
const REQUESTS = 3_000; // of each connection
const PAYLOAD = JSON.stringify({ status: 'IN_PROGRESS', statusDetails: { step: 'download', percent: '42' } });

/** Requests a second and a CPU-second of this process; the clients are in another one. */
async function load(
  task: Pick<RequestTask, 'port' | 'topic' | 'subscribe'>,
): Promise<{ readonly rate: number; readonly perCpuSecond: number }> {
  const before = process.cpuUsage();
  const all: RequestTask = { connections: CONNECTIONS, window: 16, requests: REQUESTS, payload: PAYLOAD, ...task };
  const child = fork(join(import.meta.dirname, '../kit/request-clients.js'), [JSON.stringify(all)]);
  const { seconds } = await new Promise<{ seconds: number }>((done, failed) => {
    child.once('message', (said) => done(said as { seconds: number }));
    child.once('exit', (code) => failed(new Error(`the clients ended with ${code}`)));
  });
  const { user, system } = process.cpuUsage(before);
  const requests = CONNECTIONS * REQUESTS;
  return { rate: requests / seconds, perCpuSecond: (requests / (user + system)) * 1e6 };
}

async function updates() {
  const folder = scratchFolder();
  const clock = wallClock();
  const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: clock, log: silentLog });
  const service = await openJobService({ clock, store: libsqlJobStore(join(folder, 'jobs.db')) });
  serveJobs(broker, service, clock, silentLog);
  const things = Array.from({ length: CONNECTIONS }, (_, i) => `T-${i}`);
  await service.create({ jobId: 'bench', things, targets: things, document: {} } as Parameters<typeof service.create>[0]);
  for (const thing of things) await service.device.startNext(thing, {});
  const figures = await load({ port: broker.address!.port, topic: '$aws/things/T-%/jobs/bench/update', subscribe: null });
  for (const { versionNumber } of await service.executions('bench'))
    if (versionNumber !== REQUESTS + 2) throw new Error(`an execution stands at version ${versionNumber}, not ${REQUESTS + 2}`);
  await service.close();
  await broker.close();
  removeFolder(folder);
  return figures;
}

/** The broker alone: a reserved topic, and an answer to whoever asked. */
async function ownEcho() {
  const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: wallClock(), log: silentLog });
  broker.reserve('$aws/things/+/jobs/#', ({ topic, payload }, client) =>
    broker.reply(client, `${topic}/accepted`, Buffer.from(payload).toString()),
  );
  const figures = await load({ port: broker.address!.port, topic: '$aws/things/T-%/jobs/bench/update', subscribe: null });
  await broker.close();
  return figures;
}

async function aedesEcho() {
  const broker = await Aedes.createBroker();
  await new Promise<void>((done) =>
    broker.subscribe(
      'echo/+',
      (packet, heard) => {
        setImmediate(() =>
          broker.publish(
            { cmd: 'publish', topic: `${packet.topic}/accepted`, payload: packet.payload, qos: 0, retain: false, dup: false },
            () => {},
          ),
        );
        heard();
      },
      done,
    ),
  );
  const server = createServer({ noDelay: true }, broker.handle);
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  const figures = await load({ port, topic: 'echo/%', subscribe: 'echo/%/accepted' });
  await new Promise<void>((closed) => broker.close(closed));
  server.close();
  return figures;
}

/** A publication within the process, heard there: ns each. */
async function localPublish() {
  const times = 200_000;
  const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: wallClock(), log: silentLog });
  const bus = broker.connect('bench');
  let heard = 0;
  await bus.subscribe('windfleet/+/state', () => heard++);
  let began = process.hrtime.bigint();
  for (let i = 0; i < times; i++) await bus.publish('windfleet/T-001/state', PAYLOAD);
  while (heard < times) await new Promise<void>((turned) => setImmediate(turned));
  const ours = Number(process.hrtime.bigint() - began) / times;
  await broker.close();

  const aedes = await Aedes.createBroker();
  let echoed = 0;
  await new Promise<void>((done) =>
    aedes.subscribe(
      'windfleet/+/state',
      (_packet, next) => {
        echoed++;
        next();
      },
      done,
    ),
  );
  began = process.hrtime.bigint();
  for (let i = 0; i < times; i++)
    await new Promise<void>((sent) => {
      aedes.publish(
        { cmd: 'publish', topic: 'windfleet/T-001/state', payload: Buffer.from(PAYLOAD), qos: 0, retain: false, dup: false },
        () => sent(),
      );
    });
  while (echoed < times) await new Promise<void>((turned) => setImmediate(turned));
  const theirs = Number(process.hrtime.bigint() - began) / times;
  await new Promise<void>((closed) => aedes.close(closed));
  return { ours, theirs };
}

/** UpdateJobExecution over MQTT, 16 connections, each answer durable; the baseline is an echo of the same body on bare aedes, which keeps nothing. */
export async function bench(): Promise<Figure[]> {
  const ours = await updates();
  const own = await ownEcho();
  const echo = await aedesEcho();
  const { ours: local, theirs } = await localPublish();
  return [
    {
      name: 'mqtt.updates',
      value: ours.rate,
      unit: 'durable UpdateJobExecution/s over MQTT, 16 connections',
      baseline: { name: 'an echo on bare aedes', value: echo.rate, ratio: ours.rate / echo.rate },
    },
    {
      name: 'mqtt.updates.cpu',
      value: ours.perCpuSecond,
      unit: 'of them a CPU-second',
      baseline: { name: 'an echo on bare aedes', value: echo.perCpuSecond, ratio: ours.perCpuSecond / echo.perCpuSecond },
    },
    {
      name: 'mqtt.echo.cpu',
      value: own.perCpuSecond,
      unit: 'echoes on the broker alone a CPU-second',
      baseline: { name: 'an echo on bare aedes', value: echo.perCpuSecond, ratio: own.perCpuSecond / echo.perCpuSecond },
    },
    {
      name: 'bus.local',
      value: local,
      unit: 'ns a publication within the process',
      baseline: { name: 'aedes', value: theirs, ratio: theirs / local },
    },
  ];
}
