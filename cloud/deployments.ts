/** Deployments as jobs: one model to one group, an execution a turbine. */
import type { Deployment, Deployments } from '../actors/contracts/deployments.ts';
import { JobRefused, NotFound } from '../actors/contracts/errors.ts';
import { modelId, type ThingName } from '../actors/contracts/ids.ts';
import type { Job, JobsControl } from '../actors/contracts/jobs.ts';
import { orderedModel, printJobDocument } from '../actors/package/job-document.ts';
import type { PublishedModel } from './models/catalogue.ts';

export interface DeploymentPorts {
  readonly jobs: JobsControl;
  readonly resolve: (targets: readonly string[]) => readonly ThingName[];
  /** By an id or an alias. @throws NotFound */
  readonly published: (id: string) => Promise<PublishedModel>;
  /** Key of a grant to go down to that model, of a thing or group; null when nobody has granted it. */
  readonly granted: (model: PublishedModel, to: string) => Promise<string | null>;
}

/** Counts tell of all: a farm may have a million of them, and a page asks again at every change. */
export const EXECUTIONS_SHOWN = 10_000; // of a deployment or job that is asked for
export const EXECUTIONS_OF_ONE = 250; // in a list
export const EXECUTIONS_LISTED = 2_500; // in all of a list, the newest first
const IN_PROGRESS_MINUTES = 60; // a device that starts and is never heard of again ends TIMED_OUT

export function createDeployments({ jobs, resolve, published, granted }: DeploymentPorts): Deployments {
  const show = async (job: Job, limit = EXECUTIONS_SHOWN): Promise<Deployment> => {
    const model = orderedModel(job.document); // null for a job of another kind: anybody may create those
    if (model === null) throw new NotFound(`job ${job.jobId} brings no model`);
    return {
      id: job.jobId,
      model,
      to: job.targets.join(','),
      status: statusOf(job),
      createdAt: job.createdAt,
      counts: job.counts,
      executions: limit === 0 ? [] : await jobs.executions(job.jobId, { limit }),
    };
  };

  return {
    async deploy({ model, to }) {
      const chosen = await published(model);
      const { name, version, bucket, key, sha256 } = chosen;
      const things = resolve([to]);
      if (things.length === 0) throw new NotFound(`${to} has no turbine yet`);
      const stem = `${name.slice(0, 40)}-${version.replaceAll('.', '-')}`.replace(/[^a-zA-Z0-9_-]/g, '-').slice(0, 56);
      const taken = (await jobs.list()).map(({ jobId }) => (jobId.startsWith(`${stem}-`) ? Number(jobId.slice(stem.length + 1)) : 0));
      const last = Math.max(0, ...taken.filter(Number.isInteger)); // some between may have been deleted
      const grantKey = await granted(chosen, to);
      const document = printJobDocument({ name, version, bucket, key, sha256, ...(grantKey === null ? {} : { grantKey }) });
      return show(
        await jobs.create({
          jobId: `${stem}-${last + 1}`,
          things,
          targets: [to],
          document,
          description: `${modelId(name, version)} to ${to}`,
          inProgressTimeoutInMinutes: IN_PROGRESS_MINUTES,
        }),
      );
    },
    show: async (id) => show(await jobs.describe(id)),
    async list() {
      const shown: Deployment[] = [];
      let room = EXECUTIONS_LISTED;
      for (const job of await jobs.list()) {
        try {
          const deployment = await show(job, Math.min(room, EXECUTIONS_OF_ONE));
          room -= deployment.executions.length;
          shown.push(deployment);
        } catch (error) {
          // a job that is none of ours, or has been deleted a moment ago
          if (!(error instanceof NotFound || (error instanceof JobRefused && error.reason === 'ResourceNotFound'))) throw error;
        }
      }
      return shown;
    },
    async cancel(id) {
      await show(await jobs.describe(id), 0); // a job that is no deployment is none to be cancelled here
      return show(await jobs.cancel(id));
    },
  };
}

/** SUCCEEDED when every execution has; FAILED when all ended and one has not. */
function statusOf({ status, counts }: Job): Deployment['status'] {
  if (status === 'CANCELED' || status === 'DELETION_IN_PROGRESS') return 'CANCELED';
  if (status === 'IN_PROGRESS' || status === 'SCHEDULED') return 'IN_PROGRESS';
  return Object.entries(counts).every(([of, count]) => of === 'SUCCEEDED' || count === 0) ? 'SUCCEEDED' : 'FAILED';
}
