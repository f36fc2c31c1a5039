import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isTerminal } from '../../actors/contracts/jobs.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { sharedEngine } from '../../actors/inference/shared.ts';
import { printJobDocument } from '../../actors/package/job-document.ts';
import { memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { type Cut, memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { directJobs } from '../kit/direct-jobs.ts';
import { bootLightDevice, type LightDevice } from '../kit/light-device.ts';
import { lightPackage, tinyModel, withWrongGolden } from '../kit/light-package.ts';
import { type MortalDisk, mortalDisk } from '../kit/mortal-disk.ts';

const cuts = suite('power cut');

const key = generateKey();
const tiny = tinyModel();
const first = lightPackage(key, '1.0.0', 1, undefined, tiny).bytes;
const good = lightPackage(key, '2.0.0', 2, undefined, tiny);
const bad = lightPackage(key, '2.0.0', 2, undefined, withWrongGolden(tiny));
const stranger = lightPackage(generateKey(), '2.0.0', 2, undefined, tiny);
const engine = sharedEngine(onnxEngine({ arch: process.arch }));
const END_MS = 30 * 60_000;

interface Life {
  readonly writes: number;
  readonly boots: number;
  readonly statuses: readonly string[];
  /** Models as the device booted with them. */
  readonly booted: readonly string[];
  readonly serving: string;
  /** Times that the pointer was replaced in the name of the job. */
  readonly applied: number;
  readonly left: readonly string[];
  readonly stages: readonly string[];
}

/** One update from its job's creation to the end of the job, through power cuts: the n-th change of each run, as `plan` says. */
async function live(
  packed: { readonly bytes: Uint8Array; readonly sha256: string },
  plan: readonly { readonly n: number; readonly how: Cut }[],
): Promise<Life> {
  const clock = new VirtualClock();
  const service = await openJobService({ clock, store: memoryJobStore() });
  const objects = memoryObjects();
  await objects.put(MODEL_BUCKET, 'k', packed.bytes);
  const jobs = directJobs(service, () => clock.epoch + clock.now());
  let applied = 0;
  const disk = memoryDisk({
    renamed(to, bytes) {
      if (to === 'active.json' && JSON.parse(Buffer.from(bytes).toString()).committed.jobId === 'j') applied++;
    },
  });
  const statuses: string[] = [];
  const booted: string[] = [];
  const stages: string[] = [];
  service.onChange((change) => {
    if ('thing' in change && isTerminal(change.status)) statuses.push(`${change.status} ${change.statusDetails['code'] ?? ''}`.trim());
  });

  let device: LightDevice | null = null;
  let mortal: MortalDisk | null = null;
  const boot = async () => {
    mortal = mortalDisk(disk, () => {
      clock.setTimeout(() => void revive(), 5_000); // no power for a while
    });
    // What dies while it boots is not heard of again: the next boot is another one.
    void bootLightDevice({
      thing: 'T-001',
      clock,
      disk: mortal,
      jobs: jobs.connect(),
      objects,
      engine,
      trustedKeys: [key.publicKey],
      first,
      stage: (stage) => void (stage && stages.push(stage)),
    }).then(
      (up) => {
        device = up;
        booted.push(up.serving.id);
      },
      (error: unknown) => booted.push(String(error)),
    );
    await clock.settle();
  };
  let boots = 0;
  const revive = async () => {
    await device?.halt();
    device = null;
    disk.restart();
    const next = plan[boots++];
    if (next) disk.cutAt(next.n, next.how);
    await boot();
  };

  await boot();
  await clock.run(1_000);
  const before = disk.writes;
  if (plan.length > 0) disk.cutAt(plan[0].n, plan[0].how);
  boots = 1;
  const order = { name: 'light', version: '2.0.0', bucket: MODEL_BUCKET, key: 'k', sha256: packed.sha256 };
  await service.create({ jobId: 'j', things: ['T-001'], targets: ['T-001'], document: printJobDocument(order) });
  await clock.run(END_MS);

  const up = device as LightDevice | null;
  const life = {
    writes: disk.writes - before,
    boots,
    statuses,
    booted,
    serving: up?.serving.id ?? 'nothing',
    applied,
    left: [...(await disk.list('outbox')), ...(await disk.list('download')), ...((await disk.read('update.json')) ? ['update.json'] : [])],
    stages,
  };
  await up?.halt();
  await service.close();
  return life;
}

const OLD = 'light@1.0.0';
const NEW = 'light@2.0.0';
const HOWS: readonly Cut[] = ['before', 'torn', 'after'];

const stories = [
  { name: 'an update that succeeds', packed: good, ends: 'SUCCEEDED', serves: NEW, applied: 1 },
  { name: 'one that is refused as it loads', packed: bad, ends: 'FAILED golden.wrong', serves: OLD, applied: 0 },
  { name: 'one that is refused before it is unpacked', packed: stranger, ends: 'FAILED signature.untrusted', serves: OLD, applied: 0 },
] as const;

for (const { name, packed, ends, serves, applied } of stories)
  cuts(`at every write of ${name}, before, torn and after: old or new, never neither, told once and applied ${applied} times`, async () => {
    const whole = await live(packed, []);
    assert.equal([whole.statuses, whole.serving, whole.applied, whole.left], [[ends], serves, applied, []]);
    assert.ok(whole.writes >= 10, `${whole.writes} writes`);
    const seen = new Set<string>();

    for (let n = 1; n <= whole.writes; n++)
      for (const how of HOWS) {
        const life = await live(packed, [{ n, how }]);
        const what = `write ${n} ${how}: ${JSON.stringify(life)}`;
        assert.is(life.boots, 2, what);
        assert.equal(life.statuses, [ends], what);
        assert.is(life.serving, serves, what);
        assert.is(life.applied, applied, what);
        assert.equal(life.left, [], what);
        for (const model of life.booted) assert.ok(model === OLD || model === NEW, what);
        seen.add(life.booted[1]);
      }
    assert.equal([...seen].sort(), serves === NEW ? [OLD, NEW] : [OLD]);
  });

cuts('twice in a row: the boot that mends is cut, too', async () => {
  const { writes } = await live(good, []);
  assert.ok(writes >= 10);
  for (let n = 1; n <= writes; n += 2)
    for (let second = 1; second <= 12; second += 2) {
      const life = await live(good, [
        { n, how: HOWS[n % 3] },
        { n: second, how: HOWS[second % 3] },
      ]);
      const what = `${n}, ${second}: ${JSON.stringify(life)}`;
      assert.equal([life.statuses, life.serving, life.applied, life.left], [['SUCCEEDED'], NEW, 1, []], what);
    }
});

cuts('what was unpacked before the cut is not fetched again; what was damaged is', async () => {
  const whole = await live(good, []);
  const byEnd = await live(good, [{ n: whole.writes - 6, how: 'after' }]);
  assert.is(byEnd.stages.filter((stage) => stage === 'downloading').length, 1, byEnd.stages.join(' '));
  assert.is(byEnd.stages.filter((stage) => stage === 'loading').length, 2, byEnd.stages.join(' '));
});

cuts.run();
