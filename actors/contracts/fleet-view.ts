/** What the cloud knows of the fleet: a projection of telemetry, and the only thing that the console reads. */
import type { ModelId, ThingName } from './ids.ts';
import type { TransitionReport, VerdictReport } from './telemetry.ts';
import type { Millis } from './units.ts';

/** Instants are epoch milliseconds, as the devices gave them. */
export interface TurbineView {
  readonly thing: ThingName;
  readonly state: string;
  readonly cause: string;
  readonly machine: string;
  readonly backing: string;
  readonly model: ModelId | null;
  /** Stage of a running update; null when none runs. */
  readonly update: string | null;
  /** Means of the last second, by channel. */
  readonly channels: Readonly<Record<string, number>>;
  readonly verdict: VerdictReport | null;
  /** The one that stands; null when none does. */
  readonly alarm: Alarm | null;
  readonly updatedAt: Millis;
}

export interface Alarm {
  /** `T-001-3`: the third of that turbine. */
  readonly id: string;
  readonly thing: ThingName;
  /** The feature that was worst when it was raised. */
  readonly feature: string;
  readonly severity: 'warning' | 'critical';
  /** The worst score so far. */
  readonly score: number;
  readonly model: ModelId;
  readonly at: Millis;
  /** Null while it stands. */
  readonly clearedAt: Millis | null;
}

/** What the console shows for a turbine, as the original's indicators: dark, or lit for a feature. */
export interface Lamp {
  readonly light: 'dark' | Alarm['severity'];
  /** What is anomalous; null while it is dark. */
  readonly feature: string | null;
}

export const lampOf = ({ alarm }: Pick<TurbineView, 'alarm'>): Lamp =>
  alarm === null ? { light: 'dark', feature: null } : { light: alarm.severity, feature: alarm.feature };

export type FleetViewEvent =
  | { readonly kind: 'turbine'; readonly turbine: TurbineView }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'transition'; readonly thing: ThingName; readonly transition: TransitionReport };

export interface FleetView {
  /** Sorted by name. */
  turbines(): readonly TurbineView[];
  turbine(thing: ThingName): TurbineView | null;
  /** Newest first. */
  alarms(): readonly Alarm[];
  /** The last ones heard, oldest first. */
  transitions(thing: ThingName): readonly TransitionReport[];
  /** @returns ends the listening. */
  onChange(heard: (event: FleetViewEvent) => void): () => void;
  close(): Promise<void>;
}
