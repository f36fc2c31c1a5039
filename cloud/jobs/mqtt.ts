/**
 * The device plane of the job service over MQTT: requests on the reserved topics, replies to the client that asked and to nobody
 * else, whether it subscribed or not; notifications to whoever listens. Instants are epoch seconds on the wire.
 *
 * Order of checks: topic → JSON → schema → existence → version → transition → commit → reply.
 */
import { z } from 'zod';
import type { Broker } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import { JobRefused, reasonOf } from '../../actors/contracts/errors.ts';
import type { DescribedExecution, ExecutionStatus, JobExecution } from '../../actors/contracts/jobs.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { JOB_TOPICS, type JobOperation, jobTopic, parseJobTopic } from '../bus/topics.ts';
import type { JobService } from './service.ts';

const MAX_WAITING = 64; // requests of one thing that are not answered yet

const ClientToken = z.string().min(1).max(64).optional();
const Version = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]); // AWS's documents show both
const Details = z.record(z.string(), z.string()).optional();
const Get = z.object({ clientToken: ClientToken });
const StartNext = z.object({ clientToken: ClientToken, statusDetails: Details, stepTimeoutInMinutes: z.int().optional() });
const Describe = z.object({ clientToken: ClientToken, executionNumber: z.int().optional(), includeJobDocument: z.boolean().default(true) });
const Update = z.object({
  clientToken: ClientToken,
  status: z.enum(['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED']),
  statusDetails: Details,
  expectedVersion: Version.optional(),
  executionNumber: z.int().optional(),
  includeJobExecutionState: z.boolean().default(false),
  includeJobDocument: z.boolean().default(false),
  stepTimeoutInMinutes: z.int().optional(),
});

export function serveJobs(broker: Broker, service: JobService, clock: Clock, log: Log): void {
  const waiting = new Map<string, number>(); // requests by thing
  const now = () => clock.epoch + clock.now();

  const operate = async (request: JobOperation, body: unknown): Promise<object> => {
    const { device } = service;
    const { thing } = request;
    switch (request.operation) {
      case 'get': {
        parse(Get, body);
        const pending = await device.pending(thing);
        return { inProgressJobs: withStatus(pending, 'IN_PROGRESS'), queuedJobs: withStatus(pending, 'QUEUED') };
      }
      case 'start-next': {
        const started = await device.startNext(thing, defined(parse(StartNext, body)) as StartNextOptions);
        return started ? { execution: described(started, true, now()) } : {};
      }
      case 'describe': {
        const { executionNumber, includeJobDocument } = parse(Describe, body);
        const execution = await device.describe(thing, request.jobId, executionNumber);
        return execution ? { execution: described(execution, includeJobDocument, now()) } : {};
      }
      case 'update': {
        const { includeJobExecutionState, includeJobDocument, ...update } = parse(Update, body);
        const execution = await device.update(thing, request.jobId, defined(update) as UpdateOptions);
        return {
          timestamp: seconds(execution.lastUpdatedAt), // a repeated request gets the same answer
          ...(includeJobExecutionState ? { executionState: state(execution) } : {}),
          ...(includeJobDocument ? { jobDocument: JSON.parse(await device.document(request.jobId)) as object } : {}),
        };
      }
    }
  };

  const serve = async (
    topic: string,
    payload: Uint8Array,
  ): Promise<{ readonly verdict: 'accepted' | 'rejected'; readonly body: object }> => {
    let clientToken: string | undefined;
    let counted: string | undefined;
    try {
      const request = parseJobTopic(topic);
      if (!request) throw new JobRefused('InvalidTopic', `${topic} is no operation of AWS IoT Jobs`);
      const body = parseJson(payload);
      clientToken = typeof body['clientToken'] === 'string' ? body['clientToken'] : undefined;
      const busy = waiting.get(request.thing) ?? 0;
      if (busy >= MAX_WAITING) throw new JobRefused('RequestThrottled', `${busy} requests of ${request.thing} are waiting already`);
      waiting.set(request.thing, busy + 1);
      counted = request.thing;
      const answer = await operate(request, body);
      return { verdict: 'accepted', body: { timestamp: seconds(now()), ...answer, ...(clientToken === undefined ? {} : { clientToken }) } };
    } catch (error) {
      if (!(error instanceof JobRefused)) log.error({ topic, reason: reasonOf(error) }, 'a job request failed');
      const [code, message] =
        error instanceof JobRefused ? [error.reason, error.message] : ['InternalError', 'the service could not do it'];
      const executionState =
        error instanceof JobRefused && error.executionState ? { executionState: state(error.executionState as JobExecution) } : {};
      return {
        verdict: 'rejected',
        body: { code, message, timestamp: seconds(now()), ...executionState, ...(clientToken === undefined ? {} : { clientToken }) },
      };
    } finally {
      if (counted !== undefined) {
        const left = (waiting.get(counted) ?? 1) - 1;
        if (left > 0) waiting.set(counted, left);
        else waiting.delete(counted);
      }
    }
  };

  broker.reserve(JOB_TOPICS, ({ topic, payload }, client) => {
    void serve(topic, payload).then(({ verdict, body }) => broker.reply(client, `${topic}/${verdict}`, JSON.stringify(body)));
  });
  const send = (topic: string, body: object) => {
    broker.announce(topic, JSON.stringify(body)).catch((error: unknown) => log.warn({ topic, reason: reasonOf(error) }, 'not announced'));
  };
  service.notify({
    list(thing, pending) {
      const inProgress = withStatus(pending, 'IN_PROGRESS');
      const queued = withStatus(pending, 'QUEUED');
      const jobs = { ...(inProgress.length > 0 ? { IN_PROGRESS: inProgress } : {}), ...(queued.length > 0 ? { QUEUED: queued } : {}) };
      send(jobTopic(thing, 'notify'), { timestamp: seconds(now()), jobs });
    },
    next: (thing, next) =>
      send(jobTopic(thing, 'notify-next'), { timestamp: seconds(now()), ...(next ? { execution: described(next, true, now()) } : {}) }),
    event: send,
  });
}

type StartNextOptions = NonNullable<Parameters<JobService['device']['startNext']>[1]>;
type UpdateOptions = Parameters<JobService['device']['update']>[2];

/** Epoch seconds: AWS IoT's current form of a timestamp on this plane. */
const seconds = (epochMs: Millis) => Math.floor(epochMs / 1_000);

const summary = (execution: JobExecution) => ({
  jobId: execution.jobId,
  queuedAt: seconds(execution.queuedAt),
  ...(execution.startedAt === null ? {} : { startedAt: seconds(execution.startedAt) }),
  lastUpdatedAt: seconds(execution.lastUpdatedAt),
  versionNumber: execution.versionNumber,
  executionNumber: execution.executionNumber,
});

const withStatus = (executions: readonly JobExecution[], status: ExecutionStatus) =>
  executions.filter((execution) => execution.status === status).map(summary);

const described = (execution: DescribedExecution, withDocument: boolean, now: Millis) => ({
  ...summary(execution),
  thingName: execution.thing,
  status: execution.status,
  ...(Object.keys(execution.statusDetails).length > 0 ? { statusDetails: execution.statusDetails } : {}),
  ...(execution.timesOutAt === null
    ? {}
    : { approximateSecondsBeforeTimedOut: Math.max(0, Math.ceil((execution.timesOutAt - now) / 1_000)) }),
  ...(withDocument ? { jobDocument: execution.document } : {}),
});

const state = ({ status, statusDetails, versionNumber }: JobExecution) => ({ status, statusDetails, versionNumber });

/** AWS IoT Jobs: an empty payload stands for `{}`. */
function parseJson(payload: Uint8Array): Record<string, unknown> {
  if (payload.length === 0) return {};
  try {
    const raw: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new JobRefused('InvalidJson', 'the payload is no JSON object in UTF-8');
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new JobRefused('InvalidRequest', z.prettifyError(parsed.error));
}

/** Without the members that are undefined: absent is not the same as given. */
const defined = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
