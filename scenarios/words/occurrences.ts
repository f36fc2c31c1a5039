/** What happens when: the timeline with `every` and `during` spelled out, in order. */
import type { FaultOrder } from '../../actors/contracts/faults.ts';
import type { OperatorCommand } from '../../actors/contracts/telemetry.ts';
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { DeployWords, FaultWords, Scenario, Step, Target } from '../dsl.ts';
import { labelOf } from '../facts.ts';
import { EVERYONE, type Whom } from './targets.ts';

/** One thing that is done, at one instant. */
export interface Occurrence {
  readonly at: Millis;
  /** Of its step in the timeline, from 0. */
  readonly index: number;
  /** The step's, as the event log and labels of chance have it. */
  readonly label: string;
  /** Of a repeated step, from 0. */
  readonly repetition: number;
  readonly does: Deed;
}

export type Deed =
  | ({ readonly kind: 'fault'; readonly on: Whom | null; readonly attributes: NonNullable<FaultWords['attributes']> } & FaultOrder)
  /** `fault` is a name, or the id of a fault's step; `on` null: everywhere. */
  | { readonly kind: 'clear'; readonly fault: string; readonly on: Whom | null }
  | { readonly kind: 'command'; readonly order: OperatorCommand; readonly on: Whom }
  | { readonly kind: 'deploy'; readonly words: DeployWords }
  | { readonly kind: 'pause' | 'resume' | 'abort' | 'rollback'; readonly of: string };

export interface Stretch {
  readonly from: Millis;
  readonly to: Millis;
}

export const DEFAULT_SEVERITY = 0.5;

/** A story may ask for more repetitions than anyone has time for. */
export const OCCURRENCES_MAX = 100_000;

/** In order of time and, within an instant, of the story. What cannot be read (see `words/check.ts`) is left out. */
export function occurrencesOf(story: Scenario): Occurrence[] {
  const found: Occurrence[] = [];
  for (const [index, step] of story.timeline.entries()) {
    const label = labelOf(step, index);
    for (const [repetition, { from, to, lasts }] of stretchesOf(step, story).entries()) {
      const add = (at: Millis, does: Deed) => found.push({ at, index, label, repetition, does });
      add(from, deedOf(step, lasts ? to - from : null, story));
      const ending = lasts ? endingOf(step, story) : null;
      if (ending) add(to, ending);
    }
  }
  return found.sort((a, b) => a.at - b.at || a.index - b.index);
}

/** Each time that a step takes place; `lasts` when it goes on from one instant to the other. */
export function stretchesOf(step: Step, story: Scenario): (Stretch & { readonly lasts: boolean })[] {
  const schedule = scheduleOf(step, story);
  if (!schedule) return [];
  const { from, to, period, lasts } = schedule;
  const times = Math.min(schedule.times, OCCURRENCES_MAX);
  return Array.from({ length: times }, (_, i) => ({ from: from + i * period, to: to + i * period, lasts }));
}

/** The first time, how often, and how far apart. */
export interface Schedule extends Stretch {
  readonly period: Millis;
  readonly times: number;
  readonly lasts: boolean;
}

/** Null for a step that never takes place, or says nothing that can be read. */
export function scheduleOf(step: Step, story: Scenario): Schedule | null {
  if ('at' in step) {
    const at = parseDuration(step.at);
    return at === null ? null : { from: at, to: at, period: 0, times: 1, lasts: false };
  }
  if ('during' in step) {
    const span = stretchOf(step.during, story);
    return span ? { ...span, period: 0, times: 1, lasts: true } : null;
  }
  const period = parseDuration(step.every);
  const end = parseDuration(story.duration) ?? 0;
  const from = step.from === undefined ? period : parseDuration(step.from);
  const until = step.until === undefined ? end : parseDuration(step.until);
  if (period === null || period <= 0 || from === null || until === null) return null;
  const times = Math.floor((Math.min(until, end) - from) / period) + 1;
  return times > 0 ? { from, to: from, period, times, lasts: false } : null;
}

/** Of `4m..9m`, or of the fault whose step has that id; null for what is neither. */
export function stretchOf(during: string, story: Scenario): Stretch | null {
  return spanOf(during) ?? lifeOf(during, story, new Set());
}

/** Of `4m..9m`; null for what is no span of time. */
export function spanOf(text: string): Stretch | null {
  const [from, to, ...more] = text.split('..').map(parseDuration);
  return more.length === 0 && from !== undefined && from !== null && to !== undefined && to !== null ? { from, to } : null;
}

/** Of a planned fault, from its beginning until it has recovered, is cleared, or the story ends. @param seen ids on the way to it */
function lifeOf(id: string, story: Scenario, seen: ReadonlySet<string>): Stretch | null {
  const step = story.timeline.find((other) => other.id === id);
  if (!step || !('fault' in step) || seen.has(id)) return null;
  const end = parseDuration(story.duration) ?? 0;
  if ('during' in step) return spanOf(step.during) ?? lifeOf(step.during, story, new Set([...seen, id]));
  const first = scheduleOf(step, story);
  if (!first) return null;
  const lasts = step.for === undefined ? null : parseDuration(step.for);
  const recovered = lasts === null ? end : first.from + lasts + (parseDuration(step.recovery ?? '0s') ?? 0);
  const cleared = story.timeline
    .filter((other) => 'clear' in other && !('during' in other))
    .filter((other) => 'clear' in other && (other.clear === id || (other.clear === step.fault && isAbout(other.on, step.on))))
    .map((other) => firstFrom(scheduleOf(other, story), first.from));
  return { from: first.from, to: Math.min(end, recovered, ...cleared) };
}

/** The first time at or after an instant; infinity when there is none. */
function firstFrom(schedule: Schedule | null, at: Millis): Millis {
  if (!schedule) return Number.POSITIVE_INFINITY;
  const { from, period, times } = schedule;
  const i = at <= from ? 0 : period === 0 ? times : Math.ceil((at - from) / period);
  return i < times ? from + i * period : Number.POSITIVE_INFINITY;
}

/** Whether a clearing reaches those whom a fault was injected into, as far as their words tell. */
const isAbout = (cleared: Target | undefined, injected: Target | undefined): boolean =>
  cleared === undefined || cleared === EVERYONE || JSON.stringify(cleared) === JSON.stringify(injected);

const ms = (text: string | undefined): Millis => (text === undefined ? 0 : (parseDuration(text) ?? 0));

function deedOf(step: Step, lasts: Millis | null, story: Scenario): Deed {
  if ('fault' in step) {
    const { fault, on, severity = DEFAULT_SEVERITY, over, onset, recovery, channel, attributes = {} } = step;
    const length = lasts ?? (step.for === undefined ? null : ms(step.for));
    return {
      kind: 'fault',
      fault,
      on: on === undefined ? null : whomOf(on, story),
      severity,
      over: ms(over),
      ...(onset === undefined ? {} : { onset }),
      ...(length === null ? {} : { for: length }),
      ...(recovery === undefined ? {} : { recovery: ms(recovery) }),
      ...(channel === undefined ? {} : { channel }),
      attributes,
    };
  }
  if ('clear' in step) return { kind: 'clear', fault: step.clear, on: step.on === undefined ? null : whomOf(step.on, story) };
  if ('command' in step) {
    const order = step.command === 'derate' ? { command: step.command, fraction: step.fraction } : { command: step.command };
    return { kind: 'command', order, on: whomOf(step.on, story) };
  }
  if ('deploy' in step) return { kind: 'deploy', words: step };
  if ('pause' in step) return { kind: 'pause', of: step.pause };
  if ('resume' in step) return { kind: 'resume', of: step.resume };
  return 'abort' in step ? { kind: 'abort', of: step.abort } : { kind: 'rollback', of: step.rollback };
}

/** Where a target is the id of another step, those whom that is about; a deploy step's id stays what it is. */
function whomOf(target: Target, { timeline }: Scenario): Whom {
  const index = typeof target === 'string' ? timeline.findIndex(({ id }) => id === target) : -1;
  const step = timeline[index];
  if (!step || !('on' in step) || step.on === undefined) return target;
  return typeof step.on === 'string' ? step.on : { ...step.on, lots: labelOf(step, index) };
}

/** What undoes a step that lasts at its end; a fault ends by itself. */
function endingOf(step: Step, story: Scenario): Deed | null {
  if ('pause' in step) return { kind: 'resume', of: step.pause };
  if (!('command' in step)) return null;
  if (step.command === 'stop') return { kind: 'command', order: { command: 'start' }, on: whomOf(step.on, story) };
  return step.command === 'derate' ? { kind: 'command', order: { command: 'derate', fraction: 1 }, on: whomOf(step.on, story) } : null;
}
