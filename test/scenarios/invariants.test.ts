import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FleetEvent } from '../../actors/contracts/log.ts';
import { INVARIANTS, type Invariant, type Scenario, type Step } from '../../scenarios/dsl.ts';
import { judge } from '../../scenarios/expect/judge.ts';
import type { RunFacts } from '../../scenarios/facts.ts';
import type { DeviceDeed, DeviceWord, ModelSession, Sighting, Witness } from '../../scenarios/witness.ts';
import { grantKeyOf } from '../../scenarios/witness.ts';

const invariants = suite('invariants');

const OLD = 'detector@1.0.0';
const NEW = 'detector@1.10.0';
const MINUTE = 60_000;
const END = 20 * MINUTE;

const TIMELINE: readonly Step[] = [
  { at: '1m', fault: 'link-partition', on: 'T-001', for: '1m' },
  { at: '2m', deploy: NEW, id: 'new' },
];

const event = (at: number, kind: FleetEvent['kind'], of: string, what: FleetEvent['what']): FleetEvent => ({ at, kind, of, what });
const job = (at: number, status: string, name = 'job-1') => event(at, 'job', name, { thing: 'T-001', status });
const rolled = (at: number, status: string) => event(at, 'rollout', 'new', { status });
const alarm = (at: number, raised: boolean, feature = 'roll') => event(at, 'alarm', 'T-001', { raised, feature, model: NEW });

/** Twenty minutes in which an update succeeds, and an alarm is raised and cleared. */
const LOG: readonly FleetEvent[] = [
  event(0, 'state', 'T-001', { to: 'idle' }),
  event(0, 'model', 'T-001', { model: OLD }),
  event(MINUTE, 'fault', 'T-001', { step: 'timeline[0]', fault: 'link-partition', phase: 'active' }),
  event(2 * MINUTE, 'fault', 'T-001', { step: 'timeline[0]', fault: 'link-partition', phase: 'recovered' }),
  job(120_000, 'QUEUED'),
  event(120_000, 'state', 'T-001', { to: 'updating-model.healthy' }),
  job(121_000, 'IN_PROGRESS'),
  event(150_000, 'model', 'T-001', { model: NEW }),
  event(150_000, 'state', 'T-001', { to: 'inferring.healthy' }),
  job(151_000, 'SUCCEEDED'),
  alarm(200_000, true),
  alarm(230_000, false),
];

const session = (of: Partial<ModelSession> = {}): ModelSession => ({
  thing: 'T-001',
  model: OLD,
  openedAt: 0,
  closedAt: null,
  isTrusted: true,
  ...of,
});
const verdict = (at: number, of: { readonly model?: string; readonly announced?: boolean; readonly worst?: string } = {}): DeviceWord => ({
  thing: 'T-001',
  at,
  word: 'verdict',
  model: NEW,
  dated: at,
  announced: true,
  worst: 'roll',
  ...of,
});
const sighting = (of: Partial<Sighting> = {}): Sighting => ({
  thing: 'T-001',
  at: 200_000,
  dated: 200_000,
  turbine: 'roll',
  alarm: 'roll',
  lamp: 'roll',
  ...of,
});
const deed = (at: number, what: DeviceDeed['deed']): DeviceDeed => ({ thing: 'T-001', at, deed: what });

const WITNESS: Witness = {
  sessions: [session({ closedAt: 150_000 }), session({ model: NEW, openedAt: 121_000 })],
  deeds: [deed(0, 'boot'), deed(120_000, 'accept'), deed(120_000, 'download'), deed(121_000, 'canary'), deed(150_000, 'report')],
  words: [
    { thing: 'T-001', at: 0, word: 'state', model: OLD },
    verdict(100_000, { model: OLD, announced: false }),
    { thing: 'T-001', at: 150_000, word: 'state', model: NEW },
    verdict(200_000),
  ],
  sightings: [sighting(), sighting({ at: 230_000, dated: null, turbine: null, alarm: null, lamp: null })],
  grants: new Map(),
  energy: new Map([['T-001', { madeJ: 0, fromNothingJ: 1e-6, fromNothingAt: 5_000, mostStoredJ: 1 }]]),
};

interface Given {
  readonly witness?: Partial<Witness> | null;
  readonly facts?: Partial<RunFacts>;
  readonly timeline?: readonly Step[];
}

/** What is wrong with a run, in words; `open` and `met` as such. */
function judged(is: Invariant | 'all', { witness = {}, facts = {}, timeline = TIMELINE }: Given = {}): string {
  const story: Scenario = {
    about: 'An update.',
    seed: 1,
    duration: '20m',
    fleet: [{ twins: 1, like: 'desk-turbine' }],
    timeline,
    expect: [{ that: 'invariant', is }],
  };
  const [{ outcome, failures }] = judge(story, {
    things: [{ name: 'T-001', machine: 'desk-turbine', body: 'twins', tags: [] }],
    events: LOG,
    steps: new Map([['new', 120_000]]),
    targets: new Map([['timeline[0]', ['T-001']]]),
    jobs: new Map([['new', ['job-1']]]),
    messages: new Map([['T-001', { sent: [10, 10], lost: [3, 0], duplicated: [0, 0] }]]),
    energyJ: new Map(),
    end: END,
    ...(witness === null ? {} : { witness: { ...WITNESS, ...witness } }),
    ...facts,
  });
  return outcome === 'failed' ? failures.map(({ wanted, got, at }) => `${wanted}; got ${got}; at ${at / 1_000}`).join('\n') : outcome;
}

const logWith = (...more: readonly FleetEvent[]) => [...LOG, ...more].sort((a, b) => a.at - b.at);
const logWithout = (isGone: (event: FleetEvent) => boolean) => LOG.filter((one) => !isGone(one));

invariants('a sound run keeps all of them, and before its end they are open', () => {
  for (const is of [...INVARIANTS, 'all'] as const) {
    assert.is(judged(is), 'met', is);
    assert.is(judged(is, { facts: { end: END / 2 } }), 'open', is);
  }
});

invariants('without probes, or a word of a turbine, nothing holds', () => {
  for (const is of INVARIANTS) {
    assert.match(judged(is, { witness: null }), 'probes at the ports; got this world has none');
    assert.not.match(judged(is, { witness: { words: [] } }), /^met$/);
  }
  assert.is(judged('all', { witness: null }).split('\n').length, INVARIANTS.length);
});

/** What breaks which, and what is said of it. */
const breaches: readonly (readonly [Invariant, string, Given, string])[] = [
  [
    'one-active-model',
    'a verdict of the old model after the new one is active',
    { witness: { words: [...WITNESS.words, verdict(205_000, { model: OLD })] } },
    `one model on T-001; got a verdict of ${OLD} while ${NEW} is active; at 205`,
  ],
  [
    'one-active-model',
    'the old model is not closed',
    { witness: { sessions: [session(), session({ model: NEW, openedAt: 121_000 })] } },
    `got ${OLD} and ${NEW} are open; at 150`,
  ],
  [
    'success-after-answer',
    'SUCCEEDED before the new model is loaded',
    { witness: { sessions: [session({ closedAt: 150_000 }), session({ model: NEW, openedAt: 152_000 })] } },
    `${NEW} to answer on T-001 before it SUCCEEDED; got it did at 2m32s; at 151`,
  ],
  ['success-after-answer', 'SUCCEEDED without a new model', { witness: { sessions: [session()] } }, 'got it never did; at 151'],
  [
    'success-after-answer',
    'SUCCEEDED, and the old model judges on',
    { facts: { events: logWithout(({ kind, what }) => kind === 'model' && what['model'] === NEW) } },
    'got it answered, and does not judge; at 151',
  ],
  [
    'update-within-its-timer',
    'a stage that does not end',
    {
      facts: { events: logWithout(({ at, kind }) => kind === 'state' && at === 150_000) },
      witness: { deeds: WITNESS.deeds.slice(0, 4) },
    },
    'the stage canary of T-001 over after 8m; got it took 17m59s and goes on; at 601',
  ],
  [
    'update-within-its-timer',
    'a stage that is too long',
    {
      facts: { events: logWithout(({ at, kind }) => kind === 'state' && at === 150_000) },
      witness: { deeds: [deed(120_000, 'verify'), deed(182_000, 'load'), deed(183_000, 'report'), deed(184_000, 'off')] },
    },
    'the stage verify of T-001 over after 1m; got it took 1m2s; at 180',
  ],
  [
    'alarm-has-verdict',
    'an alarm that names another feature than any verdict',
    { witness: { words: [...WITNESS.words.slice(0, 3), verdict(200_000, { worst: 'pitch' })] } },
    'a verdict for the alarm of T-001; got T-001 said none of detector@1.10.0 that names roll; at 200',
  ],
  [
    'alarm-has-verdict',
    'an alarm before its verdict',
    { witness: { words: [...WITNESS.words.slice(0, 3), verdict(201_000)] } },
    'a verdict for the alarm of T-001',
  ],
  [
    'no-message-lost',
    'a message that is lost',
    { facts: { messages: new Map([['T-001', { sent: [10, 10], lost: [0, 2], duplicated: [0, 0] }]]) } },
    'every message of QoS 1 of T-001 to arrive; got 2 of 10 lost; at 1200',
  ],
  ['no-message-lost', 'nothing sent', { facts: { messages: new Map() } }, 'got it sent none'],
  [
    'every-job-ends',
    'a job without an end',
    { facts: { events: logWithout(({ what }) => what['status'] === 'SUCCEEDED') } },
    'job-1 to end on T-001 by 11m; got it has not; at 660',
  ],
  [
    'every-job-ends',
    'a job behind one that ended',
    { facts: { events: logWith(job(130_000, 'QUEUED', 'job-2')) } },
    'job-2 to end on T-001 by 11m31s; got it has not; at 691',
  ],
  [
    'no-wave-after-its-end',
    'a wave of a rollout that was halted',
    {
      facts: {
        events: logWith(rolled(200_000, 'HALTED'), job(260_000, 'QUEUED', 'job-w2')),
        jobs: new Map([['new', ['job-1', 'job-w2']]]),
      },
    },
    'no wave of new once it is HALTED; got its job job-w2 was made; at 260',
  ],
  [
    'feature-named-alike',
    'a lamp that names another',
    { witness: { sightings: [sighting({ lamp: 'pitch' })] } },
    'T-001: roll, wherever it is shown; got turbine: roll, alarm: roll, lamp: pitch; at 200',
  ],
  ['feature-named-alike', 'a list that names another', { witness: { sightings: [sighting({ alarm: 'pitch' })] } }, 'alarm: pitch'],
  [
    'feature-named-alike',
    'a lamp that stays lit',
    { witness: { sightings: [sighting({ dated: null, turbine: null, alarm: null })] } },
    'lamp: roll',
  ],
  [
    'feature-named-alike',
    'all of them name another than the verdict',
    { witness: { sightings: [sighting({ turbine: 'pitch', alarm: 'pitch', lamp: 'pitch' })] } },
    'T-001: roll, wherever it is shown; got turbine: pitch',
  ],
  [
    'down-only-by-grant',
    'a version that goes down',
    {
      facts: { events: logWith(event(300_000, 'model', 'T-001', { model: 'detector@1.9.0' })) },
      witness: { grants: new Map([[grantKeyOf('T-001', 'detector@1.9.0', 300_000), false]]) },
    },
    `T-001 to stay at ${NEW} or go up, unless a grant names it; got detector@1.9.0, without a grant; at 300`,
  ],
  [
    'only-trusted-packages',
    'a package that nobody trusts',
    { witness: { sessions: [session(), session({ model: NEW, openedAt: 121_000, isTrusted: false })] } },
    `a trusted package for ${NEW} on T-001; got no trusted key has signed its package; at 150`,
  ],
  ['only-trusted-packages', 'a model out of nowhere', { witness: { sessions: [session()] } }, 'got nobody has seen it being loaded'],
  [
    'energy-balance',
    'energy of nothing',
    { witness: { energy: new Map([['T-001', { madeJ: 1, fromNothingJ: 0.5, fromNothingAt: 5_000, mostStoredJ: 1 }]]) } },
    'got 0.5 J came from nothing; at 5',
  ],
  [
    'energy-balance',
    'energy below none',
    { witness: { energy: new Map([['T-001', { madeJ: -1, fromNothingJ: 0, fromNothingAt: 0, mostStoredJ: 1 }]]) } },
    'got it made -1 J',
  ],
  [
    'energy-balance',
    'energy that is no number',
    { witness: { energy: new Map([['T-001', { madeJ: Number.NaN, fromNothingJ: 0, fromNothingAt: 0, mostStoredJ: 1 }]]) } },
    'got it made NaN J',
  ],
  ['energy-balance', 'no meter', { witness: { energy: new Map() } }, 'got it was not metered'],
];

for (const [is, what, given, said] of breaches)
  invariants(`${is}: ${what}`, () => {
    assert.match(judged(is, given), `${is}: `);
    assert.match(judged(is, given), said);
    assert.match(judged('all', given), said);
  });

invariants('what is allowed breaks none', () => {
  const back = event(300_000, 'model', 'T-001', { model: OLD });
  const toOld = {
    sessions: [...WITNESS.sessions, session({ openedAt: 300_000 })],
    grants: new Map([[grantKeyOf('T-001', OLD, 300_000), true]]),
  };
  assert.is(judged('down-only-by-grant', { facts: { events: logWith(back) }, witness: toOld }), 'met', 'a grant');

  const running = logWithout(({ what }) => what['status'] === 'SUCCEEDED');
  const late = { at: 700_000, kind: 'fault', of: 'T-001', what: { step: 'timeline[0]', phase: 'active' } } as const;
  const over = { ...late, at: 701_000, what: { step: 'timeline[0]', phase: 'recovered' } } as const;
  assert.is(
    judged('every-job-ends', { facts: { events: [...running, late, over] } }),
    'met',
    'a fault that ended too late for it to be judged',
  );
  const tripped = [...running, event(400_000, 'state', 'T-001', { to: 'faulted.tripped' })];
  assert.match(judged('every-job-ends', { facts: { events: tripped } }), /to end on T-001/, 'a trip is no reason to take no job');
  const aside = [...running, event(400_000, 'state', 'T-001', { to: 'faulted.quarantined' })];
  assert.is(judged('every-job-ends', { facts: { events: aside } }), 'met', 'a turbine that waits for an operator');
  assert.match(judged('every-job-ends', { facts: { events: [...aside, event(500_000, 'state', 'T-001', { to: 'idle' })] } }), 'by 17m20s');

  const resumed = [
    rolled(200_000, 'PAUSED'),
    rolled(250_000, 'IN_PROGRESS'),
    job(260_000, 'QUEUED', 'job-w2'),
    rolled(300_000, 'CANCELED'),
  ];
  const waves = { events: logWith(...resumed, job(301_000, 'CANCELED', 'job-w2')), jobs: new Map([['new', ['job-1', 'job-w2']]]) };
  assert.is(judged('no-wave-after-its-end', { facts: waves }), 'met', 'a wave of a rollout that goes on, and then ends');

  const off = [deed(120_000, 'verify'), deed(121_000, 'off'), deed(400_000, 'boot')];
  const events = logWithout(({ at, kind }) => kind === 'state' && at === 150_000);
  assert.is(judged('update-within-its-timer', { facts: { events }, witness: { deeds: off } }), 'met', 'a stage that a power cut ended');
});

invariants.run();
