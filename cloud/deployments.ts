/** Deployments as jobs: one model to one group, an execution a turbine. */
import type { Deployment, Deployments } from '../actors/contracts/deployments.ts';
import { NotFound } from '../actors/contracts/errors.ts';
import { type ModelId, parseModelId, type ThingName } from '../actors/contracts/ids.ts';
import type { Job, JobExecution, JobsControl } from '../actors/contracts/jobs.ts';
import { parseJobDocument, printJobDocument } from '../actors/package/job-document.ts';
import type { PublishedModel } from './models/catalogue.ts';

export interface DeploymentPorts {
  readonly jobs: JobsControl;
  readonly resolve: (targets: readonly string[]) => readonly ThingName[];
  readonly published: (id: ModelId) => Promise<PublishedModel>;
}

const IN_PROGRESS_MINUTES = 60; // a device that starts and is never heard of again ends TIMED_OUT

export function createDeployments({ jobs, resolve, published }: DeploymentPorts): Deployments {
  const show = async (job: Job): Promise<Deployment> => {
    const executions = await jobs.executions(job.jobId);
    return {
      id: job.jobId,
      model: modelOf(job),
      to: job.targets.join(','),
      status: statusOf(job, executions),
      createdAt: job.createdAt,
      executions,
    };
  };

  return {
    async deploy({ model, to }) {
      if (!parseModelId(model))
        throw new NotFound(`${JSON.stringify(model)} is no model`, { hint: 'name one as windturbine-anomaly@1.1.0' });
      const { name, version, bucket, key, sha256 } = await published(model);
      const things = resolve([to]);
      if (things.length === 0) throw new NotFound(`${to} has no turbine yet`);
      const stem = `${name.slice(0, 40)}-${version.replaceAll('.', '-')}`.replace(/[^a-zA-Z0-9_-]/g, '-').slice(0, 56);
      const before = (await jobs.list()).filter(({ jobId }) => jobId.startsWith(`${stem}-`)).length;
      const document = printJobDocument({ name, version, bucket, key, sha256 });
      return show(
        await jobs.create({
          jobId: `${stem}-${before + 1}`,
          things,
          targets: [to],
          document,
          description: `${model} to ${to}`,
          inProgressTimeoutInMinutes: IN_PROGRESS_MINUTES,
        }),
      );
    },
    show: async (id) => show(await jobs.describe(id)),
    list: async () => Promise.all((await jobs.list()).map(show)),
    cancel: async (id) => show(await jobs.cancel(id)),
  };
}

/** SUCCEEDED when every execution has; FAILED when all ended and one has not. */
function statusOf(job: Job, executions: readonly JobExecution[]): Deployment['status'] {
  if (job.status === 'CANCELED') return 'CANCELED';
  if (job.status === 'IN_PROGRESS') return 'IN_PROGRESS';
  return executions.every(({ status }) => status === 'SUCCEEDED') ? 'SUCCEEDED' : 'FAILED';
}

function modelOf(job: Job): ModelId {
  const { name, version } = parseJobDocument(job.document);
  return `${name}@${version}`;
}
