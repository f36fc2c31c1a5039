/** Any story that the words can say, whether it makes sense or not: for properties of what reads and prints them. */
import fc from 'fast-check';
import type { Expectation, FleetEntry, Scenario, Step, Target, What, When, Wind } from '../../scenarios/dsl.ts';

type Words = Record<string, unknown>;

const one = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);
const duration = fc
  .tuple(fc.nat(99), one('s', 'm', 'h', 'ms'), fc.option(fc.nat(59), { nil: null }))
  .map(([n, unit, seconds]) => `${n}${unit}${seconds === null ? '' : `${seconds}s`}`);
/** Words that YAML could take for something else are among them. */
const word = fc.oneof(
  one('yes', 'null', '~', '1.0', '0x10', '1e3', 'on', '- a', '# x', 'a: b', '"', "'", 'é∑', '*a', '&b', '!t', '2001-01-01'),
  fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[\p{Cc}\uFFFD]/u.test(text)),
);
const id = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,8}$/);
const tag = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}$/);
const thing = fc.stringMatching(/^[a-zA-Z0-9:_-]{1,12}$/);
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((x) => (Object.is(x, -0) ? 0 : x));
const number = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => (Object.is(x, -0) ? 0 : x));

/** Some of the keys, and all of the required ones. */
const words = <Keys extends Record<string, fc.Arbitrary<unknown>>>(optional: Keys, required: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) }) as fc.Arbitrary<Words>;

const target: fc.Arbitrary<Target> = fc.oneof(
  fc.constant('every turbine'),
  thing,
  words({ tag, things: fc.array(thing, { minLength: 1, maxLength: 3 }), count: fc.integer({ min: 1, max: 9 }) }) as fc.Arbitrary<Target>,
  words({ tag, percent: fc.double({ min: 0.1, max: 100, noNaN: true }) }) as fc.Arbitrary<Target>,
);
const tags = fc.array(tag, { maxLength: 3 });

const fleetEntry = fc.oneof(
  words({ tags, layout: one('row:630', 'grid:880') }, { twins: fc.integer({ min: 1, max: 99 }), like: one('desk-turbine', 'nrel-5mw') }),
  words({ tags }, { replay: word }),
  words({ tags }, { serial: one('emulated', '/dev/ttyUSB0'), thing }),
) as fc.Arbitrary<unknown> as fc.Arbitrary<FleetEntry>;

const wind = words(
  {
    directionDeg: fc.integer({ min: 0, max: 360 }),
    file: word,
    events: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('gust'), at: duration }),
        fc.record({ kind: fc.constant('ramp'), at: duration, over: duration, toMps: share }),
      ),
      { maxLength: 2 },
    ),
  },
  { meanMps: share, turbulenceIntensity: fc.oneof(share, one('A', 'B', 'C')) },
) as fc.Arbitrary<unknown> as fc.Arbitrary<Wind>;

const during = fc.oneof(
  fc.tuple(duration, duration).map(([a, b]) => `${a}..${b}`),
  id,
);
const when = fc.oneof(
  words({ id }, { at: duration }),
  words({ id, from: duration, until: duration }, { every: duration }),
  words({ id }, { during }),
) as fc.Arbitrary<unknown> as fc.Arbitrary<When>;

const what = fc.oneof(
  words(
    {
      on: target,
      severity: share,
      over: duration,
      onset: one('ramp', 'wear', 'intermittent', 'periodic'),
      for: duration,
      recovery: duration,
      channel: word,
      attributes: fc.dictionary(
        word.filter((key) => key !== '__proto__' && key !== '<<'),
        fc.oneof(number, word),
        { maxKeys: 3 },
      ),
    },
    { fault: word },
  ),
  words({ on: target }, { clear: word }),
  words({}, { command: one('start', 'stop', 'reset'), on: target }),
  words({}, { command: fc.constant('derate'), fraction: share, on: target }),
  words(
    {
      to: word,
      waves: fc.array(
        fc.oneof(
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 100 }).map((n) => `${n}%`),
        ),
        { minLength: 1, maxLength: 4 },
      ),
      soak: duration,
      budgetKw: fc.integer({ min: 1, max: 1e6 }),
      window: word,
      plan: word,
    },
    { deploy: word },
  ),
  ...['pause', 'resume', 'abort', 'rollback'].map((key) => words({}, { [key]: id })),
) as fc.Arbitrary<unknown> as fc.Arbitrary<What>;

const holding = {
  within: duration,
  after: id,
  always: fc.constant(true),
  never: fc.constant(true),
  at: fc.constant('end'),
  during,
  for: duration,
};
const bounded = (that: string, keys: Record<string, fc.Arbitrary<unknown>> = {}) =>
  words({ on: target, above: number, is: number, ...keys }, { that: fc.constant(that), below: number });
const expectation = fc.oneof(
  words({ feature: word, ...holding }, { that: fc.constant('alarm'), on: target }),
  words({ on: target, butOn: target, feature: word, after: id, during, for: duration }, { that: fc.constant('noAlarm') }),
  words({ feature: word, ...holding }, { that: fc.constant('verdict'), on: target, is: one('anomalous', 'healthy') }),
  words(holding, { that: one('state', 'model'), on: target, is: word }),
  words({ within: duration, at: fc.constant('end') }, { that: fc.constant('job'), of: id, is: one('SUCCEEDED', 'FAILED', 'CANCELED') }),
  words(holding, { that: fc.constant('rollout'), of: id, is: one('IN_PROGRESS', 'HALTED', 'ROLLED_BACK') }),
  words(holding, { that: fc.constant('fault'), of: id, is: one('pending', 'active', 'recovering', 'recovered') }),
  fc.oneof(
    bounded('exposure', {}).chain((e) =>
      fc.oneof(
        id.map((of) => ({ ...e, of })),
        word.map((model) => ({ ...e, model })),
      ),
    ),
  ),
  words({ on: target, feature: word, above: duration }, { that: fc.constant('detectionDelay'), of: id, below: duration }),
  bounded('falseAlarmsPerTurbineDay'),
  bounded('lostMessages', { qos: one(0, 1) }),
  bounded('duplicatedMessages', { qos: one(0, 1) }),
  words({ on: target, below: one('1.2Wh', '3kWh') }, { that: fc.constant('energy'), above: one('1mWh', '5MWh', '2GWh') }),
) as fc.Arbitrary<unknown> as fc.Arbitrary<Expectation>;

/** Plain objects, as parsers make them. */
const bare = (story: unknown): Scenario => JSON.parse(JSON.stringify(story)) as Scenario;

export const arbitraryStory: fc.Arbitrary<Scenario> = fc
  .record(
    {
      about: word.filter((text) => /\S/.test(text)),
      seed: fc.nat(),
      duration,
      fleet: fc.array(fleetEntry, { minLength: 1, maxLength: 3 }),
      wind,
      timeline: fc.array(
        fc.tuple(when, what).map(([at, does]): Step => ({ ...at, ...does }) as Step),
        { maxLength: 4 },
      ),
      expect: fc.array(expectation, { maxLength: 5 }),
    },
    { requiredKeys: ['about', 'seed', 'duration', 'fleet', 'timeline', 'expect'] },
  )
  .map(bare);
