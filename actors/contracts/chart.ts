/** A statechart as plain data, for drawing: what `actors/turbine/chart.ts` makes of the machine and the console shows. */
export interface Chart {
  readonly name: string;
  /** Dotted path from the root, `inferring.suspect`; empty for the root. */
  readonly path: string;
  readonly initial: string | null;
  readonly states: readonly Chart[];
  readonly transitions: readonly ChartTransition[];
}

export interface ChartTransition {
  /** The event's type, `always`, `after patience`, `done`, `error`. */
  readonly event: string;
  /** Names of guards, in words; null without one. */
  readonly guard: string | null;
  /** Dotted path; null when the state does not change. */
  readonly target: string | null;
}
