import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { serveJobs } from '../../cloud/jobs/mqtt.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { faultyJobStore } from '../kit/faulty-job-store.ts';

const mqtt = suite('jobs over MQTT');

const EPOCH = 1_767_225_600_500; // half a second past: what goes out is whole seconds
const SECONDS = 1_767_225_600;

type Body = Record<string, never>;

async function plane() {
  const clock = new VirtualClock({ epoch: EPOCH });
  const store = faultyJobStore();
  const broker = memoryBroker();
  const service = await openJobService({
    clock,
    store,
    objects: { presign: (bucket, key, seconds) => `https://here/${bucket}/${key}?${seconds}`, read: async () => null },
  });
  serveJobs(broker, service, clock, silentLog);
  const heard: { topic: string; body: Body }[] = [];
  const keep = ({ topic, payload }: { topic: string; payload: Uint8Array }) =>
    heard.push({ topic, body: JSON.parse(Buffer.from(payload).toString()) as Body });
  const device = broker.connect('T-1');
  for (const filter of ['get/+', 'start-next/+', '+/get/+', '+/update/+', 'notify', 'notify-next', '+/nothing/+'])
    await device.subscribe(`$aws/things/T-1/jobs/${filter}`, keep);
  await device.subscribe('$aws/events/#', keep);
  /** What is heard by a request, replies first. */
  const ask = async (rest: string, payload: string | object | Uint8Array = '') => {
    heard.length = 0;
    const bytes = typeof payload === 'string' || payload instanceof Uint8Array ? payload : JSON.stringify(payload);
    await device.publish(`$aws/things/T-1/jobs/${rest}`, bytes);
    await clock.settle();
    const reply = heard.find(({ topic }) => /\/(accepted|rejected)$/.test(topic))!;
    return { verdict: reply.topic.slice(reply.topic.lastIndexOf('/') + 1), topic: reply.topic, body: reply.body };
  };
  const create = async (jobId: string, document: object = { do: 'it' }, minutes?: number) => {
    heard.length = 0;
    await service.create({
      jobId,
      things: ['T-1'],
      targets: ['T-1'],
      document: document as Record<string, unknown>,
      ...(minutes === undefined ? {} : { inProgressTimeoutInMinutes: minutes }),
    });
    await clock.settle();
    return heard.slice();
  };
  return { clock, store, service, device, ask, create, heard };
}

mqtt('notifications have the documented shape: absent lists, whole seconds, the document an object', async () => {
  const { create, ask, heard } = await plane();
  const summary = { queuedAt: SECONDS, lastUpdatedAt: SECONDS, versionNumber: 1, executionNumber: 1 };
  assert.equal(await create('one'), [
    { topic: '$aws/things/T-1/jobs/notify', body: { timestamp: SECONDS, jobs: { QUEUED: [{ jobId: 'one', ...summary }] } } },
    {
      topic: '$aws/things/T-1/jobs/notify-next',
      body: { timestamp: SECONDS, execution: { jobId: 'one', ...summary, thingName: 'T-1', status: 'QUEUED', jobDocument: { do: 'it' } } },
    },
  ]);
  await ask('one/update', { status: 'SUCCEEDED' });
  assert.equal(
    heard.filter(({ topic }) => topic.includes('notify')).map(({ body }) => body),
    [{ timestamp: SECONDS, jobs: {} }, { timestamp: SECONDS }],
  );
});

mqtt('every operation answers as its table has it', async () => {
  const { create, ask, clock } = await plane();
  await create('one', { do: 'it' }, 10);
  const times = { queuedAt: SECONDS, lastUpdatedAt: SECONDS };

  assert.equal((await ask('get')).body, {
    timestamp: SECONDS,
    inProgressJobs: [],
    queuedJobs: [{ jobId: 'one', ...times, versionNumber: 1, executionNumber: 1 }],
  } as never);
  const { topic, body } = await ask('start-next', { clientToken: 'c', statusDetails: { step: '1' }, stepTimeoutInMinutes: 5 });
  assert.is(topic, '$aws/things/T-1/jobs/start-next/accepted');
  assert.equal(body, {
    timestamp: SECONDS,
    clientToken: 'c',
    execution: {
      jobId: 'one',
      ...times,
      startedAt: SECONDS,
      versionNumber: 2,
      executionNumber: 1,
      thingName: 'T-1',
      status: 'IN_PROGRESS',
      statusDetails: { step: '1' },
      approximateSecondsBeforeTimedOut: 300,
      jobDocument: { do: 'it' },
    },
  } as never);
  await clock.run(60_000);
  const next = await ask('$next/get', { includeJobDocument: false });
  assert.is(next.topic, '$aws/things/T-1/jobs/$next/get/accepted');
  assert.is(next.body['execution']['approximateSecondsBeforeTimedOut'], 240);
  assert.not('jobDocument' in (next.body['execution'] as object));
  const updated = await ask('one/update', {
    status: 'SUCCEEDED',
    expectedVersion: '2',
    executionNumber: 1,
    includeJobExecutionState: true,
    includeJobDocument: true,
  });
  assert.equal(updated.body, {
    timestamp: SECONDS + 60,
    executionState: { status: 'SUCCEEDED', statusDetails: { step: '1' }, versionNumber: 3 },
    jobDocument: { do: 'it' },
  } as never);
  assert.equal((await ask('start-next')).body, { timestamp: SECONDS + 60 } as never);
  assert.equal((await ask('$next/get')).body, { timestamp: SECONDS + 60 } as never);
});

mqtt('what is refused says why, with the execution where AWS sends it along', async () => {
  const { create, ask } = await plane();
  await create('one');
  await ask('one/update', { status: 'IN_PROGRESS' });
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  for (const [rest, payload, code, withState] of [
    ['one/nothing', '{}', 'InvalidTopic', false],
    ['$next/update', '{"status":"FAILED"}', 'InvalidTopic', false],
    ['get', '[]', 'InvalidJson', false],
    ['get', Uint8Array.of(0x7b, 0xff, 0x7d), 'InvalidJson', false],
    ['one/update', '{', 'InvalidJson', false],
    ['one/update', '{}', 'InvalidRequest', false],
    ['one/update', '{"status":"QUEUED"}', 'InvalidRequest', false],
    ['one/update', '{"status":"TIMED_OUT"}', 'InvalidRequest', false],
    ['one/update', '{"status":"FAILED","expectedVersion":1.5}', 'InvalidRequest', false],
    ['one/update', '{"status":"FAILED","expectedVersion":9007199254740993}', 'InvalidRequest', false],
    ['one/update', '{"status":"FAILED","expectedVersion":"99999999999999999999"}', 'InvalidRequest', false],
    ['one/update', '{"status":"FAILED","statusDetails":{"a b":"c"}}', 'InvalidRequest', false],
    ['one/update', '{"status":"FAILED","statusDetails":{"constructor":"c"}}', 'InvalidRequest', false],
    ['one/update', '{"status":"FAILED","statusDetails":{"a":1}}', 'InvalidRequest', false],
    ['one/update', `{"status":"FAILED","statusDetails":{"a":"${'x'.repeat(1_025)}"}}`, 'InvalidRequest', false],
    ['one/update', `{"status":"FAILED","clientToken":"${'x'.repeat(65)}"}`, 'InvalidRequest', false],
    ['one/update', '{"status":"IN_PROGRESS","stepTimeoutInMinutes":10081}', 'InvalidRequest', false],
    ['gone/update', '{"status":"FAILED","statusDetails":{"a":""}}', 'InvalidRequest', false], // the schema comes first
    ['gone/update', '{"status":"FAILED"}', 'ResourceNotFound', false],
    ['one/update', '{"status":"FAILED","executionNumber":2}', 'ResourceNotFound', false],
    ['one/update', '{"status":"FAILED","expectedVersion":1}', 'VersionMismatch', true],
    ['one/get', deep, 'none', false],
  ] as const) {
    const { verdict, body } = await ask(rest, payload);
    if (code === 'none') assert.is(verdict, 'accepted', 'what nobody asked for is passed over, however deep');
    else {
      assert.is(body['code'], code, `${rest} ${String(payload).slice(0, 60)}`);
      assert.is('executionState' in body, withState);
      assert.ok(typeof body['message'] === 'string' && typeof body['timestamp'] === 'number');
    }
  }
  await ask('one/update', { status: 'SUCCEEDED', statusDetails: { step: 'last' } });
  const final = await ask('one/update', { status: 'FAILED', clientToken: 'x' });
  assert.equal([final.body['code'], final.body['executionState'], final.body['clientToken']], [
    'InvalidStateTransition',
    { status: 'SUCCEEDED', statusDetails: { step: 'last' }, versionNumber: 3 },
    'x',
  ] as never);
  assert.is((await ask('one/get')).body['code'], 'TerminalStateReached');
});

mqtt('a request that comes twice is answered the same, and a store that fails is an InternalError', async () => {
  const { create, ask, store, service, clock } = await plane();
  await create('one');
  const request = { status: 'IN_PROGRESS', clientToken: 'again', includeJobExecutionState: true };
  const first = await ask('one/update', request);
  await clock.run(90_000);
  assert.equal((await ask('one/update', request)).body, first.body);
  store.fail(1);
  assert.is((await ask('one/update', { status: 'SUCCEEDED' })).body['code'], 'InternalError');
  assert.is((await service.describeExecution('T-1', 'one')).versionNumber, 2);
  assert.is((await ask('one/update', { status: 'SUCCEEDED' })).verdict, 'accepted');
});

mqtt('a thing that asks faster than it is answered is throttled, others are not', async () => {
  const { device, service, clock, heard } = await plane();
  await service.create({ jobId: 'one', things: ['T-1', 'T-2'], targets: ['farm'], document: {} });
  heard.length = 0;
  await Promise.all(Array.from({ length: 100 }, () => device.publish('$aws/things/T-1/jobs/one/update', '{"status":"IN_PROGRESS"}')));
  await clock.settle();
  const codes = heard.filter(({ topic }) => topic.includes('/update/')).map(({ body }) => body['code'] ?? 'accepted');
  assert.is(codes.length, 100);
  assert.is(codes.filter((code) => code === 'RequestThrottled').length, 36);
});

mqtt('presigned URLs go out anew with each document, and events once they are on', async () => {
  const { create, ask, service, heard } = await plane();
  await service.updateEventConfigurations({ JOB: true, JOB_EXECUTION: true });
  const document = { url: '\u0024{aws:iot:s3-presigned-url:https://s3.eu-west-1.amazonaws.com/bucket/key}' };
  const [, next] = await create('one', document);
  const url = { url: 'https://here/bucket/key?3600' };
  assert.equal(next.body['execution']['jobDocument'], url as never);
  assert.equal((await ask('start-next')).body['execution']['jobDocument'], url as never);
  assert.equal((await ask('one/update', { status: 'IN_PROGRESS', includeJobDocument: true })).body['jobDocument'], url as never);
  await ask('one/update', { status: 'SUCCEEDED' });
  const events = heard.filter(({ topic }) => topic.startsWith('$aws/events/'));
  assert.equal(
    events.map(({ topic }) => topic),
    ['$aws/events/jobExecution/one/succeeded', '$aws/events/job/one/completed'],
  );
  assert.is(events[1].body['createdAt'], EPOCH as never, 'milliseconds, as AWS’s documents show it');
  assert.is(events[1].body['timestamp'], SECONDS as never);
});

mqtt.run();
