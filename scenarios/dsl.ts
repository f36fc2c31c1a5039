/**
 * The words a story is written in, the same in TypeScript (`export default scenario({ … })`) and YAML: plain data, to which the runner
 * gives meaning. `words/schema.ts` is the same as a schema; `words/check.ts` says what makes sense in one story.
 */

/** `90s`, `8m`, `47m12s`. */
export type Duration = string;
/** From one instant to another, `4m..9m`. */
export type Span = `${string}..${string}`;
export type Percent = `${number}%`;

/**
 * Who: a turbine's name, `every turbine`, a draw among those that have all that it says, or the id of a step: those whom that is about. A
 * fault of a service leaves it out, and a fault of a model names the deploy step that brings it.
 */
export type Target = string | Draw;

/** `count` or `percent` (at least one turbine) of those with the tag or the names, drawn by the seed; without either, all of them. */
export interface Draw {
  readonly tag?: string;
  readonly things?: readonly string[];
  readonly count?: number;
  readonly percent?: number;
}

/** Twins are called T-001, T-002, … in the order of the list. */
export type FleetEntry = TwinsEntry | ReplayEntry | SerialEntry;

export interface TwinsEntry {
  readonly twins: number;
  /** A machine of the library, or a machine file beside the story. */
  readonly like: string;
  readonly tags?: readonly string[];
  /** `row:630`, `grid:880`, `random:700`, or a CSV beside the story with x,y in metres. */
  readonly layout?: string;
}

/** A recording beside the story; its turbines have the names that it gives them. */
export interface ReplayEntry {
  readonly replay: string;
  readonly tags?: readonly string[];
}

/** One turbine behind the real serial driver: fed by an emulated firmware, or a real port. */
export interface SerialEntry {
  /** `emulated`, or the path of a port, `/dev/ttyUSB0`. */
  readonly serial: string;
  readonly thing: string;
  readonly tags?: readonly string[];
}

export interface Wind {
  readonly meanMps: number;
  /** Standard deviation over mean, 0..1; for utility machines also a class of IEC 61400-1. */
  readonly turbulenceIntensity: number | 'A' | 'B' | 'C';
  /** From where, clockwise from north; 270 when absent. */
  readonly directionDeg?: number;
  readonly events?: readonly WindEvent[];
  /** A series beside the story, `t,windMps[,directionDeg,temperatureC]`; it takes the place of the mean. */
  readonly file?: string;
}

export type WindEvent =
  | { readonly kind: 'gust'; readonly at: Duration }
  | { readonly kind: 'ramp'; readonly at: Duration; readonly over: Duration; readonly toMps: number };

/** A model that is published before the story begins: another one of the same machine under a version of its own, signed as all are. */
export interface ModelCopy {
  /** `windturbine-anomaly@1.10.0` */
  readonly model: string;
  /** A starter model, or one before it in the list. Sequences grow in the order of the list. */
  readonly like: string;
}

/**
 * When: once; again and again, from `from` (absent: after the first period) until `until` (absent: the end); or for as long as a span
 * or as the fault of the step with that id.
 */
export type When =
  | { readonly at: Duration }
  | { readonly every: Duration; readonly from?: Duration; readonly until?: Duration }
  | { readonly during: Span | string };

export type Step = When & { readonly id?: string } & What;
export type What =
  | FaultWords
  | { readonly clear: string; readonly on?: Target }
  | CommandWords
  | DeployWords
  /** Of the rollout that the deploy step with that id has begun. With `during`, a pause is resumed at its end. */
  | { readonly pause: string }
  | { readonly resume: string }
  | { readonly abort: string }
  | { readonly rollback: string };

export interface FaultWords {
  readonly fault: string;
  /** Absent: the service that the fault is of. */
  readonly on?: Target;
  /** 0..1; absent: 0.5. */
  readonly severity?: number;
  /** It comes on within this; absent: at once. */
  readonly over?: Duration;
  readonly onset?: 'ramp' | 'wear' | 'intermittent' | 'periodic';
  /** Then it ends by itself; absent: it stays until cleared. */
  readonly for?: Duration;
  /** It goes back in a line, this long after `for`; absent: at once. */
  readonly recovery?: Duration;
  /** Of a sensor's fault. */
  readonly channel?: string;
  /** By name, as `faults.ts` lists them. */
  readonly attributes?: Readonly<Record<string, number | string>>;
}

/** With `during`, a stopped turbine is started at its end, and a derated one goes back to all of its power. */
export type CommandWords =
  | { readonly command: 'start' | 'stop' | 'reset'; readonly on: Target }
  | { readonly command: 'derate'; readonly fraction: number; readonly on: Target };

export interface DeployWords {
  /** `windturbine-anomaly@1.1.0` */
  readonly deploy: string;
  /** A turbine, a tag, or `farm`; absent: `farm`. */
  readonly to?: string;
  /** Shares or counts of the turbines, growing. */
  readonly waves?: readonly (Percent | number)[];
  readonly soak?: Duration;
  readonly budgetKw?: number;
  readonly window?: string;
  /** A rollout plan beside the story. */
  readonly plan?: string;
}

/**
 * When an expectation holds. `within`: by then, counted from the start, or from `after`, the step of that id. `always`, `never`: all the
 * time, or at no time. `at: end`: at the end. `during`: only the time of a span, or while the fault of that step is at work, counts. `for`:
 * it must hold that long without a break; or, of `noAlarm`, `always` and `never`, only that long counts.
 */
export interface Holding {
  readonly within?: Duration;
  readonly after?: string;
  readonly always?: true;
  readonly never?: true;
  readonly at?: 'end';
  readonly during?: Span | string;
  readonly for?: Duration;
}

/** Bounds of a figure: at least one of them. */
export interface Bounds {
  readonly below?: number;
  readonly above?: number;
  readonly is?: number;
}

export type Expectation =
  /** Every one of them raises an alarm; with `feature`, one that names it. `at: end`: it stands then. */
  | ({ readonly that: 'alarm'; readonly on: Target; readonly feature?: string } & Holding)
  /** None is raised: on `on` (absent: anywhere), but on `butOn`. */
  | ({
      readonly that: 'noAlarm';
      readonly on?: Target;
      readonly butOn?: Target;
      readonly feature?: string;
    } & Pick<Holding, 'after' | 'during' | 'for'>)
  /** What the standing verdict is; `feature` is its worst. */
  | ({ readonly that: 'verdict'; readonly on: Target; readonly is: 'anomalous' | 'healthy'; readonly feature?: string } & Holding)
  /** `inferring` is `inferring.healthy` too. */
  | ({ readonly that: 'state'; readonly on: Target; readonly is: string } & Holding)
  /** Which model judges: `name@version`. */
  | ({ readonly that: 'model'; readonly on: Target; readonly is: string } & Holding)
  /** SUCCEEDED, FAILED: every execution of all waves of that deploy step ended so. CANCELED: the deployment was stopped. */
  | ({ readonly that: 'job'; readonly of: string; readonly is: 'SUCCEEDED' | 'FAILED' | 'CANCELED' } & Pick<Holding, 'within' | 'at'>)
  | ({ readonly that: 'rollout'; readonly of: string; readonly is: RolloutStatus } & Holding)
  /** Where the fault of that step is in its life, on everything that it was injected into. */
  | ({ readonly that: 'fault'; readonly of: string; readonly is: FaultPhase } & Holding)
  /** Turbine-minutes on a model; of a deploy step, on the model that it brings. */
  | ({ readonly that: 'exposure'; readonly of?: string; readonly model?: string; readonly on?: Target } & Bounds)
  /** From a fault's beginning to the first alarm of the turbine, the slowest of them. */
  | {
      readonly that: 'detectionDelay';
      readonly of: string;
      readonly on?: Target;
      readonly feature?: string;
      readonly below: Duration;
      readonly above?: Duration;
    }
  /** Alarms of turbines in whose bodies and sensors nothing is broken. */
  | ({ readonly that: 'falseAlarmsPerTurbineDay'; readonly on?: Target } & Bounds)
  /** Of QoS 1, unless told otherwise. */
  | ({ readonly that: 'lostMessages' | 'duplicatedMessages'; readonly on?: Target; readonly qos?: 0 | 1 } & Bounds)
  /** Made by them, together: `1.2Wh`, `3kWh`, `5MWh`. */
  | { readonly that: 'energy'; readonly on?: Target; readonly below?: string; readonly above?: string }
  /** What holds in every story, whatever happens in it; `all` is each of them. */
  | { readonly that: 'invariant'; readonly is: Invariant | 'all' };

/** What each means: `expect/invariants.ts`. */
export const INVARIANTS = [
  'one-active-model',
  'success-after-answer',
  'update-within-its-timer',
  'alarm-has-verdict',
  'no-message-lost',
  'every-job-ends',
  'no-wave-after-its-end',
  'feature-named-alike',
  'down-only-by-grant',
  'only-trusted-packages',
  'energy-balance',
] as const;
export type Invariant = (typeof INVARIANTS)[number];

/** Of a rollout, as the event log has them. */
export type RolloutStatus = 'IN_PROGRESS' | 'PAUSED' | 'SUCCEEDED' | 'FAILED' | 'HALTED' | 'CANCELED' | 'ROLLED_BACK';

/** The life of a fault. */
export type FaultPhase = 'pending' | 'active' | 'recovering' | 'recovered';

export interface Scenario {
  readonly about: string;
  readonly seed: number;
  readonly duration: Duration;
  readonly fleet: readonly FleetEntry[];
  /** Absent: what the fleet's first machine has when nobody says otherwise. */
  readonly wind?: Wind;
  /** Beside the starter models; they can be deployed. */
  readonly models?: readonly ModelCopy[];
  readonly timeline: readonly Step[];
  readonly expect: readonly Expectation[];
}

export const scenario = (s: Scenario): Scenario => s;
