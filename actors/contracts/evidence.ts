/** What a rollout's gate knows of the fleet: summaries of telemetry, a turbine at a time. Windows overlap in wind and are no sample of their own. */
import type { ModelId, ThingName } from './ids.ts';
import type { BenchResult } from './deployments.ts';
import type { Millis } from './units.ts';

/** Of one turbine between two instants. */
export interface TurbineEvidence {
  /** That were judged. */
  readonly windows: number;
  /** Share of them that was anomalous, 0..1. */
  readonly anomalous: number;
  /** Mean of the natural logarithm of the worst score; NaN without windows. */
  readonly logScore: number;
  /** Mean of the logarithms of all features' scores: how well the model knows this machine at all. */
  readonly logErrors: number;
  /** Slope of the worst score's, a minute; NaN with fewer than three windows. */
  readonly drift: number;
  /** Median milliseconds from a window's last sample to its scores; NaN when nobody says. */
  readonly tookMs: number;
  /** Windows a minute. */
  readonly perMinute: number;
}

/** What a turbine is now, as the cloud knows it. */
export interface TurbineNow {
  readonly thing: ThingName;
  readonly machine: string;
  readonly model: ModelId | null;
  readonly state: string;
  /** Null when it does not say. */
  readonly powerKw: number | null;
  readonly windMps: number | null;
}

export interface FleetEvidence {
  /** Instants are epoch milliseconds of the cloud's clock: when a verdict was heard. */
  between(thing: ThingName, from: Millis, to: Millis): TurbineEvidence;
  /** Null for a turbine that was never heard of. */
  now(thing: ThingName): TurbineNow | null;
  /** All that were heard of. */
  all(): readonly TurbineNow[];
}

/** Replays known faults on twins, before a real turbine takes a model. */
export interface BenchTrial {
  /** Null for a machine that has no twin here. */
  compare(machine: string, oldModel: ModelId, newModel: ModelId): Promise<BenchResult | null>;
}
