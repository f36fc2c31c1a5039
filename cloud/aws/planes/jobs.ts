/** Control plane: jobs, their executions, and event configurations. */
import { z } from 'zod';
import { JobRefused } from '../../../actors/contracts/errors.ts';
import type { JobSettings, JobsControl, NewJob } from '../../../actors/contracts/jobs.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import { arnOf, parseArn, type Place } from '../../things/arns.ts';
import type { Registry, Tags } from '../../things/ports.ts';
import { AwsFailure } from '../failure.ts';
import { type Operation, operation } from '../operation.ts';
import { JobId, Paging, QueryBool, QueryInt, RegistryName, seconds, TagList, textsOf, USUAL_OF_GROUPS, Version } from '../shapes.ts';
import {
  Comment,
  describedJob,
  DocumentSource,
  ExecutionStatusName,
  JobDocument,
  JobStatusName,
  NamespaceId,
  ReasonCode,
  Scheduling,
  Selection,
  Settings,
  StatusDetails,
  summarisedExecution,
  summarisedJob,
  Target,
} from './job-shapes.ts';

export interface JobServices {
  readonly jobs: JobsControl;
  readonly registry: Registry;
  readonly tags: Tags;
  readonly place: Place;
  /** Epoch milliseconds of the service's time. */
  readonly now: () => Millis;
}

const USUAL = ['InvalidRequestException', 'ThrottlingException', 'ServiceUnavailableException'] as const;
const Missing = [...USUAL, 'ResourceNotFoundException'] as const;

const OfJob = z.object({ jobId: JobId });
const OfExecution = z.object({ thingName: RegistryName, jobId: JobId });
const Force = z.object({ force: QueryBool.optional() });
const EventTypes = z.record(z.string(), z.object({ Enabled: z.boolean().optional() }));

export function jobOperations({ jobs, registry, tags, place, now }: JobServices): readonly Operation[] {
  const identified = ({ jobId, description }: { readonly jobId: string; readonly description: string }) => ({
    jobArn: arnOf(place, 'job', jobId),
    jobId,
    description: description === '' ? undefined : description,
  });

  const groupIdOf = (targets: readonly string[]): string | undefined => {
    const [only] = targets;
    const name = parseArn(only)?.kind === 'thinggroup' ? parseArn(only)?.name : only;
    return targets.length === 1 ? registry.groups().find((group) => group.name === name)?.id : undefined;
  };

  return [
    operation(
      'CreateJob',
      'PUT /jobs/{jobId}',
      {
        path: OfJob,
        body: Settings.extend({
          targets: z.array(Target).min(1).max(100),
          documentSource: DocumentSource.optional(),
          document: JobDocument.optional(),
          targetSelection: Selection.optional(),
          tags: TagList.optional(),
          namespaceId: NamespaceId.optional(),
          jobTemplateArn: z.string().min(1).max(1_600).optional(),
          documentParameters: z.record(z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/), z.string().min(1).max(30_720)).optional(),
          schedulingConfig: Scheduling.optional(),
          destinationPackageVersions: z.array(z.string().min(1).max(1_600)).optional(),
        }),
        errors: [...Missing, 'ResourceAlreadyExistsException', 'LimitExceededException'],
      },
      async ({ tags: wanted, ...order }) => {
        const arn = arnOf(place, 'job', order.jobId);
        try {
          const job = await jobs.create(order as NewJob);
          if (wanted && wanted.length > 0) await tags.tag(arn, textsOf(wanted));
          return identified(job);
        } catch (error) {
          if (error instanceof JobRefused && error.reason === 'ResourceAlreadyExists')
            throw new AwsFailure('ResourceAlreadyExistsException', error.message, { resourceId: order.jobId, resourceArn: arn });
          throw error;
        }
      },
    ),
    operation(
      'DescribeJob',
      'GET /jobs/{jobId}',
      { path: OfJob, query: z.object({ beforeSubstitution: QueryBool.optional() }), errors: Missing },
      async ({ jobId }) => {
        const job = await jobs.describe(jobId);
        return { documentSource: job.documentSource, job: describedJob(job, place) };
      },
    ),
    operation(
      'ListJobs',
      'GET /jobs',
      {
        query: Paging.extend({
          status: JobStatusName.optional(),
          targetSelection: Selection.optional(),
          thingGroupName: RegistryName.optional(),
          thingGroupId: z.string().min(1).max(128).optional(),
          namespaceId: NamespaceId.optional(),
        }),
        errors: Missing,
      },
      async ({ maxResults, nextToken, status, targetSelection, thingGroupName, thingGroupId, namespaceId }, { pages }) => {
        const byId = thingGroupId === undefined ? undefined : registry.groups().find(({ id }) => id === thingGroupId);
        if (thingGroupId !== undefined && !byId) throw new AwsFailure('ResourceNotFoundException', `no thing group of id ${thingGroupId}`);
        const thingGroup = thingGroupName ?? byId?.name;
        if (thingGroupName !== undefined) registry.describeGroup(thingGroupName);
        const list = ['ListJobs', status, targetSelection, thingGroup, namespaceId];
        const page = await jobs.page({
          limit: maxResults ?? 250,
          ...(nextToken === undefined ? {} : { after: pages.open(list, nextToken) }),
          ...(status === undefined ? {} : { status }),
          ...(targetSelection === undefined ? {} : { targetSelection }),
          ...(thingGroup === undefined ? {} : { thingGroup }),
          ...(namespaceId === undefined ? {} : { namespaceId }),
        });
        return {
          jobs: page.items.map((job) => summarisedJob(job, place, groupIdOf(job.targets))),
          nextToken: page.next === null ? undefined : pages.seal(list, page.next),
        };
      },
    ),
    operation(
      'UpdateJob',
      'PATCH /jobs/{jobId}',
      { path: OfJob, query: z.object({ namespaceId: NamespaceId.optional() }), body: Settings, errors: Missing },
      async ({ jobId, namespaceId: _, ...settings }) => void (await jobs.update(jobId, settings as JobSettings)),
    ),
    operation(
      'CancelJob',
      'PUT /jobs/{jobId}/cancel',
      {
        path: OfJob,
        query: Force,
        body: z.object({ reasonCode: ReasonCode.optional(), comment: Comment.optional() }),
        errors: [...Missing, 'LimitExceededException'],
      },
      async ({ jobId, ...options }) => identified(await jobs.cancel(jobId, options as { force?: boolean })),
    ),
    operation(
      'DeleteJob',
      'DELETE /jobs/{jobId}',
      {
        path: OfJob,
        query: Force.extend({ namespaceId: NamespaceId.optional() }),
        errors: [...Missing, 'InvalidStateTransitionException', 'LimitExceededException'],
      },
      async ({ jobId, force = false }) => {
        await jobs.remove(jobId, { force });
        await tags.forget(arnOf(place, 'job', jobId));
      },
    ),
    operation(
      'AssociateTargetsWithJob',
      'POST /jobs/{jobId}/targets',
      {
        path: OfJob,
        query: z.object({ namespaceId: NamespaceId.optional() }),
        body: z.object({ targets: z.array(Target).min(1).max(100), comment: Comment.optional() }),
        errors: [...Missing, 'LimitExceededException'],
      },
      async ({ jobId, targets, comment }) => identified(await jobs.associate(jobId, targets, comment === undefined ? {} : { comment })),
    ),
    operation(
      'GetJobDocument',
      'GET /jobs/{jobId}/job-document',
      { path: OfJob, query: z.object({ beforeSubstitution: QueryBool.optional() }), errors: Missing },
      async ({ jobId, beforeSubstitution = false }) => ({ document: await jobs.document(jobId, { beforeSubstitution }) }),
    ),
    operation(
      'ListJobExecutionsForJob',
      'GET /jobs/{jobId}/things',
      { path: OfJob, query: Paging.extend({ status: ExecutionStatusName.optional() }), errors: Missing },
      async ({ jobId, status, maxResults, nextToken }, { pages }) => {
        const list = ['ListJobExecutionsForJob', jobId, status];
        const page = await jobs.executionsOfJob(jobId, {
          limit: maxResults ?? 250,
          ...(nextToken === undefined ? {} : { after: pages.open(list, nextToken) }),
          ...(status === undefined ? {} : { status }),
        });
        return {
          executionSummaries: page.items.map((execution) => ({
            thingArn: arnOf(place, 'thing', execution.thing),
            jobExecutionSummary: summarisedExecution(execution),
          })),
          nextToken: page.next === null ? undefined : pages.seal(list, page.next),
        };
      },
    ),
    operation(
      'ListJobExecutionsForThing',
      'GET /things/{thingName}/jobs',
      {
        path: z.object({ thingName: RegistryName }),
        query: Paging.extend({ status: ExecutionStatusName.optional(), namespaceId: NamespaceId.optional(), jobId: JobId.optional() }),
        errors: Missing,
      },
      async ({ thingName, status, namespaceId, jobId, maxResults, nextToken }, { pages }) => {
        registry.describe(thingName);
        const list = ['ListJobExecutionsForThing', thingName, status, namespaceId, jobId];
        const page = await jobs.executionsOfThing(thingName, {
          limit: maxResults ?? 250,
          ...(nextToken === undefined ? {} : { after: pages.open(list, nextToken) }),
          ...(status === undefined ? {} : { status }),
          ...(namespaceId === undefined ? {} : { namespaceId }),
          ...(jobId === undefined ? {} : { jobId }),
        });
        return {
          executionSummaries: page.items.map((execution) => ({
            jobId: execution.jobId,
            jobExecutionSummary: summarisedExecution(execution),
          })),
          nextToken: page.next === null ? undefined : pages.seal(list, page.next),
        };
      },
    ),
    operation(
      'DescribeJobExecution',
      'GET /things/{thingName}/jobs/{jobId}',
      { path: OfExecution, query: z.object({ executionNumber: QueryInt.optional() }), errors: Missing },
      async ({ thingName, jobId, executionNumber }) => {
        const execution = await jobs.describeExecution(thingName, jobId, executionNumber);
        const { retryAttempt: _, ...times } = summarisedExecution(execution);
        return {
          execution: {
            ...times,
            jobId: execution.jobId,
            forceCanceled: execution.forceCanceled ? true : undefined,
            statusDetails: Object.keys(execution.statusDetails).length > 0 ? { detailsMap: execution.statusDetails } : undefined,
            thingArn: arnOf(place, 'thing', execution.thing),
            versionNumber: execution.versionNumber,
            approximateSecondsBeforeTimedOut: secondsLeft(execution.timesOutAt, now()),
          },
        };
      },
    ),
    operation(
      'CancelJobExecution',
      'PUT /things/{thingName}/jobs/{jobId}/cancel',
      {
        path: OfExecution,
        query: Force,
        body: z.object({ expectedVersion: Version.optional(), statusDetails: StatusDetails.optional() }),
        errors: [...Missing, 'InvalidStateTransitionException', 'VersionConflictException'],
      },
      async ({ thingName, jobId, ...options }) => void (await jobs.cancelExecution(thingName, jobId, options as { force?: boolean })),
    ),
    operation(
      'DeleteJobExecution',
      'DELETE /things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}',
      {
        path: OfExecution.extend({ executionNumber: QueryInt }),
        query: Force.extend({ namespaceId: NamespaceId.optional() }),
        errors: [...Missing, 'InvalidStateTransitionException'],
      },
      async ({ thingName, jobId, executionNumber, force = false }) =>
        void (await jobs.removeExecution(thingName, jobId, executionNumber, { force })),
    ),
    operation(
      'UpdateEventConfigurations',
      'PATCH /event-configurations',
      { body: z.object({ eventConfigurations: EventTypes.optional() }), errors: USUAL_OF_GROUPS },
      async ({ eventConfigurations = {} }) => {
        await jobs.updateEventConfigurations(
          Object.fromEntries(Object.entries(eventConfigurations).map(([type, { Enabled = false }]) => [type, Enabled])),
        );
        return {};
      },
    ),
    operation(
      'DescribeEventConfigurations',
      'GET /event-configurations',
      { errors: ['InternalFailureException', 'ThrottlingException'] },
      async () => {
        const { enabled, createdAt, lastUpdatedAt } = await jobs.eventConfigurations();
        return {
          eventConfigurations: Object.fromEntries(Object.entries(enabled).map(([type, Enabled]) => [type, { Enabled }])),
          creationDate: seconds(createdAt),
          lastModifiedDate: seconds(lastUpdatedAt),
        };
      },
    ),
  ];
}

/** AWS IoT: `approximateSecondsBeforeTimedOut`, absent while no timer runs. */
export const secondsLeft = (timesOutAt: Millis | null, now: Millis): number | undefined =>
  timesOutAt === null ? undefined : Math.max(0, Math.ceil((timesOutAt - now) / 1_000));
