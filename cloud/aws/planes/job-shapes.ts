/** Structures of AWS IoT Jobs as they come in: the service model's limits; what depends on more than one member the service itself checks. */
import { z } from 'zod';
import type { Job, JobExecution, JobSettings } from '../../../actors/contracts/jobs.ts';
import { arnOf, type Place } from '../../things/arns.ts';
import { orAbsent, seconds } from '../shapes.ts';

const Text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^\P{C}*$/u, 'no control characters');
export const Description = Text(2_028);
export const Comment = Text(2_028);
export const ReasonCode = z
  .string()
  .max(128)
  .regex(/^[\p{Lu}\p{Nd}_]+$/u, 'capitals, digits and _');
export const Target = z.string().min(1).max(2_048);
export const JobDocument = z.string().max(32_768);
export const DocumentSource = z.string().min(1).max(1_350);
export const NamespaceId = z.string().regex(/^[a-zA-Z0-9_-]+$/);

export const ExecutionStatusName = z.enum(['QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED']);
export const JobStatusName = z.enum(['IN_PROGRESS', 'CANCELED', 'COMPLETED', 'DELETION_IN_PROGRESS', 'SCHEDULED']);
export const Selection = z.enum(['CONTINUOUS', 'SNAPSHOT']);
/** Limits are the service's to check: it is asked over MQTT as well. */
export const StatusDetails = z.record(z.string(), z.string());

const PresignedUrlConfig = z.object({
  roleArn: z.string().min(20).max(2_048).optional(),
  expiresInSec: z.int().min(60).max(3_600).optional(),
});
const Criteria = z.object({ numberOfNotifiedThings: z.int().min(1).optional(), numberOfSucceededThings: z.int().min(1).optional() });
const RolloutConfig = z.object({
  maximumPerMinute: z.int().min(1).optional(),
  exponentialRate: z
    .object({
      baseRatePerMinute: z.int().min(1).max(1_000),
      incrementFactor: z.number().min(1.1).max(5),
      rateIncreaseCriteria: Criteria,
    })
    .optional(),
});
const AbortConfig = z.object({
  criteriaList: z
    .array(
      z.object({
        failureType: z.enum(['FAILED', 'REJECTED', 'TIMED_OUT', 'ALL']),
        action: z.literal('CANCEL'),
        thresholdPercentage: z.number().max(100),
        minNumberOfExecutedThings: z.int().min(1),
      }),
    )
    .min(1),
});
const RetryConfig = z.object({
  criteriaList: z
    .array(z.object({ failureType: z.enum(['FAILED', 'TIMED_OUT', 'ALL']), numberOfRetries: z.int().min(0).max(10) }))
    .min(1)
    .max(2),
});
export const MaintenanceWindows = z.array(
  z.object({ startTime: z.string().min(1).max(256), durationInMinutes: z.int().min(1).max(1_430) }),
);
export const Scheduling = z.object({
  startTime: z.string().min(1).max(64).optional(),
  endTime: z.string().min(1).max(64).optional(),
  endBehavior: z.enum(['STOP_ROLLOUT', 'CANCEL', 'FORCE_CANCEL']).optional(),
  maintenanceWindows: MaintenanceWindows.optional(),
});
/** What CreateJob, UpdateJob and CreateJobTemplate share. */
export const Settings = z.object({
  description: Description.optional(),
  presignedUrlConfig: PresignedUrlConfig.optional(),
  jobExecutionsRolloutConfig: RolloutConfig.optional(),
  abortConfig: AbortConfig.optional(),
  timeoutConfig: z.object({ inProgressTimeoutInMinutes: z.int().min(1).max(10_080).optional() }).optional(),
  jobExecutionsRetryConfig: RetryConfig.optional(),
});

/** The settings as they go out: what is undefined is left out by JSON. */
export const settingsOf = ({
  presignedUrlConfig,
  jobExecutionsRolloutConfig,
  abortConfig,
  timeoutConfig,
  jobExecutionsRetryConfig,
}: JobSettings) => ({ presignedUrlConfig, jobExecutionsRolloutConfig, abortConfig, timeoutConfig, jobExecutionsRetryConfig });

/** AWS's `Job`. */
export const describedJob = (job: Job, place: Place) => ({
  jobArn: arnOf(place, 'job', job.jobId),
  jobId: job.jobId,
  targetSelection: job.targetSelection,
  status: job.status,
  forceCanceled: job.forceCanceled ? true : undefined,
  reasonCode: job.reasonCode,
  comment: job.comment,
  targets: job.targets,
  description: orAbsent(job.description),
  ...settingsOf(job),
  createdAt: seconds(job.createdAt),
  lastUpdatedAt: seconds(job.lastUpdatedAt),
  completedAt: seconds(job.completedAt),
  jobProcessDetails: {
    processingTargets: job.processingTargets.length > 0 ? job.processingTargets : undefined,
    numberOfCanceledThings: job.counts.CANCELED,
    numberOfSucceededThings: job.counts.SUCCEEDED,
    numberOfFailedThings: job.counts.FAILED,
    numberOfRejectedThings: job.counts.REJECTED,
    numberOfQueuedThings: job.counts.QUEUED,
    numberOfInProgressThings: job.counts.IN_PROGRESS,
    numberOfRemovedThings: job.counts.REMOVED,
    numberOfTimedOutThings: job.counts.TIMED_OUT,
  },
  namespaceId: job.namespaceId,
  jobTemplateArn: job.jobTemplateArn,
  documentParameters: job.documentParameters,
  isConcurrent: isConcurrent(job),
  schedulingConfig: job.schedulingConfig,
  scheduledJobRollouts:
    job.scheduledJobRollouts.length > 0
      ? job.scheduledJobRollouts.map((at) => ({ startTime: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z') }))
      : undefined,
  destinationPackageVersions: job.destinationPackageVersions,
});

/** AWS's `JobSummary`. @param thingGroupId of the only target, when that is a group */
export const summarisedJob = (job: Job, place: Place, thingGroupId: string | undefined) => ({
  jobArn: arnOf(place, 'job', job.jobId),
  jobId: job.jobId,
  thingGroupId,
  targetSelection: job.targetSelection,
  status: job.status,
  createdAt: seconds(job.createdAt),
  lastUpdatedAt: seconds(job.lastUpdatedAt),
  completedAt: seconds(job.completedAt),
  isConcurrent: isConcurrent(job),
});

/** AWS IoT: whether the job is rolling out new executions now. */
const isConcurrent = ({ status, processingTargets }: Job) => status === 'IN_PROGRESS' && processingTargets.length > 0;

/** AWS's `JobExecutionSummary` of the control plane. */
export const summarisedExecution = (execution: JobExecution) => ({
  status: execution.status,
  queuedAt: seconds(execution.queuedAt),
  startedAt: seconds(execution.startedAt),
  lastUpdatedAt: seconds(execution.lastUpdatedAt),
  executionNumber: execution.executionNumber,
  retryAttempt: execution.retryAttempt > 0 ? execution.retryAttempt : undefined,
});
