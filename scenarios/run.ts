/** Plays one story in virtual time and holds it to its expectations. */
import type { Deployments } from '../actors/contracts/deployments.ts';
import { ConfigInvalid, didYouMean } from '../actors/contracts/errors.ts';
import type { FaultInjector } from '../actors/contracts/faults.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { OperatorCommand } from '../actors/contracts/telemetry.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import type { RunLog } from './digest.ts';
import type { Scenario, Step } from './dsl.ts';
import { type Failure, failuresOf } from './expectations.ts';

/** What a story needs of a world. */
export interface Stage {
  readonly things: readonly ThingName[];
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

/** @throws ConfigInvalid naming everything in the story that means nothing on this stage. */
export async function playStory(story: Scenario, stage: Stage): Promise<Played> {
  checkStory(story, stage);
  const end = parseDuration(story.duration)!;
  const steps = new Map<string, Millis>();
  const jobs = new Map<string, string>();
  const doing: Promise<unknown>[] = [];

  for (const step of story.timeline) {
    const at = parseDuration(step.at)!;
    if (step.id !== undefined) steps.set(step.id, at);
    stage.clock.setTimeout(() => {
      const done = perform(step, stage, jobs);
      done.catch(() => {}); // told below, when the story has been played
      doing.push(done);
    }, at);
  }
  await stage.clock.run(end);
  await Promise.all(doing);
  const failures = failuresOf(story, { things: stage.things, events: stage.events.events, steps, jobs, end });
  return { passed: failures.length === 0, digest: stage.events.digest(), failures };
}

async function perform(step: Step, stage: Stage, jobs: Map<string, string>): Promise<void> {
  if ('deploy' in step) {
    const { id } = await stage.deployments.deploy({ model: step.deploy, to: step.to ?? 'farm' });
    if (step.id !== undefined) jobs.set(step.id, id);
    return;
  }
  for (const thing of targets(step.on, stage)) {
    if ('fault' in step) {
      const lasting = step.for === undefined ? {} : { for: parseDuration(step.for)! };
      stage.faults.inject(thing, {
        fault: step.fault,
        severity: step.severity ?? 0.5,
        over: step.over === undefined ? 0 : parseDuration(step.over)!,
        ...lasting,
      });
    } else if ('clear' in step) stage.faults.clear(thing, step.clear);
    else await stage.command(thing, { command: step.command });
  }
}

const targets = (on: string, { things }: Stage) => (on === 'every turbine' ? things : [on]);

function checkStory(story: Scenario, stage: Stage): void {
  const wrong: string[] = [];
  const duration = (path: string, text: string | undefined) => {
    if (text !== undefined && parseDuration(text) === null) wrong.push(`${path}: "${text}" is no duration, as 90s, 8m`);
  };
  const thing = (path: string, name: string) => {
    if (name !== 'every turbine' && !stage.things.includes(name))
      wrong.push(`${path}: no turbine ${name}.${didYouMean(name, stage.things)}`);
  };
  const faults = stage.faults.catalogue.map(({ name }) => name);
  const ids = story.timeline.flatMap(({ id }) => (id === undefined ? [] : [id]));

  duration('duration', story.duration);
  for (const [i, step] of story.timeline.entries()) {
    const path = `timeline[${i}]`;
    duration(`${path}.at`, step.at);
    if ('on' in step) thing(`${path}.on`, step.on);
    if ('fault' in step) {
      duration(`${path}.over`, step.over);
      duration(`${path}.for`, step.for);
      if (!faults.includes(step.fault)) wrong.push(`${path}.fault: no fault ${step.fault}.${didYouMean(step.fault, faults)}`);
    }
  }
  for (const [i, e] of story.expect.entries()) {
    const path = `expect[${i}]`;
    if ('on' in e) thing(`${path}.on`, e.on);
    if ('within' in e) duration(`${path}.within`, e.within);
    for (const name of ['after', 'of'] as const) {
      const id = (e as { after?: string; of?: string })[name];
      if (id !== undefined && !ids.includes(id)) wrong.push(`${path}.${name}: no step has the id ${id}.${didYouMean(id, ids)}`);
    }
  }
  if (wrong.length > 0) throw new ConfigInvalid(`the story cannot be played:\n${wrong.join('\n')}`);
}
