import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { ExecutionStatus, NewJob } from '../../actors/contracts/jobs.ts';
import { memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { type JobServiceOptions, openJobService } from '../../cloud/jobs/service.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { jobGroups } from '../kit/job-groups.ts';

const jobs = suite('job service');

const SECOND = 1_000;
const MINUTE = 60_000;
const EPOCH = Date.parse('2026-01-01T00:00:00Z'); // a Thursday

async function farm(options: Partial<JobServiceOptions> = {}) {
  const clock = new VirtualClock({ epoch: EPOCH });
  const groups = jobGroups();
  const service = await openJobService({ clock, store: memoryJobStore(), targets: groups, ...options });
  const counts = async (jobId = 'a') => {
    const all = Object.entries((await service.describe(jobId)).counts).filter(([, n]) => n > 0);
    return all.map(([status, n]) => `${status}:${n}`).join(' ');
  };
  const statuses = async (jobId = 'a') =>
    (await service.executionsOfJob(jobId)).items.map(({ thing, status, executionNumber }) => `${thing}#${executionNumber}:${status}`);
  return {
    clock,
    groups,
    service,
    device: service.device,
    counts,
    statuses,
    status: async (jobId = 'a') => (await service.describe(jobId)).status,
  };
}

const things = (n: number) => Array.from({ length: n }, (_, i) => `T-${String(i).padStart(4, '0')}`);
const job = (more: Partial<NewJob> = {}): NewJob => ({ jobId: 'a', targets: ['T-1'], document: { do: 'it' }, ...more });
const reasonOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof JobRefused ? error.reason : `defect ${error}`),
  );

jobs('only the device’s states may be reached from a state, and terminal ones are final', async () => {
  const table: Record<'QUEUED' | 'IN_PROGRESS', Record<string, string>> = {
    QUEUED: { IN_PROGRESS: 'accepted', SUCCEEDED: 'accepted', FAILED: 'accepted', REJECTED: 'accepted' },
    IN_PROGRESS: { IN_PROGRESS: 'accepted', SUCCEEDED: 'accepted', FAILED: 'accepted', REJECTED: 'accepted' },
  };
  for (const strict of [false, true])
    for (const [from, row] of Object.entries(table))
      for (const [to, verdict] of Object.entries(row)) {
        const { service, device } = await farm({ strict });
        await service.create(job());
        if (from === 'IN_PROGRESS') await device.startNext('T-1');
        const expected = strict && from === 'QUEUED' && (to === 'SUCCEEDED' || to === 'FAILED') ? 'InvalidStateTransition' : verdict;
        assert.is(await reasonOf(device.update('T-1', 'a', { status: to as 'FAILED' })), expected, `${strict} ${from} ${to}`);
      }
  for (const end of ['SUCCEEDED', 'FAILED', 'REJECTED'] as const) {
    const { service, device } = await farm();
    await service.create(job());
    await device.update('T-1', 'a', { status: end });
    for (const to of ['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED'] as const)
      assert.is(await reasonOf(device.update('T-1', 'a', { status: to })), 'InvalidStateTransition');
  }
});

jobs('a constant rollout notifies at its rate, the first ones at once', async () => {
  const { clock, service, counts, statuses } = await farm();
  await service.create(job({ things: things(25), targets: ['farm'], jobExecutionsRolloutConfig: { maximumPerMinute: 10 } }));

  assert.is((await statuses()).length, 10);
  assert.is(await counts(), 'QUEUED:25');
  assert.equal((await service.describe('a')).processingTargets, ['farm']);
  assert.is((await service.device.pending('T-0010')).length, 0);
  await clock.run(60 * SECOND);
  assert.is((await statuses()).length, 10);
  await clock.run(62 * SECOND);
  assert.is((await statuses()).length, 20);
  await clock.run(125 * SECOND);
  assert.is((await statuses()).length, 25);
  assert.equal((await service.describe('a')).processingTargets, []);
});

jobs('an exponential rollout speeds up with what has succeeded', async () => {
  const { clock, service, device, statuses } = await farm();
  await service.create(
    job({
      things: things(30),
      targets: ['farm'],
      jobExecutionsRolloutConfig: {
        exponentialRate: { baseRatePerMinute: 2, incrementFactor: 3, rateIncreaseCriteria: { numberOfSucceededThings: 2 } },
      },
    }),
  );
  assert.is((await statuses()).length, 2);
  await device.update('T-0000', 'a', { status: 'SUCCEEDED' });
  await clock.run(10 * SECOND);
  assert.is((await statuses()).length, 2);
  await device.update('T-0001', 'a', { status: 'SUCCEEDED' });
  await clock.run(12 * SECOND);
  assert.is((await statuses()).length, 6, 'six a minute from now on');
});

jobs('an abort cancels what is queued and lets what runs go on', async () => {
  const { clock, service, device, counts, status } = await farm();
  await service.create(
    job({
      things: things(10),
      targets: ['farm'],
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 3 }] },
      abortConfig: { criteriaList: [{ failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: 20, minNumberOfExecutedThings: 5 }] },
    }),
  );
  for (const thing of ['T-0000', 'T-0001', 'T-0002']) await device.startNext(thing);
  await device.update('T-0000', 'a', { status: 'FAILED' });
  assert.is(await counts(), 'QUEUED:8 IN_PROGRESS:2', 'one of ten: tried again');
  await device.update('T-0001', 'a', { status: 'FAILED' });
  assert.is(await status(), 'CANCELED');
  assert.is(await reasonOf(device.update('T-0005', 'a', { status: 'IN_PROGRESS' })), 'InvalidStateTransition');
  await clock.run(0);

  assert.is(await counts(), 'IN_PROGRESS:1 FAILED:1 CANCELED:8', 'the queued retry is dropped');
  assert.is((await device.update('T-0002', 'a', { status: 'SUCCEEDED' })).status, 'SUCCEEDED');
  assert.is(await status(), 'CANCELED');
});

jobs('an abort in the middle of a rollout stops it', async () => {
  const { clock, service, device, counts, statuses } = await farm();
  await service.create(
    job({
      things: things(1_000),
      targets: ['farm'],
      jobExecutionsRolloutConfig: { maximumPerMinute: 4 },
      abortConfig: { criteriaList: [{ failureType: 'ALL', action: 'CANCEL', thresholdPercentage: 50, minNumberOfExecutedThings: 4 }] },
    }),
  );
  await device.update('T-0000', 'a', { status: 'REJECTED' });
  await device.update('T-0001', 'a', { status: 'FAILED' });
  await clock.run(10 * MINUTE);

  assert.is(await counts(), 'FAILED:1 REJECTED:1 CANCELED:998');
  assert.is((await statuses()).length, 4, 'nobody else has heard of it');
});

jobs('a failed execution is tried again under a new number, ten times at most', async () => {
  const { clock, service, device, statuses, counts, status } = await farm();
  await service.create(
    job({
      inProgressTimeoutInMinutes: 1,
      jobExecutionsRetryConfig: {
        criteriaList: [
          { failureType: 'FAILED', numberOfRetries: 1 },
          { failureType: 'TIMED_OUT', numberOfRetries: 1 },
        ],
      },
    }),
  );
  await device.update('T-1', 'a', { status: 'FAILED' });
  const [again] = await device.pending('T-1');
  assert.equal([again.executionNumber, again.retryAttempt, again.status, again.versionNumber], [2, 1, 'QUEUED', 1]);
  await device.startNext('T-1');
  await clock.run(2 * MINUTE);
  assert.equal(await statuses(), ['T-1#1:FAILED', 'T-1#2:TIMED_OUT', 'T-1#3:QUEUED']);
  assert.is(await counts(), 'QUEUED:1');
  await device.update('T-1', 'a', { status: 'FAILED', executionNumber: 3 });
  assert.is(await counts(), 'FAILED:1');
  assert.is(await status(), 'COMPLETED');
  assert.is(await reasonOf(device.update('T-1', 'a', { status: 'SUCCEEDED', executionNumber: 1 })), 'InvalidStateTransition');
  assert.is((await service.describeExecution('T-1', 'a', 1)).status, 'FAILED');
  assert.is((await service.describeExecution('T-1', 'a')).executionNumber, 3);
});

jobs('a continuous job follows its groups, nested ones too, past its rate', async () => {
  const { clock, groups, service, device, statuses, status } = await farm();
  groups.add('hall', 'T-3');
  groups.add('farm', 'T-1', 'T-2', 'hall');
  await service.create(job({ targets: ['farm'], targetSelection: 'CONTINUOUS', jobExecutionsRolloutConfig: { maximumPerMinute: 1 } }));
  assert.equal(await statuses(), ['T-1#1:QUEUED']);

  groups.add('hall', 'T-4'); // joins by nesting, at once
  await clock.run(1);
  assert.equal(await statuses(), ['T-1#1:QUEUED', 'T-4#1:QUEUED']);
  groups.take('farm', 'T-2'); // leaves before its turn has come
  await device.update('T-1', 'a', { status: 'SUCCEEDED' });
  groups.take('hall', 'T-4');
  await clock.run(10 * MINUTE);
  assert.equal(await statuses(), ['T-1#1:SUCCEEDED', 'T-2#1:REMOVED', 'T-3#1:QUEUED', 'T-4#1:REMOVED']);

  groups.add('farm', 'T-4'); // back again
  await device.update('T-3', 'a', { status: 'SUCCEEDED' });
  await clock.run(11 * MINUTE);
  assert.equal(await statuses(), ['T-1#1:SUCCEEDED', 'T-2#1:REMOVED', 'T-3#1:SUCCEEDED', 'T-4#1:REMOVED', 'T-4#2:QUEUED']);
  await device.update('T-4', 'a', { status: 'SUCCEEDED' });
  assert.is(await status(), 'IN_PROGRESS', 'a continuous job is never complete');
});

jobs('retries begin anew for a thing that leaves and comes back', async () => {
  const { clock, groups, service, device, statuses } = await farm();
  groups.add('farm', 'T-1');
  await service.create(
    job({
      targets: ['farm'],
      targetSelection: 'CONTINUOUS',
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 1 }] },
    }),
  );
  await device.update('T-1', 'a', { status: 'FAILED' });
  await device.update('T-1', 'a', { status: 'FAILED' });
  assert.equal(await device.pending('T-1'), []);
  groups.take('farm', 'T-1');
  await clock.run(1);
  groups.add('farm', 'T-1');
  await clock.run(2);
  await device.update('T-1', 'a', { status: 'FAILED' });
  const [again] = await device.pending('T-1');

  assert.equal([again.executionNumber, again.retryAttempt], [4, 1]);
  assert.equal((await statuses()).length, 4);
});

jobs('a thing that is deleted leaves every job, also those it waits for', async () => {
  const { clock, groups, service, device, counts, status } = await farm();
  groups.add('farm', 'T-1', 'T-2', 'T-3');
  await service.create(job({ targets: ['farm'], jobExecutionsRolloutConfig: { maximumPerMinute: 1 } }));
  await service.create(job({ jobId: 'b', targets: ['T-1'] }));
  groups.delete('T-1');
  groups.delete('T-3');
  await clock.run(10 * MINUTE);

  assert.is(await counts(), 'QUEUED:1 REMOVED:2');
  assert.is(await status('b'), 'COMPLETED');
  await device.update('T-2', 'a', { status: 'SUCCEEDED' });
  assert.is(await status(), 'COMPLETED');
});

jobs('targets are added to a continuous job only', async () => {
  const { clock, groups, service, statuses } = await farm();
  groups.add('more', ...things(1_200));
  await service.create(job({ targets: ['T-1'], targetSelection: 'CONTINUOUS' }));
  await service.create(job({ jobId: 'b', targets: ['T-1'] }));
  assert.equal((await service.associate('a', ['more'], { comment: 'the rest' })).targets, ['T-1', 'more']);
  await clock.run(1);

  assert.is((await service.describe('a')).counts.QUEUED, 1_201);
  assert.is((await statuses()).length, 250, 'a page');
  assert.is(await reasonOf(service.associate('b', ['more'])), 'InvalidRequest');
  assert.is(await reasonOf(service.associate('a', ['missing-1'])), 'ResourceNotFound');
  assert.is(
    await reasonOf(
      service.associate(
        'a',
        Array.from({ length: 99 }, (_, i) => `X-${i}`),
      ),
    ),
    'LimitExceeded',
  );
});

jobs('a scheduled job starts and ends at its times', async () => {
  for (const [endBehavior, expected, ends] of [
    ['STOP_ROLLOUT', 'QUEUED:1 IN_PROGRESS:1 CANCELED:8', 'IN_PROGRESS'],
    ['CANCEL', 'IN_PROGRESS:1 CANCELED:9', 'CANCELED'],
    ['FORCE_CANCEL', 'CANCELED:10', 'CANCELED'],
  ] as const) {
    const { clock, service, device, counts, status } = await farm();
    await service.create(
      job({
        things: things(10),
        targets: ['farm'],
        jobExecutionsRolloutConfig: { maximumPerMinute: 2 },
        schedulingConfig: { startTime: '2026-01-01 01:00', endTime: '2026-01-01T01:30:00Z', endBehavior },
      }),
    );
    assert.is(await status(), 'SCHEDULED');
    assert.is(await counts(), 'QUEUED:10');
    await clock.run(60 * MINUTE - 1);
    assert.equal(await device.pending('T-0000'), []);
    await clock.run(60 * MINUTE);
    assert.is(await status(), 'IN_PROGRESS');
    await device.startNext('T-0000');
    await service.update('a', { jobExecutionsRolloutConfig: { maximumPerMinute: 1 } }); // and no more: the minute holds two already
    await clock.run(60 * MINUTE + 30 * SECOND);
    await clock.run(60 * MINUTE + 59 * SECOND);
    assert.is((await service.executionsOfJob('a')).items.length, 2);
    await service.cancelExecution('T-0001', 'a');
    await clock.run(61 * MINUTE + 2 * SECOND);
    assert.is((await service.executionsOfJob('a')).items.length, 3);
    if (endBehavior === 'STOP_ROLLOUT') {
      await service.cancel('a'); // what follows is shown by the next test
      continue;
    }
    await clock.run(91 * MINUTE);
    assert.is(await status(), ends);
    assert.is(await counts(), endBehavior === 'CANCEL' ? expected : 'CANCELED:10');
  }
});

jobs('a rollout that is stopped at its end lets what was notified go on, and is complete after it', async () => {
  const { clock, service, device, counts, status } = await farm();
  await service.create(
    job({
      things: things(100),
      targets: ['farm'],
      jobExecutionsRolloutConfig: { maximumPerMinute: 1 },
      schedulingConfig: { endTime: '2026-01-01 00:30', endBehavior: 'STOP_ROLLOUT' },
    }),
  );
  await clock.run(40 * MINUTE);
  const { QUEUED: told } = (await service.describe('a')).counts;
  assert.ok(told >= 29 && told <= 30, `${told}`);
  for (const thing of things(told)) await device.update(thing, 'a', { status: 'SUCCEEDED' });

  assert.is(await counts(), `SUCCEEDED:${told} CANCELED:${100 - told}`);
  assert.is(await status(), 'COMPLETED');
});

jobs('outside a maintenance window nothing new is notified, and what runs goes on', async () => {
  const { clock, groups, service, device, statuses } = await farm();
  groups.add('farm', 'T-1', 'T-2');
  await service.create(
    job({
      targets: ['farm'],
      targetSelection: 'CONTINUOUS',
      jobExecutionsRolloutConfig: { maximumPerMinute: 1 },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 1 }] },
      schedulingConfig: { maintenanceWindows: [{ startTime: 'cron(0 2 ? * * *)', durationInMinutes: 1 }] },
    }),
  );
  assert.equal(await statuses(), []);
  assert.is((await service.describe('a')).scheduledJobRollouts[0], EPOCH + 120 * MINUTE);
  await clock.run(121 * MINUTE - 1);
  assert.equal(await statuses(), ['T-1#1:QUEUED'], 'one in the window’s minute');

  await clock.run(125 * MINUTE);
  await device.startNext('T-1');
  await device.update('T-1', 'a', { status: 'FAILED' }); // its retry waits
  groups.add('farm', 'T-3'); // and so does who joins
  await clock.run(126 * MINUTE);
  assert.equal([await device.pending('T-1'), await device.pending('T-3')], [[], []]);
  assert.is(await reasonOf(device.update('T-3', 'a', { status: 'IN_PROGRESS' })), 'ResourceNotFound');
  assert.is((await service.describe('a')).counts.QUEUED, 3);
  await clock.run((26 * 60 + 1) * MINUTE);
  assert.equal(
    (await Promise.all(['T-1', 'T-2', 'T-3'].map((thing) => device.pending(thing)))).map((list) => list[0]?.executionNumber),
    [2, 1, 1],
  );
});

jobs('a job past the quota of active ones is refused, or cancelled at its start', async () => {
  const { clock, service, status } = await farm({ quotas: { activeJobs: 2 } });
  await service.create(job({ jobId: 'later', schedulingConfig: { startTime: '2026-01-01 00:10' } }));
  await service.create(job());
  assert.is(await reasonOf(service.create(job({ jobId: 'b' }))), 'LimitExceeded');
  assert.is(await reasonOf(service.create(job({ jobId: 'c', targetSelection: 'CONTINUOUS' }))), 'accepted');
  await service.cancel('a');
  await service.create(job({ jobId: 'd' }));
  await clock.run(11 * MINUTE);
  assert.is(await status('later'), 'IN_PROGRESS');
});

jobs('templates give what a job leaves out', async () => {
  const { service } = await farm();
  const made = await service.createTemplate({
    jobTemplateId: 'update',
    description: 'to a group',
    document: '{"do":"update"}',
    timeoutConfig: { inProgressTimeoutInMinutes: 5 },
    maintenanceWindows: [{ startTime: 'cron(0 2 ? * * *)', durationInMinutes: 60 }],
  });
  assert.is(made.jobTemplateId, 'update');
  const created = await service.create({
    jobId: 'a',
    targets: ['T-1'],
    jobTemplateArn: 'arn:aws:iot:us-east-1:000000000000:jobtemplate/update',
    description: 'mine',
  });
  assert.equal(created.document, { do: 'update' });
  assert.is(created.description, 'mine');
  assert.equal(created.timeoutConfig, { inProgressTimeoutInMinutes: 5 });
  assert.is(created.scheduledJobRollouts.length, 7);
  const copy = await service.createTemplate({ jobTemplateId: 'copy', description: 'of a job', jobArn: 'arn:aws:iot:us-east-1:0:job/a' });
  assert.is(copy.document, '{"do":"update"}');

  assert.is(await reasonOf(service.createTemplate({ jobTemplateId: 'copy', description: '', document: '{}' })), 'Conflict');
  assert.is(await reasonOf(service.createTemplate({ jobTemplateId: 'x', description: '', jobArn: 'gone' })), 'ResourceNotFound');
  assert.is(await reasonOf(service.create({ jobId: 'b', targets: ['T-1'], jobTemplateArn: 'gone' })), 'ResourceNotFound');
  assert.equal((await service.pageTemplates({ limit: 1 })).next, 'copy');
  assert.equal(
    (await service.pageTemplates({ after: 'copy' })).items.map(({ jobTemplateId }) => jobTemplateId),
    ['update'],
  );
  await service.removeTemplate('copy');
  assert.is(await reasonOf(service.describeTemplate('copy')), 'ResourceNotFound');
});

jobs('presigned URLs are made anew at every read, wherever the document is read', async () => {
  let reads = 0;
  const objects = {
    presign: (bucket: string, key: string, seconds: number) => `https://here/${bucket}/${key}?n=${++reads}&e=${seconds}`,
    read: async (_: string, key: string) =>
      key === 'doc.json' ? `{"url":"\${aws:iot:s3-presigned-url:https://s3.eu-west-1.amazonaws.com/b/k}"}` : null,
  };
  const { service, device } = await farm({ objects });
  const source = 'https://s3.eu-west-1.amazonaws.com/docs/doc.json';
  assert.is(await reasonOf(service.create({ jobId: 'x', targets: ['T-1'], documentSource: `${source}x` })), 'InvalidRequest');
  const heard: unknown[] = [];
  service.notify({ list: () => {}, next: (_, next) => heard.push(next?.document) });
  await service.create({ jobId: 'a', targets: ['T-1'], documentSource: source, presignedUrlConfig: { expiresInSec: 90 } });

  assert.equal(heard, [{ url: 'https://here/b/k?n=1&e=90' }]);
  assert.equal((await device.describe('T-1', 'a'))?.document, { url: 'https://here/b/k?n=2&e=90' });
  assert.equal((await device.startNext('T-1'))?.document, { url: 'https://here/b/k?n=3&e=90' });
  assert.is(await device.document('a'), '{"url":"https://here/b/k?n=4&e=90"}');
  assert.ok((await service.document('a', { beforeSubstitution: true })).includes('s3-presigned-url'));
  assert.ok((await service.document('a')).includes('n=5'));
  assert.is((await service.describe('a')).documentSource, source);
});

jobs('cancel and delete, with and without force', async () => {
  const { clock, service, device, counts, statuses } = await farm();
  await service.create(job({ things: ['T-1', 'T-2'], targets: ['farm'] }));
  await device.startNext('T-1');
  assert.is(await reasonOf(service.remove('a')), 'InvalidStateTransition');
  assert.is(await reasonOf(service.cancelExecution('T-1', 'a')), 'InvalidStateTransition');
  assert.is(await reasonOf(service.cancelExecution('T-2', 'a', { expectedVersion: 7 })), 'VersionConflict');
  assert.is(await reasonOf(service.removeExecution('T-2', 'a', 1)), 'InvalidStateTransition');
  const cancelled = await service.cancel('a', { reasonCode: 'WRONG', comment: 'not this one' });
  assert.equal(
    [cancelled.status, cancelled.reasonCode, cancelled.comment, cancelled.forceCanceled],
    ['CANCELED', 'WRONG', 'not this one', false],
  );
  assert.is(await counts(), 'IN_PROGRESS:1 CANCELED:1');
  assert.is(await reasonOf(service.cancel('a')), 'InvalidStateTransition');
  await service.cancelExecution('T-1', 'a', { force: true, statusDetails: { why: 'enough' } });
  const { forceCanceled, statusDetails } = await service.describeExecution('T-1', 'a');
  assert.equal([forceCanceled, statusDetails], [true, { why: 'enough' }]);
  await service.removeExecution('T-1', 'a', 1);
  assert.equal(await statuses(), ['T-2#1:CANCELED']);

  await service.remove('a');
  assert.is((await service.describe('a')).status, 'DELETION_IN_PROGRESS');
  assert.is(await reasonOf(service.remove('a', { force: true })), 'InvalidStateTransition');
  await clock.run(1);
  assert.is(await reasonOf(service.describe('a')), 'ResourceNotFound');
});

jobs('a job is kept for 730 days after it is over', async () => {
  const { clock, service, device } = await farm();
  await service.create(job());
  await device.update('T-1', 'a', { status: 'SUCCEEDED' });
  await service.create(job({ jobId: 'open' }));
  const day = 24 * 60 * MINUTE;
  for (const [days, verdict] of [
    [729, 'accepted'],
    [731, 'ResourceNotFound'],
  ] as const) {
    await clock.run(days * day);
    await service.create(job({ jobId: `at-${days}` }));
    await clock.run(days * day + 1);
    assert.is(await reasonOf(service.describe('a')), verdict);
  }
  assert.is((await service.describe('open')).status, 'IN_PROGRESS');
});

jobs('ten deletions at once and no more', async () => {
  const { clock, service } = await farm();
  for (let i = 0; i < 11; i++) await service.create(job({ jobId: `j-${i}` }));
  for (let i = 0; i < 10; i++) await service.remove(`j-${i}`, { force: true });
  assert.is(await reasonOf(service.remove('j-10', { force: true })), 'LimitExceeded');
  await clock.run(1);
  assert.is(await reasonOf(service.remove('j-10', { force: true })), 'accepted');
});

jobs('a job deleted by force ends the documented trace: an empty list and no next one', async () => {
  const { clock, service, device } = await farm();
  const heard: string[] = [];
  await service.create(job({ jobId: '3' }));
  await device.startNext('T-1');
  service.notify({
    list: (_, pending) => heard.push(`list ${pending.length}`),
    next: (_, next) => heard.push(`next ${next?.jobId ?? 'none'}`),
  });
  await service.remove('3', { force: true });
  assert.is(await reasonOf(device.update('T-1', '3', { status: 'SUCCEEDED' })), 'ResourceNotFound');
  await clock.run(1);
  assert.equal(heard, ['list 0', 'next none']);
});

jobs('a list notification names fifteen at most, in progress first', async () => {
  const { clock, service, device } = await farm();
  let last: readonly string[] = [];
  service.notify({ list: (_, pending) => (last = pending.map(({ jobId }) => jobId)), next: () => {} });
  for (let i = 10; i < 30; i++) {
    await service.create(job({ jobId: `j-${i}` }));
    await clock.run(i);
  }
  await device.update('T-1', 'j-29', { status: 'IN_PROGRESS' });
  await service.create(job({ jobId: 'one-more' }));
  assert.is(last.length, 15);
  assert.equal(last.slice(0, 2), ['j-29', 'j-10']);
});

jobs('events are told once they are switched on', async () => {
  const { clock, service, device } = await farm();
  const heard: string[] = [];
  service.notify({ list: () => {}, next: () => {}, event: (topic, body) => heard.push(`${topic} ${body['status']}`) });
  await service.create(job({ jobId: 'quiet' }));
  await device.update('T-1', 'quiet', { status: 'SUCCEEDED' });
  assert.equal(heard, []);
  assert.is(await reasonOf(service.updateEventConfigurations({ WEATHER: true })), 'InvalidRequest');
  await service.updateEventConfigurations({ JOB: true, JOB_EXECUTION: true });
  assert.ok((await service.eventConfigurations()).enabled['JOB']);

  await service.create(job({ things: ['T-1', 'T-2'], targets: ['farm'] }));
  await device.update('T-1', 'a', { status: 'REJECTED' });
  await service.cancel('a');
  await service.remove('a');
  await clock.run(1);
  assert.equal(heard, [
    '$aws/events/jobExecution/a/rejected REJECTED',
    '$aws/events/job/a/cancellation_in_progress CANCELLATION_IN_PROGRESS',
    '$aws/events/jobExecution/a/canceled CANCELED',
    '$aws/events/job/a/canceled CANCELED',
    '$aws/events/job/a/deletion_in_progress DELETION_IN_PROGRESS',
    '$aws/events/jobExecution/a/deleted DELETED',
    '$aws/events/jobExecution/a/deleted DELETED',
    '$aws/events/job/a/deleted DELETED',
  ]);
});

jobs('what AWS’s model forbids in an order is refused, and says where', async () => {
  const { service } = await farm();
  const bad: [string, Partial<NewJob> & Record<string, unknown>][] = [
    ['jobId', { jobId: 'a b' }],
    ['jobId', { jobId: 'x'.repeat(65) }],
    ['targets', { targets: [] }],
    ['targets', { targets: Array.from({ length: 101 }, (_, i) => `T-${i}`) }],
    ['description', { description: 'x'.repeat(2_029) }],
    ['description', { description: 'a\u0000b' }],
    ['expiresInSec', { presignedUrlConfig: { expiresInSec: 59 } }],
    ['maximumPerMinute', { jobExecutionsRolloutConfig: { maximumPerMinute: 1_001 } }],
    [
      'incrementFactor',
      {
        jobExecutionsRolloutConfig: {
          exponentialRate: { baseRatePerMinute: 1, incrementFactor: 1.15, rateIncreaseCriteria: { numberOfNotifiedThings: 1 } },
        },
      },
    ],
    [
      'rateIncreaseCriteria',
      { jobExecutionsRolloutConfig: { exponentialRate: { baseRatePerMinute: 1, incrementFactor: 2, rateIncreaseCriteria: {} } } },
    ],
    [
      'thresholdPercentage',
      {
        abortConfig: {
          criteriaList: [{ failureType: 'ALL', action: 'CANCEL', thresholdPercentage: 10.999, minNumberOfExecutedThings: 1 }],
        },
      },
    ],
    ['criteriaList', { abortConfig: { criteriaList: [] } }],
    ['inProgressTimeoutInMinutes', { inProgressTimeoutInMinutes: 10_081 }],
    [
      'retries',
      {
        jobExecutionsRetryConfig: {
          criteriaList: [
            { failureType: 'FAILED', numberOfRetries: 6 },
            { failureType: 'ALL', numberOfRetries: 5 },
          ],
        },
      },
    ],
    ['timeoutConfig', { jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'TIMED_OUT', numberOfRetries: 1 }] } }],
    ['document', { document: 'no json' }],
    ['cron', { schedulingConfig: { maintenanceWindows: [{ startTime: 'cron(x)', durationInMinutes: 1 }] } }],
    ['S3', { document: undefined, documentSource: 'http://169.254.169.254/' } as never],
  ];
  for (const [word, more] of bad) {
    const given = JSON.parse(JSON.stringify({ ...job(), ...more })) as NewJob;
    const error = await service.create(given).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof JobRefused && error.reason === 'InvalidRequest', `${word}: ${error}`);
    assert.match(error.message, word);
  }
  assert.is(await reasonOf(service.create(job({ targets: ['missing-1'] }))), 'ResourceNotFound');
  assert.equal(await service.list(), []);
});

jobs('lists go on where the page before ended', async () => {
  const { clock, service, device } = await farm();
  for (let i = 0; i < 5; i++) {
    await service.create(job({ jobId: `j-${i}`, things: things(3), targets: [i % 2 === 0 ? 'farm' : 'arn:aws:iot:r:1:thinggroup/hall'] }));
    await clock.run(i + 1);
  }
  await service.cancel('j-1');
  const first = await service.page({ limit: 2 });
  const second = await service.page({ limit: 3, after: first.next! });
  assert.equal(
    [...first.items, ...second.items].map(({ jobId }) => jobId),
    ['j-4', 'j-3', 'j-2', 'j-1', 'j-0'],
  );
  assert.is(second.next, null);
  assert.equal(
    (await service.page({ status: 'CANCELED' })).items.map(({ jobId }) => jobId),
    ['j-1'],
  );
  assert.equal(
    (await service.page({ thingGroup: 'hall' })).items.map(({ jobId }) => jobId),
    ['j-3', 'j-1'],
  );

  const one = await service.executionsOfJob('j-2', { limit: 2 });
  const rest = await service.executionsOfJob('j-2', { limit: 2, after: one.next! });
  assert.equal(
    [...one.items, ...rest.items].map(({ thing }) => thing),
    things(3),
  );
  assert.is(rest.next, null);
  await device.update('T-0001', 'j-2', { status: 'SUCCEEDED' });
  assert.equal(
    (await service.executionsOfJob('j-2', { status: 'SUCCEEDED' })).items.map(({ thing }) => thing),
    ['T-0001'],
  );
  const mine = await service.executionsOfThing('T-0001', { limit: 3 });
  const more = await service.executionsOfThing('T-0001', { after: mine.next! });
  assert.equal(
    [...mine.items, ...more.items].map(({ jobId }) => jobId),
    ['j-4', 'j-3', 'j-2', 'j-1', 'j-0'],
  );
  assert.equal(
    (await service.executionsOfThing('T-0001', { status: 'CANCELED' as ExecutionStatus })).items.map(({ jobId }) => jobId),
    ['j-1'],
  );
  assert.is(await reasonOf(service.page({ after: 'forged' })), 'InvalidRequest');
  assert.is(await reasonOf(service.executionsOfJob('j-2', { limit: 251 })), 'InvalidRequest');
});

jobs('a timer of months is kept, and a step timer may be taken back', async () => {
  const { clock, service, device } = await farm();
  await service.create(job({ schedulingConfig: { startTime: '2026-06-01 00:00' } }));
  await clock.run(Date.parse('2026-06-01T00:00:00Z') - EPOCH);
  const started = await device.startNext('T-1', { stepTimeoutInMinutes: 5 });
  assert.is(started?.timesOutAt, EPOCH + clock.now() + 5 * MINUTE);
  assert.is((await device.update('T-1', 'a', { status: 'IN_PROGRESS', stepTimeoutInMinutes: -1 })).timesOutAt, null);
  await clock.run(clock.now() + 10 * MINUTE);
  assert.is((await service.describeExecution('T-1', 'a')).status, 'IN_PROGRESS');
});

jobs.run();
