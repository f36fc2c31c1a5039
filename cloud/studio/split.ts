/**
 * Which samples train, which are held out, and which are left out: a rotor that stands still, a fault that was at work.
 *
 * Of what is usable the first three quarters of every turbine's time train, or three turbines of four. Between the parts, and at every
 * gap, the pipeline begins anew: no window and no memory spans two parts, or time that was not recorded.
 */
import type { Channel } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { FaultInterval } from '../../actors/contracts/ground-truth.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { SampleHearer } from './samples.ts';

export type HoldOut = 'time' | 'turbine';

export interface SplitOptions {
  readonly file: string;
  readonly channels: readonly Channel[];
  /** By row; it may grow until the survey has ended. */
  readonly things: readonly ThingName[];
  readonly faults: readonly FaultInterval[];
  readonly holdOut: HoldOut;
  /** Only samples of a rotor that turns are usable. */
  readonly turningOnly: boolean;
}

/** What one turbine's samples are, counted. */
export interface TurbineSurvey {
  samples: number;
  usable: number;
  faulted: number;
  gaps: number;
}

export interface Survey {
  /** By row. */
  readonly turbines: readonly TurbineSurvey[];
  /** First and last instant, epoch milliseconds. */
  readonly from: Millis;
  readonly to: Millis;
}

const SAMPLE_MS = 50;
const GAP_MS = 500;
const STILL_SAMPLES = 200;
const TRAINS = 0.75;
const EVERY_HELD_OUT = 4; // one turbine of so many
const PACE = [25, 100] as const; // ms: what passes for 20 samples a second

/** Hears a usable sample. @param anew it has nothing to do with the one before it of that row */
export type UsableHearer = (row: number, part: 'training' | 'heldOut', anew: boolean, values: Float64Array, offset: number) => void;

/** Counts everything; `finish` judges. */
export function createSurvey(options: SplitOptions): { readonly hear: SampleHearer; finish(): Survey } {
  const turbines: TurbineSurvey[] = [];
  const gate = createGate(options);
  const lastAt: number[] = [];
  let [from, to] = [Infinity, -Infinity];
  let [intervals, inPace, span] = [0, 0, 0];
  return {
    hear(row, at, values, offset) {
      while (turbines.length <= row) turbines.push({ samples: 0, usable: 0, faulted: 0, gaps: 0 });
      const turbine = turbines[row];
      turbine.samples++;
      if (lastAt[row] !== undefined) {
        const step = at - lastAt[row];
        intervals++;
        if (step <= GAP_MS) span += step;
        else turbine.gaps++;
        if (step >= PACE[0] && step <= PACE[1]) inPace++;
      }
      lastAt[row] = at;
      if (at < from) from = at;
      if (at > to) to = at;
      const state = gate(row, at, values, offset);
      if (state === FAULTED) turbine.faulted++;
      else if (state !== STILL) turbine.usable++;
    },
    finish() {
      const { file } = options;
      if (intervals > 0 && inPace < intervals / 2) {
        const usual =
          turbines.reduce((sum, { gaps }) => sum + gaps, 0) > intervals / 2 ? `more than ${GAP_MS}` : `${Math.round(span / intervals)}`;
        throw new FileInvalid(`${file}: its samples come ${usual} ms apart, and a window wants one each ${SAMPLE_MS} ms`, {
          hint: 'record at the full rate: logs that a device sent once a second are too coarse',
        });
      }
      if (options.turningOnly && turbines.every(({ usable, faulted }) => usable + faulted === 0))
        throw new FileInvalid(`${file}: no rotor ever turns in it`, { hint: 'record in more wind' });
      return { turbines, from, to };
    },
  };
}

/** Only the usable samples, each with its part. Made for one reading from the start. */
export function splitSamples(options: SplitOptions, survey: Survey, use: UsableHearer): SampleHearer {
  const gate = createGate(options);
  const counts = new Float64Array(survey.turbines.length);
  const heldOutRows = heldOutTurbines(options, survey);
  return (row, at, values, offset) => {
    if (row >= counts.length) return; // the file has grown since
    const state = gate(row, at, values, offset);
    if (state === STILL || state === FAULTED) return;
    const trains = options.holdOut === 'turbine' ? Infinity : Math.floor(TRAINS * survey.turbines[row].usable);
    const n = counts[row]++;
    const part = n >= trains || heldOutRows.has(row) ? 'heldOut' : 'training';
    use(row, part, state === ANEW || n === trains, values, offset);
  };
}

/** Rows of the turbines that only judge: the last of every four that turn; of two or three the last. */
function heldOutTurbines({ holdOut, file }: SplitOptions, { turbines }: Survey): ReadonlySet<number> {
  if (holdOut === 'time') return new Set();
  const usable = turbines.flatMap(({ usable }, row) => (usable > 0 ? [row] : []));
  if (usable.length < 2)
    throw new FileInvalid(`${file} holds ${usable.length} turbine that turns: there is none to hold out`, { hint: '--hold-out time' });
  const chosen = usable.filter((_, i) => i % EVERY_HELD_OUT === EVERY_HELD_OUT - 1);
  return new Set(chosen.length > 0 ? chosen : usable.slice(-1));
}

const STILL = 0;
const FAULTED = 1;
const USABLE = 2;
const ANEW = 3;

/** Remembers of each row what came before. */
function createGate({ channels, things, faults, turningOnly }: SplitOptions) {
  const rotor = channels.findIndex((channel) => channel.role === 'rotor-speed');
  const byThing = new Map<ThingName, (readonly [from: number, to: number])[]>();
  for (const { thing, from, to } of faults)
    byThing.set(thing, [...(byThing.get(thing) ?? []), [Date.parse(from), to === null ? Infinity : Date.parse(to)]]);
  const intervalsOf: (readonly (readonly [from: number, to: number])[])[] = []; // by row
  const still: number[] = [];
  const lastAt: number[] = [];
  const broken: boolean[] = [];

  return (row: number, at: Millis, values: Float64Array, offset: number): number => {
    if (still[row] === undefined) {
      still[row] = STILL_SAMPLES;
      intervalsOf[row] = byThing.get(things[row]) ?? [];
      lastAt[row] = at;
      broken[row] = true;
    }
    if (at - lastAt[row] > GAP_MS) broken[row] = true;
    lastAt[row] = at;
    still[row] = values[offset + rotor] > 0 ? 0 : still[row] + 1;
    const isFaulted = intervalsOf[row].length > 0 && intervalsOf[row].some(([from, to]) => at >= from && at <= to);
    const isStill = turningOnly && still[row] >= STILL_SAMPLES;
    if (isFaulted || isStill) {
      broken[row] = true;
      return isStill ? STILL : FAULTED;
    }
    const anew = broken[row];
    broken[row] = false;
    return anew ? ANEW : USABLE;
  };
}
