/**
 * What comes next in a rollout: looks at its jobs and at the fleet, does what its state asks for, and says what has come true. Everything
 * here may be done twice: after a restart it is done again, and a job of that name is there already.
 */
import { JobRefused } from '../../contracts/errors.ts';
import type { ThingName } from '../../contracts/ids.ts';
import type { Job, NewJob } from '../../contracts/jobs.ts';
import type { Millis } from '../../contracts/units.ts';
import { printJobDocument } from '../../package/job-document.ts';
import { healFurther } from './heal.ts';
import { baselineOf, lookNow } from './look.ts';
import type { RolloutEvent } from './machine.ts';
import { IN_PROGRESS_MINUTES, type RolloutPorts } from './ports.ts';
import type { RolloutRecord, WaveRecord } from './record.ts';
import { withinBudget } from './waves.ts';

const FAILED_SHARE = 1 / 3; // of a wave's turbines that did not take the model: too many to go on
const RECALL_LOST = 0.25; // share of the known faults that the new model may find fewer of

/** @returns null when nothing more can be done now */
export async function nextEvent(record: RolloutRecord, ports: RolloutPorts): Promise<RolloutEvent | null> {
  switch (record.stand.state) {
    case 'waiting':
      return begin(record, ports);
    case 'updating':
      return update(record, ports);
    case 'soaking':
      return soak(record, ports);
    case 'paused':
      return watch(record, ports);
    case 'halting':
    case 'rollingBack':
      return healFurther(record, ports);
    default:
      return null;
  }
}

const instant = ({ clock }: RolloutPorts): Millis => clock.epoch + clock.now();
const waitFor = (record: RolloutRecord, reason: string): null => {
  record.stand = { ...record.stand, context: { ...record.stand.context, reason } };
  return null;
};

async function begin(record: RolloutRecord, ports: RolloutPorts): Promise<RolloutEvent | null> {
  const { plan, waves, stand } = record;
  const now = instant(ports);
  const index = stand.context.wave;
  const wave = waves[index];
  if (record.isGated && !record.hasBenched) {
    await tryOnTwins(record, ports);
    const { bench } = record;
    if (bench && bench.oldRecall - bench.newRecall > RECALL_LOST)
      return {
        type: 'halted',
        reason: `on twins it finds ${percent(bench.newRecall)} of ${bench.faults} known faults, the old model ${percent(bench.oldRecall)}: it misses ${bench.missed.slice(0, 5).join(', ')}`,
      };
  }
  if (plan.window !== null) {
    const window = ports.parseWindow(plan.window);
    const wind = windOf(wave.things, ports);
    if (!window.isOpen(now, wind)) return waitFor(record, `wave ${index + 1} waits for its window: ${window.words(now, wind)}`);
  }
  const part = withinBudget(wave.things, (thing) => ports.evidence.now(thing)?.powerKw ?? null, {
    kw: plan.budgetKw,
    devices: plan.budgetDevices,
  });
  if (part.length === 0)
    return waitFor(
      record,
      `wave ${index + 1} waits: ${wave.things[0]} makes ${Math.round(ports.evidence.now(wave.things[0])?.powerKw ?? 0)} kW, the budget is ${plan.budgetKw} kW`,
    );
  if (part.length < wave.things.length) {
    const rest = { ...wave, things: wave.things.slice(part.length) };
    waves.splice(index, 1, { ...wave, things: part, isPart: true }, rest);
  }
  if (record.isGated) record.baseline = baselineOf(record, ports, now);
  waves[index].jobId = waves.length === 1 && !record.isGated ? record.id : `${record.id}-w${index + 1}`;
  waves[index].startedAt = now;
  return { type: 'opened', reason: `wave ${index + 1}: ${count(part.length)}` };
}

async function tryOnTwins(record: RolloutRecord, { bench, evidence, log }: RolloutPorts): Promise<void> {
  const machine = record.waves[0].things.map((thing) => evidence.now(thing)?.machine).find((name) => name);
  const [old] = Object.values(record.before);
  if (bench && machine !== undefined && old !== undefined) {
    const compared = await bench.compare(machine, old, record.model);
    record.bench = compared;
    if (compared) log.info({ rollout: record.id, ...compared }, 'tried on twins');
  }
  record.hasBenched = true;
}

async function update(record: RolloutRecord, ports: RolloutPorts): Promise<RolloutEvent | null> {
  const index = record.stand.context.wave;
  const wave = record.waves[index];
  const job = await ensureJob(record, wave, ports);
  if (job === null || job.status === 'CANCELED' || job.status === 'DELETION_IN_PROGRESS')
    return { type: 'canceled', reason: `the job ${wave.jobId} was ${job === null ? 'deleted' : 'canceled'}` };
  const { SUCCEEDED: succeeded } = job.counts;
  const failed = wave.things.length - succeeded;
  if (!record.isGated) {
    if (job.status !== 'COMPLETED') return null;
    await noteUpdated(record, wave, ports);
    return index < record.waves.length - 1 ? { type: 'updated', reason: `wave ${index + 1} is updated` } : finished(record);
  }
  await noteUpdated(record, wave, ports);
  const bad = look(record, ports);
  if (bad) return bad;
  if (job.status !== 'COMPLETED') {
    if (instant(ports) - record.since <= record.plan.soak + record.plan.longestWait) return null;
    return { type: 'paused', reason: `wave ${index + 1} has not been updated: ${openThings(record, wave)} did not answer` };
  }
  if (failed > FAILED_SHARE * wave.things.length) {
    const reason = `${failed} of ${wave.things.length} turbines of wave ${index + 1} did not take the model`;
    return { type: 'halted', reason };
  }
  if (index < record.waves.length - 1) {
    wave.soaksFrom = instant(ports);
    return { type: 'updated', reason: `wave ${index + 1} is watched` };
  }
  return finished(record);
}

function finished({ waves, updatedAt }: RolloutRecord): RolloutEvent {
  const missing = waves.flatMap(({ things }) => things).filter((thing) => updatedAt[thing] === undefined);
  const isWhole = missing.length === 0;
  return {
    type: 'finished',
    isWhole,
    reason: isWhole ? 'every turbine is updated' : `${count(missing.length)} did not take it: ${missing.slice(0, 5).join(', ')}`,
  };
}

async function soak(record: RolloutRecord, ports: RolloutPorts): Promise<RolloutEvent | null> {
  const index = record.stand.context.wave;
  const wave = record.waves[index];
  if (wave.isPart || !record.isGated) return { type: 'promoted', reason: 'the rest of the wave follows' };
  const bad = look(record, ports);
  if (bad) return bad;
  const now = instant(ports);
  if (now - wave.soaksFrom! < record.plan.soak) return null;
  if (wave.gate?.decision === 'promote') return { type: 'promoted', reason: wave.gate.words };
  const waited = now - Math.max(record.since, wave.soaksFrom! + record.plan.soak);
  if (waited < record.plan.longestWait) return null;
  return { type: 'paused', reason: `the gate has waited long enough and knows too little: ${wave.gate?.words ?? 'nothing was heard'}` };
}

/** Paused, the fleet is looked after as before. */
async function watch(record: RolloutRecord, ports: RolloutPorts): Promise<RolloutEvent | null> {
  if (!record.isGated) return null;
  const wave = record.waves[record.stand.context.wave];
  if (wave.jobId !== null) await noteUpdated(record, wave, ports);
  return look(record, ports);
}

function look(record: RolloutRecord, ports: RolloutPorts): RolloutEvent | null {
  const seen = lookNow(record, ports, instant(ports));
  if (!seen) return null;
  record.waves[record.stand.context.wave].gate = seen;
  return seen.decision === 'halt' ? { type: 'halted', reason: seen.words } : null;
}

async function noteUpdated(record: RolloutRecord, { jobId }: WaveRecord, { jobs }: RolloutPorts): Promise<void> {
  for (const { thing, status, lastUpdatedAt } of await jobs.executions(jobId!))
    if (status === 'SUCCEEDED') record.updatedAt[thing] ??= lastUpdatedAt;
}

const waveJob = ({ order, to, model }: RolloutRecord, { jobId, things }: WaveRecord): NewJob => ({
  jobId: jobId!,
  things,
  targets: [to],
  document: printJobDocument(order),
  description: `${model} to ${to}`,
  inProgressTimeoutInMinutes: IN_PROGRESS_MINUTES,
});

/** The job of a wave, made when there is none. Null when it was there and is no more. */
async function ensureJob(record: RolloutRecord, wave: WaveRecord, { jobs }: RolloutPorts): Promise<Job | null> {
  try {
    return await jobs.describe(wave.jobId!);
  } catch (error) {
    if (!(error instanceof JobRefused) || error.reason !== 'ResourceNotFound') throw error;
  }
  if (wave.isMade) return null;
  const job = await jobs.create(waveJob(record, wave));
  wave.isMade = true;
  return job;
}

const windOf = (things: readonly ThingName[], { evidence }: RolloutPorts): number | null => {
  const winds = things.flatMap((thing) => evidence.now(thing)?.windMps ?? []);
  return winds.length === 0 ? null : winds.reduce((sum, wind) => sum + wind, 0) / winds.length;
};

const openThings = ({ updatedAt }: RolloutRecord, { things }: WaveRecord): string =>
  things
    .filter((thing) => updatedAt[thing] === undefined)
    .slice(0, 5)
    .join(', ');

const percent = (share: number) => `${Math.round(100 * share)} %`;
const count = (turbines: number): string => `${turbines} turbine${turbines === 1 ? '' : 's'}`;
