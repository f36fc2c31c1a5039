import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FleetEvent } from '../../actors/contracts/log.ts';
import type { Expectation, Scenario, Step } from '../../scenarios/dsl.ts';
import { explain, tellFailure } from '../../scenarios/expect/failure.ts';
import { judge, type Judgement } from '../../scenarios/expect/judge.ts';
import { nearestEvents } from '../../scenarios/expect/nearest.ts';
import type { RunFacts } from '../../scenarios/facts.ts';
import { parseStory } from '../../scenarios/words/yaml.ts';

const expectations = suite('expectations');

const TIMELINE: readonly Step[] = [
  { at: '1m', fault: 'bearing-wear', on: 'T-001', for: '3m', recovery: '30s', id: 'wear' },
  { at: '2m', deploy: 'detector@2.0.0', waves: ['50%', '100%'], id: 'new' },
  { at: '9m', fault: 'link-partition', on: 'T-002', id: 'late' },
];

/** Ten minutes of two turbines, in order of time. */
const LOG: readonly FleetEvent[] = [
  event(0, 'state', 'T-001', { to: 'idle' }),
  event(0, 'state', 'T-002', { to: 'idle' }),
  event(0, 'model', 'T-001', { model: 'detector@1.0.0' }),
  event(0, 'model', 'T-002', { model: 'detector@1.0.0' }),
  event(10, 'state', 'T-001', { to: 'inferring.healthy' }),
  event(10, 'verdict', 'T-001', { anomalous: false, worst: 'roll' }),
  event(10, 'state', 'T-002', { to: 'inferring.healthy' }),
  event(60, 'fault', 'T-001', { step: 'wear', fault: 'bearing-wear', phase: 'active' }),
  event(90, 'verdict', 'T-001', { anomalous: true, worst: 'impulses' }),
  event(90, 'state', 'T-001', { to: 'inferring.suspect' }),
  event(91, 'alarm', 'T-001', { raised: true, feature: 'impulses' }),
  event(120, 'state', 'T-001', { to: 'faulted.tripped' }),
  event(120, 'job', 'job-1', { status: 'IN_PROGRESS' }),
  event(120, 'rollout', 'new', { status: 'IN_PROGRESS' }),
  event(121, 'job', 'job-1', { thing: 'T-002', status: 'IN_PROGRESS' }),
  event(150, 'model', 'T-002', { model: 'detector@2.0.0' }),
  event(151, 'job', 'job-1', { thing: 'T-002', status: 'SUCCEEDED' }),
  event(240, 'fault', 'T-001', { step: 'wear', fault: 'bearing-wear', phase: 'recovering' }),
  event(270, 'fault', 'T-001', { step: 'wear', fault: 'bearing-wear', phase: 'recovered' }),
  event(271, 'state', 'T-001', { to: 'inferring.healthy' }),
  event(271, 'verdict', 'T-001', { anomalous: false, worst: 'roll' }),
  event(272, 'alarm', 'T-001', { raised: false, feature: 'impulses' }),
  event(300, 'job', 'job-2', { thing: 'T-001', status: 'SUCCEEDED' }),
  event(300, 'model', 'T-001', { model: 'detector@2.0.0' }),
  event(300, 'rollout', 'new', { status: 'SUCCEEDED' }),
  event(400, 'alarm', 'T-002', { raised: true, feature: 'pitch' }),
  event(430, 'alarm', 'T-002', { raised: false, feature: 'pitch' }),
];

function event(seconds: number, kind: FleetEvent['kind'], of: string, what: FleetEvent['what']): FleetEvent {
  return { at: seconds * 1_000, kind, of, what };
}

const END_S = 600;

function factsAt(seconds: number, rest: Partial<RunFacts> = {}): RunFacts {
  const now = seconds * 1_000;
  return {
    things: ['T-001', 'T-002'].map((name) => ({ name, machine: 'desk-turbine', body: 'twins', tags: name === 'T-001' ? ['first'] : [] })),
    events: LOG.filter(({ at }) => at <= now),
    steps: new Map([...(seconds >= 60 ? [['wear', 60_000] as const] : []), ...(seconds >= 120 ? [['new', 120_000] as const] : [])]),
    targets: new Map([
      ['wear', ['T-001']],
      ['new', ['T-001', 'T-002']],
    ]),
    jobs: new Map(seconds >= 120 ? [['new', seconds >= 290 ? ['job-1', 'job-2'] : ['job-1']]] : []),
    messages: new Map([
      ['T-001', { sent: [900, 4], lost: [7, 0], duplicated: [0, 1] }],
      ['T-002', { sent: [900, 2], lost: [0, 0], duplicated: [0, 0] }],
    ]),
    energyJ: new Map([
      ['T-001', 3_600],
      ['T-002', 7_200],
    ]),
    end: now,
    ...rest,
  };
}

const story = (expect: readonly Expectation[]): Scenario => ({
  about: 'x',
  seed: 1,
  duration: '10m',
  fleet: [{ twins: 2, like: 'desk-turbine' }],
  timeline: TIMELINE,
  expect,
});

const judged = (e: Expectation, seconds = END_S, rest: Partial<RunFacts> = {}): Judgement => judge(story([e]), factsAt(seconds, rest))[0];

const MET: readonly Expectation[] = [
  { that: 'alarm', on: 'T-001', within: '2m' },
  { that: 'alarm', on: 'wear', after: 'wear', within: '31s', feature: 'impulses' },
  { that: 'alarm', on: 'T-001', during: 'wear' },
  { that: 'alarm', on: 'T-001', within: '2m', for: '3m' },
  { that: 'alarm', on: 'T-002', never: true, for: '6m' },
  { that: 'alarm', on: 'T-002', never: true, feature: 'impulses' },
  { that: 'alarm', on: 'T-001', always: true, during: '2m..4m' },
  { that: 'noAlarm', for: '90s' },
  { that: 'noAlarm', on: 'T-002', during: 'wear' },
  { that: 'noAlarm', butOn: 'T-002', after: 'new' },
  { that: 'verdict', on: 'T-001', is: 'anomalous', feature: 'impulses', within: '90s' },
  { that: 'verdict', on: 'T-001', is: 'anomalous', never: true, during: '5m..10m' },
  { that: 'verdict', on: 'T-001', is: 'healthy', at: 'end' },
  { that: 'state', on: { tag: 'first' }, is: 'faulted', within: '2m' },
  { that: 'state', on: 'T-001', is: 'faulted.tripped', after: 'wear', within: '60s', for: '2m' },
  { that: 'state', on: 'every turbine', is: 'inferring', at: 'end' },
  { that: 'state', on: 'every turbine', is: 'inferring', at: 'end', for: '5m' },
  { that: 'state', on: 'T-002', is: 'inferring', during: '10s..10m' },
  { that: 'state', on: 'T-002', is: 'faulted', never: true },
  { that: 'state', on: 'T-001', is: 'faulted', always: true, during: '2m..4m' },
  { that: 'model', on: 'T-002', is: 'detector@2.0.0', after: 'new', within: '30s' },
  { that: 'model', on: 'T-001', is: 'detector@1.0.0', always: true, for: '4m' },
  { that: 'job', of: 'new', is: 'SUCCEEDED', within: '3m' },
  { that: 'rollout', of: 'new', is: 'SUCCEEDED', at: 'end' },
  { that: 'rollout', of: 'new', is: 'HALTED', never: true },
  { that: 'fault', of: 'wear', is: 'recovered', within: '270s' },
  { that: 'fault', of: 'wear', is: 'recovering', within: '4m', for: '30s' },
  { that: 'fault', of: 'wear', is: 'pending', during: '0s..59s' },
  { that: 'exposure', of: 'new', below: 12.6, above: 12.4 }, // T-002 450 s, T-001 300 s
  { that: 'exposure', model: 'detector@3.0.0', is: 0 },
  { that: 'detectionDelay', of: 'wear', below: '32s', above: '30s' },
  { that: 'falseAlarmsPerTurbineDay', on: 'T-001', is: 0 },
  { that: 'falseAlarmsPerTurbineDay', below: 91, above: 89 }, // one in the 600 s + 360 s in which nothing was broken
  { that: 'lostMessages', is: 0 },
  { that: 'lostMessages', qos: 0, below: 8, above: 6 },
  { that: 'duplicatedMessages', below: 2 },
  { that: 'energy', above: '2.9Wh', below: '3.1Wh' },
  { that: 'energy', on: 'T-001', below: '0.0011kWh' },
];
for (const e of MET)
  expectations(`met: ${JSON.stringify(e)}`, () => {
    const { outcome, failures } = judged(e);

    assert.is(outcome, 'met', failures.map(({ wanted, got }) => `${wanted}: ${got}`).join());
  });

const FAILED: readonly (readonly [e: Expectation, seconds: number, got: RegExp])[] = [
  [{ that: 'alarm', on: 'T-001', within: '90s' }, 90, /^impulses at 1m31s$/],
  [{ that: 'alarm', on: 'T-001', within: '3m', feature: 'roll' }, 180, /^impulses at/],
  [{ that: 'alarm', on: 'T-002', during: 'wear' }, 270, /^pitch at 6m40s$/],
  [{ that: 'alarm', on: 'T-001', within: '2m', for: '4m' }, 120, /^impulses at/],
  [{ that: 'alarm', on: 'T-001', never: true }, 91, /^impulses$/],
  [{ that: 'alarm', on: 'T-001', at: 'end' }, 600, /^none stands$/],
  [{ that: 'alarm', on: 'T-001', always: true, during: '2m..6m' }, 272, /^none$/],
  [{ that: 'noAlarm' }, 91, /^impulses$/],
  [{ that: 'noAlarm', butOn: 'wear' }, 400, /^pitch$/],
  [{ that: 'verdict', on: 'T-001', is: 'anomalous', never: true }, 90, /^anomalous, worst impulses$/],
  [{ that: 'verdict', on: 'T-001', is: 'healthy', always: true }, 90, /^anomalous/],
  [{ that: 'verdict', on: 'T-002', is: 'healthy', at: 'end' }, 600, /^nothing is known of it$/],
  [{ that: 'state', on: 'T-001', is: 'faulted', at: 'end' }, 271, /^inferring.healthy$/],
  [{ that: 'state', on: 'T-001', is: 'faulted', within: '2m', for: '3m' }, 120, /^for 2m31s only, then inferring.healthy$/],
  [{ that: 'state', on: 'T-001', is: 'inferring', at: 'end', for: '6m' }, 240, /^faulted.tripped$/],
  [{ that: 'state', on: 'T-001', is: 'inferring', during: '10s..10m' }, 120, /^faulted.tripped$/],
  [{ that: 'state', on: 'T-002', is: 'faulted', within: '1m' }, 60, /^inferring.healthy$/],
  [{ that: 'model', on: 'T-002', is: 'detector@1.0.0', always: true }, 150, /^detector@2.0.0$/],
  [{ that: 'job', of: 'new', is: 'SUCCEEDED', within: '2m' }, 240, /^T-001 no execution$/],
  [{ that: 'job', of: 'new', is: 'FAILED', within: '4m' }, 151, /T-002 SUCCEEDED/],
  [{ that: 'job', of: 'new', is: 'CANCELED', at: 'end' }, 600, /^SUCCEEDED$/],
  [{ that: 'rollout', of: 'new', is: 'HALTED', within: '5m' }, 300, /^SUCCEEDED$/],
  [{ that: 'rollout', of: 'new', is: 'SUCCEEDED', during: 'wear' }, 120, /^IN_PROGRESS$/],
  [{ that: 'fault', of: 'wear', is: 'active', never: true }, 60, /^active$/],
  [{ that: 'fault', of: 'wear', is: 'recovered', within: '4m' }, 240, /^recovering$/],
  [{ that: 'exposure', of: 'new', below: 5 }, 375, /^12.5$/], // 150 s of one alone, then both: 5 minutes after 75 s more
  [{ that: 'detectionDelay', of: 'wear', below: '30s' }, 90, /^31s \(impulses\)$/],
  [{ that: 'detectionDelay', of: 'wear', feature: 'roll', below: '30s' }, 90, /^no alarm$/],
  [{ that: 'falseAlarmsPerTurbineDay', below: 1 }, 400, /^90.*T-002 pitch at 6m40s$/],
  [{ that: 'lostMessages', qos: 0, below: 7 }, 600, /^7 of 1800, 7 of them T-001’s$/],
  [{ that: 'duplicatedMessages', is: 0 }, 600, /^1 of 6/],
  [{ that: 'energy', above: '4Wh' }, 600, /^3Wh$/],
];
for (const [e, seconds, got] of FAILED)
  expectations(`fails, and says what was and when it first went wrong: ${JSON.stringify(e)}`, () => {
    const { outcome, failures } = judged(e);

    assert.is(outcome, 'failed');
    assert.match(failures[0].got, got);
    assert.is(failures[0].at, seconds * 1_000);
    assert.ok(failures[0].nearby.length > 0 && failures[0].wanted !== '');
  });

const NOTHING: Partial<RunFacts> = {
  events: [],
  steps: new Map(),
  targets: new Map(),
  jobs: new Map(),
  messages: new Map(),
  energyJ: new Map(),
};
for (const e of MET.filter(({ that, ...e }) => !(that === 'fault' && 'is' in e && e.is === 'pending')))
  expectations(`a run of which nothing is known fails it: ${JSON.stringify(e)}`, () => {
    assert.is(judged(e, END_S, NOTHING).outcome, 'failed');
  });

expectations('what a fault’s absence would make true fails: it was never at work', () => {
  for (const e of [
    { that: 'noAlarm', on: 'T-002', during: 'late' },
    { that: 'state', on: 'T-002', is: 'inferring', during: 'late' },
    { that: 'alarm', on: 'T-002', never: true, during: 'late' },
  ] as const)
    assert.match(judged(e).failures[0].got, /^late was never at work$/);
});

expectations('while a run goes on, what can still come true is open, and what cannot has failed', () => {
  const outcomes = (e: Expectation) => [30, 100, 200, END_S].map((seconds) => judged(e, seconds).outcome).join(' ');

  assert.is(outcomes({ that: 'alarm', on: 'T-001', after: 'wear', within: '1m' }), 'open met met met');
  assert.is(outcomes({ that: 'alarm', on: 'T-001', within: '40s' }), 'open failed failed failed');
  assert.is(outcomes({ that: 'noAlarm' }), 'open failed failed failed');
  assert.is(outcomes({ that: 'noAlarm', on: 'T-002', for: '90s' }), 'open met met met');
  assert.is(outcomes({ that: 'state', on: 'T-002', is: 'inferring', at: 'end' }), 'open open open met');
  assert.is(outcomes({ that: 'job', of: 'new', is: 'SUCCEEDED', within: '3m' }), 'open open open met');
  assert.is(outcomes({ that: 'exposure', of: 'new', below: 13 }), 'open open open met');
  assert.is(outcomes({ that: 'detectionDelay', of: 'wear', below: '32s' }), 'open open open met');
});

expectations('of many turbines, each that is not as expected is a failure', () => {
  const { failures } = judged({ that: 'state', on: 'every turbine', is: 'idle', at: 'end' });

  assert.equal(
    failures.map(({ of, got }) => [of, got]),
    [
      ['T-001', 'inferring.healthy'],
      ['T-002', 'inferring.healthy'],
    ],
  );
});

expectations('a failure is told with its place, what is near it, and the command that looks there', () => {
  const text = `about: x
seed: 1
duration: 10m
fleet: [{ twins: 2, like: desk-turbine }]
timeline: []
expect:
  - { that: noAlarm, butOn: T-001 }
  - that: alarm
    on: T-001
    within: 40s
`;
  const source = { ...parseStory(text, 'my story.yaml'), folder: '.' };
  const [, { failures }] = judge(source.story, factsAt(END_S));

  const told = tellFailure(failures[0], source, 9);

  assert.is(told.place, 'my story.yaml:8:5');
  assert.is(told.look, "windfleet scenario run 'my story.yaml' --seed 9 --until 41s");
  for (const part of [
    'my story.yaml:8:5',
    'wanted an alarm of T-001 by 40s',
    'got    impulses at 1m31s',
    'at     40s',
    '10s state T-001',
    'look   windfleet scenario run',
  ])
    assert.ok(explain(told).includes(part), `${part}\n${explain(told)}`);
});

expectations('the nearest events are those of whom it is about, then those of others, in order of time', () => {
  const near = nearestEvents(LOG, 150_000, 'T-002');

  assert.is(near.length, 5);
  assert.equal(
    near.map(({ at }) => at),
    near.map(({ at }) => at).toSorted((a, b) => a - b),
  );
  assert.ok(near.some(({ of, what }) => of === 'job-1' && what['status'] === 'SUCCEEDED'));
  assert.ok(near.some(({ kind, of }) => kind === 'model' && of === 'T-002'));
});

expectations.run();
