import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TurbineEvidence } from '../../actors/contracts/evidence.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { type Acceptance, openProbation } from '../../actors/fleet/rollout/probation.ts';
import { memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const probation = suite('probation');

const [OLD, NEW] = ['anomaly@1.0.0', 'anomaly@1.1.0'];
const THING = 'T-001';
const CALM: TurbineEvidence = { windows: 40, anomalous: 0, logScore: -1, logErrors: -2, drift: 0, tookMs: 90, perMinute: 12 };

/** One turbine, a job service and a disk that outlives both; `seen` is what telemetry says of it. */
function farm(by: Acceptance['by'] = 'turbine') {
  const disk = { ...memoryDisk() };
  const seen = { model: OLD, state: 'inferring.healthy', evidence: CALM };
  const open = async (epoch: number) => {
    const clock = new VirtualClock({ epoch });
    const jobs = await openJobService({ clock, store: memoryJobStore() });
    const now = () => ({ thing: THING, machine: 'desk-turbine', powerKw: null, windMps: null, model: seen.model, state: seen.state });
    const evidence = { between: () => seen.evidence, now, all: () => [now()] };
    const acceptance = () => ({ by, soak: 60_000, minWindows: 12, before: null });
    const opened = await openProbation({ clock, log: silentLog, jobs, disk, evidence, acceptance, changed: () => {} });
    const bring = async (jobId: string, model: string) => {
      const [name, version] = model.split('@');
      const document = {
        type: 'new_model',
        model_name: name,
        model_version: version,
        model_package_bucket: 'models',
        model_package_key: 'a',
        sha256: 'ab'.repeat(32),
      };
      await jobs.create({ jobId, targets: [THING], things: [THING], document });
      await jobs.device.startNext(THING);
      seen.model = model; // a device has swapped before it says so
      await jobs.device.update(THING, jobId, { status: 'SUCCEEDED' });
      await clock.run(clock.now() + 1_000);
    };
    const facts = () => {
      const { installed, accepted } = opened.standing(THING)!;
      return [installed.model, accepted?.model ?? null, accepted?.by ?? null];
    };
    return { ...opened, clock, bring, facts };
  };
  return { open, seen, disk };
}

probation('accepts what has judged enough windows for long enough, calm, and not before', async () => {
  const one = await farm().open(1e12);
  assert.equal(one.facts(), [OLD, OLD, null], 'what a turbine came with');
  await one.bring('j1', NEW);
  assert.equal(one.facts(), [NEW, OLD, null]);
  await one.clock.run(60_000);
  assert.equal(one.facts(), [NEW, OLD, null]);
  await one.clock.run(90_000);
  assert.equal(one.facts(), [NEW, NEW, 'turbine']);
});

for (const [why, seen, by] of [
  ['too little is heard', { evidence: { ...CALM, windows: 11 } }, 'turbine'],
  ['nothing is heard', { evidence: { ...CALM, windows: 0, anomalous: Number.NaN } }, 'turbine'],
  ['it alarms', { evidence: { ...CALM, anomalous: 0.2 } }, 'turbine'],
  ['the turbine stands faulted', { state: 'faulted.tripped' }, 'turbine'],
  ['its gate has not let it pass', {}, 'gate'],
  ['its rollout was halted', {}, 'nobody'],
] as const)
  probation(`accepts nothing while ${why}`, async () => {
    const { open, seen: now } = farm(by);
    const one = await open(1e12);
    Object.assign(now, seen);
    await one.bring('j1', NEW);
    await one.clock.run(1_200_000);
    assert.equal(one.facts(), [NEW, OLD, null]);
  });

probation('takes the gate’s word for the job that it has judged, and for no later one', async () => {
  const one = await farm('gate').open(1e12);
  await one.bring('j1', NEW);
  await one.bring('j2', OLD);
  one.pass(NEW, 'j1', { [THING]: 1e12 });
  assert.equal(one.facts(), [OLD, OLD, null]);
  await one.bring('j3', NEW);
  one.pass(NEW, 'j3', { [THING]: 1e12 });
  assert.equal(one.facts(), [NEW, NEW, 'gate']);
});

probation('knows both facts after a restart, and hears on when the clock was set back meanwhile', async () => {
  const { open } = farm('gate');
  const one = await open(2e12);
  await one.bring('j1', NEW);
  await one.saved();
  one.close();

  const two = await open(1e12);
  assert.equal(two.facts(), [NEW, OLD, null]);
  assert.ok(two.standing(THING)!.installed.at! <= 1e12, 'nothing was installed after now');
  await two.bring('j2', OLD);
  assert.equal(two.facts(), [OLD, OLD, null]);
});

probation('says again what a disk that was full did not take', async () => {
  const { open, disk } = farm('gate');
  const one = await open(1e12);
  const rename = disk.rename;
  disk.rename = () => Promise.reject(new Error('ENOSPC'));
  await one.bring('j1', NEW);
  disk.rename = rename;
  await one.clock.run(20_000);
  one.close();

  assert.equal((await open(1e12)).facts(), [NEW, OLD, null]);
});

probation.run();
