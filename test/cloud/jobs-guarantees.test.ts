/** J1 to J9: each promise by property against a small model, and under the fault that would break it. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused, StoreUnavailable } from '../../actors/contracts/errors.ts';
import { type ExecutionStatus, isTerminal, type JobExecution, type ReportedStatus } from '../../actors/contracts/jobs.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { serveJobs } from '../../cloud/jobs/mqtt.ts';
import { type JobService, openJobService } from '../../cloud/jobs/service.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { type FaultyJobStore, faultyJobStore } from '../kit/faulty-job-store.ts';

const guarantees = suite('jobs J1–J9');

const THINGS = ['T-0', 'T-1', 'T-2'];
const MINUTE = 60_000;

const reported = fc.constantFrom<ReportedStatus>('IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED');
const thing = fc.constantFrom(...THINGS);

type Step =
  | {
      readonly do: 'update';
      readonly thing: string;
      readonly status: ReportedStatus;
      readonly version: number | undefined;
      readonly token: string | undefined;
    }
  | { readonly do: 'start'; readonly thing: string }
  | { readonly do: 'cancel'; readonly thing: string; readonly force: boolean }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'restart' }
  | { readonly do: 'fail'; readonly commits: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('update' as const),
      thing,
      status: reported,
      version: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      token: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start' as const), thing }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), thing, force: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), commits: fc.integer({ min: 1, max: 2 }) }) },
);

/** What the service must be seen to do: a status, a version and a deadline a thing. */
interface Modelled {
  status: ExecutionStatus;
  version: number;
  startedAt: number | null;
  readonly answers: Map<string, string>;
}

class Model {
  readonly things = new Map<string, Modelled>(
    THINGS.map((name) => [name, { status: 'QUEUED', version: 1, startedAt: null, answers: new Map<string, string>() }]),
  );

  /** What an update is answered, and what it does. */
  update({ thing, status, version, token }: Extract<Step, { do: 'update' }>, now: number): string {
    const it = this.things.get(thing)!;
    const known = token === undefined ? undefined : it.answers.get(token);
    if (known) return known;
    if (version !== undefined && version !== it.version) return 'VersionMismatch';
    if (isTerminal(it.status)) return 'InvalidStateTransition';
    if (status === 'IN_PROGRESS') it.startedAt ??= now;
    it.status = status;
    it.version++;
    const answer = `${status} ${it.version}`;
    if (token !== undefined) it.answers.set(token, answer);
    return answer;
  }

  start(name: string, now: number): string {
    const it = this.things.get(name)!;
    if (isTerminal(it.status)) return 'none';
    if (it.status === 'QUEUED') {
      it.status = 'IN_PROGRESS';
      it.startedAt = now;
      it.version++;
    }
    return `IN_PROGRESS ${it.version}`;
  }

  cancel(name: string, force: boolean): string {
    const it = this.things.get(name)!;
    if (isTerminal(it.status) || (it.status === 'IN_PROGRESS' && !force)) return 'InvalidStateTransition';
    it.status = 'CANCELED';
    it.version++;
    return 'done';
  }

  /** Timers of five minutes run out. */
  wait(now: number): void {
    for (const it of this.things.values())
      if (it.status === 'IN_PROGRESS' && it.startedAt !== null && it.startedAt + 5 * MINUTE <= now) {
        it.status = 'TIMED_OUT';
        it.version++;
      }
  }

  get seen(): string[] {
    return [...this.things].map(([name, { status, version }]) => `${name} ${status} ${version}`);
  }

  copy(): Model {
    const copy = new Model();
    for (const [name, it] of this.things) copy.things.set(name, { ...it, answers: new Map(it.answers) });
    return copy;
  }
}

const answerOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    (given) =>
      given === null ? 'none' : given === undefined ? 'done' : `${(given as JobExecution).status} ${(given as JobExecution).versionNumber}`,
    (error: unknown) => (error instanceof JobRefused ? error.reason : error instanceof StoreUnavailable ? 'lost' : `defect ${error}`),
  );

const seenBy = async (service: JobService): Promise<string[]> =>
  (await service.executions('a')).map(({ thing, status, versionNumber }) => `${thing} ${status} ${versionNumber}`);

async function created(store: FaultyJobStore, clock: VirtualClock): Promise<JobService> {
  const service = await openJobService({ clock, store });
  await service.create({ jobId: 'a', things: THINGS, targets: ['farm'], document: {}, inProgressTimeoutInMinutes: 5 });
  return service;
}

guarantees('J1 to J5, J7: as the model has it, through restarts, timers and commits that fail', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const clock = new VirtualClock();
      const store = faultyJobStore();
      let service = await created(store, clock);
      let model = new Model();
      for (const one of steps) {
        const now = clock.epoch + clock.now();
        const before = model.copy();
        if (one.do === 'fail') store.fail(one.commits);
        else if (one.do === 'wait') {
          store.fail(0); // a store that fails puts a timer off: seen in a test of its own
          await clock.run(clock.now() + one.minutes * MINUTE);
          model.wait(clock.epoch + clock.now());
        } else if (one.do === 'restart') {
          await service.close();
          service = await openJobService({ clock, store });
        } else {
          const expected =
            one.do === 'update'
              ? model.update(one, now)
              : one.do === 'start'
                ? model.start(one.thing, now)
                : model.cancel(one.thing, one.force);
          const { version, token, ...rest } = { version: undefined, token: undefined, ...one };
          const given = await answerOf(
            one.do === 'update'
              ? service.device.update(one.thing, 'a', {
                  status: one.status,
                  ...(version === undefined ? {} : { expectedVersion: version }),
                  ...(token === undefined ? {} : { clientToken: token }),
                })
              : one.do === 'start'
                ? service.device.startNext(one.thing)
                : service.cancelExecution(one.thing, 'a', { force: one.force }),
          );
          if (given === 'lost') model = before;
          else assert.is(given, expected, JSON.stringify(rest));
        }
        const failing = store.failed;
        assert.equal(await seenBy(service), model.seen, `after ${JSON.stringify(one)} with ${failing} commits failed`);
        const { counts } = await service.describe('a');
        assert.is(
          Object.values(counts).reduce((sum, n) => sum + n, 0),
          THINGS.length,
          'counts are the targets',
        );
      }
      store.fail(0);
      const job = await service.describe('a');
      assert.is(
        job.status === 'COMPLETED',
        [...model.things.values()].every(({ status }) => isTerminal(status)),
      );
      await service.close();
    }),
    { numRuns: 150 },
  );
});

guarantees('J3: of updates at once to one execution each version is taken by one, in a group and with a group that fails', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 20 }), fc.boolean(), async (versions, fails) => {
      const store = faultyJobStore();
      const service = await created(store, new VirtualClock());
      if (fails) store.fail(1);
      const answers = await Promise.all(
        versions.map((expectedVersion) => answerOf(service.device.update('T-0', 'a', { status: 'IN_PROGRESS', expectedVersion }))),
      );
      if (fails) {
        // refused before anything was open: that stands; all that came with the change is lost with it
        const first = versions.indexOf(1);
        assert.equal(
          answers,
          versions.map((_, i) => (first >= 0 && i >= first ? 'lost' : 'VersionMismatch')),
        );
        assert.is((await seenBy(service))[0], 'T-0 QUEUED 1');
        return;
      }
      let version = 1;
      const expected = versions.map((wanted) => (wanted === version ? `IN_PROGRESS ${++version}` : 'VersionMismatch'));
      assert.equal(answers, expected);
    }),
  );
});

guarantees('J4: a request that comes again gets the same answer and changes nothing, after a restart too', async () => {
  const clock = new VirtualClock();
  const store = faultyJobStore();
  let service = await created(store, clock);
  const ask = () =>
    service.device.update('T-0', 'a', { status: 'IN_PROGRESS', expectedVersion: 1, clientToken: 'once', statusDetails: { at: 'first' } });
  const [first, twin] = await Promise.all([ask(), ask()]);
  await service.device.update('T-0', 'a', { status: 'IN_PROGRESS', clientToken: 'twice', statusDetails: { at: 'second' } });
  const started = await service.device.startNext('T-1', { clientToken: 'go' });
  await service.close();
  service = await openJobService({ clock, store });

  assert.equal([twin, await ask()], [first, first]);
  assert.equal(await service.device.startNext('T-1', { clientToken: 'go' }), started);
  assert.equal(await seenBy(service), ['T-0 IN_PROGRESS 3', 'T-1 IN_PROGRESS 2', 'T-2 QUEUED 1']);
  for (let i = 0; i < 40_000; i += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, n) => service.device.update('T-2', 'a', { status: 'IN_PROGRESS', clientToken: `t-${i + n}` })),
    );
  assert.ok(store.answers().length <= 32_768, 'the table is bounded');
  assert.is(await answerOf(ask()), 'VersionMismatch', 'and forgets the oldest');
});

guarantees('J6: never above the rate in any 60 s, and an abort at the first count that satisfies it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        rate: fc.integer({ min: 1, max: 40 }),
        factor: fc.integer({ min: 11, max: 30 }).map((tenths) => tenths / 10),
        criterion: fc.integer({ min: 1, max: 20 }),
        threshold: fc.integer({ min: 5, max: 90 }),
        minimum: fc.integer({ min: 1, max: 30 }),
        fails: fc.array(fc.boolean(), { minLength: 100, maxLength: 100 }),
      }),
      async ({ rate, factor, criterion, threshold, minimum, fails }) => {
        const clock = new VirtualClock();
        const service = await openJobService({ clock, store: memoryJobStore() });
        const most = rate * 3;
        const told: number[] = [];
        const work: string[] = [];
        let executed = 0;
        let failures = 0;
        let aborted = false;
        service.onChange((change) => {
          if (!('thing' in change)) {
            if (change.status === 'CANCELED') aborted = true;
            return;
          }
          if (change.status === 'QUEUED') {
            told.push(clock.now());
            executed++;
            work.push(change.thing);
          }
          if (change.status === 'FAILED') failures++;
        });
        await service.create({
          jobId: 'a',
          things: fails.map((_, i) => `T-${i}`),
          targets: ['farm'],
          document: {},
          jobExecutionsRolloutConfig: {
            maximumPerMinute: most,
            exponentialRate: {
              baseRatePerMinute: rate,
              incrementFactor: factor,
              rateIncreaseCriteria: { numberOfNotifiedThings: criterion },
            },
          },
          abortConfig: {
            criteriaList: [{ failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: threshold, minNumberOfExecutedThings: minimum }],
          },
        });
        for (let minute = 0; minute < 200 && !aborted && work.length + executed < 2 * fails.length; minute++) {
          for (const name of work.splice(0)) {
            if (aborted) break;
            await service.device.update(name, 'a', { status: fails[Number(name.slice(2))] ? 'FAILED' : 'SUCCEEDED' });
            const satisfied = failures > 0 && executed >= minimum && 100 * failures >= threshold * executed;
            assert.is(aborted, satisfied, `${failures} of ${executed} failed`);
          }
          await clock.run((minute + 1) * 61_000);
        }
        for (const [i, at] of told.entries()) {
          const within = told.filter((other) => other <= at && other >= at - 60_000).length;
          const allowed = Math.min(most, Math.floor(rate * factor ** Math.floor(told.length / criterion) + 1e-9));
          assert.ok(within <= allowed, `${within} of ${allowed} at ${i}`);
        }
        await service.close();
      },
    ),
    { numRuns: 60 },
  );
});

guarantees('J7: a timer that ran out while nobody was there fires once, at the restart', async () => {
  const clock = new VirtualClock();
  const store = faultyJobStore();
  const service = await created(store, clock);
  await service.device.startNext('T-0');
  await clock.run(5 * MINUTE - 1);
  await service.close();
  await clock.run(9 * MINUTE);

  const again = await openJobService({ clock, store });
  const heard: string[] = [];
  again.onChange((change) => 'thing' in change && heard.push(`${change.thing} ${change.status}`));
  await clock.run(30 * MINUTE);
  assert.equal(heard, ['T-0 TIMED_OUT']);
});

guarantees('J7: a timer waits for a store that fails, and a rollout too', async () => {
  const clock = new VirtualClock();
  const store = faultyJobStore();
  const service = await created(store, clock);
  await service.device.startNext('T-0');
  await service.create({
    jobId: 'b',
    things: THINGS,
    targets: ['farm'],
    document: {},
    jobExecutionsRolloutConfig: { maximumPerMinute: 1 },
  });
  store.fail(3);
  await clock.run(2 * MINUTE);
  assert.is((await service.executions('b')).length, 2, 'put off by seconds only');
  store.fail(4);
  await clock.run(6 * MINUTE);

  assert.is(store.failed, 7);
  assert.is((await service.executions('a'))[0].status, 'TIMED_OUT');
  assert.is((await service.executions('b')).length, 3);
});

guarantees('a change that stops halfway by a defect takes nobody’s with it into the store', async () => {
  const clock = new VirtualClock();
  const store = faultyJobStore();
  const service = await openJobService({
    clock,
    store,
    targets: {
      membersOf: () => {
        throw new Error('a defect of the registry');
      },
      includes: () => false,
      onMembership: () => {},
    },
  });
  assert.match(await answerOf(service.create({ jobId: 'b', targets: ['farm'], document: {} })), 'defect');
  assert.equal(await service.list(), []);
});

guarantees('J8: what was last notified is what $next says, and a fleet that hears nothing converges by asking', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('j-1', 'j-2', 'j-3'), reported), { maxLength: 25 }), async (updates) => {
      const clock = new VirtualClock();
      const service = await openJobService({ clock, store: memoryJobStore() });
      let next: string | null = null;
      let listed: readonly string[] = [];
      service.notify({
        list: (_, pending) => (listed = pending.map(({ jobId }) => jobId).sort()),
        next: (_, one) => (next = one?.jobId ?? null),
      });
      for (const jobId of ['j-1', 'j-2', 'j-3']) await service.create({ jobId, things: ['T-0'], targets: ['T-0'], document: {} });
      for (const [jobId, status] of updates) {
        await answerOf(service.device.update('T-0', jobId, { status }));
        assert.is(next, (await service.device.describe('T-0', '$next'))?.jobId ?? null);
        assert.equal(listed, (await service.device.pending('T-0')).map(({ jobId }) => jobId).sort());
      }
      for (let one = await service.device.startNext('T-0'); one; one = await service.device.startNext('T-0'))
        await service.device.update('T-0', one.jobId, { status: 'SUCCEEDED' });
      assert.ok((await service.list()).every(({ status }) => status === 'COMPLETED'));
    }),
    { numRuns: 60 },
  );
});

guarantees('J9: an answer goes to the client that asked, subscribed or not, and to nobody else', async () => {
  const clock = new VirtualClock();
  const broker = memoryBroker();
  const service = await openJobService({ clock, store: memoryJobStore() });
  serveJobs(broker, service, clock, silentLog);
  await service.create({ jobId: 'a', things: THINGS, targets: ['farm'], document: {} });
  const answers: string[] = [];
  const reply = broker.reply.bind(broker);
  Object.assign(broker, {
    reply: (client: string, topic: string, payload: string) => {
      answers.push(`${client} ${topic}`);
      reply(client, topic, payload);
    },
  });
  const spied: string[] = [];
  const spy = broker.connect('spy');
  for (const filter of ['#', '$aws/things/+/jobs/#', '$aws/things/T-0/jobs/a/update/accepted'])
    await spy.subscribe(filter, ({ topic }) => spied.push(topic));
  const [one, two] = [broker.connect('T-0'), broker.connect('T-1')];
  await one.publish('$aws/things/T-0/jobs/a/update', '{"status":"IN_PROGRESS"}');
  await two.publish('$aws/things/T-1/jobs/a/update', 'nonsense');
  await one.publish('$aws/things/T-0/jobs/get', '');
  await one.close(); // gone before its answer: nobody gets it in its place
  await clock.settle();

  assert.equal(answers.sort(), [
    'T-0 $aws/things/T-0/jobs/a/update/accepted',
    'T-0 $aws/things/T-0/jobs/get/accepted',
    'T-1 $aws/things/T-1/jobs/a/update/rejected',
  ]);
  assert.equal(spied, []);
});

guarantees.run();
