import type { ModelId } from './ids.ts';
import type { Millis } from './units.ts';

/** What a model says of one turbine's latest window. */
export interface Verdict {
  readonly at: Millis;
  readonly model: ModelId;
  readonly anomalous: boolean;
  /** Reconstruction error over its threshold, of the worst feature; above 1 is anomalous. */
  readonly score: number;
  /** A feature named by the model's package. */
  readonly worst: string;
  /** Every feature's score, in the package's order of features. */
  readonly scores: Readonly<Record<string, number>>;
}
