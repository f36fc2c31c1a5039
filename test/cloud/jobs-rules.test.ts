import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused } from '../../actors/contracts/errors.ts';
import { aborts, counted, NO_FAILURES } from '../../cloud/jobs/abort.ts';
import { parseCron } from '../../cloud/jobs/cron.ts';
import { parseS3Url, readDocument, withParameters, withPresignedUrls } from '../../cloud/jobs/document.ts';
import { allowance, nextTurn, type Recent, ratePerMinute } from '../../cloud/jobs/pace.ts';
import { retried } from '../../cloud/jobs/retry.ts';
import { comingWindows, mayNotify, readSchedule } from '../../cloud/jobs/schedule.ts';

const rules = suite('jobs rules');

const standsFor = (kind: string, what: string) => `\${aws:iot:${kind}:${what}}`;
const utc = (text: string) => Date.parse(`${text}:00Z`);
const iso = (instant: number | null) => (instant === null ? null : new Date(instant).toISOString().slice(0, 16));
const refused = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof JobRefused ? error.reason : `defect ${error}`;
  }
};

rules('an exponential rate grows at multiples of its criterion, as AWS’s example has it', () => {
  const config = {
    exponentialRate: { baseRatePerMinute: 50, incrementFactor: 2, rateIncreaseCriteria: { numberOfNotifiedThings: 1_000 } },
  };
  assert.equal(
    [0, 999, 1_000, 1_999, 2_000, 3_000].map((notified) => ratePerMinute(config, notified, 0)),
    [50, 50, 100, 100, 200, 400],
  );
  const bySuccess = {
    maximumPerMinute: 150,
    exponentialRate: { baseRatePerMinute: 50, incrementFactor: 2, rateIncreaseCriteria: { numberOfSucceededThings: 1_000 } },
  };
  assert.equal(
    [0, 1_000, 2_000].map((succeeded) => ratePerMinute(bySuccess, 10_000, succeeded)),
    [50, 100, 150],
  );
  assert.is(
    ratePerMinute(
      { exponentialRate: { baseRatePerMinute: 70, incrementFactor: 1.1, rateIncreaseCriteria: { numberOfNotifiedThings: 1 } } },
      1,
      0,
    ),
    77,
  );
});

rules('no 60 s hold more than the rate, whenever the rollout gets its turns', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 80 }), (rate, gaps) => {
      let now = 0;
      let recent: Recent = [];
      const all: [number, number][] = [];
      for (const gap of gaps) {
        now += gap;
        const turn = allowance(recent, rate, now);
        if (turn === 0) assert.ok(nextTurn(recent, rate, now) > now);
        else if (nextTurn(recent, rate, now) <= now) {
          recent = [...recent, [now, turn]];
          all.push([now, turn]);
        }
      }
      for (const [end] of all) {
        const inWindow = all.filter(([at]) => at >= end - 60_000 && at <= end).reduce((sum, [, things]) => sum + things, 0);
        assert.ok(inWindow <= rate, `${inWindow} of ${rate}`);
      }
    }),
  );
});

rules('an abort fires at the first count that satisfies a criterion', () => {
  const criteria = [{ failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: 33.33, minNumberOfExecutedThings: 3 }] as const;
  const failed = (n: number) => ({ ...NO_FAILURES, FAILED: n, ALL: n });

  assert.not(aborts(criteria, 2, failed(2)));
  assert.ok(aborts(criteria, 3, failed(1)));
  assert.not(aborts(criteria, 4, failed(1)));
  assert.not(aborts(criteria, 3, { ...NO_FAILURES, REJECTED: 3, ALL: 3 }));
  assert.ok(aborts([{ ...criteria[0], failureType: 'ALL' }], 3, { ...NO_FAILURES, REJECTED: 1, ALL: 1 }));
});

rules('a thing counts once for each kind of failure, whatever its retries', () => {
  const first = counted(NO_FAILURES, 0, 'FAILED');
  assert.equal(first, { FAILED: 1, REJECTED: 0, TIMED_OUT: 0, ALL: 1 });
  assert.is(counted(first, 1, 'FAILED'), first);
  assert.equal(counted(first, 1, 'TIMED_OUT'), { FAILED: 1, REJECTED: 0, TIMED_OUT: 1, ALL: 1 });
  assert.is(counted(first, 1, 'SUCCEEDED'), first);
});

rules('retries are counted by kind, ten at most', () => {
  const criteria = [
    { failureType: 'FAILED', numberOfRetries: 2 },
    { failureType: 'TIMED_OUT', numberOfRetries: 1 },
  ] as const;
  assert.equal(retried(criteria, 'FAILED', { failed: 1, timedOut: 1 }), { failed: 2, timedOut: 1 });
  assert.is(retried(criteria, 'FAILED', { failed: 2, timedOut: 0 }), null);
  assert.is(retried(criteria, 'TIMED_OUT', { failed: 0, timedOut: 1 }), null);
  assert.is(retried(criteria, 'REJECTED', { failed: 0, timedOut: 0 }), null);
  assert.is(retried([{ failureType: 'ALL', numberOfRetries: 10 }], 'FAILED', { failed: 5, timedOut: 5 }), null);
});

rules('AWS’s cron is read as its documents have it', () => {
  const next = (expression: string, from: string) => iso(parseCron(`cron(${expression})`).next(utc(from)));

  assert.is(next('0 18 ? * MON *', '2026-01-01T00:00'), '2026-01-05T18:00');
  assert.is(next('0 18 ? * MON *', '2026-01-05T18:00'), '2026-01-05T18:00');
  assert.is(next('0 18 ? * MON *', '2026-01-05T18:01'), '2026-01-12T18:00');
  assert.is(next('15 10 ? * 6L 2022-2030', '2026-01-01T00:00'), '2026-01-30T10:15'); // the last Friday
  assert.is(next('0/15 8-17 ? * MON-FRI *', '2026-01-03T00:00'), '2026-01-05T08:00');
  assert.is(next('0/15 8-17 ? * MON-FRI *', '2026-01-05T08:01'), '2026-01-05T08:15');
  assert.is(next('0 8 1 * ? *', '2026-01-02T00:00'), '2026-02-01T08:00');
  assert.is(next('0 12 L * ? *', '2026-02-01T00:00'), '2026-02-28T12:00');
  assert.is(next('0 12 3W * ? *', '2026-01-01T00:00'), '2026-01-02T12:00'); // the 3rd is a Saturday
  assert.is(next('0 12 1W * ? *', '2026-08-01T00:00'), '2026-08-03T12:00'); // the 1st is a Saturday: not into July
  assert.is(next('0 12 ? * TUE#2 *', '2026-01-01T00:00'), '2026-01-13T12:00');
  assert.is(next('0 0 29 2 ? *', '2026-01-01T00:00'), '2028-02-29T00:00');
  assert.is(next('0 0 ? * FRI-MON *', '2026-01-06T00:00'), '2026-01-09T00:00');
  assert.is(next('0 0 1 1 ? 1999', '2026-01-01T00:00'), null);
  for (const bad of [
    '',
    '* * * * *',
    '0 18 * * MON *',
    '0 18 ? * ? *',
    '60 0 ? * MON *',
    '0 24 ? * MON *',
    '0 0 32 * ? *',
    '0 0 ? 13 MON *',
    '0 0 ? * MON#6 *',
    'a 0 ? * MON *',
    '0/0 0 ? * MON *',
  ])
    assert.is(
      refused(() => parseCron(`cron(${bad})`)),
      'InvalidRequest',
      bad,
    );
});

rules('the next start and the last one agree', () => {
  const cron = parseCron('cron(0/20 3,15 ? * MON-WED *)');
  fc.assert(
    fc.property(fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }), (at) => {
      const next = cron.next(at);
      assert.is(cron.last(next!, 0), next);
      const before = cron.last(next! - 1, 8 * 86_400_000);
      assert.ok(before !== null && before < at, 'no start between');
    }),
  );
});

rules('a maintenance window is open from its start for its length', () => {
  const now = utc('2026-01-01T00:00');
  const schedule = readSchedule({ maintenanceWindows: [{ startTime: 'cron(0 23 ? * MON *)', durationInMinutes: 120 }] }, now);

  assert.equal(
    ['2026-01-05T22:59', '2026-01-05T23:00', '2026-01-06T00:59', '2026-01-06T01:00'].map((at) => mayNotify(schedule, utc(at))),
    [false, true, true, false],
  );
  assert.equal(comingWindows(schedule, now).slice(0, 2).map(iso), ['2026-01-05T23:00', '2026-01-12T23:00']);
  assert.is(comingWindows(schedule, now).length, 7);
});

rules('a schedule that cannot be kept is refused', () => {
  const now = utc('2026-01-01T00:00');
  const verdict = (config: Parameters<typeof readSchedule>[0]) => refused(() => readSchedule(config, now));

  assert.is(verdict({ startTime: '2026-01-02 10:00', endTime: '2026-01-02T10:30:00Z', endBehavior: 'CANCEL' }), 'accepted');
  assert.is(verdict({ startTime: '2025-12-31 10:00' }), 'InvalidRequest');
  assert.is(verdict({ startTime: '2027-06-01 10:00' }), 'InvalidRequest');
  assert.is(verdict({ startTime: 'tomorrow' }), 'InvalidRequest');
  assert.is(verdict({ startTime: '2026-02-31 25:00' }), 'InvalidRequest');
  assert.is(verdict({ startTime: '2026-01-02 10:00', endTime: '2026-01-02 10:29' }), 'InvalidRequest');
  assert.is(verdict({ endTime: '2030-01-01 00:00' }), 'InvalidRequest');
  assert.is(verdict({ endBehavior: 'CANCEL' }), 'InvalidRequest');
  assert.is(verdict({ maintenanceWindows: [{ startTime: 'cron(0 23 ? * MON *)', durationInMinutes: 1_431 }] }), 'InvalidRequest');
});

rules('a document’s placeholders become URLs, and parameters stay JSON', () => {
  const text = readDocument(
    JSON.stringify({
      a: standsFor('s3-presigned-url', 'https://s3.eu-west-1.amazonaws.com/bucket/path/to%20x.zip'),
      p: standsFor('parameter', 'name'),
    }),
  );
  const presign = (bucket: string, key: string, seconds: number) => `https://here/${bucket}/${key}?"e"=${seconds}`;

  const read = JSON.parse(withPresignedUrls(withParameters(text, { name: 'a "quoted" one' }), presign, 60)) as object;
  assert.equal(read, { a: 'https://here/bucket/path/to x.zip?"e"=60', p: 'a "quoted" one' });
  assert.is(
    refused(() => withParameters(text, {})),
    'InvalidRequest',
  );
  assert.equal(parseS3Url('https://my.bucket.s3.us-east-1.amazonaws.com/k/e/y'), { bucket: 'my.bucket', key: 'k/e/y' });
  assert.is(parseS3Url('https://169.254.169.254/latest/meta-data'), null);
  assert.is(parseS3Url('https://s3.amazonaws.com.evil.example/b/k'), null);
});

rules('a document that is none, too long, too deep or too eager is refused', () => {
  const urls = (n: number) =>
    JSON.stringify(Array.from({ length: n }, (_, i) => standsFor('s3-presigned-url', `https://s3.us-east-1.amazonaws.com/b/${i}`)));
  const verdict = (text: string) => refused(() => readDocument(text));

  assert.is(verdict('{}'), 'accepted');
  assert.is(verdict(`{"u":${urls(10)}}`), 'accepted');
  assert.is(verdict(`{"u":${urls(11)}}`), 'InvalidRequest');
  assert.is(verdict(JSON.stringify({ u: standsFor('s3-presigned-url', 'https://example.org/b/k') })), 'InvalidRequest');
  assert.is(verdict('[]'), 'InvalidRequest');
  assert.is(verdict('{'), 'InvalidRequest');
  assert.is(verdict(`{"a":"${'x'.repeat(32_768)}"}`), 'InvalidRequest');
  assert.is(verdict(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`), 'InvalidRequest');
  assert.is(verdict(`{"a":"${'['.repeat(10_000)}"}`), 'accepted');
});

rules.run();
