/** Deployments as the console has them: rollouts, and jobs that bring a model and were made without one. */
import type { Deployment, DeploymentRequest, Deployments } from '../actors/contracts/deployments.ts';
import { didYouMean, JobRefused, NotFound } from '../actors/contracts/errors.ts';
import type { Job, JobsControl } from '../actors/contracts/jobs.ts';
import { orderedModel } from '../actors/package/job-document.ts';

/** `actors/fleet/rollout`, as far as deployments need it. */
export interface OwnRollouts extends Pick<Deployments, 'deploy' | 'cancel' | 'pause' | 'resume' | 'rollback' | 'standing' | 'onChange'> {
  has(id: string): boolean;
  records(): readonly {
    readonly id: string;
    readonly createdAt: number;
    readonly waves: readonly { readonly jobId: string | null }[];
    readonly heal: { readonly jobs: readonly { readonly jobId: string }[] } | null;
  }[];
  show(id: string, limit: number): Promise<Deployment>;
}

/** Counts tell of all: a farm may have a million of them, and a page asks again at every change. */
export const EXECUTIONS_SHOWN = 10_000; // of a deployment or job that is asked for
export const EXECUTIONS_OF_ONE = 250; // in a list
export const EXECUTIONS_LISTED = 2_500; // in all of a list, the newest first

export function createDeployments(jobs: JobsControl, rollouts: OwnRollouts): Deployments {
  const showJob = async (job: Job, limit = EXECUTIONS_SHOWN): Promise<Deployment> => {
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
      rollout: null,
    };
  };
  /** @throws NotFound */
  const jobOf = async (id: string): Promise<Job> => {
    try {
      return await jobs.describe(id);
    } catch (error) {
      if (!(error instanceof JobRefused) || error.reason !== 'ResourceNotFound') throw error;
      const known = rollouts.records().map((record) => record.id);
      throw new NotFound(`there is no rollout ${id}.${didYouMean(id, known)}`, {
        cause: error,
        hint: `rollouts: ${known.slice(0, 5).join(', ') || 'none yet'}`,
      });
    }
  };
  const ofRollout = async (id: string, what: 'pause' | 'resume' | 'rollback'): Promise<Deployment> => {
    if (rollouts.has(id)) return rollouts[what](id);
    await showJob(await jobOf(id), 0);
    throw new JobRefused('InvalidStateTransition', `${id} is a job that was made without a rollout: there is nothing to ${WORDS[what]}`);
  };

  return {
    deploy: (request: DeploymentRequest) => rollouts.deploy(request),
    show: async (id) => (rollouts.has(id) ? rollouts.show(id, EXECUTIONS_SHOWN) : showJob(await jobOf(id))),
    async list() {
      const records = rollouts.records();
      const own = new Set(records.flatMap(({ waves, heal }) => [...waves, ...(heal?.jobs ?? [])].map(({ jobId }) => jobId)));
      const foreign = (await jobs.list()).filter(({ jobId }) => !own.has(jobId));
      const all = [
        ...records.map(({ id, createdAt }) => ({ createdAt, show: (limit: number) => rollouts.show(id, limit) })),
        ...foreign.map((job) => ({ createdAt: job.createdAt, show: (limit: number) => showJob(job, limit) })),
      ].sort((a, b) => b.createdAt - a.createdAt); // stable: of one instant the newer record is first
      const shown: Deployment[] = [];
      let room = EXECUTIONS_LISTED;
      for (const { show } of all) {
        try {
          const deployment = await show(Math.min(room, EXECUTIONS_OF_ONE));
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
      if (rollouts.has(id)) return rollouts.cancel(id);
      await showJob(await jobOf(id), 0); // a job that is no deployment is none to be cancelled here
      return showJob(await jobs.cancel(id));
    },
    pause: (id) => ofRollout(id, 'pause'),
    resume: (id) => ofRollout(id, 'resume'),
    rollback: (id) => ofRollout(id, 'rollback'),
    standing: rollouts.standing,
    onChange: rollouts.onChange,
  };
}

const WORDS = { pause: 'pause', resume: 'resume', rollback: 'go back to' } as const;

/** SUCCEEDED when every execution has; FAILED when all ended and one has not. */
function statusOf({ status, counts }: Job): Deployment['status'] {
  if (status === 'CANCELED' || status === 'DELETION_IN_PROGRESS') return 'CANCELED';
  if (status === 'IN_PROGRESS' || status === 'SCHEDULED') return 'IN_PROGRESS';
  return Object.entries(counts).every(([of, count]) => of === 'SUCCEEDED' || count === 0) ? 'SUCCEEDED' : 'FAILED';
}
