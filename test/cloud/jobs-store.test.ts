import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import Database from 'libsql';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused, StoreUnavailable } from '../../actors/contracts/errors.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { jobGroups } from '../kit/job-groups.ts';
import { fillJobStore } from '../kit/job-store.ts';

const stores = suite('job store');

const MINUTE = 60_000;

async function inFolder(work: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-store-'));
  try {
    await work(join(folder, 'jobs.db'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const things = (n: number) => Array.from({ length: n }, (_, i) => `T-${String(i).padStart(4, '0')}`);
const verdictOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) =>
      error instanceof JobRefused ? error.reason : error instanceof StoreUnavailable ? 'StoreUnavailable' : `defect ${error}`,
  );

stores('updates at once share a commit, and each is there after it', () =>
  inFolder(async (file) => {
    const store = libsqlJobStore(file);
    let commits = 0;
    const counting = {
      ...store,
      commit: (changes: Parameters<typeof store.commit>[0]) => {
        commits++;
        store.commit(changes);
      },
    };
    const clock = new VirtualClock();
    const service = await openJobService({ clock, store: counting });
    await service.create({ jobId: 'a', things: things(500), targets: ['farm'], document: {} });
    const before = commits;
    await Promise.all(things(500).map((thing) => service.device.update(thing, 'a', { status: 'IN_PROGRESS' })));
    assert.is(commits - before, 1);
    await service.close();

    const again = await openJobService({ clock, store: libsqlJobStore(file) });
    assert.ok((await again.executions('a')).every(({ status, versionNumber }) => status === 'IN_PROGRESS' && versionNumber === 2));
    await again.close();
  }),
);

stores('a full disk refuses changes and loses none that was acknowledged; with room again the service goes on', () =>
  inFolder(async (file) => {
    const store = libsqlJobStore(file);
    let full = false;
    const clock = new VirtualClock();
    const limited = {
      ...store,
      commit(changes: Parameters<typeof store.commit>[0]) {
        store.limitPages(full ? 1 : null); // SQLITE_FULL, as a disk without room gives it
        store.commit(changes);
      },
    };
    const service = await openJobService({ clock, store: limited });
    await service.create({ jobId: 'a', things: things(3), targets: ['farm'], document: {} });
    await service.device.startNext('T-0000');
    full = true;
    const big = { info: 'x'.repeat(1_000) };
    const many = await Promise.all(
      things(3).flatMap((thing) => [
        verdictOf(service.device.update(thing, 'a', { status: 'IN_PROGRESS', statusDetails: big })),
        verdictOf(service.create({ jobId: `b-${thing}`, things: things(1_000), targets: ['farm'], document: { big: 'x'.repeat(30_000) } })),
      ]),
    );
    assert.ok(
      many.every((verdict) => verdict === 'StoreUnavailable'),
      many.join(),
    );
    assert.equal(
      (await service.executions('a')).map(({ versionNumber }) => versionNumber),
      [2, 1, 1],
    );
    assert.equal(
      (await service.list()).map(({ jobId }) => jobId),
      ['a'],
    );
    full = false;
    assert.is(await verdictOf(service.device.update('T-0000', 'a', { status: 'SUCCEEDED', statusDetails: big })), 'accepted');
    await service.close();
  }),
);

stores('a log that a loss of power has cut anywhere opens at a whole commit, counts and all', () =>
  inFolder(async (file) => {
    const clock = new VirtualClock();
    const service = await openJobService({ clock, store: libsqlJobStore(file) });
    await service.create({ jobId: 'a', things: things(60), targets: ['farm'], document: {} });
    for (let round = 0; round < 10; round++)
      await Promise.all(
        things(60)
          .slice(round * 6, round * 6 + 6)
          .flatMap((thing) => [
            service.device.update(thing, 'a', { status: 'IN_PROGRESS', clientToken: 'one' }),
            service.device.update(thing, 'a', { status: 'SUCCEEDED', clientToken: 'two' }),
          ]),
      );
    const [base, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
    await service.close();

    const found = new Set<number>();
    let copies = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: log.length }), (cut) => {
        const copy = `${file}-${copies++}`; // a name of its own: a store that was closed may not have let go of its file yet
        writeFileSync(copy, base);
        writeFileSync(`${copy}-wal`, log.subarray(0, cut));
        const store = libsqlJobStore(copy);
        const [record] = store.jobs();
        const all = record ? store.ofJob(record.key, { limit: -1 }) : [];
        store.close();
        const done = all.filter(({ status }) => status === 'SUCCEEDED').length;
        found.add(done);
        assert.ok(record === undefined || (all.length === 60 && record.state.counts.SUCCEEDED === done), `${done} at byte ${cut}`);
        assert.is(done % 6, 0, 'a group is there as a whole, or not at all');
      }),
      { numRuns: 60, examples: [[log.length]] },
    );
    assert.ok(found.has(60) && found.size > 3, [...found].join());
  }),
);

stores('a rollout goes on after a restart without exceeding its minute', () =>
  inFolder(async (file) => {
    const clock = new VirtualClock();
    let service = await openJobService({ clock, store: libsqlJobStore(file) });
    const at: number[] = [];
    const count = () =>
      service.onChange((change) => {
        if ('thing' in change) at.push(clock.now());
      });
    count();
    await service.create({
      jobId: 'a',
      things: things(100),
      targets: ['farm'],
      document: {},
      jobExecutionsRolloutConfig: { maximumPerMinute: 10 },
    });
    for (let restart = 1; restart < 40 && at.length < 100; restart++) {
      await clock.run(clock.now() + 20_000);
      for (let i = 0; i < 20; i++) await clock.settle();
      await service.close();
      service = await openJobService({ clock, store: libsqlJobStore(file) });
      count();
    }
    assert.is(at.length, 100);
    for (let i = 10; i < at.length; i++) assert.ok(at[i] - at[i - 10] > MINUTE, `${i}: ${at[i]} after ${at[i - 10]}`);
    assert.is((await service.executions('a')).length, 100);
    await service.close();
  }),
);

stores('work that a kill cut short is taken up: a cancellation, a deletion, groups that changed meanwhile', () =>
  inFolder(async (file) => {
    const clock = new VirtualClock();
    const groups = jobGroups();
    groups.add('farm', ...things(1_200));
    groups.add('hall', 'T-0001', 'T-0002');
    const first = await openJobService({ clock, store: libsqlJobStore(file), targets: groups });
    await first.create({ jobId: 'cancelled', targets: ['farm'], document: {} });
    await first.create({ jobId: 'deleted', targets: ['farm'], document: {} });
    await first.create({ jobId: 'followed', targets: ['hall'], targetSelection: 'CONTINUOUS', document: {} });
    for (let i = 0; i < 10; i++) {
      await clock.run(i + 1);
      await new Promise(setImmediate);
    }
    await first.cancel('cancelled'); // its first batch of three
    await first.remove('deleted', { force: true });
    await first.close();
    groups.take('hall', 'T-0001');
    groups.add('hall', 'T-0003');

    const second = await openJobService({ clock, store: libsqlJobStore(file), targets: groups });
    for (let i = 0; i < 60; i++) {
      await clock.run(clock.now() + 1);
      await new Promise(setImmediate);
    }
    assert.is((await second.describe('cancelled')).counts.CANCELED, 1_200);
    assert.is(await verdictOf(second.describe('deleted')), 'ResourceNotFound');
    assert.equal(
      (await second.executions('followed')).map(({ thing, status }) => `${thing} ${status}`),
      ['T-0001 REMOVED', 'T-0002 QUEUED', 'T-0003 QUEUED'],
    );
    await second.close();
  }),
);

stores('another process that writes is noticed before anything is overwritten', () =>
  inFolder(async (file) => {
    const clock = new VirtualClock();
    const [one, two] = [
      await openJobService({ clock, store: libsqlJobStore(file) }),
      await openJobService({ clock, store: libsqlJobStore(file) }),
    ];
    await one.create({ jobId: 'a', things: ['T-1'], targets: ['T-1'], document: {} });
    assert.is(await verdictOf(two.create({ jobId: 'a', things: ['T-2'], targets: ['T-2'], document: {} })), 'StoreUnavailable');
    assert.is(await verdictOf(two.create({ jobId: 'a', things: ['T-2'], targets: ['T-2'], document: {} })), 'ResourceAlreadyExists');
    await one.close();
    await two.close();
  }),
);

stores('a file of the first version is brought up to date', () =>
  inFolder(async (file) => {
    const db = new Database(file);
    db.exec('CREATE TABLE jobs (jobId TEXT PRIMARY KEY, body TEXT NOT NULL)');
    db.exec('CREATE TABLE executions (jobId TEXT, thing TEXT, executionNumber INTEGER, body TEXT)');
    const at = 1_767_225_600_000;
    const old = {
      jobId: 'a',
      targets: ['farm'],
      document: { do: 'it' },
      description: 'old',
      createdAt: at,
      lastUpdatedAt: at,
      completedAt: null,
    };
    db.prepare('INSERT INTO jobs VALUES (?, ?)').run([
      'a',
      JSON.stringify({ ...old, status: 'IN_PROGRESS', inProgressTimeoutInMinutes: 60 }),
    ]);
    const execution = {
      jobId: 'a',
      executionNumber: 1,
      statusDetails: { info: 'x' },
      versionNumber: 2,
      queuedAt: at,
      startedAt: at,
      lastUpdatedAt: at,
    };
    for (const [thing, status, inProgressDeadline] of [
      ['T-1', 'IN_PROGRESS', at + 60 * MINUTE],
      ['T-2', 'SUCCEEDED', null],
    ])
      db.prepare('INSERT INTO executions VALUES (?, ?, ?, ?)').run([
        'a',
        thing,
        1,
        JSON.stringify({ ...execution, thing, status, inProgressDeadline, stepDeadline: null }),
      ]);
    db.close();

    const clock = new VirtualClock({ epoch: at });
    const service = await openJobService({ clock, store: libsqlJobStore(file) });
    const job = await service.describe('a');
    assert.equal([job.description, job.document, job.counts.IN_PROGRESS, job.counts.SUCCEEDED], ['old', { do: 'it' }, 1, 1]);
    assert.equal((await service.device.pending('T-1'))[0].statusDetails, { info: 'x' });
    await clock.run(61 * MINUTE);
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    assert.is((await service.describe('a')).counts.TIMED_OUT, 1);
    await service.close();
  }),
);

stores('a file that is no store, or a later one, is refused with the way out', () =>
  inFolder(async (file) => {
    const db = new Database(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    try {
      libsqlJobStore(file);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, StoreUnavailable);
    }
  }),
);

stores('a store of 100000 executions opens at once and answers of any of them', () =>
  inFolder(async (file) => {
    fillJobStore(file, { jobs: 5, things: 20_000 });
    const clock = new VirtualClock({ epoch: 1_767_225_600_000 });
    const service = await openJobService({ clock, store: libsqlJobStore(file) });
    assert.is((await service.device.describe('T-19999', '$next'))?.jobId, 'job-5');
    assert.is((await service.describe('job-1')).counts.SUCCEEDED, 20_000);
    assert.is((await service.executionsOfThing('T-77')).items.length, 5);
    await service.close();
  }),
);

stores.run();
