/** The life of jobs as AWS's own JavaScript clients see it, over HTTP, in the service's virtual time. */
import {
  AddThingToThingGroupCommand,
  CancelJobCommand,
  CancelJobExecutionCommand,
  CreateJobCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteJobCommand,
  DescribeJobCommand,
  DescribeJobExecutionCommand,
  GetJobDocumentCommand,
  IoTClient,
  ListJobExecutionsForJobCommand,
  ListJobExecutionsForThingCommand,
  ListJobsCommand,
  paginateListJobExecutionsForJob,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  VersionConflictException,
} from '@aws-sdk/client-iot';
import { GetThingShadowCommand, IoTDataPlaneClient, PublishCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import {
  DescribeJobExecutionCommand as DescribeOnDevice,
  GetPendingJobExecutionsCommand,
  InvalidStateTransitionException,
  IoTJobsDataPlaneClient,
  StartNextPendingJobExecutionCommand,
  TerminalStateException,
  UpdateJobExecutionCommand,
} from '@aws-sdk/client-iot-jobs-data-plane';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AwsWorld, openAwsWorld } from '../kit/aws-world.ts';

const life = suite('aws-life');

const MINUTE = 60_000;
const GROUP = (name: string) => `arn:aws:iot:us-east-1:000000000000:thinggroup/${name}`;

const opened: (() => Promise<void>)[] = [];
life.after.each(async () => {
  for (const close of opened.splice(0)) await close();
});

async function openClients(things: readonly string[] = []) {
  const world = await openAwsWorld();
  const config = { endpoint: world.url, region: 'us-east-1', credentials: world.owner };
  const [iot, device, data] = [new IoTClient(config), new IoTJobsDataPlaneClient(config), new IoTDataPlaneClient(config)];
  opened.push(async () => {
    for (const client of [iot, device, data]) client.destroy();
    await world.close();
  });
  for (const thingName of things) await iot.send(new CreateThingCommand({ thingName }));
  return {
    world,
    iot,
    device,
    data,
    async group(thingGroupName: string, members: readonly string[]) {
      await iot.send(new CreateThingGroupCommand({ thingGroupName }));
      for (const thingName of members) await iot.send(new AddThingToThingGroupCommand({ thingGroupName, thingName }));
    },
    start: (thingName: string) => device.send(new StartNextPendingJobExecutionCommand({ thingName })),
    report: (thingName: string, jobId: string, status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED') =>
      device.send(new UpdateJobExecutionCommand({ thingName, jobId, status })),
    job: async (jobId: string) => (await iot.send(new DescribeJobCommand({ jobId }))).job!,
    async statuses(jobId: string) {
      const { executionSummaries = [] } = await iot.send(new ListJobExecutionsForJobCommand({ jobId }));
      return Object.fromEntries(
        executionSummaries.map(({ thingArn = '', jobExecutionSummary: one }) => [
          `${thingArn.split('/')[1]}#${one?.executionNumber}`,
          one?.status,
        ]),
      );
    },
  };
}

const refusal = async (work: Promise<unknown>): Promise<Error & { readonly [member: string]: unknown }> => {
  try {
    await work;
  } catch (error) {
    return error as Error & { readonly [member: string]: unknown };
  }
  throw new Error('nothing was refused');
};

async function pendingOf({ cloud }: AwsWorld, things: readonly string[]): Promise<number> {
  let notified = 0;
  for (const thing of things) notified += (await cloud.device.pending(thing)).length;
  return notified;
}

life('a job for two groups rolls out ever faster, retries a failure, times one out and completes', async () => {
  const north = ['N-1', 'N-2', 'N-3', 'N-4'];
  const south = ['S-1', 'S-2', 'S-3', 'S-4', 'N-1']; // one is in both
  const { world, iot, device, group, start, report, job, statuses } = await openClients([...new Set([...north, ...south])]);
  await group('north', north);
  await group('south', south);
  const created = await iot.send(
    new CreateJobCommand({
      jobId: 'life',
      targets: [GROUP('north'), GROUP('south')],
      document: '{"do":"update"}',
      description: 'two groups',
      jobExecutionsRolloutConfig: {
        maximumPerMinute: 4,
        exponentialRate: { baseRatePerMinute: 1, incrementFactor: 2, rateIncreaseCriteria: { numberOfNotifiedThings: 2 } },
      },
      timeoutConfig: { inProgressTimeoutInMinutes: 30 },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 1 }] },
    }),
  );
  assert.is(created.jobArn, 'arn:aws:iot:us-east-1:000000000000:job/life');

  const all = [...new Set([...north, ...south])];
  const notified: number[] = [];
  for (let minute = 0; minute < 8; minute++) {
    await world.pass(MINUTE);
    notified.push(await pendingOf(world, all));
  }
  assert.is(notified.at(-1), 8, `notified minute by minute: ${notified}`);
  for (let i = 1; i < notified.length; i++) assert.ok(notified[i] - notified[i - 1] <= 4);
  assert.ok(notified[0] <= 2 && notified.indexOf(8) > 2, `it began at its base rate: ${notified}`);

  const failing = all[0];
  assert.is((await start(failing)).execution?.jobDocument, '{"do":"update"}');
  await report(failing, 'life', 'FAILED');
  await world.pass(MINUTE);
  const again = await start(failing);
  assert.is(again.execution?.executionNumber, 2);
  const { executionSummaries } = await iot.send(new ListJobExecutionsForThingCommand({ thingName: failing, status: 'IN_PROGRESS' }));
  assert.is(executionSummaries?.[0].jobExecutionSummary?.retryAttempt, 1);
  await report(failing, 'life', 'SUCCEEDED');

  const late = all[1];
  await start(late);
  const running = await device.send(new DescribeOnDevice({ thingName: late, jobId: '$next', includeJobDocument: false }));
  assert.is(running.execution?.approximateSecondsBeforeTimedOut, 1_800);
  assert.is(running.execution?.jobDocument, undefined);
  for (const thing of all.slice(2)) {
    await start(thing);
    await report(thing, 'life', 'SUCCEEDED');
  }
  assert.is((await job('life')).status, 'IN_PROGRESS');
  await world.pass(32 * MINUTE);

  const { status, completedAt, jobProcessDetails } = await job('life');
  assert.is(status, 'COMPLETED');
  assert.ok(completedAt instanceof Date);
  assert.equal(
    [jobProcessDetails?.numberOfSucceededThings, jobProcessDetails?.numberOfTimedOutThings, jobProcessDetails?.numberOfQueuedThings],
    [7, 1, 0],
  );
  assert.is((await statuses('life'))[`${late}#1`], 'TIMED_OUT');
  assert.is((await statuses('life'))[`${failing}#1`], 'FAILED');
});

life('failures over the threshold abort the job: what is queued is cancelled, what runs goes on', async () => {
  const things = ['A-1', 'A-2', 'A-3', 'A-4'];
  const { world, iot, group, start, report, job, statuses } = await openClients(things);
  await group('farm-a', things);
  await iot.send(
    new CreateJobCommand({
      jobId: 'abort',
      targets: [GROUP('farm-a')],
      document: '{}',
      abortConfig: { criteriaList: [{ failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: 50, minNumberOfExecutedThings: 2 }] },
    }),
  );
  await world.pass(1_000);
  for (const thing of things.slice(0, 3)) await start(thing);

  await report('A-1', 'abort', 'FAILED');
  assert.is((await job('abort')).status, 'IN_PROGRESS');
  await report('A-2', 'abort', 'FAILED');
  await world.pass(1_000);

  assert.is((await job('abort')).status, 'CANCELED');
  assert.equal(await statuses('abort'), { 'A-1#1': 'FAILED', 'A-2#1': 'FAILED', 'A-3#1': 'IN_PROGRESS', 'A-4#1': 'CANCELED' });
  await report('A-3', 'abort', 'SUCCEEDED');
  assert.is((await statuses('abort'))['A-3#1'], 'SUCCEEDED');
});

life('cancel and delete, with and without force', async () => {
  const { world, iot, device, start, report, job, statuses } = await openClients(['C-1', 'C-2']);
  const targets = ['C-1', 'C-2'].map((name) => `arn:aws:iot:us-east-1:000000000000:thing/${name}`);
  await iot.send(new CreateJobCommand({ jobId: 'cancel', targets, document: '{"url":"x"}' }));
  await world.pass(1_000);
  await start('C-1');

  assert.is((await refusal(iot.send(new DeleteJobCommand({ jobId: 'cancel' })))).name, 'InvalidStateTransitionException');
  await iot.send(new CancelJobCommand({ jobId: 'cancel', reasonCode: 'CHANGED_MIND', comment: 'not today' }));
  await world.pass(1_000);
  const cancelled = await job('cancel');
  assert.equal([cancelled.status, cancelled.reasonCode, cancelled.comment], ['CANCELED', 'CHANGED_MIND', 'not today']);
  assert.equal(await statuses('cancel'), { 'C-1#1': 'IN_PROGRESS', 'C-2#1': 'CANCELED' });
  assert.is((await refusal(iot.send(new CancelJobCommand({ jobId: 'cancel' })))).name, 'InvalidRequestException');

  const one = { thingName: 'C-1', jobId: 'cancel' };
  assert.is((await refusal(iot.send(new CancelJobExecutionCommand(one)))).name, 'InvalidStateTransitionException');
  const stale = await refusal(iot.send(new CancelJobExecutionCommand({ ...one, force: true, expectedVersion: 1 })));
  assert.instance(stale, VersionConflictException);
  await iot.send(new CancelJobExecutionCommand({ ...one, force: true, expectedVersion: 2, statusDetails: { why: 'late' } }));
  const { execution } = await iot.send(new DescribeJobExecutionCommand(one));
  assert.equal([execution?.status, execution?.forceCanceled, execution?.statusDetails?.detailsMap], ['CANCELED', true, { why: 'late' }]);
  assert.instance(await refusal(report('C-1', 'cancel', 'SUCCEEDED')), InvalidStateTransitionException);
  assert.instance(await refusal(device.send(new DescribeOnDevice(one))), TerminalStateException);

  await iot.send(new DeleteJobCommand({ jobId: 'cancel' }));
  await world.pass(5 * MINUTE);
  assert.instance(await refusal(iot.send(new DescribeJobCommand({ jobId: 'cancel' }))), ResourceNotFoundException);
});

life('a job made twice names the first; lists go a page at a time, and a token is of its own list', async () => {
  const things = Array.from({ length: 7 }, (_, i) => `P-${i}`);
  const { world, iot, group } = await openClients(things);
  await group('pages', things);
  for (const jobId of ['one', 'two', 'three']) await iot.send(new CreateJobCommand({ jobId, targets: [GROUP('pages')], document: '{}' }));
  await world.pass(1_000);

  const twice = await refusal(iot.send(new CreateJobCommand({ jobId: 'one', targets: [GROUP('pages')], document: '{}' })));
  assert.instance(twice, ResourceAlreadyExistsException);
  assert.equal([twice['resourceId'], twice['resourceArn']], ['one', 'arn:aws:iot:us-east-1:000000000000:job/one']);

  const pages: number[] = [];
  const seen = new Set<string>();
  for await (const { executionSummaries = [] } of paginateListJobExecutionsForJob({ client: iot, pageSize: 3 }, { jobId: 'one' })) {
    pages.push(executionSummaries.length);
    for (const { thingArn = '' } of executionSummaries) seen.add(thingArn);
  }
  assert.equal([pages, seen.size], [[3, 3, 1], 7]);

  const first = await iot.send(new ListJobsCommand({ maxResults: 2 }));
  assert.is(first.jobs?.length, 2);
  const rest = await iot.send(new ListJobsCommand({ maxResults: 2, nextToken: first.nextToken }));
  assert.equal([...(first.jobs ?? []), ...(rest.jobs ?? [])].map(({ jobId }) => jobId).sort(), ['one', 'three', 'two']);
  assert.is(rest.nextToken, undefined);
  for (const command of [
    new ListJobsCommand({ maxResults: 2, nextToken: first.nextToken, status: 'CANCELED' }),
    new ListJobExecutionsForJobCommand({ jobId: 'one', nextToken: first.nextToken }),
    new ListJobsCommand({ nextToken: `${first.nextToken}AAAA` }),
    new ListJobsCommand({ nextToken: 'no token' }),
  ])
    assert.is((await refusal(iot.send(command as ListJobsCommand))).name, 'InvalidRequestException');
  assert.is((await iot.send(new GetJobDocumentCommand({ jobId: 'one' }))).document, '{}');
});

life('the device plane: versions, details, documents as text, stale and illegal requests', async () => {
  const { world, iot, device, start } = await openClients(['D-1']);
  const document = '{"text":"ä","n":1}';
  await iot.send(new CreateJobCommand({ jobId: 'dev', targets: ['arn:aws:iot:us-east-1:000000000000:thing/D-1'], document }));
  await world.pass(1_000);
  const { queuedJobs, inProgressJobs } = await device.send(new GetPendingJobExecutionsCommand({ thingName: 'D-1' }));
  assert.equal([queuedJobs?.length, queuedJobs?.[0].versionNumber, inProgressJobs], [1, 1, []]);

  const { execution } = await start('D-1');
  assert.equal([execution?.jobDocument, execution?.versionNumber, execution?.status], [document, 2, 'IN_PROGRESS']);
  const update = { thingName: 'D-1', jobId: 'dev' };
  const moved = await device.send(
    new UpdateJobExecutionCommand({
      ...update,
      status: 'IN_PROGRESS',
      statusDetails: { step: 'half' },
      expectedVersion: 2,
      includeJobExecutionState: true,
      includeJobDocument: true,
    }),
  );
  assert.equal(
    [moved.executionState, moved.jobDocument],
    [{ status: 'IN_PROGRESS', statusDetails: { step: 'half' }, versionNumber: 3 }, document],
  );
  const quiet = await device.send(new UpdateJobExecutionCommand({ ...update, status: 'IN_PROGRESS', stepTimeoutInMinutes: 5 }));
  assert.equal([quiet.executionState, quiet.jobDocument], [undefined, undefined]);

  const stale = new UpdateJobExecutionCommand({ ...update, status: 'SUCCEEDED', expectedVersion: 2 });
  assert.instance(await refusal(device.send(stale)), InvalidStateTransitionException); // the model of this plane has no VersionConflict
  for (const status of ['QUEUED', 'TIMED_OUT', 'REMOVED', 'CANCELED'] as const)
    assert.is((await refusal(device.send(new UpdateJobExecutionCommand({ ...update, status })))).name, 'InvalidRequestException', status);
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, 'v']));
  for (const statusDetails of [many, { 'a b': 'v' }, { a: 'x'.repeat(1_025) }, { a: '' }])
    assert.is(
      (await refusal(device.send(new UpdateJobExecutionCommand({ ...update, status: 'IN_PROGRESS', statusDetails })))).name,
      'InvalidRequestException',
    );
  assert.is(
    (await refusal(device.send(new UpdateJobExecutionCommand({ ...update, jobId: 'none', status: 'FAILED' })))).name,
    'ResourceNotFoundException',
  );
  assert.equal((await device.send(new DescribeOnDevice({ ...update, executionNumber: 1 }))).execution?.statusDetails, { step: 'half' });
  await device.send(new UpdateJobExecutionCommand({ ...update, status: 'SUCCEEDED' }));
  assert.is((await start('D-1')).execution, undefined);
});

life('what is published by HTTP reaches who listens, and a shadow its document', async () => {
  const { world, data } = await openClients(['S-1']);
  const heard: string[] = [];
  const spy = world.cloud.broker.connect('spy');
  await spy.subscribe('wind-turbine/#', ({ topic, payload }) => heard.push(`${topic} ${Buffer.from(payload)}`));
  await data.send(new PublishCommand({ topic: 'wind-turbine/logs/a b ü/x', payload: Buffer.from('one\0two'), qos: 1 }));
  await world.clock.settle();
  assert.equal(heard, ['wind-turbine/logs/a b ü/x one\0two']);
  // the original's devices publish their logs by HTTP, and its rule takes them into the index
  const logs = [{ ts: '2026-03-04T05:06:07.000+00:00', data: Array.from({ length: 20 }, (_, i) => String(i)) }];
  await data.send(new PublishCommand({ topic: 'wind-turbine/logs/S-1', payload: Buffer.from(JSON.stringify({ logs })), qos: 0 }));
  await world.pass(6_000);
  await world.cloud.ingest.settled();
  assert.equal(
    (await world.cloud.index.aggregate({ index: 'logs', by: ['thing'], agg: 'count' })).map(({ by, value }) => [by, value]),
    [[{ thing: 'S-1' }, 1]],
  );
  for (const topic of ['a/+/b', 'a/#', 'x'.repeat(257), 'a/b/c/d/e/f/g/h/i'])
    assert.is((await refusal(data.send(new PublishCommand({ topic, payload: Buffer.from('x') })))).name, 'InvalidRequestException', topic);
  assert.is(
    (await refusal(data.send(new PublishCommand({ topic: 'a', payload: Buffer.alloc(128 * 1024 + 1) })))).name,
    'RequestEntityTooLargeException',
  );

  const update = (payload: object) =>
    data.send(new UpdateThingShadowCommand({ thingName: 'S-1', shadowName: 'model', payload: Buffer.from(JSON.stringify(payload)) }));
  await update({ state: { desired: { version: '1.1.0' }, reported: { version: '1.0.0' } } });
  const { payload } = await data.send(new GetThingShadowCommand({ thingName: 'S-1', shadowName: 'model' }));
  assert.equal(JSON.parse(Buffer.from(payload!).toString()).state.delta, { version: '1.1.0' });
  assert.is((await refusal(update({ state: {}, version: 7 }))).name, 'ConflictException');
  assert.is((await refusal(data.send(new GetThingShadowCommand({ thingName: 'S-1' })))).name, 'ResourceNotFoundException');
});

life.run();
