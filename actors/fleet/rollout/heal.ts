/** The way back: whoever has the new model, or may have it, is sent what it had before, with a signed grant. */
import { JobRefused } from '../../contracts/errors.ts';
import type { ModelId, ThingName } from '../../contracts/ids.ts';
import { isTerminal, type JobExecution } from '../../contracts/jobs.ts';
import { printJobDocument } from '../../package/job-document.ts';
import type { HealReport } from '../../contracts/deployments.ts';
import type { RolloutEvent } from './machine.ts';
import { HEAL_WAIT_MS, IN_PROGRESS_MINUTES, type RolloutPorts } from './ports.ts';
import type { HealRecord, RolloutRecord } from './record.ts';

/** @returns null while somebody is on the way */
export async function healFurther(record: RolloutRecord, ports: RolloutPorts): Promise<RolloutEvent | null> {
  const { jobs, clock } = ports;
  if (record.heal === null) {
    record.heal = await planHeal(record, ports);
    for (const { jobId } of record.waves) if (jobId !== null) await cancelRest(jobId, ports);
  }
  let isOver = true;
  for (const { jobId, model, things } of record.heal.jobs) {
    const order = await ports.granted(model, record.to);
    const job = await jobs.describe(jobId).catch((error: unknown) => {
      if (!(error instanceof JobRefused) || error.reason !== 'ResourceNotFound') throw error;
      return jobs.create({
        jobId,
        things,
        targets: [record.to],
        document: printJobDocument(order),
        description: `back to ${model} from ${record.model}`,
        inProgressTimeoutInMinutes: IN_PROGRESS_MINUTES,
      });
    });
    if (job.status === 'IN_PROGRESS' || job.status === 'SCHEDULED') isOver = false;
  }
  const isLate = clock.epoch + clock.now() - record.since > HEAL_WAIT_MS;
  if (!isOver && !isLate) return null;
  const { back, waiting, left } = await healReport(record, ports);
  const missing = [...waiting, ...left.map(({ thing }) => thing)];
  const whole = back.length + missing.length;
  const done =
    missing.length === 0 ? `${back.length} of ${whole} are back` : `${back.length} of ${whole} are back, not ${missing.join(', ')}`;
  return { type: 'healed', reason: whole === 0 ? record.stand.context.reason : `${record.stand.context.reason}; ${done}` };
}

async function planHeal(record: RolloutRecord, { jobs, evidence }: RolloutPorts): Promise<HealRecord> {
  const groups = new Map<ModelId, ThingName[]>();
  const left: { thing: ThingName; reason: string }[] = [];
  for (const { jobId, things } of record.waves) {
    if (jobId === null) continue;
    const executions = new Map((await executionsOf(jobId, jobs)).map((execution) => [execution.thing, execution]));
    for (const thing of things) {
      const execution = executions.get(thing);
      const mayHaveIt =
        execution !== undefined &&
        (execution.status === 'SUCCEEDED' ||
          (execution.startedAt !== null && execution.status !== 'FAILED' && execution.status !== 'REJECTED'));
      if (execution?.status === 'SUCCEEDED') record.updatedAt[thing] ??= execution.lastUpdatedAt;
      if (!mayHaveIt && evidence.now(thing)?.model !== record.model) continue;
      const before = record.before[thing];
      if (before === undefined) left.push({ thing, reason: 'nobody knows what it ran before' });
      else if (before !== record.model) groups.set(before, [...(groups.get(before) ?? []), thing]);
    }
  }
  const list = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return { jobs: list.map(([model, things], i) => ({ jobId: `${record.id}-back${i === 0 ? '' : i + 1}`, model, things })), left };
}

/** Nobody else takes the model; who is in the middle of it hears that it is no longer wanted. */
async function cancelRest(jobId: string, { jobs }: RolloutPorts): Promise<void> {
  try {
    await jobs.cancel(jobId, { force: true, reasonCode: 'ROLLOUT_ENDED' });
  } catch (error) {
    if (!(error instanceof JobRefused)) throw error; // it is over, or deleted
  }
}

export async function healReport({ heal }: RolloutRecord, { jobs }: Pick<RolloutPorts, 'jobs'>): Promise<HealReport> {
  const back: ThingName[] = [];
  const waiting: ThingName[] = [];
  const left = [...(heal?.left ?? [])];
  for (const { jobId, things } of heal?.jobs ?? []) {
    const executions = new Map((await executionsOf(jobId, jobs)).map((execution) => [execution.thing, execution]));
    for (const thing of things) {
      const execution = executions.get(thing);
      if (execution?.status === 'SUCCEEDED') back.push(thing);
      else if (!execution || !isTerminal(execution.status)) waiting.push(thing);
      else left.push({ thing, reason: execution.statusDetails['info'] ?? execution.status });
    }
  }
  return { back: back.sort(), waiting: waiting.sort(), left, jobs: (heal?.jobs ?? []).map(({ jobId }) => jobId) };
}

export async function executionsOf(jobId: string, jobs: RolloutPorts['jobs']): Promise<readonly JobExecution[]> {
  try {
    return await jobs.executions(jobId);
  } catch (error) {
    if (error instanceof JobRefused && error.reason === 'ResourceNotFound') return [];
    throw error;
  }
}
