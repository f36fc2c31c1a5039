/** Plays one story in virtual time and holds it to its expectations. */
import type { Clock } from '../actors/contracts/clock.ts';
import type { Deployments, RolloutWishes } from '../actors/contracts/deployments.ts';
import { JobRefused } from '../actors/contracts/errors.ts';
import type { FaultInjector } from '../actors/contracts/faults.ts';
import type { FleetEvent } from '../actors/contracts/log.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Rng } from '../actors/contracts/rng.ts';
import type { OperatorCommand } from '../actors/contracts/telemetry.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import type { RunLog } from './digest.ts';
import type { Scenario } from './dsl.ts';
import type { Failure } from './expect/failure.ts';
import { type Judgement, judge } from './expect/judge.ts';
import type { RunFacts, StoryThing } from './facts.ts';
import { type WorldFault, worldFaults } from './faults.ts';
import { type ModelShelf, type SpoiledDeploys, spoiledDeploys } from './faulty/deploys.ts';
import { createLives, type Lives } from './faulty/lives.ts';
import type { Outside } from './faulty/outside.ts';
import { type Deed, type Occurrence, occurrencesOf } from './words/occurrences.ts';
import type { Witness } from './witness.ts';
import { resolveTargets, type Whom } from './words/targets.ts';

/** What a story needs of a world. */
export interface Stage {
  readonly things: readonly StoryThing[];
  readonly rng: Rng;
  readonly clock: Clock;
  /** Faults in bodies. */
  readonly bodies: FaultInjector;
  /** Faults between them and the rest. */
  readonly outside: Outside;
  readonly models: ModelShelf;
  readonly deployments: Deployments;
  /** A rollout plan beside the story. @throws FileInvalid */
  plan(file: string): RolloutWishes;
  readonly events: RunLog;
  /** Probes for invariants; absent: none of the story's expectations asks for them. */
  readonly watch?: StageWatch | undefined;
  command(thing: ThingName, order: OperatorCommand): Promise<void>;
}

export interface StageWatch {
  witness(): Witness;
  /** Asks, once the story has been played, what is known only then. */
  finish(): Promise<void>;
}

export interface PlayOptions {
  /** Ends there instead of at the story's end: what is expected after it is not judged. */
  readonly until?: Millis;
  /**
   * Brings the clock to an instant: at once, or beside the wall's. Resolves earlier when it is told to end.
   * @param look what has come of it so far
   */
  readonly advance: (until: Millis, look: () => Glance) => Promise<void>;
}

/** A run while it is played. */
export interface Glance {
  readonly judgements: readonly Judgement[];
  /** `bearing-wear on T-001`, of those that are at work. */
  readonly faults: readonly string[];
}

export interface Played {
  readonly passed: boolean;
  readonly digest: string;
  readonly judgements: readonly Judgement[];
  readonly failures: readonly Failure[];
  readonly facts: RunFacts;
}

/** @param story that `checkStory` has nothing against */
export async function playStory(story: Scenario, stage: Stage, { until, advance }: PlayOptions): Promise<Played> {
  const { clock, events } = stage;
  const end = Math.min(parseDuration(story.duration)!, until ?? Infinity);
  const steps = new Map<string, Millis>();
  const notes: Notes = {
    story,
    targets: new Map(),
    jobs: new Map(),
    rollouts: new Map(),
    lives: createLives(clock, events, stage.bodies),
    deploys: spoiledDeploys(stage.models, stage.outside),
  };
  const doing: Promise<unknown>[] = [];

  for (const occurrence of occurrencesOf(story)) {
    const { label, at } = occurrence;
    if (at > end) continue;
    clock.setTimeout(() => {
      if (!steps.has(label)) steps.set(label, at);
      const done = perform(occurrence, stage, notes);
      done.catch(() => {}); // told below, when the story has been played
      doing.push(done);
    }, at);
  }
  watchRollouts(stage, notes);
  const factsNow = (): RunFacts => ({
    things: stage.things,
    events: events.events,
    steps,
    targets: notes.targets,
    jobs: notes.jobs,
    messages: stage.outside.messages(),
    energyJ: stage.outside.energyJ(),
    ...(stage.watch ? { witness: stage.watch.witness() } : {}),
    end: clock.now(),
  });
  await advance(end, () => ({ judgements: judge(story, factsNow()), faults: faultsAtWork(events.events) }));
  const rest = Symbol('rest');
  for (const done of doing) {
    // What still waits for time that does not come any more is no failure of its own: its expectations say what is missing.
    const result = await Promise.race([done, new Promise((late) => setImmediate(() => late(rest)))]);
    if (result === rest) continue;
  }
  stage.outside.assertWhole();
  await stage.watch?.finish();
  const facts = factsNow();
  const judgements = judge(story, facts);
  const failures = judgements.flatMap((judgement) => judgement.failures);
  return { passed: failures.length === 0, digest: events.digest(), judgements, failures, facts };
}

function faultsAtWork(events: readonly FleetEvent[]): string[] {
  const phases = new Map<string, { readonly name: string; readonly phase: unknown }>();
  for (const { kind, of, what } of events)
    if (kind === 'fault') phases.set(`${String(what['step'])} ${of}`, { name: `${String(what['fault'])} on ${of}`, phase: what['phase'] });
  return [...phases.values()].filter(({ phase }) => phase === 'active').map(({ name }) => name);
}

interface Notes {
  readonly story: Scenario;
  readonly targets: Map<string, readonly ThingName[]>;
  readonly jobs: Map<string, readonly string[]>;
  /** Labels of deploy steps, by the rollout that each has made. */
  readonly rollouts: Map<string, string>;
  readonly lives: Lives;
  readonly deploys: SpoiledDeploys;
}

async function perform(occurrence: Occurrence, stage: Stage, notes: Notes): Promise<void> {
  const { label, does } = occurrence;
  const { clock, events, deployments } = stage;
  const whom = (on: Whom): readonly ThingName[] => {
    const things = resolveTargets(on, stage.things, stage.rng, label);
    notes.targets.set(label, things);
    if (typeof on === 'object') events.append({ at: clock.now(), kind: 'step', of: label, what: { things: things.join(' ') } });
    return things;
  };
  switch (does.kind) {
    case 'deploy': {
      const { deploy, to = 'farm', waves, soak, budgetKw, window, plan } = does.words;
      await notes.deploys.ready(label, deploy);
      const said = { waves, soak: soak === undefined ? undefined : parseDuration(soak)!, budgetKw, window };
      const wishes = {
        ...(plan === undefined ? {} : stage.plan(plan)),
        ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
      };
      const { id, rollout } = await deployments.deploy({ model: deploy, to, ...wishes });
      notes.rollouts.set(id, label);
      for (const { jobId } of rollout?.waves ?? []) if (jobId !== null) noteJob(notes, label, jobId);
      // What has become of it before anyone knew its label.
      const early = events.events.filter(({ kind, of, what }) => kind === 'rollout' && of === id && what['status'] !== 'IN_PROGRESS');
      for (const status of ['IN_PROGRESS', ...early.map(({ what }) => String(what['status']))])
        events.append({ at: clock.now(), kind: 'rollout', of: label, what: { status } });
      return;
    }
    case 'fault':
      beginFault(does, occurrence, stage, notes, whom);
      return;
    case 'clear': {
      const things = does.on === null ? [null] : whom(does.on);
      for (const thing of things) notes.lives.clear(does.fault, thing);
      return;
    }
    case 'command':
      for (const thing of whom(does.on)) await stage.command(thing, does.order);
      return;
    case 'pause':
    case 'resume':
    case 'abort':
    case 'rollback':
      for (const [id, of] of notes.rollouts) if (of === does.of) await order(does.kind, id, occurrence, stage);
      return;
  }
}

/** One that has ended by itself meanwhile is told so; the story goes on. */
async function order(
  kind: 'pause' | 'resume' | 'abort' | 'rollback',
  id: string,
  { label }: Occurrence,
  { clock, events, deployments }: Stage,
): Promise<void> {
  try {
    await deployments[kind === 'abort' ? 'cancel' : kind](id);
  } catch (error) {
    if (!(error instanceof JobRefused)) throw error;
    events.append({ at: clock.now(), kind: 'step', of: label, what: { refused: error.message } });
  }
}

const noteJob = ({ jobs }: Notes, label: string, job: string): void => {
  const known = jobs.get(label) ?? [];
  if (!known.includes(job)) jobs.set(label, [...known, job]);
};

function beginFault(
  does: Extract<Deed, { readonly kind: 'fault' }>,
  { label, index, repetition }: Occurrence,
  { things, outside }: Stage,
  { story, lives, deploys }: Notes,
  whom: (on: Whom) => readonly ThingName[],
): void {
  const { kind: _, on, attributes: given, ...order } = does;
  const world = worldFaults.find(({ name }) => name === order.fault);
  if (!world) {
    for (const thing of whom(on!)) lives.injectBody(label, thing, order);
    return;
  }
  const { name } = world;
  const attributes = { ...defaultsOf(world.attributes), ...given };
  const lasts = order.for ?? LASTS_MS.get(name) ?? null;
  const chance = repetition === 0 ? label : `${label} ${repetition}`;
  if (world.actsOn === 'deploy') {
    const deploy = String((story.timeline[index] as { readonly on?: unknown }).on);
    const [model] = story.timeline.flatMap((step) => (step.id === deploy && 'deploy' in step ? [step.deploy] : []));
    lives.begin(
      label,
      deploy,
      name,
      () => deploys.begin(deploy, model, { fault: name, label: chance, severity: order.severity, attributes }),
      lasts,
    );
    return;
  }
  const targets = world.actsOn === 'service' ? [SERVICES.get(name)!] : whom(on!);
  for (const of of targets) {
    const body = things.find((thing) => thing.name === of)?.body ?? null;
    lives.begin(label, of, name, () => outside.begin({ name, of, body, label: chance, attributes }), lasts);
  }
}

const defaultsOf = (attributes: WorldFault['attributes']): Record<string, number | string> =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, attribute]) => (attribute.default === undefined ? [] : [[name, attribute.default]])),
  );

/** How long a fault lasts that says nothing of it, and could not last for ever. */
const LASTS_MS: ReadonlyMap<string, Millis> = new Map([
  ['broker-restart', 2_000],
  ['power-cut', 5_000],
]);

/** What the event log calls the services. */
const SERVICES: ReadonlyMap<string, string> = new Map([
  ['broker-restart', 'broker'],
  ['store-slow', 'store'],
  ['store-failing', 'store'],
  ['url-expired', 'store'],
]);

/** Tells the event log of the rollouts by the labels of their deploy steps, and notes the jobs of their waves. */
function watchRollouts({ events }: Stage, notes: Notes): void {
  events.onAppend(({ at, kind, of, what }) => {
    const label = kind === 'rollout' ? notes.rollouts.get(of) : undefined;
    if (label === undefined) return;
    const { job, ...told } = what;
    if (typeof job === 'string') noteJob(notes, label, job);
    events.append({ at, kind, of: label, what: told });
  });
}
