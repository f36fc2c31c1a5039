/** A played story as its report. */
import type { FleetEvent } from '../../actors/contracts/log.ts';
import type { ShardUsage } from '../../actors/contracts/shard.ts';
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation, Scenario, Step } from '../dsl.ts';
import { type Failure, tellFailure } from '../expect/failure.ts';
import type { Judgement } from '../expect/judge.ts';
import { labelOf, type RunFacts } from '../facts.ts';
import type { StorySource } from '../words/source.ts';
import type { ReportedExpectation, StoryReport } from './story-report.ts';

/** What is known of a story that has been played, or has broken off. */
export interface StoryHead {
  readonly name: string;
  readonly source: StorySource;
  readonly vectorFeatures: string;
  readonly command: string;
  readonly startedAt: string;
  readonly wallSeconds: number;
}

export interface PlayedFacts extends StoryHead {
  readonly facts: RunFacts;
  readonly judgements: readonly Judgement[];
  readonly digest: string;
  readonly windows: number;
  readonly workers: readonly ShardUsage[];
}

const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'; // SHA-256 of no event

/** Of a story that could not be played to its end. @param broke why */
export const brokenReport = ({ broke, ...head }: StoryHead & { readonly broke: string }): StoryReport => ({
  ...storyReport({
    ...head,
    facts: {
      things: [],
      events: [],
      steps: new Map(),
      targets: new Map(),
      jobs: new Map(),
      messages: new Map(),
      energyJ: new Map(),
      end: 0,
    },
    judgements: [],
    digest: NOTHING,
    windows: 0,
    workers: [],
  }),
  passed: false,
  broke,
});

export function storyReport(played: PlayedFacts): StoryReport {
  const { name, source, facts, judgements, digest } = played;
  const { story } = source;
  const { events } = facts;
  return {
    schema: 'windfleet.report/v1',
    name,
    about: story.about.replace(/\s+/g, ' ').trim(),
    seed: story.seed,
    passed: judgements.every(({ failures }) => failures.length === 0),
    broke: null,
    digest,
    vectorFeatures: played.vectorFeatures,
    command: played.command,
    startedAt: played.startedAt,
    wallSeconds: played.wallSeconds,
    durationMs: parseDuration(story.duration) ?? facts.end,
    endMs: facts.end,
    things: facts.things.map(({ name: thing, machine, body, tags }) => ({ name: thing, machine, body, tags: [...tags] })),
    steps: stepsOf(story, facts),
    faults: faultsOf(events),
    alarms: alarmsOf(events),
    jobs: events.flatMap(({ kind, of, what, at }) =>
      kind === 'job' && typeof what['thing'] === 'string' ? [{ job: of, thing: what['thing'], status: String(what['status']), at }] : [],
    ),
    expectations: judgements.flatMap((judgement) => told(judgement, source, story)),
    counts: { events: events.length, windows: played.windows, verdicts: events.filter(({ kind }) => kind === 'verdict').length },
    workers: played.workers.map(({ rows, windows, cpuSeconds }) => ({ rows, windows, cpuSeconds })),
  };
}

/** One line an expectation; of one that failed, one a turbine. */
function told({ expectation, index, outcome, failures }: Judgement, source: StorySource, story: Scenario): ReportedExpectation[] {
  const words = `expect[${index}]: ${inWords(expectation)}`;
  const where = source.place(['expect', index]);
  if (failures.length === 0)
    return [{ expectation: words, passed: true, where, wanted: words, got: outcome, at: null, nearby: [], look: null }];
  return failures.map((failure: Failure) => {
    const { wanted, got, atMs, look } = tellFailure(failure, source, story.seed);
    const nearby = failure.nearby.map(({ at, kind, of, what }) => ({ at, kind, of, what: { ...what } }));
    return { expectation: words, passed: false, where, wanted, got, at: atMs, nearby, look };
  });
}

const inWords = ({ that, ...rest }: Expectation): string =>
  [that, ...Object.entries(rest).map(([word, value]) => `${word} ${typeof value === 'string' ? value : JSON.stringify(value)}`)].join(' ');

function stepsOf(story: Scenario, facts: RunFacts): StoryReport['steps'] {
  return story.timeline.flatMap((step, i) => {
    const label = labelOf(step, i);
    const at = facts.steps.get(label);
    return at === undefined ? [] : [{ label, at, what: doing(step), on: [...(facts.targets.get(label) ?? [])] }];
  });
}

const WHEN: ReadonlySet<string> = new Set(['at', 'every', 'from', 'until', 'during', 'id']);
const doing = (step: Step): string =>
  Object.entries(step)
    .filter(([word]) => !WHEN.has(word))
    .map(([word, value]) => `${word} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');

function faultsOf(events: readonly FleetEvent[]): StoryReport['faults'] {
  const lives = new Map<string, { step: string; fault: string; of: string; phases: { phase: string; at: Millis }[] }>();
  for (const { kind, of, what, at } of events) {
    if (kind !== 'fault') continue;
    const [step, fault, phase] = ['step', 'fault', 'phase'].map((name) => String(what[name]));
    const life = lives.get(`${step} ${of}`) ?? { step, fault, of, phases: [] };
    lives.set(`${step} ${of}`, life);
    life.phases.push({ phase, at });
  }
  return [...lives.values()];
}

function alarmsOf(events: readonly FleetEvent[]): StoryReport['alarms'] {
  const alarms = new Map<string, StoryReport['alarms'][number]>();
  for (const { kind, of, what, at } of events) {
    if (kind !== 'alarm') continue;
    const id = String(what['id']);
    if (what['raised'] === true) alarms.set(id, { thing: of, feature: String(what['feature']), at, clearedAt: null });
    else {
      const raised = alarms.get(id);
      if (raised) alarms.set(id, { ...raised, clearedAt: at });
    }
  }
  return [...alarms.values()];
}
