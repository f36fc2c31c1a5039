/** The words a story is written in: plain data, to which `run.ts` gives meaning. */
export type Duration = string; // 90s, 8m, 47m12s

/** One turbine, or all of them. */
export type Target = string; // T-001 | every turbine

export type Step = { readonly at: Duration; readonly id?: string } & (
  | { readonly fault: string; readonly on: Target; readonly severity?: number; readonly over?: Duration; readonly for?: Duration }
  | { readonly clear: string; readonly on: Target }
  | { readonly command: 'start' | 'stop' | 'reset'; readonly on: Target }
  | { readonly deploy: string; readonly to?: string }
);

export type Expectation =
  /** An alarm is raised on the target; with `feature`, one that names it. `after` names a step. */
  | { readonly that: 'alarm'; readonly on: Target; readonly after?: string; readonly within: Duration; readonly feature?: string }
  /** No alarm is raised; with `on`, on no other turbine than that one. */
  | { readonly that: 'noAlarm'; readonly butOn?: Target }
  /** The target reaches a state, or is in it at the end. */
  | { readonly that: 'state'; readonly on: Target; readonly is: string; readonly after?: string; readonly within: Duration }
  | { readonly that: 'state'; readonly on: Target; readonly is: string; readonly at: 'end' }
  /** Every execution of a deploy step ends so. */
  | { readonly that: 'job'; readonly of: string; readonly is: 'SUCCEEDED' | 'FAILED'; readonly within: Duration }
  | { readonly that: 'model'; readonly on: Target; readonly is: string; readonly at: 'end' };

export interface Scenario {
  readonly about: string;
  readonly seed: number;
  readonly duration: Duration;
  readonly fleet: readonly { readonly twins: number; readonly like: string }[];
  readonly wind: { readonly meanMps: number; readonly turbulenceIntensity: number };
  readonly timeline: readonly Step[];
  readonly expect: readonly Expectation[];
}

export const scenario = (s: Scenario): Scenario => s;
