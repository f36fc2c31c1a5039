import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { embeddedBroker } from '../../cloud/bus/embedded.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { deviceJobs } from '../../cloud/jobs/client.ts';
import { libsqlJobStore, memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { serveJobs } from '../../cloud/jobs/mqtt.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { freePort } from '../kit/free-port.ts';
import { has } from '../kit/programs.ts';

const jobs = suite('jobs');

const document = { type: 'new_model' };
const newJob = (jobId: string, things: readonly string[] = ['T-1']) => ({ jobId, things, targets: things, document });

async function virtualService() {
  const clock = new VirtualClock();
  const service = await openJobService({ clock, store: memoryJobStore() });
  return { clock, service, device: service.device };
}

const reasonOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof JobRefused ? error.reason : `defect ${error}`),
  );

jobs('a terminal status never changes, whoever asks', async () => {
  const { service, device } = await virtualService();
  await service.create(newJob('a'));
  await device.update('T-1', 'a', { status: 'SUCCEEDED' });

  for (const status of ['IN_PROGRESS', 'FAILED', 'SUCCEEDED', 'REJECTED'] as const)
    assert.is(await reasonOf(device.update('T-1', 'a', { status })), 'InvalidStateTransition');
  assert.is((await service.executions('a'))[0].status, 'SUCCEEDED');
  assert.is((await service.describe('a')).status, 'COMPLETED');
});

jobs('a version is checked where one is given, and grows by one', async () => {
  const { service, device } = await virtualService();
  await service.create(newJob('a'));

  assert.is((await device.startNext('T-1', {}))?.versionNumber, 2);
  assert.is(await reasonOf(device.update('T-1', 'a', { status: 'IN_PROGRESS', expectedVersion: 1 })), 'VersionMismatch');
  assert.is((await device.update('T-1', 'a', { status: 'IN_PROGRESS', expectedVersion: 2 })).versionNumber, 3);
  assert.is((await device.startNext('T-1', {}))?.versionNumber, 3);
});

jobs('of two updates that race for one version, one wins', async () => {
  const { service, device } = await virtualService();
  await service.create(newJob('a'));
  const races = await Promise.all([1, 2, 3].map(() => reasonOf(device.update('T-1', 'a', { status: 'IN_PROGRESS', expectedVersion: 1 }))));
  assert.equal(races.sort(), ['VersionMismatch', 'VersionMismatch', 'accepted']);
});

jobs('timers run as AWS IoT’s worked example has them', async () => {
  // In-progress timer of 20 min from 12:00; step 7 at 12:05 → 12:12; step 5 at 12:10 → 12:15; step 9 at 12:13 → 12:20, the in-progress timer's end.
  const minute = 60_000;
  const { clock, service, device } = await virtualService();
  await service.create({ ...newJob('a'), inProgressTimeoutInMinutes: 20 });
  const status = async () => (await service.executions('a'))[0].status;
  await device.startNext('T-1', {});
  await clock.run(5 * minute);
  await device.update('T-1', 'a', { status: 'IN_PROGRESS', stepTimeoutInMinutes: 7 });
  await clock.run(10 * minute);
  await device.update('T-1', 'a', { status: 'IN_PROGRESS', stepTimeoutInMinutes: 5 });
  await clock.run(13 * minute);
  await device.update('T-1', 'a', { status: 'IN_PROGRESS', stepTimeoutInMinutes: 9 });

  await clock.run(20 * minute - 1);
  assert.is(await status(), 'IN_PROGRESS');
  await clock.run(20 * minute);
  assert.is(await status(), 'TIMED_OUT');
});

jobs('notifies as the documented trace has it', async () => {
  const { service, device } = await virtualService();
  let heard: string[] = [];
  service.notify({
    list: (_, pending) => heard.push(`list ${pending.map(({ jobId, status }) => `${jobId}:${status}`).join(' ')}`.trim()),
    next: (_, next) => heard.push(`next ${next?.jobId ?? 'none'}`),
  });
  const after = async (change: () => Promise<unknown>) => {
    heard = [];
    await change();
    return heard;
  };

  assert.equal(await after(() => service.create(newJob('1'))), ['list 1:QUEUED', 'next 1']);
  assert.equal(await after(() => service.create(newJob('2'))), ['list 1:QUEUED 2:QUEUED']);
  assert.equal(await after(() => device.update('T-1', '1', { status: 'IN_PROGRESS' })), []);
  assert.equal(await after(() => service.create(newJob('3'))), ['list 1:IN_PROGRESS 2:QUEUED 3:QUEUED']);
  assert.equal(await after(() => device.update('T-1', '1', { status: 'SUCCEEDED' })), ['list 2:QUEUED 3:QUEUED', 'next 2']);
  assert.equal(await after(() => device.update('T-1', '3', { status: 'IN_PROGRESS' })), ['next 3']);
  assert.equal(await after(() => device.update('T-1', '2', { status: 'REJECTED' })), ['list 3:IN_PROGRESS']);
  assert.equal(await after(() => service.cancel('3', { force: true })), ['list', 'next none']);
});

jobs('refuses what AWS IoT Jobs refuses', async () => {
  const { service, device } = await virtualService();
  await service.create(newJob('a'));

  assert.is(await reasonOf(service.create(newJob('a'))), 'ResourceAlreadyExists');
  assert.is(await reasonOf(service.create(newJob('a b'))), 'InvalidRequest');
  assert.is(await reasonOf(device.update('T-2', 'a', { status: 'IN_PROGRESS' })), 'ResourceNotFound');
  assert.is(await reasonOf(device.update('T-1', 'a', { status: 'IN_PROGRESS', executionNumber: 2 })), 'ResourceNotFound');
  assert.is(await reasonOf(device.update('T-1', 'a', { status: 'IN_PROGRESS', stepTimeoutInMinutes: 0 })), 'InvalidRequest');
  assert.is(await reasonOf(device.update('T-1', 'a', { status: 'IN_PROGRESS', statusDetails: { info: 'x\u0000' } })), 'InvalidRequest');
  assert.is(await reasonOf(device.update('T-1', 'a', { status: 'IN_PROGRESS', statusDetails: { 'a b': 'x' } })), 'InvalidRequest');
  assert.is(await reasonOf(service.describe('b')), 'ResourceNotFound');
});

jobs('a device’s client speaks with the service over a bus', async () => {
  const clock = new VirtualClock();
  const broker = memoryBroker();
  const service = await openJobService({ clock, store: memoryJobStore() });
  serveJobs(broker, service, clock, silentLog);
  const device = deviceJobs(broker.connect('T-1'), clock);
  let notified = 0;
  await device.onNext('T-1', () => notified++);

  assert.is(await device.next('T-1'), null);
  await service.create(newJob('a'));
  await clock.settle();
  assert.is(notified, 1);
  assert.equal((await device.next('T-1'))?.document, document);
  await device.update('T-1', 'a', { status: 'SUCCEEDED' });
  assert.is(await reasonOf(device.update('T-1', 'a', { status: 'FAILED' })), 'InvalidStateTransition');
});

jobs('a plain MQTT client plays the whole conversation, without subscribing to any reply', async () => {
  const clock = wallClock();
  const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: wallClock(), log: silentLog });
  const service = await openJobService({ clock, store: memoryJobStore() });
  serveJobs(broker, service, clock, silentLog);
  const url = `mqtt://127.0.0.1:${broker.address?.port}`;
  const [client, spy] = await Promise.all([connectAsync(url, { clientId: 'device' }), connectAsync(url, { clientId: 'spy' })]);
  const spied: string[] = [];
  spy.on('message', (topic) => spied.push(topic));
  await spy.subscribeAsync(['#', '$aws/things/+/jobs/#']);
  const heard: { topic: string; body: Record<string, unknown> }[] = [];
  const waiting = new Map<string, (body: Record<string, unknown>) => void>();
  client.on('message', (topic, payload) => {
    const body = JSON.parse(payload.toString()) as Record<string, unknown>;
    heard.push({ topic, body });
    waiting.get(topic)?.(body);
  });
  const ask = (rest: string, verdict: 'accepted' | 'rejected', payload: string) =>
    new Promise<Record<string, never>>((answered) => {
      waiting.set(`$aws/things/T-1/jobs/${rest}/${verdict}`, (body) => answered(body as Record<string, never>));
      client.publish(`$aws/things/T-1/jobs/${rest}`, payload, { qos: 1 });
    });

  await service.create(newJob('j-1'));
  const pending = await ask('get', 'accepted', '');
  assert.is((pending['queuedJobs'] as { jobId: string }[])[0].jobId, 'j-1');
  const described = await ask('j-1/get', 'accepted', '{"clientToken":"t1"}');
  assert.equal((described['execution'] as { jobDocument: unknown }).jobDocument, document);
  assert.is(described['clientToken'], 't1');
  const next = await ask('$next/get', 'accepted', '{}');
  assert.is((next['execution'] as { status: string }).status, 'QUEUED');
  await ask(
    'j-1/update',
    'accepted',
    '{"status":"IN_PROGRESS","statusDetails":{"info":"Trying to get/load the model"},"stepTimeoutInMinutes":2}',
  );
  const again = await ask('start-next', 'accepted', '{}');
  assert.is((again['execution'] as { versionNumber: number }).versionNumber, 2);
  await ask('j-1/update', 'accepted', '{"status":"SUCCEEDED","expectedVersion":"2"}');
  for (const [rest, payload, code] of [
    ['j-1/update', '{"status":"FAILED"}', 'InvalidStateTransition'],
    ['j-1/update', '{"status":"QUEUED"}', 'InvalidRequest'],
    ['j-1/update', '{}', 'InvalidRequest'],
    ['j-1/update', 'nonsense', 'InvalidJson'],
    ['gone/get', '{}', 'ResourceNotFound'],
    ['j-1/get', '{}', 'TerminalStateReached'],
    ['j-1/nothing', '{}', 'InvalidTopic'],
  ]) {
    assert.is((await ask(rest, 'rejected', payload))['code'], code, `${rest} ${payload}`);
  }
  assert.is((await service.describe('j-1')).status, 'COMPLETED');
  assert.equal(
    spied.filter((topic) => !topic.endsWith('/notify') && !topic.endsWith('/notify-next')),
    [],
  );
  await Promise.all([client.endAsync(true), spy.endAsync(true)]);
  await broker.close();
});

jobs('mosquitto_sub hears what the farm publishes', async () => {
  if (!has('mosquitto_sub', 'mosquitto-clients')) return;
  const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: wallClock(), log: silentLog });
  const child = spawn('mosquitto_sub', [
    '-h',
    '127.0.0.1',
    '-p',
    String(broker.address?.port),
    '-t',
    'windfleet/+/state',
    '-C',
    '1',
    '-W',
    '10',
  ]);
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const ended = new Promise((done) => child.on('close', done));
  const bus = broker.connect('farm');
  await bus.publish('windfleet/T-1/state', '{"state":"idle"}', { retain: true, qos: 1 });
  await ended;

  assert.is(output.trim(), '{"state":"idle"}');
  await broker.close();
});

jobs('what was acknowledged survives kill -9, and its timers go on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-jobs-'));
  const file = join(folder, 'jobs.db');
  const child = spawn(process.execPath, [join(import.meta.dirname, '../kit/job-writer.js'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = 0;
  for await (const chunk of child.stdout) {
    acknowledged = Number(String(chunk).trim().split('\n').at(-1));
    if (acknowledged >= 50) break;
  }
  const gone = once(child, 'close');
  child.kill('SIGKILL');
  await gone; // until then it may hold the store's lock

  const clock = new VirtualClock({ epoch: wallClock().epoch });
  const service = await openJobService({ clock, store: libsqlJobStore(file) });
  const found = await service.list();
  assert.ok(found.length >= acknowledged, `${found.length} of ${acknowledged}`);
  for (let i = 0; i < acknowledged; i++) assert.is((await service.executions(`job-${i}`))[0].status, 'IN_PROGRESS');
  await clock.run(11 * 60_000);
  assert.is((await service.executions('job-0'))[0].status, 'TIMED_OUT');
  await service.close();
  rmSync(folder, { recursive: true });
});

jobs.run();
