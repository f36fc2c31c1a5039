/**
 * Rollouts: made, shown, stopped, and brought forward by what jobs and telemetry say. One document each on the disk; a process that starts
 * goes on with all that are under way.
 */
import { JobRefused, NotFound, reasonOf, StoreUnavailable } from '../../contracts/errors.ts';
import type { Deployment, DeploymentRequest, Deployments, RolloutReport, WaveStatus } from '../../contracts/deployments.ts';
import { type ModelId, modelId, type ThingName } from '../../contracts/ids.ts';
import type { ExecutionStatus, Job, JobCounts, JobExecution } from '../../contracts/jobs.ts';
import type { Millis } from '../../contracts/units.ts';
import { acceptanceOf, passedWaves } from './acceptance.ts';
import { nextEvent } from './advance.ts';
import { executionsOf, healReport } from './heal.ts';
import { BEGINNING, isUnderWay, nextStand, type RolloutEvent, statusOf } from './machine.ts';
import { planOf } from './plan.ts';
import { isOnProbation, openProbation } from './probation.ts';
import { type RolloutPorts, TICK_MS } from './ports.ts';
import { openShelf, type RolloutRecord } from './record.ts';
import { drawWaves } from './waves.ts';

export interface Rollouts extends Omit<Deployments, 'list' | 'show'> {
  has(id: string): boolean;
  /** Newest first. */
  records(): readonly Pick<RolloutRecord, 'id' | 'createdAt' | 'waves' | 'heal'>[];
  /** @param limit executions shown at most. @throws NotFound; JobRefused when its only job has been deleted */
  show(id: string, limit: number): Promise<Deployment>;
  close(): void;
}

/** @throws StoreUnavailable */
export async function openRollouts(ports: RolloutPorts): Promise<Rollouts> {
  const { clock, jobs, events, log } = ports;
  const shelf = openShelf(ports.disk);
  const records = new Map(
    (await shelf.load()).map((record) => [record.id, isUnderWay(record.stand) ? nowAtMost(record, clock.epoch + clock.now()) : record]),
  );
  const byJob = new Map<string, RolloutRecord>();
  for (const of of records.values())
    for (const { jobId } of [...of.waves, ...(of.heal?.jobs ?? [])]) if (jobId !== null) byJob.set(jobId, of);
  const busy = new Map<string, Promise<void>>();
  const hearers: (() => void)[] = [];
  const tell = () => {
    for (const hear of hearers) hear();
  };
  const probation = await openProbation({
    ...ports,
    acceptance: (jobId, thing) => acceptanceOf(byJob.get(jobId), jobId, thing),
    changed: tell,
  });
  let timer = 0;
  let closed = false;

  const record = (id: string): RolloutRecord => {
    const found = records.get(id);
    if (!found) throw new NotFound(`there is no rollout ${id}`);
    return found;
  };

  /** One after the other. */
  const inTurn = <T>(of: RolloutRecord, work: () => Promise<T>): Promise<T> => {
    const turn = (busy.get(of.id) ?? Promise.resolve()).then(work);
    const rest = turn.then(
      () => {},
      () => {}, // the caller has it
    );
    busy.set(of.id, rest);
    return turn;
  };

  const apply = async (of: RolloutRecord, event: RolloutEvent): Promise<boolean> => {
    const after = nextStand(of.stand, event);
    if (!after) return false;
    const before = of.stand;
    of.stand = after;
    of.since = clock.epoch + clock.now();
    for (const { jobId } of of.waves) if (jobId !== null) byJob.set(jobId, of);
    await shelf.save(of);
    if (event.type === 'promoted') await passGate(of);
    const [was, is] = [statusOf(before), statusOf(after)];
    if (event.type === 'opened')
      events.append({
        at: clock.now(),
        kind: 'rollout',
        of: of.id,
        what: { status: is, wave: after.context.wave + 1, waves: of.waves.length, job: of.waves[after.context.wave].jobId },
      });
    else if (was !== is || event.type === 'healed')
      events.append({
        at: clock.now(),
        kind: 'rollout',
        of: of.id,
        what: { status: is, ...(event.type === 'healed' ? { healed: true } : {}) },
      });
    log.info({ rollout: of.id, status: is, reason: event.reason }, 'rollout');
    tell();
    return true;
  };

  /** What the waves before the one under way have installed is accepted. */
  const passGate = async (of: RolloutRecord): Promise<void> => {
    for (const { jobId, things } of passedWaves(of)) {
      const updated = things.flatMap((thing) => (of.updatedAt[thing] === undefined ? [] : [[thing, of.updatedAt[thing]] as const]));
      probation.pass(of.model, jobId!, Object.fromEntries(updated));
    }
    await probation.saved();
  };

  const advance = async (of: RolloutRecord): Promise<void> => {
    while (!closed && isUnderWay(of.stand)) {
      const marks = marksOf(of);
      const event = await nextEvent(of, ports);
      if (!event || !(await apply(of, event))) {
        if (of.isGated) tell();
        if (marksOf(of) === marks) return;
        for (const { jobId } of of.heal?.jobs ?? []) byJob.set(jobId, of);
        await shelf.save(of);
        return;
      }
    }
  };
  const goOn = (of: RolloutRecord): void => {
    if (closed || !isUnderWay(of.stand)) return;
    // No time passes meanwhile: what it finds does not depend on how fast this machine is.
    clock
      .until(
        clock.now(),
        inTurn(of, () => advance(of)),
      )
      .catch((error: unknown) => {
        const reason = reasonOf(error);
        of.stand = { ...of.stand, context: { ...of.stand.context, reason: `it is tried again: ${reason}` } };
        log.error({ rollout: of.id, reason }, 'a rollout could not go on; it is tried again');
      });
    schedule();
  };

  /** A rollout of one wave has nothing to look at between what its job tells. */
  const schedule = (): void => {
    if (
      timer !== 0 ||
      closed ||
      ![...records.values()].some(({ stand, isGated, plan }) => isUnderWay(stand) && needsTime(stand.state, isGated, plan))
    )
      return;
    timer = clock.setTimeout(() => {
      timer = 0;
      for (const of of records.values()) goOn(of);
    }, TICK_MS);
  };

  jobs.onChange((change) => {
    if ('thing' in change) return;
    const of = byJob.get(change.jobId);
    if (of && change.status !== 'IN_PROGRESS') goOn(of);
  });
  for (const of of records.values()) {
    await passGate(of); // it may have ended between the two files
    goOn(of);
  }

  /** What an operator asks for. @throws JobRefused when it means nothing there */
  const order = (id: string, event: RolloutEvent, work: (of: RolloutRecord) => Promise<void> = async () => {}): Promise<Deployment> => {
    const of = record(id);
    return inTurn(of, async () => {
      if (!nextStand(of.stand, event))
        throw new JobRefused(
          'InvalidStateTransition',
          `the rollout ${id} is ${statusOf(of.stand)}: it cannot be ${event.type.replace(/([A-Z])/g, ' $1').toLowerCase()}`,
        );
      await work(of);
      await apply(of, event);
      goOn(of);
      return show(of, SHOWN);
    });
  };

  const show = async (of: RolloutRecord, limit: number): Promise<Deployment> => {
    const made = await Promise.all(
      of.waves.map(({ jobId, isMade }) => (jobId === null ? null : describe(jobId, isMade && !of.isGated && of.waves.length === 1))),
    );
    const counts = countsOf(of, made);
    const executions: JobExecution[] = [];
    for (const job of made)
      if (job && executions.length < limit) executions.push(...(await jobs.executions(job.jobId, { limit: limit - executions.length })));
    return {
      id: of.id,
      model: of.model,
      to: of.to,
      status: of.waves.length === 1 && made[0] && of.stand.state === 'updating' ? statusOfJob(made[0]) : statusOf(of.stand),
      createdAt: of.createdAt,
      counts,
      executions: executions.sort((a, b) => (a.thing < b.thing ? -1 : 1)),
      rollout: await report(of),
    };
  };

  const describe = async (jobId: string, mustBe: boolean): Promise<Job | null> => {
    try {
      return await jobs.describe(jobId);
    } catch (error) {
      if (mustBe || !(error instanceof JobRefused) || error.reason !== 'ResourceNotFound') throw error;
      return null;
    }
  };

  const report = async (of: RolloutRecord): Promise<RolloutReport> => ({
    plan: of.plan,
    seed: of.seed,
    waves: of.waves.map(({ things, jobId, startedAt, gate }, i) => ({ things, status: waveStatus(of, i), jobId, startedAt, gate })),
    reason: of.stand.context.reason,
    isSettled: !isUnderWay(of.stand),
    bench: of.bench,
    heal: of.heal === null ? null : await healReport(of, ports),
    exposureMinutes: await exposureOf(of),
    ...standingsOf(of),
  });

  const standingsOf = ({ updatedAt, waves }: RolloutRecord): Pick<RolloutReport, 'accepted' | 'onProbation'> => {
    const own = new Set<string | null>(waves.flatMap(({ jobId }) => jobId ?? []));
    const accepted: ThingName[] = [];
    const onProbation: ThingName[] = [];
    for (const thing of Object.keys(updatedAt).sort()) {
      const standing = probation.standing(thing);
      if (standing && own.has(standing.installed.job)) (isOnProbation(standing) ? onProbation : accepted).push(thing);
    }
    return { accepted, onProbation };
  };

  const exposureOf = async (of: RolloutRecord): Promise<number> => {
    const now = clock.epoch + clock.now();
    const backAt = new Map<ThingName, number>();
    for (const { jobId } of of.heal?.jobs ?? [])
      for (const { thing, status, lastUpdatedAt } of await executionsOf(jobId, jobs))
        if (status === 'SUCCEEDED') backAt.set(thing, lastUpdatedAt);
    let ms = 0;
    for (const [thing, at] of Object.entries(of.updatedAt)) ms += Math.max(0, (backAt.get(thing) ?? now) - at);
    return Math.round(ms / 600) / 100;
  };

  return {
    has: (id) => records.has(id),
    records: () => [...records.values()].reverse(),
    show: async (id, limit) => show(record(id), limit),

    async deploy(request: DeploymentRequest) {
      const { model: asked, to } = request;
      const plan = planOf(request, ports.parseWindow);
      const given = await ports.published(asked, to);
      const things = ports.resolve([to]);
      if (things.length === 0) throw new NotFound(`${to} has no turbine yet`);
      const model = modelId(given.name, given.version);
      const id = await freeId(given);
      const seed = `${ports.seed}/${id}`;
      const drawn = drawWaves(things, plan.waves, ports.chance(seed));
      const before: Record<ThingName, ModelId> = {};
      for (const thing of things) {
        const runs = ports.evidence.now(thing)?.model;
        if (runs) before[thing] = runs;
      }
      const now = clock.epoch + clock.now();
      const of: RolloutRecord = {
        schema: 'windfleet.rollout/v1',
        id,
        order: given,
        model,
        to,
        createdAt: now,
        plan,
        seed,
        isGated: drawn.length > 1,
        before,
        stand: BEGINNING,
        since: now,
        waves: drawn.map((wave) => ({
          things: wave,
          isPart: false,
          jobId: null,
          isMade: false,
          startedAt: null,
          soaksFrom: null,
          gate: null,
        })),
        bench: null,
        hasBenched: false,
        baseline: {},
        updatedAt: {},
        heal: null,
      };
      records.set(id, of);
      try {
        await shelf.save(of);
        if (of.isGated)
          goOn(of); // twins take their time
        else await inTurn(of, () => advance(of));
        schedule();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) records.delete(id);
        throw error;
      }
      return show(of, SHOWN);
    },

    cancel: (id) =>
      order(id, { type: 'canceled', reason: 'ended by hand' }, async (of) => {
        const { jobId } = of.waves[of.stand.context.wave];
        if (jobId === null || of.stand.context.pausedIn === 'soaking') return;
        const job = await describe(jobId, false);
        if (job?.status === 'IN_PROGRESS' || job?.status === 'SCHEDULED') await jobs.cancel(jobId);
      }),
    pause: (id) => order(id, { type: 'paused', reason: 'paused by hand' }),
    resume: (id) => order(id, { type: 'resumed', reason: 'resumed by hand' }),
    rollback: (id) => order(id, { type: 'rolledBack', reason: 'sent back by hand' }),

    standing: probation.standing,
    onChange: (heard) => {
      hearers.push(heard);
    },
    close() {
      closed = true;
      probation.close();
      clock.clearTimeout(timer);
    },
  };

  /** `name-1-2-3-7`: the seventh of that model. */
  async function freeId({ name, version }: { readonly name: string; readonly version: string }): Promise<string> {
    const stem = `${name.slice(0, 40)}-${version.replaceAll('.', '-')}`.replace(/[^a-zA-Z0-9_-]/g, '-').slice(0, 50);
    const ids = [...(await jobs.list()).map(({ jobId }) => jobId), ...records.keys()];
    const taken = ids.map((id) => (id.startsWith(`${stem}-`) ? Number(id.slice(stem.length + 1)) : 0));
    return `${stem}-${Math.max(0, ...taken.filter(Number.isInteger)) + 1}`; // some between may have been deleted
  }
}

/** A clock may have been set back, or a farm have run faster than the wall: nothing has happened after now. */
function nowAtMost(record: RolloutRecord, now: Millis): RolloutRecord {
  record.since = Math.min(record.since, now);
  for (const [thing, at] of Object.entries(record.updatedAt)) record.updatedAt[thing] = Math.min(at, now);
  for (const wave of record.waves) if (wave.soaksFrom !== null) wave.soaksFrom = Math.min(wave.soaksFrom, now);
  return record;
}

const SHOWN = 10_000; // executions
const ENDED: readonly ExecutionStatus[] = ['QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED'];

/** Whether anything but the end of its job can move it. */
const needsTime = (state: string, isGated: boolean, plan: { readonly window: unknown; readonly budgetKw: unknown }): boolean =>
  isGated || state === 'halting' || state === 'rollingBack' || plan.window !== null || plan.budgetKw !== null;

/** What is written down beside the stand. */
const marksOf = ({ waves, heal, hasBenched, updatedAt }: RolloutRecord): string =>
  `${waves.filter(({ isMade }) => isMade).length} ${heal?.jobs.length ?? '-'} ${hasBenched} ${Object.keys(updatedAt).length}`;

function waveStatus({ stand, waves }: RolloutRecord, index: number): WaveStatus {
  const { wave, pausedIn } = stand.context;
  if (index > wave || waves[index].jobId === null) return 'PENDING';
  if (index < wave || !isUnderWay(stand)) return 'DONE';
  const state = stand.state === 'paused' ? pausedIn : stand.state;
  return state === 'updating' ? 'UPDATING' : state === 'soaking' ? 'SOAKING' : state === 'waiting' ? 'PENDING' : 'DONE';
}

/** Of all its turbines: those whose wave has not begun are queued, or will never be. */
function countsOf({ waves, stand }: RolloutRecord, made: readonly (Job | null)[]): JobCounts {
  const counts = Object.fromEntries(ENDED.map((status) => [status, 0])) as Record<ExecutionStatus, number>;
  for (const [i, job] of made.entries()) {
    if (job) for (const [status, n] of Object.entries(job.counts)) counts[status as ExecutionStatus] += n;
    else
      counts[isUnderWay(stand) && stand.state !== 'halting' && stand.state !== 'rollingBack' ? 'QUEUED' : 'CANCELED'] +=
        waves[i].things.length;
  }
  return counts;
}

/** SUCCEEDED when every execution has; FAILED when all ended and one has not. */
export function statusOfJob({ status, counts }: Job): Deployment['status'] {
  if (status === 'CANCELED' || status === 'DELETION_IN_PROGRESS') return 'CANCELED';
  if (status === 'IN_PROGRESS' || status === 'SCHEDULED') return 'IN_PROGRESS';
  return Object.entries(counts).every(([of, count]) => of === 'SUCCEEDED' || count === 0) ? 'SUCCEEDED' : 'FAILED';
}
