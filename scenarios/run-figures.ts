/** A run in a few figures, so that two can be held side by side. */
import type { FleetEvent } from '../actors/contracts/log.ts';
import type { Millis } from '../actors/contracts/units.ts';

export interface RunFigures {
  /** Raised. */
  readonly alarms: number;
  /** From each fault's beginning to the first alarm of its turbine, the median of those that had one; null: none had. */
  readonly delayS: number | null;
  /** Faults in turbines without an alarm while they were at work. */
  readonly missed: number;
  /** Turbine-minutes by model. */
  readonly exposure: Readonly<Record<string, number>>;
  /** Joules, all turbines; null: nothing is known. */
  readonly energyJ: number | null;
}

/** @param energy by turbine, as the run's summary has it */
export function figuresOf(events: readonly FleetEvent[], end: Millis, energy: Readonly<Record<string, number>>): RunFigures {
  const raised = events.filter(({ kind, what }) => kind === 'alarm' && what['raised'] === true);
  const faults = faultsIn(events, end);
  const delays = faults.map(({ of, from, to }) => raised.find((alarm) => alarm.of === of && alarm.at >= from && alarm.at <= to)?.at);
  const found = delays.flatMap((at, i) => (at === undefined ? [] : [(at - faults[i].from) / 1_000])).sort((a, b) => a - b);
  const joules = Object.values(energy);
  return {
    alarms: raised.length,
    delayS: found.length === 0 ? null : found[Math.floor((found.length - 1) / 2)],
    missed: faults.length - found.length,
    exposure: exposureIn(events, end),
    energyJ: joules.length === 0 ? null : joules.reduce((sum, joule) => sum + joule, 0),
  };
}

/** Faults at work on turbines that ever gave a verdict: services and links raise no alarm. */
function faultsIn(events: readonly FleetEvent[], end: Millis): { readonly of: string; readonly from: Millis; readonly to: Millis }[] {
  const judged = new Set(events.filter(({ kind }) => kind === 'model').map(({ of }) => of));
  const lives = new Map<string, { of: string; from: Millis; to: Millis }>();
  for (const { at, kind, of, what } of events) {
    if (kind !== 'fault' || !judged.has(of)) continue;
    const life = `${of} ${String(what['step'])}`;
    if (what['phase'] === 'active' && 'severity' in what) lives.set(life, { of, from: at, to: end });
    const begun = lives.get(life);
    if (begun && what['phase'] === 'recovered') begun.to = at;
  }
  return [...lives.values()];
}

function exposureIn(events: readonly FleetEvent[], end: Millis): Record<string, number> {
  const minutes: Record<string, number> = {};
  const serving = new Map<string, { readonly model: string; readonly since: Millis }>();
  const add = (model: string, ms: Millis) => {
    minutes[model] = (minutes[model] ?? 0) + ms / 60_000;
  };
  for (const { at, kind, of, what } of events) {
    if (kind !== 'model') continue;
    const before = serving.get(of);
    if (before) add(before.model, at - before.since);
    serving.set(of, { model: String(what['model']), since: at });
  }
  for (const { model, since } of serving.values()) add(model, end - since);
  return minutes;
}
