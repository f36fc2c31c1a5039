import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused, RemoteRefused } from '../../actors/contracts/errors.ts';
import type { DeviceJobs } from '../../actors/contracts/jobs.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import { openOutbox } from '../../actors/ota/outbox.ts';
import { contentsDigest, installFirst, openSlots } from '../../actors/ota/slots.ts';
import { packModel } from '../../actors/package/package.ts';
import { unpackTar } from '../../actors/package/tar.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryDisk, PowerCut } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { newerPackage, starter } from '../kit/packages.ts';

const slots = suite('slots and outbox');

const key = generateKey();
const trusted = [key.publicKey];
const oldPackage = packModel(starter('1.0.0'), key.privateKey).bytes;
const next = newerPackage(key);

/** Stages and commits the newer package. */
async function update(disk: ReturnType<typeof memoryDisk>) {
  const here = openSlots(disk, trusted, silentLog);
  const files = unpackTar(next.bytes);
  const slot = await here.unpack(files);
  const contents = contentsDigest(files);
  assert.is((await here.readBack(slot, contents)).manifest.version, '2.0.0');
  await here.commit({
    slot,
    model: 'windturbine-anomaly@2.0.0',
    sha256: next.sha256,
    contents,
    sequence: 10,
    jobId: 'j',
    executionNumber: 1,
  });
}

slots('a power cut at every write of an update leaves the old model or the new one, whole', async () => {
  const seen = new Set<string>();
  const probe = memoryDisk();
  await installFirst(openSlots(probe, trusted, silentLog), oldPackage, trusted);
  const before = probe.writes;
  await update(probe);
  const writes = probe.writes - before;
  assert.is(writes, 7); // five files, the pointer aside, its name

  for (let n = 1; n <= writes; n++) {
    for (const how of ['before', 'torn', 'after'] as const) {
      const disk = memoryDisk();
      await installFirst(openSlots(disk, trusted, silentLog), oldPackage, trusted);
      disk.cutAt(n, how);
      await update(disk).then(
        () => assert.unreachable(),
        (error: unknown) => assert.instance(error, PowerCut),
      );
      disk.restart();
      const after = await openSlots(disk, trusted, silentLog).read();
      seen.add(after?.record.model ?? 'nothing');
      await update(disk); // and the update can be done again
      assert.is((await openSlots(disk, trusted, silentLog).read())?.record.model, 'windturbine-anomaly@2.0.0');
    }
  }
  assert.equal([...seen].sort(), ['windturbine-anomaly@1.0.0', 'windturbine-anomaly@2.0.0']);
});

slots('a damaged slot is not used: the one before it is', async () => {
  const disk = memoryDisk();
  await installFirst(openSlots(disk, trusted, silentLog), oldPackage, trusted);
  await update(disk);
  await disk.write('slots/b/compiled.onnx', Buffer.from('rot'));

  assert.is((await openSlots(disk, trusted, silentLog).read())?.record.model, 'windturbine-anomaly@1.0.0');
  await disk.write('slots/a/golden.json', Buffer.from('rot'));
  assert.is(await openSlots(disk, trusted, silentLog).read(), null);
});

slots('what lies in a slot is the committed model to the file: nothing added, removed, renamed or of another release', async () => {
  const tamper: [string, (disk: ReturnType<typeof memoryDisk>) => Promise<void>][] = [
    ['added', (disk) => disk.write('slots/b/extra.bin', Buffer.from('x'))],
    ['removed', (disk) => disk.remove('slots/b/golden.json')],
    ['renamed', (disk) => disk.rename('slots/b/golden.json', 'slots/b/silver.json')],
    [
      'another release, signed as well',
      async (disk) => {
        const other = unpackTar(newerPackage(key, (manifest) => ({ ...manifest, lineage: { other: 1 } })).bytes);
        for (const [name, bytes] of other) await disk.write(`slots/b/${name}`, bytes);
      },
    ],
  ];
  for (const [what, change] of tamper) {
    const disk = memoryDisk();
    await installFirst(openSlots(disk, trusted, silentLog), oldPackage, trusted);
    await update(disk);
    await change(disk);
    assert.is((await openSlots(disk, trusted, silentLog).read())?.record.model, 'windturbine-anomaly@1.0.0', what);
  }
});

slots('a device of before, whose slot is the package itself, boots from it and updates', async () => {
  const disk = memoryDisk();
  await disk.write('slots/a.tar.gz', oldPackage);
  const committed = {
    slot: 'a',
    model: 'windturbine-anomaly@1.0.0',
    sha256: sha256Hex(oldPackage),
    sequence: 1,
    jobId: null,
    executionNumber: null,
  };
  await disk.write('active.json', Buffer.from(JSON.stringify({ committed, previous: null })));
  assert.is((await openSlots(disk, trusted, silentLog).read())?.record.model, 'windturbine-anomaly@1.0.0');

  await update(disk);
  assert.is((await openSlots(disk, trusted, silentLog).read())?.record.model, 'windturbine-anomaly@2.0.0');
  await disk.remove('slots/b');
  assert.is((await openSlots(disk, trusted, silentLog).read())?.record.model, 'windturbine-anomaly@1.0.0');
});

/** A job service that is away for the first `failures` calls. */
function flakyJobs(failures: number, refuses = false) {
  const told: string[] = [];
  let calls = 0;
  const jobs: DeviceJobs = {
    next: async () => null,
    startNext: async () => null,
    onNext: async () => {},
    async update(_, jobId, { status }) {
      if (calls++ < failures) throw new RemoteRefused('away');
      if (refuses) throw new JobRefused('InvalidStateTransition', 'final');
      told.push(`${jobId} ${status}`);
    },
  };
  return { jobs, told };
}

const report = { jobId: 'j', executionNumber: 1, status: 'SUCCEEDED' as const, statusDetails: { info: 'x' } };

slots('a report waits for the network and arrives once', async () => {
  const clock = new VirtualClock();
  const { jobs, told } = flakyJobs(3);
  const outbox = openOutbox('T-001', memoryDisk(), jobs, clock, silentLog);

  await outbox.enqueue(report);
  await clock.run(1_000);
  assert.equal(told, []);
  await clock.run(120_000);

  assert.equal(told, ['j SUCCEEDED']);
});

slots('a restart sends what the last run could not, and a refused report is let go', async () => {
  const disk = memoryDisk();
  const clock = new VirtualClock();
  await openOutbox('T-001', disk, flakyJobs(99).jobs, clock, silentLog).enqueue(report);
  await clock.settle();

  const second = flakyJobs(0);
  openOutbox('T-001', disk, second.jobs, new VirtualClock(), silentLog).flush();
  await clock.settle();
  assert.equal(second.told, ['j SUCCEEDED']);

  const refusing = openOutbox('T-001', disk, flakyJobs(0, true).jobs, clock, silentLog);
  await refusing.enqueue(report);
  await clock.settle();
  assert.equal(await disk.list('outbox'), []);
});

slots('a report that finds no room on the disk is said from memory', async () => {
  const clock = new VirtualClock();
  const full = { ...memoryDisk(), write: () => Promise.reject(new Error('ENOSPC: no space left on device')) };
  const { jobs, told } = flakyJobs(2);
  await openOutbox('T-001', full, jobs, clock, silentLog).enqueue(report);
  await clock.run(120_000);
  assert.equal(told, ['j SUCCEEDED']);
});

slots.run();
