/** A device's end of AWS IoT Jobs over any bus: requests matched to replies by their client token, as AWS's own client does it. */
import { z } from 'zod';
import type { Bus, Message } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import { JobRefused, RemoteRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { DeviceJobs, PendingJob } from '../../actors/contracts/jobs.ts';
import { jobTopic } from '../bus/topics.ts';

const REPLY_TIMEOUT_MS = 10_000;

const Reply = z.object({ clientToken: z.string().optional() });
const Rejected = z.object({ code: z.string(), message: z.string().default(''), executionState: z.unknown().optional() });
const Described = z.object({
  execution: z
    .object({
      jobId: z.string(),
      status: z.enum(['QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED']),
      statusDetails: z.record(z.string(), z.string()).default({}),
      executionNumber: z.int(),
      versionNumber: z.int(),
      queuedAt: z.number(),
      startedAt: z.number().optional(),
      lastUpdatedAt: z.number(),
      approximateSecondsBeforeTimedOut: z.number().optional(),
      jobDocument: z.unknown().optional(), // an order without one is refused by the update, and said so
    })
    .optional(),
});

interface Waiting {
  readonly topic: string;
  readonly answer: (body: unknown) => void;
  readonly refuse: (error: Error) => void;
  readonly timer: number;
}

export function deviceJobs(bus: Bus, clock: Clock): DeviceJobs {
  const waiting = new Map<string, Waiting>();
  const listening = new Map<ThingName, Promise<void>>();
  // The service answers a token that it knows with what it answered before: a device that has restarted must not use its old ones again.
  const session = (clock.epoch + clock.now()).toString(36);
  let requests = 0;

  const hear = ({ topic, payload }: Message) => {
    const body = parseBody(payload);
    const token = Reply.safeParse(body).data?.clientToken;
    const request = token === undefined ? undefined : waiting.get(token);
    if (token === undefined || !request || !topic.startsWith(`${request.topic}/`)) return; // somebody else's, or too late
    waiting.delete(token);
    clock.clearTimeout(request.timer);
    if (topic.endsWith('/accepted')) return request.answer(body);
    request.refuse(refusalOf(topic, body));
  };

  /** Replies reach a client of AWS without a subscription; other brokers' clients need one. */
  const listen = (thing: ThingName): Promise<void> => {
    const standing =
      listening.get(thing) ??
      Promise.all(['get/+', 'start-next/+', '+/get/+', '+/update/+'].map((rest) => bus.subscribe(jobTopic(thing, rest), hear))).then(
        () => {},
      );
    listening.set(thing, standing);
    standing.catch(() => listening.delete(thing));
    return standing;
  };

  const request = async (thing: ThingName, rest: string, body: object): Promise<unknown> => {
    await listen(thing);
    const clientToken = `${bus.clientId}-${session}-${++requests}`.slice(-64);
    const topic = jobTopic(thing, rest);
    return new Promise((answer, refuse) => {
      const timer = clock.setTimeout(() => {
        waiting.delete(clientToken);
        refuse(new RemoteRefused(`no answer on ${topic} within ${REPLY_TIMEOUT_MS / 1_000} s`));
      }, REPLY_TIMEOUT_MS);
      waiting.set(clientToken, { topic, answer, refuse, timer });
      bus.publish(topic, JSON.stringify({ ...body, clientToken }), { qos: 1 }).catch((error: Error) => {
        waiting.delete(clientToken);
        clock.clearTimeout(timer);
        refuse(error);
      });
    });
  };

  return {
    next: async (thing) => readExecution(thing, await request(thing, '$next/get', {})),
    startNext: async (thing, options = {}) => readExecution(thing, await request(thing, 'start-next', options)),
    async update(thing, jobId, update) {
      await request(thing, `${jobId}/update`, update);
    },
    async onNext(thing, notified) {
      await bus.subscribe(jobTopic(thing, 'notify-next'), () => notified());
      bus.onReconnect(notified);
    },
  };
}

/** AWS IoT Jobs: the service could not do it now. Whoever asks again may be answered. */
const PASSING = ['InternalError', 'RequestThrottled'];

/** What a rejection means: no, or not now. */
function refusalOf(topic: string, body: unknown): Error {
  const rejected = Rejected.safeParse(body);
  if (!rejected.success) return new RemoteRefused(`${topic} is no rejection that can be read`);
  const { code, message, executionState } = rejected.data;
  if (PASSING.includes(code)) return new RemoteRefused(`${topic}: ${code}: ${message}`);
  return new JobRefused(code, message, executionState);
}

/** @throws RemoteRefused for an answer that is none. */
function readExecution(thing: ThingName, body: unknown): PendingJob | null {
  const parsed = Described.safeParse(body);
  if (!parsed.success) throw new RemoteRefused(`the job service’s answer cannot be read: ${z.prettifyError(parsed.error)}`);
  const { execution } = parsed.data;
  if (!execution) return null;
  const { jobDocument, startedAt, queuedAt, lastUpdatedAt, approximateSecondsBeforeTimedOut: secondsLeft, ...rest } = execution;
  return {
    ...rest,
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
    thing,
    queuedAt: queuedAt * 1_000,
    startedAt: startedAt === undefined ? null : startedAt * 1_000,
    lastUpdatedAt: lastUpdatedAt * 1_000,
    document: jobDocument,
  };
}

function parseBody(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return null;
  }
}
