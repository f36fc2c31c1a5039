/**
 * Random stories: a small farm, faults of every kind at random times, updates and operators between them, and then some quiet minutes in
 * which everything that was promised must come true. A story is a function of its seed.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import { type Millis, parseDuration, printDuration } from '../../actors/contracts/units.ts';
import type { DeployWords, Expectation, ModelCopy, Scenario, Step, Wind } from '../dsl.ts';
import type { StoryThing } from '../facts.ts';
import type { AttributeKind, WorldFault } from '../faults.ts';
import { type Dice, openDice } from './dice.ts';

/** What stories are made of. */
export interface Palette {
  /** Fleet, wind and length are its own; null: a small farm of desk turbines. */
  readonly base: Pick<Scenario, 'fleet' | 'wind' | 'duration' | 'models'> | null;
  /** The turbines of that fleet, in its order; of the small farm the most that are drawn. */
  readonly things: readonly StoryThing[];
  /** By machine, what the bodies of twins can suffer. */
  readonly bodyFaults: ReadonlyMap<string, readonly string[]>;
  readonly worldFaults: readonly WorldFault[];
  /** `name@version`, what may be deployed. */
  readonly models: readonly string[];
  /** Models among them that a story publishes itself, in this order. */
  readonly copies: readonly ModelCopy[];
  /** What every story must keep. */
  readonly expect: readonly Expectation[];
}

/** Longer than the slowest promise: a job that waits on a turbine that stands still ends 9 min after the last fault. */
const QUIET_MS = 570_000;
const TROUBLE_MS = 180_000;
const STEPS_MAX = 6;
const FIRST_MS = 5_000;
/** Of a story of somebody's own that is no longer than the quiet. */
const TROUBLED_SHARE = 0.6;

export function drawStory(seed: number, palette: Palette, rng: Rng): Scenario {
  const { base, expect } = palette;
  const dice = openDice(rng.fork('fuzz').fork('story'));
  const end = base ? parseDuration(base.duration)! : TROUBLE_MS + QUIET_MS;
  const trouble = end > 2 * QUIET_MS || !base ? end - QUIET_MS : TROUBLED_SHARE * end;
  const many = dice.whole(1, palette.things.length);
  const things = base ? palette.things : palette.things.slice(0, many);
  const steps = Array.from({ length: dice.whole(1, STEPS_MAX) }, (_, i) => drawStep(i, things, trouble, palette, dice));
  const timeline = steps.flat().sort((a, b) => beginning(a) - beginning(b));
  const wind = base ? base.wind : drawWind(dice);
  const models = [...(base?.models ?? []), ...neededCopies(timeline, palette.copies)];
  return {
    about: `Random story ${seed}.`,
    seed,
    duration: printDuration(end),
    fleet: base?.fleet ?? [{ twins: many, like: things[0].machine }],
    ...(wind === undefined ? {} : { wind }),
    ...(models.length === 0 ? {} : { models }),
    timeline,
    expect,
  };
}

const drawWind = (dice: Dice): Wind => ({
  meanMps: Number(dice.between(0.9, 2.2).toFixed(1)),
  turbulenceIntensity: Number(dice.between(0.05, 0.25).toFixed(2)),
});

const beginning = (step: Step): Millis => ('at' in step ? parseDuration(step.at)! : 0);

/** Those that are deployed; all of them when one is, since their order gives them their sequences. */
const neededCopies = (timeline: readonly Step[], copies: readonly ModelCopy[]): readonly ModelCopy[] =>
  timeline.some((step) => 'deploy' in step && copies.some(({ model }) => model === step.deploy)) ? copies : [];

/** A step, and what belongs to it. */
function drawStep(i: number, things: readonly StoryThing[], trouble: Millis, palette: Palette, dice: Dice): Step[] {
  const from = Math.max(1_000, Math.min(1_000 * dice.whole(FIRST_MS / 1_000, Math.floor(trouble / 1_000) - 5), trouble - 1_000));
  const at = printDuration(from);
  const lasts = () => printDuration(1_000 * dice.whole(1, Math.max(1, Math.floor((trouble - from) / 1_000)))); // all faults end in time
  const kind = dice.between(0, 1);
  if (kind < 0.35 && palette.models.length > 0) return drawUpdate(i, at, things, palette, dice);
  if (kind < 0.42) {
    const command = dice.oneOf(['start', 'stop', 'reset', 'derate'] as const);
    const on = dice.happens(0.3) ? 'every turbine' : dice.oneOf(things).name;
    return [command === 'derate' ? { at, command, on, fraction: Number(dice.between(0, 1).toFixed(2)) } : { at, command, on }];
  }
  const thing = dice.oneOf(things);
  const isFor = ({ actsOn, notOn }: WorldFault, { body }: StoryThing) =>
    actsOn === 'service' || (actsOn === 'turbine' && notOn[body] === undefined);
  const outside = palette.worldFaults.filter((fault) => isFor(fault, thing));
  const inside = thing.body === 'twins' ? (palette.bodyFaults.get(thing.machine) ?? []) : [];
  if (inside.length === 0 || kind < 0.78) {
    const fault = dice.oneOf(outside);
    const attributes = drawAttributes(fault, dice);
    const isForAll = dice.happens(0.25) && things.every((one) => isFor(fault, one));
    return [
      {
        at,
        fault: fault.name,
        ...(fault.actsOn === 'service' ? {} : { on: isForAll ? 'every turbine' : thing.name }),
        for: lasts(),
        ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
      },
    ];
  }
  return [
    {
      at,
      fault: dice.oneOf(inside),
      on: thing.name,
      severity: Number(dice.between(0.05, 1).toFixed(2)),
      ...(dice.happens(0.4) ? { over: printDuration(1_000 * dice.whole(1, 60)) } : {}),
      for: lasts(),
    },
  ];
}

/** A rollout, in waves or at once, with what spoils its model, what an operator does with it, and a power cut at one of its stages. */
function drawUpdate(i: number, at: string, things: readonly StoryThing[], { worldFaults, models }: Palette, dice: Dice): Step[] {
  const id = `update-${i}`;
  const thing = dice.oneOf(things).name;
  const to = dice.happens(0.7) ? 'farm' : thing;
  const deploy: Step = { at, deploy: dice.oneOf(models), to, id, ...(dice.happens(0.4) ? drawWaves(dice) : {}) };
  const steps: Step[] = [deploy];
  const cut = worldFaults.find(({ name }) => name === 'power-cut');
  if (cut && dice.happens(0.2))
    steps.unshift({ at, fault: cut.name, on: thing, for: printDuration(1_000 * dice.whole(1, 60)), attributes: drawAttributes(cut, dice) });
  const spoilers = worldFaults.filter(({ actsOn }) => actsOn === 'deploy');
  if (spoilers.length > 0 && dice.happens(0.3)) {
    const fault = dice.oneOf(spoilers);
    const attributes = drawAttributes(fault, dice);
    steps.unshift({
      at,
      fault: fault.name,
      on: id,
      ...(fault.hasSeverity && dice.happens(0.6) ? { severity: Number(dice.between(0.05, 1).toFixed(2)) } : {}),
      ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    });
  }
  return dice.happens(0.25) ? [...steps, ...drawOrders(id, parseDuration(at)!, dice)] : steps;
}

/** On a small farm the first wave is one turbine, or two. */
const drawWaves = (dice: Dice): Pick<DeployWords, 'waves' | 'soak' | 'window'> => ({
  waves: dice.oneOf([
    ['10%', '100%'],
    ['10%', '50%', '100%'],
    ['50%', '100%'],
    [1, 2, '100%'],
  ] satisfies DeployWords['waves'][]),
  soak: printDuration(1_000 * dice.whole(5, 90)),
  ...(dice.happens(0.15) ? { window: dice.oneOf(['below 2 m/s', 'above 1 m/s']) } : {}),
});

/** What an operator does with a rollout: ends it, sends it back, or lets it rest for a while. */
function drawOrders(of: string, begun: Millis, dice: Dice): Step[] {
  const first = begun + 1_000 * dice.whole(1, 120);
  const at = printDuration(first);
  const order = dice.oneOf(['abort', 'rollback', 'pause'] as const);
  if (order === 'abort') return [{ at, abort: of }];
  if (order === 'rollback') return [{ at, rollback: of }];
  return [{ at, pause: of }, ...(dice.happens(0.8) ? [{ at: printDuration(first + 1_000 * dice.whole(1, 60)), resume: of }] : [])];
}

/** Some of a fault's attributes, within their bounds and rather small than large. */
function drawAttributes({ attributes }: WorldFault, dice: Dice): Record<string, number | string> {
  const drawn: Record<string, number | string> = {};
  for (const [name, kind] of Object.entries(attributes)) if (dice.happens(0.6)) drawn[name] = drawAttribute(kind, dice);
  return drawn;
}

function drawAttribute(kind: AttributeKind, dice: Dice): number | string {
  if ('oneOf' in kind) return dice.oneOf(kind.oneOf);
  const usual = Math.min(kind.max, Math.max(kind.min, 4 * Math.abs(kind.default ?? kind.min) || 1_000));
  const value = dice.between(Math.max(kind.min, -usual), usual);
  return kind.isWhole || value > 100 ? Math.round(value) : Number(value.toFixed(1));
}
