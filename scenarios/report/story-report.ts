/**
 * What is told of one played story: the terminal, JUnit, JSON and HTML are four prints of it. `report.schema.json` is its published JSON
 * Schema; instants are simulated milliseconds since the run's start.
 */
import { z } from 'zod';

const At = z.number().nonnegative();
const Name = z.string();
const Facts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

const Event = z.strictObject({ at: At, kind: Name, of: Name, what: Facts });

const Expected = z.strictObject({
  /** `expect[2]: alarm on T-001 after wear within 8m` */
  expectation: z.string(),
  passed: z.boolean(),
  /** Where it is written, `file:line`; null where that is not known. */
  where: z.string().nullable(),
  wanted: z.string(),
  got: z.string(),
  /** When it first went wrong; null for one that held. */
  at: At.nullable(),
  /** What happened around then. */
  nearby: z.array(Event),
  /** The command that looks there; null for one that held. */
  look: z.string().nullable(),
});

export const StoryReport = z.strictObject({
  schema: z.literal('windfleet.report/v1'),
  name: z.string().min(1),
  about: z.string(),
  seed: z.int().nonnegative(),
  passed: z.boolean(),
  /** Why it could not be played to its end; null when it was. */
  broke: z.string().nullable(),
  /** SHA-256 of the event log, 64 hex digits. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the processor: ONNX Runtime picks its kernels by them, so digests are the same where these are. */
  vectorFeatures: z.string(),
  /** The command that plays it again. */
  command: z.string(),
  /** Wall time at its start, ISO 8601, and how long it took. */
  startedAt: z.iso.datetime(),
  wallSeconds: z.number().nonnegative(),
  /** As the story says, and until when it was played. */
  durationMs: At,
  endMs: At,
  things: z.array(z.strictObject({ name: Name, machine: Name, body: Name, tags: z.array(Name) })),
  steps: z.array(z.strictObject({ label: Name, at: At, what: z.string(), on: z.array(Name) })),
  faults: z.array(z.strictObject({ step: Name, fault: Name, of: Name, phases: z.array(z.strictObject({ phase: Name, at: At })) })),
  alarms: z.array(z.strictObject({ thing: Name, feature: Name, at: At, clearedAt: At.nullable() })),
  jobs: z.array(z.strictObject({ job: Name, thing: Name, status: Name, at: At })),
  expectations: z.array(Expected),
  counts: z.strictObject({ events: z.int().nonnegative(), windows: z.int().nonnegative(), verdicts: z.int().nonnegative() }),
  /** One entry a thread that played rows. */
  workers: z.array(z.strictObject({ rows: z.int().nonnegative(), windows: z.int().nonnegative(), cpuSeconds: z.number().nonnegative() })),
});
export type StoryReport = z.infer<typeof StoryReport>;
export type ReportedExpectation = z.infer<typeof Expected>;
export type ReportedEvent = z.infer<typeof Event>;

/** A measured quantity over the run, for the plots of the page: of each stretch of time its mean. */
export interface ReportSeries {
  readonly thing: string;
  /** `rotor speed`, `wind`, `score`. */
  readonly quantity: string;
  readonly unit: string;
  readonly at: readonly number[];
  readonly value: readonly number[];
}

/** The schema as it is published. */
export const reportJsonSchema = (): object => ({
  ...z.toJSONSchema(z.array(StoryReport), { target: 'draft-2020-12' }),
  $id: 'https://windfleet.dev/report.schema.json',
  title: 'windfleet scenario reports',
});
