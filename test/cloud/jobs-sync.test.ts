import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { type LogSync, openLogSync } from '../../cloud/jobs/log-sync.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const syncs = suite('syncs of the job store');

/** A disk whose syncs end when the test says so. */
function heldDisk() {
  const waiting: ((error: Error | null) => void)[] = [];
  let blocked = 0;
  let failing = false;
  const log: LogSync = {
    sync: (done) => void waiting.push(done),
    syncNow() {
      blocked++;
      if (failing) throw new Error('EIO: i/o error, fdatasync');
    },
    close() {},
  };
  return {
    open: () => log,
    waiting,
    blocked: () => blocked,
    fail(on: boolean) {
      failing = on;
    },
    /** Ends the oldest sync. */
    end: (error: Error | null = null) => waiting.shift()?.(error),
  };
}

async function withService(
  work: (service: Awaited<ReturnType<typeof openJobService>>, disk: ReturnType<typeof heldDisk>, file: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-syncs-'));
  const disk = heldDisk();
  const file = join(folder, 'jobs.db');
  const service = await openJobService({ clock: new VirtualClock(), store: libsqlJobStore(file, disk.open) });
  try {
    const created = service.create({ jobId: 'a', things: ['T-1', 'T-2', 'T-3', 'T-4'], targets: ['farm'], document: {} });
    let made = false;
    void created.then(() => (made = true));
    while (!made) {
      disk.end();
      await turn();
    }
    for (let i = 0; i < 5; i++) {
      disk.end(); // what the rollout has written after it
      await turn();
    }
    await work(service, disk, file);
  } finally {
    disk.fail(false);
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Until a group that nobody joins any more has been committed. */
const turn = async () => {
  for (let i = 0; i < 4; i++) await new Promise((done) => setImmediate(done));
};
const STARTS = { status: 'IN_PROGRESS' } as const;
/** Whether it has settled, and how. */
function watch(work: Promise<unknown>): { state: 'waits' | 'answered' | 'refused'; reason: unknown } {
  const seen: { state: 'waits' | 'answered' | 'refused'; reason: unknown } = { state: 'waits', reason: null };
  work.then(
    () => (seen.state = 'answered'),
    (error: unknown) => {
      seen.state = 'refused';
      seen.reason = error;
    },
  );
  return seen;
}

syncs('an answer waits for its own sync; what has been read waits for that of what it shows', () =>
  withService(async (service, disk) => {
    const first = watch(service.device.update('T-1', 'a', STARTS));
    await turn();
    const second = watch(service.device.update('T-2', 'a', STARTS));
    const read = watch(service.device.pending('T-2'));
    await turn();
    assert.is(disk.waiting.length, 2);
    assert.equal([first.state, second.state, read.state], ['waits', 'waits', 'waits']);

    disk.end();
    await turn();
    assert.equal([first.state, second.state, read.state], ['answered', 'waits', 'waits']);

    disk.end();
    await turn();
    assert.equal([second.state, read.state], ['answered', 'answered']);
  }),
);

syncs('a group waits as long as each turn of the event loop brings more, then goes to the disk as one', () =>
  withService(async (service, disk) => {
    const once = () => new Promise((done) => setImmediate(done));
    const changes = [];
    for (const thing of ['T-1', 'T-2', 'T-3', 'T-4']) {
      changes.push(watch(service.device.update(thing, 'a', STARTS)));
      await once();
      assert.is(disk.waiting.length, 0);
    }
    await turn();
    assert.is(disk.waiting.length, 1);
    disk.end();
    await turn();
    assert.ok(changes.every(({ state }) => state === 'answered'));
  }),
);

syncs('a later sync that ends first answers for all before it', () =>
  withService(async (service, disk) => {
    const first = watch(service.device.update('T-1', 'a', STARTS));
    await turn();
    const second = watch(service.device.update('T-2', 'a', STARTS));
    await turn();

    disk.waiting.pop()?.(null);
    await turn();

    assert.equal([first.state, second.state], ['answered', 'answered']);
    disk.end(); // the other one has nothing left to say
    await turn();
    assert.is(disk.waiting.length, 0);
  }),
);

syncs('while two are under way what comes gathers in one group', () =>
  withService(async (service, disk) => {
    const early = ['T-1', 'T-2'].map(async (thing, i) => {
      for (let n = 0; n < i; n++) await turn();
      return service.device.update(thing, 'a', STARTS);
    });
    for (let i = 0; i < 4; i++) await turn();
    const late = [watch(service.device.update('T-3', 'a', STARTS))];
    await turn();
    late.push(watch(service.device.update('T-4', 'a', STARTS)));
    await turn();
    assert.is(disk.waiting.length, 2, 'the third group is not on its way yet');

    disk.end();
    await turn();
    assert.is(disk.waiting.length, 2, 'it is now');
    disk.end();
    disk.end();
    await Promise.all(early);
    await turn();
    assert.equal(
      late.map(({ state }) => state),
      ['answered', 'answered'],
    );
  }),
);

syncs('a sync that fails refuses all that waits; the next change writes to the file itself what the log may lack', () =>
  withService(async (service, disk, file) => {
    const first = watch(service.device.update('T-1', 'a', STARTS));
    await turn();
    const second = watch(service.device.update('T-2', 'a', STARTS));
    await turn();
    const open = watch(service.device.update('T-3', 'a', STARTS)); // not even committed

    disk.end(new Error('EIO: i/o error, fdatasync'));
    await turn();
    for (const one of [first, second, open]) assert.instance(one.reason, StoreUnavailable);
    disk.end();
    assert.ok(statSync(`${file}-wal`).size > 0);
    const before = statSync(file).size;

    const after = watch(service.device.update('T-4', 'a', STARTS));
    await turn();
    assert.ok(statSync(file).size > before, 'the log has been written to the file');
    disk.end();
    await turn();
    assert.is(after.state, 'answered');
    assert.equal((await service.device.describe('T-3', 'a'))?.versionNumber, 1);
    assert.equal((await service.device.describe('T-4', 'a'))?.versionNumber, 2);
  }),
);

syncs('a list that asks the store waits for the disk, and holds up nobody', () =>
  withService(async (service, disk) => {
    const blocked = disk.blocked();
    const change = watch(service.device.update('T-1', 'a', STARTS));
    const list = watch(service.executions('a'));
    await turn();
    assert.equal([change.state, list.state, disk.blocked()], ['waits', 'waits', blocked]);

    disk.end();
    await turn();
    assert.equal([change.state, list.state], ['answered', 'answered']);
    assert.equal(
      (await service.executions('a', { limit: 2 })).map(({ thing, status }) => `${thing} ${status}`),
      ['T-1 IN_PROGRESS', 'T-2 QUEUED'],
    );
  }),
);

syncs('the real one syncs, blocks when asked to, and can be closed while it syncs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-syncs-'));
  const store = libsqlJobStore(join(folder, 'jobs.db'));
  assert.ok(existsSync(join(folder, 'jobs.db-wal')));
  const log = openLogSync(join(folder, 'jobs.db-wal'));
  const done = new Promise<Error | null>((ended) => log.sync(ended));
  log.syncNow();
  log.close();
  assert.is(await done, null);
  const missing = openLogSync(join(folder, 'none'));
  assert.ok((await new Promise<Error | null>((ended) => missing.sync(ended))) instanceof Error);
  assert.throws(() => missing.syncNow());
  store.close();
  rmSync(folder, { recursive: true });
});

syncs.run();
