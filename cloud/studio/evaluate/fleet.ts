/**
 * One seed of an evaluation, as data: groups of turbines, a wind each, and what happens to whom and when.
 *
 * Every fault stands at every severity on a turbine of its own, after a healthy lead-in; more turbines than that have none, and start,
 * stop, are derated, lose their heading, and stand in gusts, in changing wind and in wakes.
 */
import type { TurbineCommand } from '../../../actors/contracts/backing.ts';
import { ConfigInvalid, didYouMean } from '../../../actors/contracts/errors.ts';
import type { FaultKind, FaultOrder } from '../../../actors/contracts/faults.ts';
import type { ThingName } from '../../../actors/contracts/ids.ts';
import type { Rng } from '../../../actors/contracts/rng.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import { isSensorFault, type MachineProtocol, NORMAL_FAULTS, protocols, SEVERITIES } from './protocol.ts';

export interface LabelledFleet {
  readonly seed: number;
  readonly machine: string;
  readonly durationMs: Millis;
  readonly groups: readonly LabelledGroup[];
}

/** Turbines in one wind. */
export interface LabelledGroup {
  readonly name: string;
  readonly kind: 'steady' | 'gusty' | 'changing' | 'woken';
  readonly wind: GroupWind;
  /** Diameters between neighbours in a grid; absent: all in one place. */
  readonly spacingDiameters?: number;
  readonly turbines: readonly LabelledTurbine[];
  /** In the order of time. */
  readonly schedule: readonly Scheduled[];
}

export interface GroupWind {
  readonly meanMps: number;
  readonly turbulenceIntensity: number;
  readonly events: readonly WindChange[];
}

export type WindChange =
  | { readonly kind: 'gust'; readonly at: Millis }
  | { readonly kind: 'ramp'; readonly at: Millis; readonly over: Millis; readonly toMps: number };

export interface LabelledTurbine {
  readonly thing: ThingName;
  /** What it does in a normal life: `plain`, `stops`, `derated`, …; faulted turbines live plainly. */
  readonly habit: Habit;
  /** Null on a normal turbine. */
  readonly episode: Episode | null;
}

export type Habit = 'plain' | 'stops' | 'derated' | 'loses its heading' | 'stops and is derated';

/** One fault on one turbine, from its onset to the end. */
export interface Episode {
  readonly fault: string;
  readonly severity: number;
  /** Of a sensor fault. */
  readonly channel: string | null;
  readonly onsetMs: Millis;
  /** 0: a step. */
  readonly overMs: Millis;
}

export type Scheduled = { readonly at: Millis; readonly row: number } & (
  | { readonly do: 'fault'; readonly order: FaultOrder }
  | { readonly do: 'command'; readonly command: TurbineCommand }
);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const TICK = 50;
const DURATION = 40 * MINUTE;
const ONSET: readonly [number, number] = [10 * MINUTE, 14 * MINUTE];
const RAMP: readonly [number, number] = [2 * MINUTE, 6 * MINUTE];
const RAMPED_SHARE = 0.25;
const NORMAL_HOURS = 44; // of which standstill and the filling of windows leave more than 40
const KINDS = ['steady', 'steady', 'steady', 'steady', 'steady', 'gusty', 'changing', 'woken'] as const;

/**
 * The fleet of a seed, for a machine and its catalogue of faults.
 * @param rng of the seed. @throws ConfigInvalid for a machine that has no protocol
 */
export function evaluationFleet(seed: number, rng: Rng, machine: string, catalogue: readonly FaultKind[]): LabelledFleet {
  const protocol = protocolOf(machine);
  const chance = rng.fork('labelled fleet');
  const episodes = shuffle(episodesOf(seed, chance, protocol, catalogue), chance.fork('places'));
  const normals = Math.max(episodes.length, Math.ceil((NORMAL_HOURS * 60 * MINUTE) / DURATION));
  const jumps = catalogue.some(({ name }) => NORMAL_FAULTS.includes(name));
  const habits: readonly Habit[] = [
    'plain',
    'plain',
    'stops',
    'plain',
    'derated',
    jumps ? 'loses its heading' : 'plain',
    'stops and is derated',
  ];
  const means = shuffle(
    KINDS.map((_, i) => i),
    chance.fork('means'),
  );
  const gustiness = shuffle(
    KINDS.map((_, i) => i),
    chance.fork('turbulence'),
  );

  const groups = KINDS.map((kind, g): LabelledGroup => {
    const own = chance.fork(`group ${g}`);
    const within = (range: readonly [number, number], part: number, label: string) =>
      range[0] + ((range[1] - range[0]) * (part + own.fork(label).uniform(0))) / KINDS.length;
    const free = {
      meanMps: within(protocol.meanMps, means[g], 'mean'),
      turbulenceIntensity: within(protocol.turbulenceIntensity, gustiness[g], 'ti'),
    };
    const faulted = episodes.filter((_, i) => i % KINDS.length === g);
    const healthy = Array.from({ length: normals }, (_, i) => i).filter((i) => i % KINDS.length === g);
    const turbines = [
      ...faulted.map((episode, i): LabelledTurbine => ({ thing: `F-${g + 1}-${i + 1}`, habit: 'plain', episode })),
      ...healthy.map((_, i): LabelledTurbine => ({ thing: `N-${g + 1}-${i + 1}`, habit: habits[i % habits.length], episode: null })),
    ];
    return {
      name: `group ${g + 1}`,
      kind,
      wind: windOf(kind, free, protocol, own.fork('events')),
      ...(protocol.spacingDiameters === undefined ? {} : { spacingDiameters: protocol.spacingDiameters }),
      turbines,
      schedule: turbines
        .flatMap((turbine, row) => scheduleOf(turbine, row, own.fork(turbine.thing)))
        .sort((a, b) => a.at - b.at || a.row - b.row),
    };
  });
  return { seed, machine, durationMs: DURATION, groups };
}

/** @throws ConfigInvalid */
export function protocolOf(machine: string): MachineProtocol {
  if (Object.hasOwn(protocols, machine)) return protocols[machine];
  const names = Object.keys(protocols);
  throw new ConfigInvalid(`there is no evaluation for the machine ${machine}.${didYouMean(machine, names)}`, {
    hint: `machines: ${names.join(', ')}`,
  });
}

/** Every fault that the machine can suffer, at every severity; sensor faults take the channels in turn, from seed to seed. */
function episodesOf(seed: number, chance: Rng, protocol: MachineProtocol, catalogue: readonly FaultKind[]): Episode[] {
  const names = catalogue.map(({ name }) => name).filter((name) => !NORMAL_FAULTS.includes(name));
  return names.flatMap((fault, f) =>
    SEVERITIES.map((severity, s): Episode => {
      const own = chance.fork(`${fault} ${severity}`);
      return {
        fault,
        severity,
        channel: isSensorFault(fault) ? protocol.sensorChannels[(seed + f + s) % protocol.sensorChannels.length] : null,
        onsetMs: between(ONSET, own.uniform(0)),
        overMs: own.uniform(1) < RAMPED_SHARE ? between(RAMP, own.uniform(2)) : 0,
      };
    }),
  );
}

function windOf(kind: LabelledGroup['kind'], free: Omit<GroupWind, 'events'>, protocol: MachineProtocol, chance: Rng): GroupWind {
  const events: WindChange[] = [];
  const [low, high] = protocol.meanMps;
  const woken = kind === 'woken' && protocol.spacingDiameters === undefined ? inWake(free, 3 + 5 * chance.uniform(0)) : null;
  let n = 1;
  for (let at = 2 * MINUTE; at < DURATION; n++) {
    if (kind === 'gusty') events.push({ kind: 'gust', at });
    if (kind === 'changing')
      events.push({
        kind: 'ramp',
        at,
        over: between([20 * SECOND, 2 * MINUTE], chance.uniform(3 * n)),
        toMps: low + (high - low) * chance.uniform(3 * n + 1),
      });
    if (woken)
      events.push({
        kind: 'ramp',
        at,
        over: between([20 * SECOND, MINUTE], chance.uniform(3 * n)),
        toMps: n % 2 === 1 ? woken.meanMps : free.meanMps,
      }); // the wake drifts on and off the rotor
    at += between([3 * MINUTE, 7 * MINUTE], chance.uniform(3 * n + 2));
  }
  return { meanMps: free.meanMps, turbulenceIntensity: woken?.turbulenceIntensity ?? free.turbulenceIntensity, events };
}

const WAKE_THRUST = 0.6; // assumption for a machine without a thrust table
const WAKE_DECAY = 0.05; // Jensen's k, as FLORIS has it

/** Jensen's deficit and the added turbulence of Crespo and Hernández, so many diameters behind one turbine. */
function inWake({ meanMps, turbulenceIntensity }: Omit<GroupWind, 'events'>, diameters: number): Omit<GroupWind, 'events'> {
  const induction = (1 - Math.sqrt(1 - WAKE_THRUST)) / 2;
  const deficit = (2 * induction) / (1 + 2 * WAKE_DECAY * diameters) ** 2;
  const added = 0.5 * induction ** 0.8 * turbulenceIntensity ** 0.1 * diameters ** -0.32;
  return { meanMps: meanMps * (1 - deficit), turbulenceIntensity: Math.hypot(turbulenceIntensity, added) };
}

function scheduleOf({ habit, episode }: LabelledTurbine, row: number, chance: Rng): Scheduled[] {
  const schedule: Scheduled[] = [];
  if (episode) {
    const { fault, severity, channel, onsetMs, overMs } = episode;
    schedule.push({ at: onsetMs, row, do: 'fault', order: { fault, severity, over: overMs, ...(channel === null ? {} : { channel }) } });
  }
  if (habit === 'loses its heading')
    schedule.push({ at: between(ONSET, chance.uniform(0)), row, do: 'fault', order: { fault: NORMAL_FAULTS[0], severity: 1, over: 0 } });
  if (habit.includes('stops'))
    spells(chance.fork('stops'), [MINUTE, 3 * MINUTE], (at, until) => {
      schedule.push({ at, row, do: 'command', command: { type: 'stop' } }, { at: until, row, do: 'command', command: { type: 'start' } });
    });
  if (habit.includes('derated'))
    spells(chance.fork('derates'), [3 * MINUTE, 8 * MINUTE], (at, until, draw) => {
      schedule.push(
        { at, row, do: 'command', command: { type: 'derate', fraction: 0.3 + 0.6 * draw } },
        { at: until, row, do: 'command', command: { type: 'derate', fraction: 1 } },
      );
    });
  return schedule;
}

/** Spells of such a length, some minutes apart. @param draw of the spell's own, 0..1 */
function spells(chance: Rng, length: readonly [number, number], begin: (at: Millis, until: Millis, draw: number) => void): void {
  let at = between([2 * MINUTE, 8 * MINUTE], chance.uniform(0));
  for (let n = 1; at < DURATION; n++) {
    const until = at + between(length, chance.uniform(3 * n));
    begin(at, until, chance.uniform(3 * n + 1));
    at = until + between([4 * MINUTE, 8 * MINUTE], chance.uniform(3 * n + 2));
  }
}

/** On the grid of ticks. @param share 0..1 */
const between = ([low, high]: readonly [number, number], share: number): Millis => TICK * Math.round((low + (high - low) * share) / TICK);

/** Fisher–Yates. */
function shuffle<T>(items: readonly T[], chance: Rng): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(chance.uniform(i) * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}
