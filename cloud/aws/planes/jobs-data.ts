/** The device plane of AWS IoT Jobs over HTTP: `iot-jobs-data`. Documents are text here, instants whole epoch seconds. */
import { z } from 'zod';
import type { ThingName } from '../../../actors/contracts/ids.ts';
import type { DescribedExecution, ExecutionUpdate, JobExecution, JobsDevice, StartNext } from '../../../actors/contracts/jobs.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import type { IotAction, Policies, Registry } from '../../things/ports.ts';
import { AwsFailure } from '../failure.ts';
import type { Plane } from '../front.ts';
import { operation } from '../operation.ts';
import { QueryBool, QueryInt, RegistryName, Version, wholeSeconds } from '../shapes.ts';
import { StatusDetails } from './job-shapes.ts';
import { secondsLeft } from './jobs.ts';

const ERRORS = [
  'InvalidRequestException',
  'ResourceNotFoundException',
  'ThrottlingException',
  'ServiceUnavailableException',
  'CertificateValidationException',
] as const;

const OfThing = z.object({ thingName: RegistryName });
const OfExecution = OfThing.extend({ jobId: z.string().regex(/^(\$next|[a-zA-Z0-9_-]{1,64})$/, 'a job id or $next') });

/** AWS IoT Jobs: the other statuses are the service's to set. */
const ReportedStatusName = z.enum(['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED']);

/** @param now epoch milliseconds of the service's time */
export function jobsDataPlane(device: JobsDevice, registry: Registry, policies: Policies, now: () => Millis): Plane {
  const mustExist = (thing: ThingName) => {
    if (!registry.has(thing)) throw new AwsFailure('ResourceNotFoundException', `there is no thing ${thing}`);
  };

  const described = (execution: DescribedExecution, withDocument: boolean) => ({
    ...summary(execution),
    thingName: execution.thing,
    status: execution.status,
    statusDetails: Object.keys(execution.statusDetails).length > 0 ? execution.statusDetails : undefined,
    approximateSecondsBeforeTimedOut: secondsLeft(execution.timesOutAt, now()),
    jobDocument: withDocument ? execution.documentText : undefined,
  });

  return {
    name: 'iot-jobs-data',
    scopes: ['iot-jobs-data'],
    byCertificate: true,
    contentType: 'application/json',
    throttledStatus: 429,
    allows: (caller, { name }, { path }) => policies.mayDo(caller, `iot:${name}` as IotAction, path['thingName']),
    operations: [
      operation('GetPendingJobExecutions', 'GET /things/{thingName}/jobs', { path: OfThing, errors: ERRORS }, async ({ thingName }) => {
        mustExist(thingName);
        const pending = await device.pending(thingName);
        return {
          inProgressJobs: pending.filter(({ status }) => status === 'IN_PROGRESS').map(summary),
          queuedJobs: pending.filter(({ status }) => status === 'QUEUED').map(summary),
        };
      }),
      operation(
        'StartNextPendingJobExecution',
        'PUT /things/{thingName}/jobs/$next',
        {
          path: OfThing,
          body: z.object({ statusDetails: StatusDetails.optional(), stepTimeoutInMinutes: z.int().optional() }),
          errors: ERRORS,
        },
        async ({ thingName, ...options }) => {
          mustExist(thingName);
          const started = await device.startNext(thingName, options as StartNext);
          return started ? { execution: described(started, true) } : {};
        },
      ),
      operation(
        'DescribeJobExecution',
        'GET /things/{thingName}/jobs/{jobId}',
        {
          path: OfExecution,
          query: z.object({ includeJobDocument: QueryBool.optional(), executionNumber: QueryInt.optional() }),
          errors: [...ERRORS, 'TerminalStateException'],
        },
        async ({ thingName, jobId, includeJobDocument = true, executionNumber }) => {
          const execution = await device.describe(thingName, jobId, executionNumber);
          return execution ? { execution: described(execution, includeJobDocument) } : {};
        },
      ),
      operation(
        'UpdateJobExecution',
        'POST /things/{thingName}/jobs/{jobId}',
        {
          path: OfExecution,
          body: z.object({
            status: ReportedStatusName,
            statusDetails: StatusDetails.optional(),
            stepTimeoutInMinutes: z.int().optional(),
            expectedVersion: Version.optional(),
            includeJobExecutionState: z.boolean().optional(),
            includeJobDocument: z.boolean().optional(),
            executionNumber: z.int().optional(),
          }),
          errors: [...ERRORS, 'InvalidStateTransitionException'],
        },
        async ({ thingName, jobId, includeJobExecutionState = false, includeJobDocument = false, ...update }) => {
          const execution = await device.update(thingName, jobId, update as ExecutionUpdate);
          const { status, statusDetails, versionNumber } = execution;
          return {
            executionState: includeJobExecutionState ? { status, statusDetails, versionNumber } : undefined,
            jobDocument: includeJobDocument ? await device.document(execution.jobId) : undefined,
          };
        },
      ),
    ],
  };
}

const summary = (execution: JobExecution) => ({
  jobId: execution.jobId,
  queuedAt: wholeSeconds(execution.queuedAt),
  startedAt: wholeSeconds(execution.startedAt),
  lastUpdatedAt: wholeSeconds(execution.lastUpdatedAt),
  versionNumber: execution.versionNumber,
  executionNumber: execution.executionNumber,
});
