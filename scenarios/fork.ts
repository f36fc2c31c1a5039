/**
 * A run continued under another policy: the story is played again from its seed, and from an instant on something is different. Until
 * then nothing may be: the events before it are held to the parent's.
 */
import { readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { didYouMean, FileInvalid, reasonOf, UsageError } from '../actors/contracts/errors.ts';
import { parseModelId } from '../actors/contracts/ids.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import type { DeployWords, Scenario, Step } from './dsl.ts';
import { clockTime } from './expect/clock-time.ts';

/** What is different from the instant on. */
export interface ForkPolicy {
  readonly at: Millis;
  /** A window is anomalous above this, instead of above 1. */
  readonly threshold?: number;
  /** `name@version`, deployed to the farm at the instant. */
  readonly model?: string;
  /** How models are deployed by steps after the instant. */
  readonly plan?: RolloutPlan;
}

export type RolloutPlan = Pick<DeployWords, 'waves' | 'soak' | 'budgetKw' | 'window'>;

const SETTINGS = ['threshold', 'model', 'plan'];

const Plan = z
  .strictObject({
    waves: z
      .array(z.union([z.int().min(1), z.string().regex(/^\d+(\.\d+)?%$/)]))
      .min(1)
      .optional(),
    soak: z
      .string()
      .refine((text) => parseDuration(text) !== null, 'is no duration, as 2m')
      .optional(),
    budgetKw: z.number().positive().optional(),
    window: z.string().min(1).optional(),
  })
  .refine((plan) => Object.keys(plan).length > 0, 'says nothing');

/**
 * @param at `20m` @param settings `threshold=0.8`, `model=windturbine-anomaly@1.1.0`, `plan=plan.yaml`; none: nothing is different
 * @throws UsageError, FileInvalid
 */
export function readForkPolicy(at: string, settings: readonly string[]): ForkPolicy {
  const instant = parseDuration(at);
  if (instant === null) throw new UsageError(`--at ${at} is no instant of a story`, { hint: 'as 20m, from its start' });
  const set = new Map<string, string>();
  for (const setting of settings) {
    const [, name = setting, value = ''] = /^([^=]*)=(.*)$/.exec(setting) ?? [];
    if (!SETTINGS.includes(name))
      throw new UsageError(`--set ${setting}: no policy ${JSON.stringify(name)}.${didYouMean(name, SETTINGS)}`, {
        hint: 'as --set threshold=0.8, --set model=windturbine-anomaly@1.1.0, --set plan=plan.yaml',
      });
    if (value === '') throw new UsageError(`--set ${setting}: to what?`);
    if (set.has(name)) throw new UsageError(`--set ${name} is said twice`);
    set.set(name, value);
  }
  const [threshold, model, plan] = SETTINGS.map((name) => set.get(name));
  return {
    at: instant,
    ...(threshold === undefined ? {} : { threshold: readThreshold(threshold) }),
    ...(model === undefined ? {} : { model: readModel(model) }),
    ...(plan === undefined ? {} : { plan: readPlan(plan) }),
  };
}

/** The story as the fork plays it. @throws UsageError for an instant that it does not have, or a plan without a deployment after it */
export function forkedStory(story: Scenario, { at, model, plan }: ForkPolicy): Scenario {
  if (at > parseDuration(story.duration)!)
    throw new UsageError(`--at ${clockTime(at)} is after the story’s end, ${story.duration}`, { hint: 'name an instant within it' });
  const isLater = (step: Step) => 'at' in step && parseDuration(step.at)! >= at;
  const deploys = story.timeline.filter((step) => 'deploy' in step && isLater(step));
  if (plan && deploys.length === 0)
    throw new UsageError(`nothing is deployed after ${clockTime(at)}: a plan changes nothing`, { hint: 'name an earlier instant' });
  const planned = plan ? story.timeline.map((step) => (deploys.includes(step) ? ({ ...step, ...plan } as Step) : step)) : story.timeline;
  const timeline = model === undefined ? planned : [...planned, { at: clockTime(at), deploy: model, id: freeId(story, 'fork') }];
  return timeline === story.timeline ? story : { ...story, timeline };
}

function freeId({ timeline }: Scenario, wanted: string): string {
  const taken = new Set(timeline.map(({ id }) => id));
  for (let n = 1; ; n++) if (!taken.has(n === 1 ? wanted : `${wanted}-${n}`)) return n === 1 ? wanted : `${wanted}-${n}`;
}

function readThreshold(text: string): number {
  const threshold = Number(text);
  if (text.trim() !== '' && threshold > 0 && threshold < 1_000) return threshold;
  throw new UsageError(`--set threshold=${text}: must be a number above 0`, { hint: '1 is the model’s own; 0.8 alarms sooner' });
}

function readModel(text: string): string {
  if (parseModelId(text)) return text;
  throw new UsageError(`--set model=${text} is no model`, { hint: 'name one as windturbine-anomaly@1.1.0' });
}

function readPlan(file: string): RolloutPlan {
  try {
    return Plan.parse(parseYaml(readFileSync(file, 'utf8'))) as RolloutPlan;
  } catch (error) {
    const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    const why = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error).split('\n')[0];
    throw new FileInvalid(`${file}:${start?.line ?? 1}:${start?.col ?? 1}: is no rollout plan: ${why}`, {
      cause: error,
      hint: 'as waves: [10%, 100%] and soak: 2m',
    });
  }
}
