/** CreateJob: the order checked and completed, its things found, its first notifications in the same commit. */
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { Job, JobObjects, JobTemplate, NewJob } from '../../actors/contracts/jobs.ts';
import type { Course, JobPorts } from './course.ts';
import { parseS3Url, readDocument, withParameters } from './document.ts';
import type { Members } from './members.ts';
import { checkOrder } from './order.ts';
import { activeJobs, type JobConfig, jobOf, newRecord } from './record.ts';
import type { Rollout } from './rollout.ts';
import { readSchedule } from './schedule.ts';
import { TARGETS_IN_CHUNK } from './store.ts';
import { findTemplate, orderFrom, settingsOf } from './templates.ts';

export function createJobs({ ledger, quotas, objects }: JobPorts, course: Course, members: Members, rollout: Rollout) {
  return async (given: NewJob): Promise<Job> => {
    const order = completed(given, ledger.templates());
    checkOrder(order);
    const document = await documentOf(order, objects);
    withParameters(document, order.documentParameters);
    return ledger.write(() => {
      const { jobId } = order;
      rollout.retire();
      if (ledger.job(jobId)) throw new JobRefused('ResourceAlreadyExists', `there is a job ${jobId} already`);
      const targetSelection = order.targetSelection ?? 'SNAPSHOT';
      const active = activeJobs(ledger.jobs(), targetSelection);
      if (active >= quotas.activeJobs)
        throw new JobRefused('LimitExceeded', `${active} ${targetSelection} jobs are active, ${quotas.activeJobs} at most`);
      const now = course.now();
      const schedule = readSchedule(order.schedulingConfig, now);
      const things = order.things ? [...new Set(order.things)] : members.resolve(order.targets);
      const record = newRecord(ledger.nextKey(), configOf(order, document, now), schedule, things.length);
      ledger.add(record);
      for (let chunk = 0; chunk * TARGETS_IN_CHUNK < things.length; chunk++)
        ledger.addTargets(record, chunk, things.slice(chunk * TARGETS_IN_CHUNK, (chunk + 1) * TARGETS_IN_CHUNK));
      course.told(record);
      rollout.advance(record);
      course.complete(record); // nobody to do it
      return jobOf(record, now);
    });
  };
}

/** The order with its template's part and its short forms spelt out. */
function completed(given: NewJob, templates: ReadonlyMap<string, JobTemplate>): NewJob {
  const { inProgressTimeoutInMinutes: minutes, ...order } = given;
  const spelt: NewJob = minutes === undefined ? order : { ...order, timeoutConfig: { inProgressTimeoutInMinutes: minutes } };
  return spelt.jobTemplateArn === undefined ? spelt : orderFrom(findTemplate(templates, spelt.jobTemplateArn), spelt);
}

/** @throws JobRefused InvalidRequest when there is none, or it cannot be read */
export async function documentOf(
  { document, documentSource }: { readonly document?: NewJob['document']; readonly documentSource?: string },
  objects: JobObjects | null,
): Promise<string> {
  if (document !== undefined) return readDocument(document);
  if (documentSource === undefined) throw new JobRefused('InvalidRequest', 'one of document, documentSource and jobTemplateArn is wanted');
  const at = parseS3Url(documentSource);
  if (!at) throw new JobRefused('InvalidRequest', `documentSource ${documentSource} is no S3 URL with a bucket and a key`);
  const text = objects ? await objects.read(at.bucket, at.key) : null;
  if (text === null) throw new JobRefused('InvalidRequest', `documentSource ${documentSource}: there is no such object`);
  return readDocument(text);
}

const configOf = (order: NewJob, document: string, createdAt: number): JobConfig => ({
  ...settingsOf(order),
  jobId: order.jobId,
  targets: order.targets,
  targetSelection: order.targetSelection ?? 'SNAPSHOT',
  description: order.description ?? '',
  document,
  createdAt,
  ...(order.documentSource === undefined ? {} : { documentSource: order.documentSource }),
  ...(order.documentParameters === undefined ? {} : { documentParameters: order.documentParameters }),
  ...(order.schedulingConfig === undefined ? {} : { schedulingConfig: order.schedulingConfig }),
  ...(order.jobTemplateArn === undefined ? {} : { jobTemplateArn: order.jobTemplateArn }),
  ...(order.namespaceId === undefined ? {} : { namespaceId: order.namespaceId }),
  ...(order.destinationPackageVersions === undefined ? {} : { destinationPackageVersions: order.destinationPackageVersions }),
  ...(order.tags === undefined ? {} : { tags: order.tags }),
});
