/**
 * Where a model comes from and where it went: data → training run → model → jobs → devices. The first half stands in its manifest,
 * signed with it; the second is asked of the jobs and of the fleet whenever somebody wants to know.
 */
import type { ModelStanding } from '../../actors/contracts/deployments.ts';
import { JobRefused } from '../../actors/contracts/errors.ts';
import { type ModelId, modelId, type ThingName } from '../../actors/contracts/ids.ts';
import type { ExecutionStatus, Job, JobExecution } from '../../actors/contracts/jobs.ts';
import type { LineageDevice, LineageJob, ModelLineage } from '../../actors/contracts/model.ts';
import { orderedModel } from '../../actors/package/job-document.ts';
import type { DescribedModel } from './catalogue.ts';

type KnownJob = Pick<Job, 'jobId' | 'targets' | 'status' | 'createdAt' | 'document' | 'counts'>;

export interface LineagePorts {
  /** Newest first. */
  jobs(): Promise<readonly KnownJob[]>;
  executions(jobId: string): Promise<readonly Pick<JobExecution, 'thing' | 'status'>[]>;
  /** The model of each turbine that is heard; null where no farm reports. */
  readonly running: ReadonlyMap<ThingName, ModelId | null> | null;
  /** What each turbine has installed; absent where no farm reports. */
  readonly standing?: (thing: ThingName) => ModelStanding | null;
}

/** Entries of a manifest's lineage that tell of the data; the others tell of the run. */
const OF_DATA: ReadonlySet<string> = new Set([
  ...['source', 'prepared', 'windows', 'trainingWindows', 'heldOutWindows', 'turbines', 'minutes'],
  ...['recording', 'recordingSeed', 'recordedFrom', 'recordedTo', 'recordedFaults'],
]);

export async function lineageOf(model: DescribedModel, ports: LineagePorts): Promise<ModelLineage> {
  const { name, version, sha256, signedBy, manifest } = model;
  const id = modelId(name, version);
  const entries = Object.entries(manifest.lineage);
  const carrying = (await ports.jobs()).filter(({ document }) => orderedModel(document) === id);
  return {
    data: Object.fromEntries(entries.filter(([key]) => OF_DATA.has(key))),
    training: Object.fromEntries(entries.filter(([key]) => !OF_DATA.has(key))),
    model: { name, version, sequence: manifest.sequence, sha256, signedBy },
    jobs: carrying.map(describeJob),
    devices: await devicesOf(id, carrying, ports),
  };
}

const describeJob = ({ jobId, targets, status, createdAt, counts }: KnownJob): LineageJob => ({
  jobId,
  to: targets,
  status,
  createdAt,
  executions: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)) as { [status in ExecutionStatus]?: number },
});

const isAccepted = (id: ModelId, standing: ModelStanding | null): boolean | null =>
  standing?.installed.model === id ? standing.accepted?.model === id : null;

/** Those that one of the jobs succeeded on, and those that run it without one: it is their first model. */
async function devicesOf(
  id: ModelId,
  carrying: readonly KnownJob[],
  { executions, running, standing }: LineagePorts,
): Promise<LineageDevice[]> {
  const brought = new Map<ThingName, string>();
  for (const { jobId } of carrying)
    for (const { thing, status } of await executionsOf(jobId, executions))
      if (status === 'SUCCEEDED' && !brought.has(thing)) brought.set(thing, jobId);
  const runners = [...(running ?? [])].filter(([, model]) => model === id).map(([thing]) => thing);
  return [...new Set([...brought.keys(), ...runners])].sort().map((thing) => {
    const now = running?.get(thing) ?? null;
    return {
      thing,
      runs: now === null ? null : now === id,
      jobId: brought.get(thing) ?? null,
      isAccepted: isAccepted(id, standing?.(thing) ?? null),
    };
  });
}

async function executionsOf(jobId: string, executions: LineagePorts['executions']) {
  try {
    return await executions(jobId);
  } catch (error) {
    if (error instanceof JobRefused && error.reason === 'ResourceNotFound') return []; // deleted a moment ago
    throw error;
  }
}
