/**
 * What every turbine has installed, and what of it is accepted: two facts. A job's SUCCEEDED installs; it is what a device says of itself.
 * Accepted is a model once
 *
 *   its rollout's gate has let the turbine's wave pass: it was compared with the rest of the fleet;
 *   or, where no gate compares (a rollout's last wave, a deployment of one wave, a job by itself), the turbine has judged enough windows with
 *   it, for as long as its rollout soaks, few of them anomalous, and stands in no fault. That is less: a deaf model passes it.
 *
 * What is missing accepts nothing, nor does a rollout that was halted or ended by hand before its gate had seen enough.
 */
import type { Clock } from '../../contracts/clock.ts';
import type { InstalledModel, ModelStanding } from '../../contracts/deployments.ts';
import type { Disk } from '../../contracts/disk.ts';
import { JobRefused, reasonOf, StoreUnavailable } from '../../contracts/errors.ts';
import type { FleetEvidence } from '../../contracts/evidence.ts';
import type { ModelId, ThingName } from '../../contracts/ids.ts';
import type { JobExecution, JobsControl } from '../../contracts/jobs.ts';
import type { Log } from '../../contracts/log.ts';
import type { Millis } from '../../contracts/units.ts';
import { orderedModel } from '../../package/job-document.ts';
import { executionsOf } from './heal.ts';
import { BASELINE_MS, SETTLE_MS, TICK_MS } from './ports.ts';

/** Who accepts what a job has installed. `nobody`: it was halted, or ended before its gate had seen enough. */
export interface Acceptance {
  readonly by: 'gate' | 'turbine' | 'nobody';
  readonly soak: Millis;
  readonly minWindows: number;
  /** What the turbine had before, when that is known. */
  readonly before: ModelId | null;
}

export interface ProbationPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly jobs: JobsControl;
  readonly disk: Disk;
  readonly evidence: FleetEvidence;
  readonly acceptance: (jobId: string, thing: ThingName) => Acceptance;
  readonly changed: () => void;
}

export interface Probation {
  /** Null for a turbine of which nothing is known. */
  standing(thing: ThingName): ModelStanding | null;
  /** The gate has let a wave pass: `updatedAt` says who of it has the model, and since when. */
  pass(model: ModelId, jobId: string, updatedAt: Readonly<Record<ThingName, Millis>>): void;
  /** Durable, all that has been said so far. @throws StoreUnavailable */
  saved(): Promise<void>;
  close(): void;
}

const ANOMALOUS = 0.1; // share of windows, as the gate tolerates
const FILE = 'standings/standings.json';
const SCHEMA = 'windfleet.standings/v1';

interface Shelf {
  readonly schema: typeof SCHEMA;
  /** What succeeded before it is known. It never goes back, though a clock may: what is known is not told again. */
  readonly asOf: Millis;
  readonly things: Readonly<Record<ThingName, ModelStanding>>;
}

export const isOnProbation = ({ installed, accepted }: ModelStanding): boolean => installed.model !== accepted?.model;

/** @throws StoreUnavailable for a file that cannot be read */
export async function openProbation(ports: ProbationPorts): Promise<Probation> {
  const { clock, log, jobs, disk, evidence, acceptance, changed } = ports;
  const now = () => clock.epoch + clock.now();
  const shelf = await load(disk);
  const things = nowAtMost(shelf.things, now());
  let { asOf } = shelf;
  const standings = new Map<ThingName, ModelStanding>(Object.entries(things));
  const waiting = new Set([...standings].filter(([, standing]) => isOnProbation(standing)).map(([thing]) => thing));
  const had = new Map<ThingName, ModelId>(); // what a turbine ran when it began its first job
  const models = new Map<string, ModelId | null>(); // by job: its document never changes
  const telling = new Set<Promise<void>>(); // jobs that have succeeded a moment ago
  let saving: Promise<void> | null = null;
  let isDirty = false;
  let timer = 0;
  let closed = false;

  const put = (thing: ThingName, standing: ModelStanding): void => {
    standings.set(thing, standing);
    if (isOnProbation(standing)) waiting.add(thing);
    else waiting.delete(thing);
    isDirty = true;
    keep();
    schedule();
    changed();
  };
  const keep = (): void => {
    saved().catch((error: unknown) => {
      log.error({ reason: reasonOf(error) }, 'what is installed could not be written down; it is tried again');
      schedule();
    });
  };

  const install = (thing: ThingName, installed: InstalledModel, before: ModelId | null): void => {
    const known = standings.get(thing);
    const came = before ?? had.get(thing) ?? null;
    had.delete(thing);
    const accepted = known ? known.accepted : came === null ? null : { model: came, at: null, by: null };
    put(thing, { installed, accepted });
  };

  const heardOf = async ({ jobId, thing, lastUpdatedAt }: JobExecution): Promise<void> => {
    const model = await modelOf(jobId);
    if (model === null || closed) return;
    install(thing, { model, at: Math.min(lastUpdatedAt, now()), job: jobId }, acceptance(jobId, thing).before);
  };

  /** Null for a job of another kind, or one that is gone. */
  const modelOf = async (jobId: string): Promise<ModelId | null> => {
    const known = models.get(jobId);
    if (known !== undefined) return known;
    try {
      const model = orderedModel((await jobs.describe(jobId)).document);
      models.set(jobId, model);
      return model;
    } catch (error) {
      if (!(error instanceof JobRefused)) throw error;
      return null;
    }
  };

  /** One writer; what changes while it writes is written after. */
  const saved = async (): Promise<void> => {
    while (isDirty || saving) {
      saving ??= write().finally(() => {
        saving = null;
      });
      await saving;
    }
  };
  const write = async (): Promise<void> => {
    asOf = Math.max(asOf, now());
    await Promise.all(telling); // what has succeeded until then is in it
    isDirty = false;
    const shelf: Shelf = { schema: SCHEMA, asOf, things: Object.fromEntries(standings) };
    try {
      await disk.write(`${FILE}.tmp`, Buffer.from(JSON.stringify(shelf)));
      await disk.rename(`${FILE}.tmp`, FILE);
    } catch (error) {
      isDirty = true;
      throw new StoreUnavailable('what is installed on the turbines could not be written down', { cause: error });
    }
  };

  const look = (): void => {
    let count = 0;
    for (const thing of [...waiting].sort()) {
      const { installed } = standings.get(thing)!;
      const { by, soak, minWindows } = acceptance(installed.job ?? '', thing);
      if (by !== 'turbine' || !hasProved(thing, installed, soak, minWindows)) continue;
      put(thing, { installed, accepted: { model: installed.model, at: now(), by } });
      count++;
    }
    if (count > 0) log.info({ turbines: count, onProbation: waiting.size }, 'models are accepted by what their turbines have judged');
  };

  const hasProved = (thing: ThingName, { model, at }: InstalledModel, soak: Millis, minWindows: number): boolean => {
    const from = (at ?? 0) + SETTLE_MS;
    const turbine = evidence.now(thing);
    if (now() - from < soak || turbine === null || turbine.model !== model || turbine.state.startsWith('faulted')) return false;
    const seen = evidence.between(thing, Math.max(from, now() - Math.max(soak, BASELINE_MS)), now());
    return seen.windows >= minWindows && seen.anomalous <= ANOMALOUS;
  };

  const schedule = (): void => {
    if (timer !== 0 || closed || (waiting.size === 0 && !isDirty)) return;
    timer = clock.setTimeout(() => {
      timer = 0;
      look();
      if (isDirty) keep();
      schedule();
    }, TICK_MS);
  };

  const tell = (execution: JobExecution) =>
    heardOf(execution).catch((error: unknown) => log.error({ job: execution.jobId, reason: reasonOf(error) }, 'a job was not understood'));
  jobs.onChange((change) => {
    if (!('thing' in change)) return;
    const runs = evidence.now(change.thing)?.model ?? null;
    if (change.status === 'SUCCEEDED') {
      const told = tell(change).finally(() => telling.delete(told));
      telling.add(told);
    } else if (change.status === 'IN_PROGRESS' && runs !== null && !standings.has(change.thing) && !had.has(change.thing))
      had.set(change.thing, runs);
  });
  for (const execution of (await unheard(jobs, asOf)).sort((a, b) => a.lastUpdatedAt - b.lastUpdatedAt)) await tell(execution);
  schedule();

  return {
    standing(thing) {
      const known = standings.get(thing);
      if (known) return known;
      const model = evidence.now(thing)?.model ?? null;
      return model === null ? null : { installed: { model, at: null, job: null }, accepted: { model, at: null, by: null } };
    },
    pass(model, jobId, updatedAt) {
      for (const [thing, at] of Object.entries(updatedAt)) {
        if (!standings.has(thing)) install(thing, { model, at, job: jobId }, acceptance(jobId, thing).before);
        const { installed, accepted } = standings.get(thing)!;
        if (installed.job === jobId && accepted?.model !== model) put(thing, { installed, accepted: { model, at: now(), by: 'gate' } });
      }
    },
    saved,
    close() {
      closed = true;
      clock.clearTimeout(timer);
    },
  };
}

/** What has succeeded since: a process may have died before it was written down. */
async function unheard(jobs: JobsControl, asOf: Millis): Promise<JobExecution[]> {
  const found: JobExecution[] = [];
  for (const { jobId, status, completedAt } of await jobs.list()) {
    if (status !== 'IN_PROGRESS' && (completedAt ?? Number.POSITIVE_INFINITY) <= asOf) continue;
    for (const execution of await executionsOf(jobId, jobs))
      if (execution.status === 'SUCCEEDED' && execution.lastUpdatedAt > asOf) found.push(execution);
  }
  return found;
}

/** A clock may have been set back, or a farm have run faster than the wall: nothing was installed after now. */
function nowAtMost(things: Shelf['things'], now: Millis): Shelf['things'] {
  const atMost = <T extends { readonly at: Millis | null }>(fact: T): T =>
    fact.at === null ? fact : { ...fact, at: Math.min(fact.at, now) };
  const clamped = Object.entries(things).map(([thing, { installed, accepted }]): [ThingName, ModelStanding] => [
    thing,
    { installed: atMost(installed), accepted: accepted && atMost(accepted) },
  ]);
  return Object.fromEntries(clamped);
}

async function load(disk: Disk): Promise<Shelf> {
  const bytes = await disk.read(FILE);
  if (!bytes) return { schema: SCHEMA, asOf: 0, things: {} };
  try {
    const shelf = JSON.parse(Buffer.from(bytes).toString('utf8')) as Shelf;
    if (shelf.schema !== SCHEMA) throw new Error(`its schema is ${String(shelf.schema)}`);
    return shelf;
  } catch (error) {
    throw new StoreUnavailable(`${FILE} cannot be read`, { cause: error, hint: 'put the file back from a copy, or move it away' });
  }
}
