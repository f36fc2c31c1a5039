/**
 * The words of `dsl.ts` as a schema: what a story read from a file is held to, and from which the published JSON Schema is made. It knows
 * shapes and ranges; names are looked up by `check.ts`.
 */
import { z } from 'zod';
import { INVARIANTS } from '../dsl.ts';

const duration = z
  .string()
  .regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, 'is no duration, as 90s, 8m or 47m12s')
  .meta({ id: 'duration', description: '90s, 8m, 47m12s' });
const spanOrStep = z
  .string()
  .min(1)
  .meta({ id: 'during', description: 'a span of time, 4m..9m, or the id of a fault’s step: for as long as that' });
const thing = z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'must be 1 to 128 letters, digits, `:`, `_` or `-`');
const tag = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/, 'must be letters, digits, `_` and `-`');
const id = z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,62}$/, 'must be letters, digits, `_` and `-`, a letter first');
const stepId = z.string().min(1);
const name = z.string().min(1);
const file = z.string().min(1);
const tags = z.array(tag).describe('groups that targets and deployments can name');
const share = z.number().min(0).max(1);

const target = z
  .union([
    z.string().min(1),
    z.strictObject({
      tag: z.string().min(1).exactOptional(),
      things: z.array(z.string().min(1)).min(1).exactOptional(),
      count: z.int().min(1).exactOptional().describe('so many of them, drawn by the seed'),
      percent: z.number().gt(0).max(100).exactOptional().describe('so many in a hundred of them, drawn by the seed'),
    }),
  ])
  .meta({ id: 'target', description: 'a turbine, `every turbine`, or { tag, things, count, percent }' });

const fleetEntry = z.union([
  z.strictObject({
    twins: z.int().min(1).max(100_000).describe('how many; they are called T-001, T-002, … in the order of the list'),
    like: name.describe('a machine of the library, or a machine file beside the story'),
    tags: tags.exactOptional(),
    layout: file.exactOptional().describe('row:630, grid:880, random:700, or a CSV beside the story with x,y in metres'),
  }),
  z.strictObject({ replay: file.describe('a recording beside the story'), tags: tags.exactOptional() }),
  z.strictObject({ serial: name.describe('emulated, or a port: /dev/ttyUSB0'), thing, tags: tags.exactOptional() }),
]);

const windEvent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('gust'), at: duration }),
  z.strictObject({ kind: z.literal('ramp'), at: duration, over: duration, toMps: z.number().min(0).max(80) }),
]);

const wind = z.strictObject({
  meanMps: z.number().min(0).max(80),
  turbulenceIntensity: z.union([share, z.enum(['A', 'B', 'C'])]).describe('0..1; for utility machines also a class of IEC 61400-1'),
  directionDeg: z.number().min(0).max(360).exactOptional().describe('from where, clockwise from north'),
  events: z.array(windEvent).exactOptional(),
  file: file.exactOptional().describe('a series beside the story: t,windMps[,directionDeg,temperatureC]'),
});

const model = z
  .string()
  .regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,63}@((0|[1-9]\d*)\.){2}(0|[1-9]\d*)$/, 'is no model, as windturbine-anomaly@1.10.0')
  .describe('name@version');

const modelCopy = z.strictObject({ model, like: name.describe('a starter model, or one before it in the list') });

/** The keys of which a step has one: when it takes place. */
export const WHEN_KEYS = ['at', 'every', 'during'] as const;
/** The keys of which a step has one: what it does. */
export const WHAT_KEYS = ['fault', 'clear', 'command', 'deploy', 'pause', 'resume', 'abort', 'rollback'] as const;

const when = {
  at: duration.exactOptional(),
  every: duration.exactOptional(),
  from: duration.exactOptional(),
  until: duration.exactOptional(),
  during: spanOrStep.exactOptional(),
  id: id.exactOptional().describe('what expectations and other steps call it'),
};
const step = <Shape extends z.core.$ZodLooseShape>(what: Shape) =>
  z.strictObject({ ...when, ...what }).meta({
    oneOf: WHEN_KEYS.map((key) => ({ required: [key] })),
    dependencies: { from: ['every'], until: ['every'] },
  });

export const steps = {
  fault: step({
    fault: name.describe('of the machine’s catalogue, or of `windfleet faults list`'),
    on: target.exactOptional(),
    severity: share.exactOptional(),
    over: duration.exactOptional(),
    onset: z.enum(['ramp', 'wear', 'intermittent', 'periodic']).exactOptional(),
    for: duration.exactOptional(),
    recovery: duration.exactOptional(),
    channel: name.exactOptional(),
    attributes: z.record(z.string(), z.union([z.number(), z.string()])).exactOptional(),
  }),
  clear: step({ clear: name.describe('a fault, or the id of its step'), on: target.exactOptional() }),
  order: step({ command: z.enum(['start', 'stop', 'reset']), on: target }),
  derate: step({ command: z.literal('derate'), fraction: share, on: target }),
  deploy: step({
    deploy: name.describe('name@version'),
    to: name.exactOptional().describe('a turbine, a tag, or farm'),
    waves: z
      .array(z.union([z.string().regex(/^\d+(\.\d+)?%$/, 'is no share, as 10%'), z.int().min(1)]))
      .min(1)
      .exactOptional(),
    soak: duration.exactOptional(),
    budgetKw: z.number().gt(0).exactOptional(),
    window: name.exactOptional(),
    plan: file.exactOptional(),
  }),
  pause: step({ pause: stepId }),
  resume: step({ resume: stepId }),
  abort: step({ abort: stepId }),
  rollback: step({ rollback: stepId }),
};

const within = duration.exactOptional().describe('by then, from the start or from `after`');
const after = stepId.exactOptional().describe('the id of a step: time counts from it');
const during = spanOrStep.exactOptional();
const atEnd = z.literal('end').exactOptional();
const lasting = duration.exactOptional().describe('without a break for so long');
const holding = {
  within,
  after,
  always: z.literal(true).exactOptional(),
  never: z.literal(true).exactOptional(),
  at: atEnd,
  during,
  for: lasting,
};
const bounds = { below: z.number().exactOptional(), above: z.number().exactOptional(), is: z.number().exactOptional() };
const on = target.exactOptional();
const feature = name.exactOptional().describe('of the model that judges the machine');
const atLeastOneOf = (...keys: string[]) => ({ anyOf: keys.map((key) => ({ required: [key] })) });
const bounded = atLeastOneOf('below', 'above', 'is');
const qos = z.union([z.literal(0), z.literal(1)]).exactOptional();
const ENERGY = /^\d+(\.\d+)?(mWh|Wh|kWh|MWh|GWh)$/;
const energy = z.string().regex(ENERGY, 'is no energy, as 1.2Wh, 3kWh or 5MWh').exactOptional();

export const expectations = {
  alarm: z.strictObject({ that: z.literal('alarm'), on: target, feature, ...holding }),
  noAlarm: z.strictObject({ that: z.literal('noAlarm'), on, butOn: on, feature, after, during, for: lasting }),
  verdict: z.strictObject({ that: z.literal('verdict'), on: target, is: z.enum(['anomalous', 'healthy']), feature, ...holding }),
  state: z.strictObject({ that: z.literal('state'), on: target, is: name, ...holding }),
  model: z.strictObject({ that: z.literal('model'), on: target, is: name, ...holding }),
  job: z.strictObject({ that: z.literal('job'), of: stepId, is: z.enum(['SUCCEEDED', 'FAILED', 'CANCELED']), within, at: atEnd }),
  rollout: z.strictObject({
    that: z.literal('rollout'),
    of: stepId,
    is: z.enum(['IN_PROGRESS', 'PAUSED', 'SUCCEEDED', 'FAILED', 'HALTED', 'CANCELED', 'ROLLED_BACK']),
    ...holding,
  }),
  fault: z.strictObject({
    that: z.literal('fault'),
    of: stepId,
    is: z.enum(['pending', 'active', 'recovering', 'recovered']),
    ...holding,
  }),
  exposure: z
    .strictObject({ that: z.literal('exposure'), of: stepId.exactOptional(), model: name.exactOptional(), on, ...bounds })
    .meta({ ...bounded, oneOf: [{ required: ['of'] }, { required: ['model'] }] }),
  detectionDelay: z.strictObject({
    that: z.literal('detectionDelay'),
    of: stepId,
    on,
    feature,
    below: duration,
    above: duration.exactOptional(),
  }),
  falseAlarmsPerTurbineDay: z.strictObject({ that: z.literal('falseAlarmsPerTurbineDay'), on, ...bounds }).meta(bounded),
  lostMessages: z.strictObject({ that: z.literal('lostMessages'), on, qos, ...bounds }).meta(bounded),
  duplicatedMessages: z.strictObject({ that: z.literal('duplicatedMessages'), on, qos, ...bounds }).meta(bounded),
  energy: z.strictObject({ that: z.literal('energy'), on, below: energy, above: energy }).meta(atLeastOneOf('below', 'above')),
  invariant: z.strictObject({ that: z.literal('invariant'), is: z.enum([...INVARIANTS, 'all']) }),
};

export const storySchema = z
  .strictObject({
    $schema: z.string().exactOptional().describe('for editors of JSON'),
    about: z.string().regex(/\S/, 'says nothing: what can be learned here?').max(2_000).describe('what can be learned from it'),
    seed: z.int().min(0).describe('where chance begins'),
    duration: duration.describe('simulated time: 90s, 8m, 2h'),
    fleet: z.array(fleetEntry).min(1, 'is empty'),
    wind: wind.exactOptional(),
    models: z.array(modelCopy).max(100).exactOptional().describe('published before the story begins, in this order, beside the starters'),
    timeline: z.array(z.union(Object.values(steps))).max(10_000),
    expect: z.array(z.discriminatedUnion('that', Object.values(expectations) as never)).max(1_000),
  })
  .meta({ title: 'A story of windfleet', description: 'A fleet, what happens to it, and what must come of it.' });

/** The shape that a wrong entry was meant to have; null when it cannot be told. */
export function meantShape(path: readonly PropertyKey[], value: unknown): z.ZodType | null {
  const has = (key: string) => typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  if (path.length !== 2) return null;
  if (path[0] === 'fleet') return fleetEntry.options[['twins', 'replay', 'serial'].findIndex(has)] ?? null;
  if (path[0] !== 'timeline') return null;
  const what = WHAT_KEYS.find(has);
  if (what === undefined) return null;
  if (what !== 'command') return steps[what];
  return (value as { command: unknown }).command === 'derate' ? steps.derate : steps.order;
}

/** The published JSON Schema, draft 7: what editors read best. */
export const storyJsonSchema = (): object => z.toJSONSchema(storySchema, { target: 'draft-7' });
