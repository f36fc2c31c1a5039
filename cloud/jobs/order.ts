/** What is asked of CreateJob, UpdateJob and CreateJobTemplate, checked at the door against AWS's model; every wrong path is named. */
import { z } from 'zod';
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { JobSettings, NewJob, NewJobTemplate, RetryCriterion } from '../../actors/contracts/jobs.ts';
import {
  MAX_RATE_PER_MINUTE,
  MAX_REASON_LENGTH,
  MAX_RETRIES,
  MAX_SOURCE_LENGTH,
  MAX_TARGETS,
  MAX_TEXT_LENGTH,
  MAX_TIMEOUT_MINUTES,
} from './limits.ts';

const JobId = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, '1 to 64 characters of [a-zA-Z0-9_-]');
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((given) => !/\p{C}/u.test(given), 'control characters are not allowed');
const count = z.int().min(1);
const decimals = (places: number) =>
  z.number().refine((given) => Number(given.toFixed(places)) === given, `at most ${places} digit(s) after the point`);

const Settings = z.object({
  description: text(MAX_TEXT_LENGTH).optional(),
  presignedUrlConfig: z
    .object({ roleArn: z.string().min(20).max(2_048).optional(), expiresInSec: z.int().min(60).max(3_600).optional() })
    .optional(),
  jobExecutionsRolloutConfig: z
    .object({
      maximumPerMinute: count.max(MAX_RATE_PER_MINUTE).optional(),
      exponentialRate: z
        .object({
          baseRatePerMinute: count.max(MAX_RATE_PER_MINUTE),
          incrementFactor: decimals(1).min(1.1).max(5),
          rateIncreaseCriteria: z
            .object({ numberOfNotifiedThings: count.optional(), numberOfSucceededThings: count.optional() })
            .refine(
              (given) => (given.numberOfNotifiedThings === undefined) !== (given.numberOfSucceededThings === undefined),
              'exactly one of numberOfNotifiedThings and numberOfSucceededThings',
            ),
        })
        .optional(),
    })
    .refine(
      ({ maximumPerMinute: most, exponentialRate }) => most === undefined || !exponentialRate || exponentialRate.baseRatePerMinute <= most,
      'baseRatePerMinute is above maximumPerMinute',
    )
    .optional(),
  abortConfig: z
    .object({
      criteriaList: z
        .array(
          z.object({
            failureType: z.enum(['FAILED', 'REJECTED', 'TIMED_OUT', 'ALL']),
            action: z.literal('CANCEL'),
            thresholdPercentage: decimals(2).min(0).max(100),
            minNumberOfExecutedThings: count,
          }),
        )
        .min(1),
    })
    .optional(),
  timeoutConfig: z.object({ inProgressTimeoutInMinutes: count.max(MAX_TIMEOUT_MINUTES).optional() }).optional(),
  jobExecutionsRetryConfig: z
    .object({
      criteriaList: z
        .array(z.object({ failureType: z.enum(['FAILED', 'TIMED_OUT', 'ALL']), numberOfRetries: z.int().min(0).max(MAX_RETRIES) }))
        .min(1)
        .max(2)
        .refine((list) => new Set(list.map(({ failureType }) => failureType)).size === list.length, 'a failureType is named twice')
        .refine(
          (list) => list.reduce((sum, { numberOfRetries }) => sum + numberOfRetries, 0) <= MAX_RETRIES,
          `more than ${MAX_RETRIES} retries a thing in all`,
        ),
    })
    .optional(),
});

const Tags = z.array(z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256).optional() })).max(50);

const Order = Settings.extend({
  jobId: JobId,
  targets: z.array(z.string().min(1).max(2_048)).min(1).max(MAX_TARGETS),
  documentSource: z.string().min(1).max(MAX_SOURCE_LENGTH).optional(),
  documentParameters: z
    .record(z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'a key is 1 to 128 characters of [a-zA-Z0-9:_-]'), z.string().min(1).max(30_720))
    .optional(),
  targetSelection: z.enum(['CONTINUOUS', 'SNAPSHOT']).optional(),
  schedulingConfig: z
    .object({
      startTime: z.string().min(1).max(64).optional(),
      endTime: z.string().min(1).max(64).optional(),
      endBehavior: z.enum(['STOP_ROLLOUT', 'CANCEL', 'FORCE_CANCEL']).optional(),
      maintenanceWindows: z
        .array(z.object({ startTime: z.string().min(1).max(256), durationInMinutes: z.int() }))
        .max(20)
        .optional(),
    })
    .optional(),
  jobTemplateArn: z.string().min(1).max(1_600).optional(),
  namespaceId: z
    .string()
    .regex(/^[a-zA-Z0-9_-]+$/)
    .max(1_000)
    .optional(),
  destinationPackageVersions: z.array(z.string().min(1).max(1_600)).max(25).optional(),
  tags: Tags.optional(),
});

const Template = Settings.extend({
  jobTemplateId: JobId,
  description: text(MAX_TEXT_LENGTH),
  documentSource: z.string().min(1).max(MAX_SOURCE_LENGTH).optional(),
});

/** @throws JobRefused InvalidRequest */
export function checkOrder(order: NewJob): void {
  check(Order, order);
  checkRetries(order);
  if (order.things !== undefined && order.targetSelection === 'CONTINUOUS')
    throw new JobRefused('InvalidRequest', 'things: a CONTINUOUS job takes its things from its targets');
}

/** @throws JobRefused InvalidRequest */
export function checkSettings(settings: JobSettings): void {
  check(Settings, settings);
  checkRetries(settings);
}

/** @throws JobRefused InvalidRequest */
export function checkTemplate(template: NewJobTemplate): void {
  check(Template, template);
  checkRetries(template);
}

/** @throws JobRefused InvalidRequest */
export function checkTexts(given: { readonly reasonCode?: string | undefined; readonly comment?: string | undefined }): void {
  check(z.object({ reasonCode: text(MAX_REASON_LENGTH).optional(), comment: text(MAX_TEXT_LENGTH).optional() }), given);
}

/** AWS IoT Jobs: what times out is retried only if something can time out. */
function checkRetries({ jobExecutionsRetryConfig, timeoutConfig }: JobSettings & { readonly inProgressTimeoutInMinutes?: number }): void {
  const timedOut = (jobExecutionsRetryConfig?.criteriaList ?? []).some(({ failureType }: RetryCriterion) => failureType === 'TIMED_OUT');
  if (timedOut && timeoutConfig?.inProgressTimeoutInMinutes === undefined)
    throw new JobRefused('InvalidRequest', 'jobExecutionsRetryConfig: a retry of TIMED_OUT wants a timeoutConfig');
}

function check(schema: z.ZodType, given: unknown): void {
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new JobRefused('InvalidRequest', z.prettifyError(parsed.error));
}
