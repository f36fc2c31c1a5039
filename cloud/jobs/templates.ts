/** Job templates: what CreateJob may take from elsewhere, and from where a template itself may be taken. */
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { JobSettings, JobTemplate, NewJob } from '../../actors/contracts/jobs.ts';
import type { JobRecord } from './record.ts';

/** The last part of an ARN `arn:…:<kind>/<id>`; a bare id is itself. */
export const idOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** The order with what it leaves to the template. AWS IoT Jobs: what is given with the job counts. */
export function orderFrom(template: JobTemplate, order: NewJob): NewJob {
  const { maintenanceWindows, destinationPackageVersions } = template;
  return {
    ...settingsOf(template),
    ...(order.document === undefined && order.documentSource === undefined ? { document: template.document } : {}),
    ...(template.documentSource === undefined || order.document !== undefined ? {} : { documentSource: template.documentSource }),
    ...(destinationPackageVersions ? { destinationPackageVersions } : {}),
    ...defined(order),
    ...(maintenanceWindows && order.schedulingConfig?.maintenanceWindows === undefined
      ? { schedulingConfig: { ...order.schedulingConfig, maintenanceWindows } }
      : {}),
  };
}

/** What a template takes from a job. */
export const templateFrom = ({ config }: JobRecord) => ({
  ...settingsOf(config),
  document: config.document,
  ...(config.documentSource === undefined ? {} : { documentSource: config.documentSource }),
  ...(config.schedulingConfig?.maintenanceWindows ? { maintenanceWindows: config.schedulingConfig.maintenanceWindows } : {}),
  ...(config.destinationPackageVersions ? { destinationPackageVersions: config.destinationPackageVersions } : {}),
});

/** Those settings that are given, and nothing else. */
export function settingsOf(given: JobSettings): JobSettings {
  const { description, presignedUrlConfig, jobExecutionsRolloutConfig, abortConfig, timeoutConfig, jobExecutionsRetryConfig } = given;
  return defined({
    description,
    presignedUrlConfig,
    jobExecutionsRolloutConfig,
    abortConfig,
    timeoutConfig,
    jobExecutionsRetryConfig,
  }) as JobSettings;
}

export function findTemplate(templates: ReadonlyMap<string, JobTemplate>, arn: string): JobTemplate {
  const template = templates.get(idOf(arn));
  if (!template) throw new JobRefused('ResourceNotFound', `there is no job template ${idOf(arn)}`);
  return template;
}

const defined = <T extends object>(given: T): T =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
