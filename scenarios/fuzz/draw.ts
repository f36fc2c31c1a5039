/**
 * Random stories: a small farm, faults of every kind at random times, updates and operators between them, and then some quiet minutes in
 * which everything that was promised must come true. A story is a function of its seed.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import { type Millis, parseDuration, printDuration } from '../../actors/contracts/units.ts';
import type { Expectation, FleetEntry, Scenario, Step, Wind } from '../dsl.ts';
import type { AttributeKind, WorldFault } from '../faults.ts';
import { type Dice, openDice } from './dice.ts';

/** What stories are made of. */
export interface Palette {
  /** Fleet, wind and length are its own; absent: a small farm of desk turbines. */
  readonly base: Pick<Scenario, 'fleet' | 'wind' | 'duration'> | null;
  /** The turbines of that fleet, in its order; of the small farm as many as are drawn. */
  readonly things: readonly string[];
  /** By name, what the bodies can suffer. */
  readonly bodyFaults: readonly string[];
  readonly worldFaults: readonly WorldFault[];
  /** `name@version`, what may be deployed. */
  readonly models: readonly string[];
  /** What every story must keep. */
  readonly expect: readonly Expectation[];
}

/** Long enough after the last fault for the slowest promise: an update that waits on a turbine that stands still. */
const QUIET_MS = 8 * 60_000;
const TROUBLE_MS = 6 * 60_000;
const STEPS_MAX = 6;
const SMALLEST_MS = 10_000;

export function drawStory(seed: number, palette: Palette, rng: Rng): Scenario {
  const dice = openDice(rng.fork('fuzz').fork('story'));
  const end = palette.base ? parseDuration(palette.base.duration)! : TROUBLE_MS + QUIET_MS;
  const trouble = Math.max(SMALLEST_MS, end - QUIET_MS);
  const turbines = dice.whole(1, 4);
  const things = palette.base ? palette.things : Array.from({ length: turbines }, (_, i) => `T-00${i + 1}`);
  const steps = Array.from({ length: dice.whole(1, STEPS_MAX) }, (_, i) => drawStep(i, things, trouble, palette, dice));
  return {
    about: `Random story ${seed}.`,
    seed,
    duration: printDuration(end),
    fleet: palette.base?.fleet ?? smallFleet(turbines),
    wind: palette.base?.wind ?? drawWind(dice),
    timeline: steps.flat().sort((a, b) => beginning(a) - beginning(b)),
    expect: palette.expect,
  };
}

const smallFleet = (twins: number): readonly FleetEntry[] => [{ twins, like: 'desk-turbine' }];

const drawWind = (dice: Dice): Wind => ({
  meanMps: Number(dice.between(0.9, 2.2).toFixed(1)),
  turbulenceIntensity: Number(dice.between(0.05, 0.25).toFixed(2)),
});

const beginning = (step: Step): Millis => ('at' in step ? parseDuration(step.at)! : 0);

/** A step, and what belongs to it. */
function drawStep(i: number, things: readonly string[], trouble: Millis, palette: Palette, dice: Dice): Step[] {
  const from = 1_000 * dice.whole(5, Math.floor(trouble / 1_000) - 5);
  const at = printDuration(from);
  const lasts = () => printDuration(1_000 * dice.whole(1, Math.max(1, Math.floor((trouble - from) / 1_000)))); // all faults end in time
  const kind = dice.between(0, 1);
  const { bodyFaults, worldFaults, models } = palette;
  if (kind < 0.3 && models.length > 0) {
    const deploy: Step = { at, deploy: dice.oneOf(models), to: dice.happens(0.7) ? 'farm' : dice.oneOf(things), id: `update-${i}` };
    const spoilers = worldFaults.filter(({ actsOn }) => actsOn === 'deploy');
    if (spoilers.length === 0 || !dice.happens(0.35)) return [deploy];
    return [{ at, fault: dice.oneOf(spoilers).name, on: `update-${i}` }, deploy];
  }
  if (kind < 0.4) {
    const command = dice.oneOf(['start', 'stop', 'reset'] as const);
    return [{ at, command, on: dice.happens(0.3) ? 'every turbine' : dice.oneOf(things) }];
  }
  const outside = worldFaults.filter(({ actsOn, notOn }) => actsOn !== 'deploy' && notOn.twins === undefined);
  if (kind < 0.75 && outside.length > 0) {
    const fault = dice.oneOf(outside);
    const attributes = drawAttributes(fault, dice);
    return [
      {
        at,
        fault: fault.name,
        ...(fault.actsOn === 'service' ? {} : { on: dice.happens(0.25) ? 'every turbine' : dice.oneOf(things) }),
        for: lasts(),
        ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
      },
    ];
  }
  return [
    {
      at,
      fault: dice.oneOf(bodyFaults),
      on: dice.oneOf(things),
      severity: Number(dice.between(0.05, 1).toFixed(2)),
      ...(dice.happens(0.4) ? { over: printDuration(1_000 * dice.whole(1, 60)) } : {}),
      for: lasts(),
    },
  ];
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
