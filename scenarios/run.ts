/** Plays one story in virtual time and holds it to its expectations. */
import type { Deployments } from '../actors/contracts/deployments.ts';
import type { FaultInjector } from '../actors/contracts/faults.ts';
import type { Rng } from '../actors/contracts/rng.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { OperatorCommand } from '../actors/contracts/telemetry.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import type { RunLog } from './digest.ts';
import type { Scenario, Target } from './dsl.ts';
import type { Failure } from './expect/failure.ts';
import { failuresOf } from './expect/judge.ts';
import type { StoryThing } from './facts.ts';
import { type Occurrence, occurrencesOf } from './words/occurrences.ts';
import { resolveTargets } from './words/targets.ts';

/** What a story needs of a world. */
export interface Stage {
  readonly things: readonly StoryThing[];
  readonly rng: Rng;
  readonly clock: { setTimeout(run: () => void, delay: Millis): number; run(until: Millis): Promise<void> };
  readonly faults: FaultInjector;
  readonly deployments: Deployments;
  readonly events: RunLog;
  command(thing: ThingName, order: OperatorCommand): Promise<void>;
}

export interface Played {
  readonly passed: boolean;
  readonly digest: string;
  readonly failures: readonly Failure[];
}

/** @param story that `checkStory` has nothing against */
export async function playStory(story: Scenario, stage: Stage): Promise<Played> {
  const end = parseDuration(story.duration)!;
  const steps = new Map<string, Millis>();
  const targets = new Map<string, readonly ThingName[]>();
  const jobs = new Map<string, readonly string[]>();
  const doing: Promise<unknown>[] = [];

  for (const occurrence of occurrencesOf(story)) {
    const { label, at } = occurrence;
    if (!steps.has(label)) steps.set(label, at);
    stage.clock.setTimeout(() => {
      const done = perform(occurrence, stage, { targets, jobs });
      done.catch(() => {}); // told below, when the story has been played
      doing.push(done);
    }, at);
  }
  await stage.clock.run(end);
  await Promise.all(doing);
  const failures = failuresOf(story, {
    things: stage.things,
    events: stage.events.events,
    steps,
    targets,
    jobs,
    messages: new Map(),
    energyJ: new Map(),
    end,
  });
  return { passed: failures.length === 0, digest: stage.events.digest(), failures };
}

interface Notes {
  readonly targets: Map<string, readonly ThingName[]>;
  readonly jobs: Map<string, readonly string[]>;
}

async function perform({ label, does }: Occurrence, stage: Stage, { targets, jobs }: Notes): Promise<void> {
  const whom = (on: Target | null): readonly ThingName[] => {
    const things = resolveTargets(on ?? 'every turbine', stage.things, stage.rng, label);
    targets.set(label, things);
    return things;
  };
  switch (does.kind) {
    case 'deploy': {
      const { id } = await stage.deployments.deploy({ model: does.words.deploy, to: does.words.to ?? 'farm' });
      jobs.set(label, [id]);
      return;
    }
    case 'fault': {
      const { kind: _, on, attributes: _attributes, ...order } = does;
      for (const thing of whom(on)) stage.faults.inject(thing, order);
      return;
    }
    case 'clear':
      for (const thing of whom(does.on)) stage.faults.clear(thing, does.fault);
      return;
    case 'command':
      for (const thing of whom(does.on)) await stage.command(thing, does.order);
      return;
    default:
      throw new Error(`${does.kind} is not played yet`);
  }
}
