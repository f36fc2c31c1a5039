/** What turbines say to the cloud: topics and payloads, JSON. Fixed by the interface. Every `at` on the wire is epoch milliseconds of the device. */
import type { ModelId, ThingName } from './ids.ts';
import type { Verdict } from './verdict.ts';
import type { Millis } from './units.ts';

export const topics = {
  state: (thing: ThingName) => `windfleet/${thing}/state`,
  verdict: (thing: ThingName) => `windfleet/${thing}/verdict`,
  telemetry: (thing: ThingName) => `windfleet/${thing}/telemetry`,
  transitions: (thing: ThingName) => `windfleet/${thing}/transitions`,
  /** To the device: what an operator orders. */
  command: (thing: ThingName) => `windfleet/${thing}/command`,
  /** To the device: whether its actor's transitions are wanted, `{ inspect: true }`. */
  inspect: (thing: ThingName) => `windfleet/${thing}/inspect`,
  /** The original's topic for application logs. */
  logs: (thing: ThingName) => `wind-turbine/logs/${thing}`,
} as const;

/** On `…/state`, at every change of the actor's state, and once a minute so that a cloud that starts late knows it too. */
export interface StateReport {
  readonly at: Millis;
  /** `idle`, `spinning`, `inferring.healthy`, `updating-model.suspect`, `faulted.tripped`, … */
  readonly state: string;
  /** The event that led there. */
  readonly cause: string;
  readonly machine: string;
  readonly backing: string;
  /** The model that judges; null before the first. */
  readonly model: ModelId | null;
  /** The stage of a running update, `downloading`, `canary`, …; null when none runs. */
  readonly update: string | null;
}

/** On `…/verdict`, one a window; `at` in epoch milliseconds. `announced` is what the data plane has made of it after its persistence. */
export interface VerdictReport extends Verdict {
  readonly announced: boolean;
  /** From the window's last sample to its scores; absent from a device that does not say. */
  readonly tookMs?: Millis | undefined;
}

/** On `…/telemetry`: the roll-up of one second. */
export interface TelemetryReport {
  readonly at: Millis;
  /** Milliseconds that the roll-up spans. */
  readonly every: Millis;
  /** By channel: [mean, min, max, count]. */
  readonly channels: Readonly<Record<string, readonly [number, number, number, number]>>;
}

/** On `…/transitions`, of a turbine that is inspected. */
export interface TransitionReport {
  readonly at: Millis;
  readonly from: string;
  readonly to: string;
  readonly event: string;
}

/** On the original's topic: 11 records a message, every value as the text that the sensor printed. */
export interface LogReport {
  readonly logs: readonly { readonly ts: string; readonly data: readonly string[] }[];
}

/** On `…/command`. `reset` clears a trip; the others go to the body. */
export type OperatorCommand = { readonly command: 'start' | 'stop' | 'reset' } | { readonly command: 'derate'; readonly fraction: number };
