import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { Expectation, Scenario, Step } from '../../scenarios/dsl.ts';
import type { StoryThing } from '../../scenarios/facts.ts';
import { worldFaults } from '../../scenarios/faults.ts';
import { prepareStory } from '../../scenarios/load.ts';
import { faultsOf as checkedFaults } from '../../scenarios/words/check.ts';
import { occurrencesOf } from '../../scenarios/words/occurrences.ts';
import { pathText } from '../../scenarios/words/source.ts';
import { resolveTargets } from '../../scenarios/words/targets.ts';
import { createRng } from '../../twins/rng.ts';
import { arbitraryStory } from '../kit/arbitrary-story.ts';

const words = suite('words');

const FLEET: Scenario['fleet'] = [
  { twins: 4, like: 'desk-turbine', tags: ['row-a'] },
  { twins: 2, like: 'desk-turbine', tags: ['row-b', 'old'] },
  { serial: 'emulated', thing: 'T-200', tags: ['serial'] },
  { serial: '/dev/ttyUSB0', thing: 'T-201', tags: ['serial'] },
];

const told = (timeline: readonly Step[], expect: readonly Expectation[] = [], rest: Partial<Scenario> = {}): Scenario => ({
  about: 'ten minutes',
  seed: 1,
  duration: '10m',
  fleet: FLEET,
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline,
  expect,
  ...rest,
});

/** What is wrong with a story, a line a fault. */
function faultsOf(story: Scenario): string[] {
  try {
    prepareStory({ story, name: 'a.yaml', folder: null, place: () => 'a.yaml:1:1' });
  } catch (error) {
    assert.instance(error, FileInvalid);
    return (error as Error).message.split('\n').map((line) => line.replace('a.yaml:1:1 ', ''));
  }
  return [];
}

const when = (story: Scenario) => occurrencesOf(story).map(({ at, does }) => [at / 1_000, does.kind]);
const wear = { fault: 'bearing-wear', on: 'T-001' } as const;

words('`every` begins after the first period and ends with the story, or when it says', () => {
  assert.equal(when(told([{ every: '4m', command: 'reset', on: 'T-001' }])), [
    [240, 'command'],
    [480, 'command'],
  ]);
  assert.equal(when(told([{ every: '1m', from: '0s', until: '2m', ...wear, for: '10s' }])), [
    [0, 'fault'],
    [60, 'fault'],
    [120, 'fault'],
  ]);
});

words('what is done `during` a span ends with it: faults by themselves, orders by the opposite order', () => {
  const story = told([
    { during: '1m..3m', ...wear },
    { during: '2m..4m', command: 'derate', fraction: 0.5, on: 'T-002' },
    { during: '5m..6m', command: 'stop', on: 'T-002' },
    { at: '30s', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
    { during: '7m..8m', pause: 'new' },
  ]);

  const done = occurrencesOf(story);

  assert.equal(
    done.map(({ at, does }) => [at / 1_000, does.kind]),
    [
      [30, 'deploy'],
      [60, 'fault'],
      [120, 'command'],
      [240, 'command'],
      [300, 'command'],
      [360, 'command'],
      [420, 'pause'],
      [480, 'resume'],
    ],
  );
  const [, fault, , undone, , started] = done.map(({ does }) => does);
  assert.is(fault.kind === 'fault' && fault.for, 120_000);
  assert.equal(undone.kind === 'command' && undone.order, { command: 'derate', fraction: 1 });
  assert.equal(started.kind === 'command' && started.order, { command: 'start' });
});

words('what is done during a fault lasts until that has recovered, is cleared, or the story ends', () => {
  const slow = { during: 'wear', fault: 'link-latency', on: 'T-002' } as const;
  const lasting = (...timeline: Step[]) => {
    const found = occurrencesOf(told([...timeline, slow])).find(({ does }) => does.kind === 'fault' && does.fault === 'link-latency');
    return [found?.at, found?.does.kind === 'fault' ? found.does.for : null];
  };

  assert.equal(lasting({ at: '1m', ...wear, for: '2m', recovery: '30s', id: 'wear' }), [60_000, 150_000]);
  assert.equal(lasting({ at: '1m', ...wear, id: 'wear' }, { at: '4m', clear: 'bearing-wear', on: 'T-001' }), [60_000, 180_000]);
  assert.equal(lasting({ at: '1m', ...wear, id: 'wear' }, { at: '4m', clear: 'wear' }), [60_000, 180_000]);
  assert.equal(lasting({ at: '1m', ...wear, id: 'wear' }, { at: '4m', clear: 'bearing-wear', on: 'T-003' }), [60_000, 540_000]);
});

const farm = (many: number): StoryThing[] =>
  Array.from({ length: many }, (_, i) => ({
    name: `T-${i + 1}`,
    machine: 'desk-turbine',
    body: 'twins',
    tags: [i % 2 === 0 ? 'even' : 'odd'],
  }));

words('a target is drawn by the seed and its label; one more turbine changes nobody else’s lot', () => {
  const rng = createRng(7);
  const draw = { tag: 'even', percent: 30 };

  const drawn = resolveTargets(draw, farm(40), rng, 'slow');
  const more = resolveTargets({ tag: 'even', count: drawn.length }, farm(42), rng, 'slow');

  assert.is(drawn.length, 6);
  assert.ok(drawn.every((name) => Number(name.slice(2)) % 2 === 1));
  assert.equal(resolveTargets(draw, farm(40), rng, 'slow'), drawn);
  assert.not.equal(resolveTargets(draw, farm(40), rng, 'other'), drawn);
  assert.not.equal(resolveTargets(draw, farm(40), createRng(8), 'slow'), drawn);
  assert.ok(
    more.filter((name) => !drawn.includes(name)).every((name) => name === 'T-41'),
    'only the new turbine can come in',
  );
});

words('each of many turbines is drawn equally often', () => {
  const times = new Map<string, number>();
  for (let seed = 0; seed < 1_000; seed++)
    for (const name of resolveTargets({ count: 2 }, farm(10), createRng(seed), 'x')) times.set(name, (times.get(name) ?? 0) + 1);

  assert.is(times.size, 10);
  for (const many of times.values()) assert.ok(many > 150 && many < 250, String(many)); // 200 ± 4 standard deviations
});

words('a step may be about those whom another one is about, drawn by the same lots', () => {
  const story = told([
    { at: '1m', fault: 'bearing-wear', on: { tag: 'row-a', count: 2 }, id: 'wear' },
    { at: '2m', command: 'reset', on: 'wear' },
  ]);
  const { things } = prepareStory({ story, name: 'a', folder: null, place: () => '' });

  const [hit, reset] = occurrencesOf(story).map(({ does, label }) =>
    does.kind === 'fault' || does.kind === 'command' ? resolveTargets(does.on ?? 'nobody', things, createRng(1), label) : [],
  );

  assert.is(hit.length, 2);
  assert.equal(reset, hit);
});

const deploy = { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' } as const;
const hit = { at: '1m', ...wear, id: 'wear' } as const;
const WRONG_TIMELINES: readonly (readonly [what: string, timeline: readonly Step[], why: string])[] = [
  ['a step after the end', [{ at: '11m', ...wear }], 'timeline[0].at: 11m is after the story’s end, 10m'],
  ['a period of nothing', [{ every: '0s', ...wear }], 'timeline[0].every: is nothing'],
  ['a period without an end', [{ every: '1ms', ...wear }], 'more than 100000 things happen'],
  [
    'a repetition that never comes',
    [{ every: '1m', from: '5m', until: '4m', ...wear }],
    'never: the first of them would be after the last',
  ],
  ['a span that ends before it begins', [{ during: '4m..1m', ...wear }], '4m..1m ends before it begins'],
  ['a span beyond the end', [{ during: '4m..11m', ...wear }], 'ends after the story’s end'],
  ['a span that is none', [{ during: '4m..soon', ...wear }], 'is no span of time'],
  ['what does not last during something', [{ during: '1m..2m', command: 'reset', on: 'T-001' }], 'a reset does not last'],
  ['a fault as long as itself', [{ during: 'x', ...wear, id: 'x' }], 'cannot last as long as itself'],
  [
    'faults as long as each other',
    [
      { during: 'b', ...wear, id: 'a' },
      { during: 'a', ...wear, id: 'b' },
    ],
    'one of them must say when',
  ],
  ['a length twice', [{ during: '1m..2m', ...wear, for: '3m' }], 'lasts as long as that'],
  ['a recovery without an end', [{ at: '1m', ...wear, recovery: '3m' }], 'does not recover by itself'],
  ['an id twice', [hit, { at: '2m', command: 'reset', on: 'T-001', id: 'wear' }], 'wear is the id of timeline[0] already'],
  ['an id that is a turbine', [{ ...hit, id: 'T-001' }], 'T-001 is a turbine’s name'],
  ['an unknown fault', [{ at: '1m', fault: 'bearing-ware', on: 'T-001' }], 'no fault bearing-ware. Did you mean bearing-wear?'],
  ['a fault by half of its name', [{ at: '1m', fault: 'latency', on: 'T-001' }], 'Did you mean link-latency?'],
  ['a fault on nobody', [{ at: '1m', fault: 'bearing-wear' }], 'on: is missing'],
  ['an unknown turbine', [{ ...hit, on: 'T-009' }], 'no turbine T-009. Did you mean T-001?'],
  ['an unknown tag', [{ ...hit, on: { tag: 'row-c' } }], 'no turbine has the tag row-c. Did you mean row-a?'],
  ['an empty target', [{ ...hit, on: { tag: 'row-a', things: ['T-005'] } }], 'means nobody'],
  ['a target without words', [{ ...hit, on: {} }], 'names nobody'],
  ['more than there are', [{ ...hit, on: { tag: 'row-b', count: 3 } }], '3 are to be drawn from 2: T-005, T-006'],
  ['a draw by both', [{ ...hit, on: { count: 1, percent: 10 } }], 'by count or by percent'],
  [
    'a target that is a step about nobody',
    [deploy, { at: '2m', clear: 'wear' }, { at: '3m', fault: 'broker-restart', id: 'gone' }, { at: '4m', command: 'reset', on: 'gone' }],
    'the step gone is about no turbines',
  ],
  ['a fault of another machine', [{ at: '1m', fault: 'pitch-stuck', on: 'T-001' }], 'no fault pitch-stuck'],
  [
    'a body’s fault at a real port',
    [{ at: '1m', fault: 'bearing-wear', on: 'T-201' }],
    'T-201 is a turbine at a real serial port: its body cannot suffer bearing-wear',
  ],
  [
    'a line’s fault on a twin',
    [{ at: '1m', fault: 'serial-garbage', on: 'every turbine' }],
    'T-001, T-002, T-003, T-004, T-005, T-006 is a twin: it cannot suffer serial-garbage',
  ],
  ['a channel of a body’s fault', [{ ...hit, channel: 'rps' }], 'it takes no channel'],
  ['an unknown channel', [{ at: '1m', fault: 'sensor-bias', on: 'T-001', channel: 'rpms' }], 'no channel rpms. Did you mean rps?'],
  ['an attribute of a body’s fault', [{ ...hit, attributes: { latencyMs: 3 } }], 'bearing-wear has no attributes'],
  ['an unknown attribute', [{ at: '1m', fault: 'link-latency', on: 'T-001', attributes: { latencyMS: 3 } }], 'Did you mean latencyMs?'],
  [
    'an attribute out of range',
    [{ at: '1m', fault: 'link-loss', on: 'T-001', attributes: { lossPercent: 101 } }],
    '101 % is not within 0..100',
  ],
  [
    'an attribute that is no number',
    [{ at: '1m', fault: 'link-loss', on: 'T-001', attributes: { lossPercent: '10%' } }],
    'must be a number in %',
  ],
  ['a stage that is none', [{ at: '1m', fault: 'power-cut', on: 'T-001', attributes: { stage: 'download' } }], 'none of downloading'],
  ['a severity of a link', [{ at: '1m', fault: 'link-loss', on: 'T-001', severity: 0.3 }], 'how bad it is say its attributes, lossPercent'],
  ['a service’s fault on a turbine', [{ at: '1m', fault: 'store-slow', on: 'T-001' }], 'leave `on` out'],
  ['a link’s fault on nobody', [{ at: '1m', fault: 'link-loss' }], 'on which turbines?'],
  ['a model’s fault on a turbine', [deploy, { at: '30s', fault: 'model-deaf', on: 'T-001' }], 'T-001 is no deploy step'],
  ['a model’s fault too late', [deploy, { at: '2m', fault: 'model-deaf', on: 'new' }], 'the model is spoiled before'],
  ['clearing what is not there', [{ at: '1m', clear: 'bearing-wear', on: 'T-001' }], 'the story injects no bearing-wear'],
  ['clearing what comes later', [{ at: '30s', clear: 'wear' }, hit], 'wear is not there yet'],
  [
    'an unknown model',
    [{ ...deploy, deploy: 'windturbine-anomaly@1.1.1' }],
    'no model windturbine-anomaly@1.1.1. Did you mean windturbine-anomaly@1.1.0?',
  ],
  ['a deployment to nobody', [{ ...deploy, to: 'row-d' }], 'no turbine or tag row-d. Did you mean row-a?'],
  ['waves that do not grow', [{ ...deploy, waves: ['50%', '10%'] }], '10% is no more than 50%'],
  ['a share of more than all', [{ ...deploy, waves: ['110%'] }], 'not within 0..100%'],
  ['a pause of nothing', [deploy, { at: '2m', pause: 'now' }], 'now is no deploy step. Did you mean new?'],
  ['a rollback before the deployment', [{ at: '30s', rollback: 'new' }, deploy], 'new is deployed only later'],
];
for (const [what, timeline, why] of WRONG_TIMELINES)
  words(`refused: ${what}`, () => {
    const faults = faultsOf(told(timeline));

    assert.ok(
      faults.some((fault) => fault.includes(why)),
      faults.join('\n') || 'nothing is wrong',
    );
  });

const on = 'T-001';
const healthy = { that: 'state', on, is: 'inferring.healthy' } as const;
const WRONG_EXPECTATIONS: readonly (readonly [what: string, expect: readonly Expectation[], why: string])[] = [
  ['an unknown state', [{ ...healthy, is: 'inferring.helthy', at: 'end' }], 'no state inferring.helthy. Did you mean inferring.healthy?'],
  [
    'an unknown feature',
    [{ that: 'alarm', on, feature: 'impulse', within: '1m' }],
    'no model has a feature impulse. Did you mean impulses?',
  ],
  ['an unknown model', [{ that: 'model', on, is: 'windturbine-anomaly@9.0.0', at: 'end' }], 'no model windturbine-anomaly@9.0.0'],
  ['an unknown step', [{ that: 'alarm', on, after: 'weer', within: '1m' }], 'no step has the id weer. Did you mean wear?'],
  ['a job of a fault', [{ that: 'job', of: 'wear', is: 'SUCCEEDED', within: '1m' }], 'the step wear is no deploy step. Known: new'],
  ['a fault that is a deployment', [{ that: 'fault', of: 'new', is: 'recovered', at: 'end' }], 'the step new is no fault'],
  ['during what has no length', [{ that: 'noAlarm', during: 'new' }], 'the step new is no fault: it has no length'],
  [
    'a time beyond the end',
    [{ that: 'alarm', on, after: 'wear', within: '10m' }],
    'within: 10m from wear on is beyond the story’s end, 10m',
  ],
  ['a silence beyond the end', [{ that: 'noAlarm', for: '11m' }], 'for: 11m is beyond the story’s end'],
  ['a state without a time', [healthy], 'says not when state holds'],
  ['a job without a time', [{ that: 'job', of: 'new', is: 'SUCCEEDED' }], 'says not when the job has ended'],
  ['two times', [{ ...healthy, within: '1m', at: 'end' }], 'at: contradicts within'],
  ['always and never', [{ ...healthy, always: true, never: true }], 'never: contradicts always'],
  ['from a step and during another', [{ that: 'alarm', on, after: 'wear', during: 'wear' }], 'after: contradicts during'],
  ['a draw', [{ that: 'alarm', on: { percent: 30 }, within: '1m' }], 'an expectation draws nobody'],
  ['bounds that leave nothing', [{ that: 'lostMessages', below: 1, above: 3 }], 'above: contradicts below'],
  ['a bound that nothing meets', [{ that: 'falseAlarmsPerTurbineDay', below: 0 }], 'nothing is below 0'],
  ['energies that leave nothing', [{ that: 'energy', below: '1Wh', above: '2kWh' }], 'nothing is above 2kWh and below 1Wh'],
  [
    'two states at the end',
    [
      { ...healthy, at: 'end' },
      { that: 'state', on: 'every turbine', is: 'faulted', at: 'end' },
    ],
    'expect[1]: contradicts expect[0]: T-001 cannot be inferring.healthy and faulted at once',
  ],
  [
    'two models at the end',
    [
      { that: 'model', on, is: 'windturbine-anomaly@1.0.0', at: 'end' },
      { that: 'model', on, is: 'windturbine-anomaly@1.1.0', at: 'end' },
    ],
    'T-001 cannot be',
  ],
  [
    'always one, within a time another',
    [
      { ...healthy, always: true },
      { that: 'state', on, is: 'faulted', within: '2m' },
    ],
    'T-001 is inferring.healthy all that time, and not faulted',
  ],
  [
    'never, and at the end',
    [
      { that: 'state', on, is: 'inferring', never: true },
      { ...healthy, at: 'end' },
    ],
    'is inferring.healthy there, and never inferring here',
  ],
  [
    'an alarm where none may be',
    [{ that: 'alarm', on, after: 'wear', within: '2m' }, { that: 'noAlarm' }],
    'an alarm of T-001 is wanted there, and none may be raised here',
  ],
  [
    'an alarm, and never one',
    [
      { that: 'alarm', on: 'wear', within: '2m' },
      { that: 'alarm', on, never: true },
    ],
    'an alarm of T-001 is wanted, and never',
  ],
  [
    'a job that ends twice',
    [
      { that: 'job', of: 'new', is: 'SUCCEEDED', within: '2m' },
      { that: 'job', of: 'new', is: 'FAILED', at: 'end' },
    ],
    'end SUCCEEDED or FAILED, not both',
  ],
  [
    'two bounds apart',
    [
      { that: 'lostMessages', below: 3 },
      { that: 'lostMessages', above: 4 },
    ],
    'nothing is above 4 and below 3',
  ],
];
for (const [what, expect, why] of WRONG_EXPECTATIONS)
  words(`refused: ${what} in an expectation`, () => {
    const faults = faultsOf(told([hit, deploy], expect));

    assert.ok(
      faults.some((fault) => fault.includes(why)),
      faults.join('\n') || 'nothing is wrong',
    );
  });

const FITTING: readonly (readonly Expectation[])[] = [
  [
    { that: 'state', on, is: 'idle', always: true, for: '1s' },
    { ...healthy, at: 'end' },
  ],
  [
    { that: 'state', on, is: 'idle', during: '0s..10s' },
    { ...healthy, during: '10s..20s' },
  ],
  [
    { that: 'alarm', on, after: 'wear', within: '2m' },
    { that: 'noAlarm', butOn: 'wear' },
    { that: 'noAlarm', on, for: '1m' },
  ],
  [
    { that: 'state', on, is: 'inferring', at: 'end' },
    { ...healthy, at: 'end' },
  ],
  [
    { ...healthy, within: '2m' },
    { that: 'state', on, is: 'faulted.tripped', within: '5m' },
  ],
  [
    { that: 'alarm', on, feature: 'impulses', within: '2m' },
    { that: 'noAlarm', on, feature: 'pitch' },
  ],
  [
    { that: 'alarm', on: 'drawn', within: '2m' },
    { that: 'noAlarm', on: 'T-002' },
  ],
];
for (const expect of FITTING)
  words(`can be true together: ${expect.map(({ that }) => that).join(', ')}`, () => {
    const drawn: Step = { at: '1m', fault: 'bearing-wear', on: { tag: 'row-a', count: 1 }, id: 'drawn' };

    assert.equal(faultsOf(told([hit, deploy, drawn], expect)), []);
  });

words('a story without a wind, without a turbine, of no length, and of files that are not there', () => {
  assert.equal(faultsOf(told([], [], { fleet: [{ twins: 1, like: 'desk-turbine' }] })), []);
  const faults = faultsOf(
    told([], [], {
      duration: '0s',
      fleet: [{ replay: 'none.csv' }, { twins: 2, like: 'desk-turbin' }, { twins: 1, like: 'nrel-5mw', layout: 'row:0' }],
      wind: { meanMps: 8, turbulenceIntensity: 0.1, file: 'none.csv', events: [{ kind: 'gust', at: '20m' }] },
    }),
  );

  for (const why of [
    'duration: is nothing',
    'fleet[0].replay: none.csv cannot be read',
    'Did you mean desk-turbine?',
    'no spacing',
    'wind.file: none.csv',
    'wind.events[0].at: 20m',
  ])
    assert.ok(
      faults.some((fault) => fault.includes(why)),
      `${why}\n${faults.join('\n')}`,
    );
});

words('a class of turbulence is about utility machines', () => {
  const wind = { meanMps: 9, turbulenceIntensity: 'B' } as const;

  assert.match(faultsOf(told([], [], { wind })).join(), 'is about utility machines');
  assert.equal(faultsOf(told([], [], { wind, fleet: [{ twins: 2, like: 'nrel-5mw' }] })), []);
});

words('the same name twice in a fleet is refused', () => {
  const fleet: Scenario['fleet'] = [
    { twins: 2, like: 'desk-turbine' },
    { serial: 'emulated', thing: 'T-002' },
  ];

  assert.match(faultsOf(told([], [], { fleet })).join(), 'there are two turbines T-002');
});

words('every fault of the world says what it acts on, and has defaults within their ranges', () => {
  assert.is(new Set(worldFaults.map(({ name }) => name)).size, worldFaults.length);
  for (const { name, attributes } of worldFaults)
    for (const [attribute, kind] of Object.entries(attributes)) {
      if ('oneOf' in kind) assert.ok(kind.oneOf.includes(kind.default), `${name} ${attribute}`);
      else if (kind.default !== undefined) assert.ok(kind.default >= kind.min && kind.default <= kind.max, `${name} ${attribute}`);
    }
});

words('whatever the words say, a story is checked and laid out without a defect', () => {
  const { vocabulary } = prepareStory({ story: told([]), name: 'a', folder: null, place: () => '' });
  fc.assert(
    fc.property(arbitraryStory, (story) => {
      assert.ok(Array.isArray(checkedFaults(story, vocabulary)));
      occurrencesOf({ ...story, timeline: story.timeline.filter((step) => !('every' in step)) });
    }),
    { numRuns: 500, seed: 3 },
  );
});

words('a path reads as it is written', () => {
  assert.is(pathText(['timeline', 2, 'on', 'things', 0]), 'timeline[2].on.things[0]');
  assert.is(pathText([]), 'the story');
});

words.run();
