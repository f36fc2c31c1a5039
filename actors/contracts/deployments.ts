/** A model brought to a group of turbines, wave by wave, with a gate between the waves: a rollout. */
import type { ModelId, ThingName } from './ids.ts';
import type { JobCounts, JobExecution } from './jobs.ts';
import type { Millis } from './units.ts';

/** A count of turbines, or a share of them: `10%` is at least one. Sizes of waves add up: `10%, 100%` is a tenth, and then the rest. */
export type WaveSize = number | `${number}%`;

/** How a model is brought; all of it may be left out. */
export interface RolloutWishes {
  /** Growing; the last one is all, or what is left is never updated. Absent: one wave of all, without a gate. */
  readonly waves?: readonly WaveSize[] | undefined;
  /** For so long a wave is watched at least before the next one begins. */
  readonly soak?: Millis | undefined;
  /** Turbines that are updated at once make no more than this together. */
  readonly budgetKw?: number | undefined;
  /** So many turbines at most are updated at once. */
  readonly budgetDevices?: number | undefined;
  /** When a wave may begin: `cron(0 2 * * ? *) for 2h`, `below 4 m/s`, or both with `and` between them. */
  readonly window?: string | undefined;
  /** Of the gate: windows that a turbine must have judged with the new model, and how long after the soak it waits for them. */
  readonly minWindows?: number | undefined;
  readonly longestWait?: Millis | undefined;
}

export interface DeploymentRequest extends RolloutWishes {
  readonly model: ModelId;
  /** A thing's or a group's name; `farm` is every turbine. */
  readonly to: string;
}

export interface RolloutPlan {
  readonly waves: readonly WaveSize[];
  readonly soak: Millis;
  readonly budgetKw: number | null;
  readonly budgetDevices: number | null;
  readonly window: string | null;
  readonly minWindows: number;
  readonly longestWait: Millis;
}

/** `HALTED`: by its gate, and what was updated goes back; `CANCELED`: by hand, and what was updated stays; `ROLLED_BACK`: by hand. */
export type DeploymentStatus = 'IN_PROGRESS' | 'PAUSED' | 'SUCCEEDED' | 'FAILED' | 'HALTED' | 'CANCELED' | 'ROLLED_BACK';

export interface Deployment {
  readonly id: string;
  readonly model: ModelId;
  readonly to: string;
  readonly status: DeploymentStatus;
  readonly createdAt: Millis;
  /** Of all its turbines. */
  readonly counts: JobCounts;
  /** Of its first turbines, by name: a list of deployments holds fewer of each than one that is shown. */
  readonly executions: readonly JobExecution[];
  /** Null for a job that was made without these deployments. */
  readonly rollout: RolloutReport | null;
}

export interface RolloutReport {
  readonly plan: RolloutPlan;
  /** Decides who is in which wave: the same seed, model and turbines draw the same waves. */
  readonly seed: string;
  readonly waves: readonly WaveReport[];
  /** Why it stands where it stands: what a wave waits for, what the gate found, who ended it. */
  readonly reason: string;
  /** Nothing more will happen by itself: a halted one has sent back whom it could. */
  readonly isSettled: boolean;
  /** Both models on the same faults of twins; null before, and without a gate. */
  readonly bench: BenchResult | null;
  readonly heal: HealReport | null;
  /** Turbine-minutes on the new model, from each job's SUCCEEDED until the turbine went back, or until now. */
  readonly exposureMinutes: number;
  /** Of the turbines that have it now: whose model is accepted, and whose is on probation. */
  readonly accepted: readonly ThingName[];
  readonly onProbation: readonly ThingName[];
}

export type WaveStatus = 'PENDING' | 'UPDATING' | 'SOAKING' | 'DONE';

export interface WaveReport {
  readonly things: readonly ThingName[];
  readonly status: WaveStatus;
  /** Null before it has begun. */
  readonly jobId: string | null;
  readonly startedAt: Millis | null;
  /** What the gate saw last of it. */
  readonly gate: GateLook | null;
}

/** One look of the gate at the fleet. */
export interface GateLook {
  readonly at: Millis;
  readonly decision: 'wait' | 'promote' | 'halt';
  /** Turbines with the new model and without, that count. */
  readonly updated: number;
  readonly controls: number;
  readonly measures: readonly GateMeasure[];
  /** In one sentence. */
  readonly words: string;
}

/** How much more a quantity has changed where the new model judges than where it does not. */
export interface GateMeasure {
  readonly name: 'score' | 'errors' | 'drift' | 'anomalous' | 'time' | 'silence';
  readonly effect: number;
  /** Null while it is not known. */
  readonly standardError: number | null;
  /** Of the effect: beyond it a model is halted; the whole interval within `promotes` lets the next wave begin. */
  readonly tolerated: number;
  readonly promotes: number;
  readonly decision: 'wait' | 'promote' | 'halt';
  readonly words: string;
}

export interface BenchResult {
  /** Faults of the machine's catalogue that were replayed. */
  readonly faults: number;
  /** Share of them that each model found. */
  readonly oldRecall: number;
  readonly newRecall: number;
  /** Those that only the old model found. */
  readonly missed: readonly string[];
}

export interface HealReport {
  /** Turbines that went back, are on their way, and cannot. */
  readonly back: readonly ThingName[];
  readonly waiting: readonly ThingName[];
  readonly left: readonly { readonly thing: ThingName; readonly reason: string }[];
  readonly jobs: readonly string[];
}

/** What a job has put on a turbine, and when it SUCCEEDED. `at` and `job` are null for a model that the turbine came with. */
export interface InstalledModel {
  readonly model: ModelId;
  readonly at: Millis | null;
  readonly job: string | null;
}

/** By the gate of a rollout, or by what the turbine itself has judged; null for a model that the turbine came with. */
export interface AcceptedModel {
  readonly model: ModelId;
  readonly at: Millis | null;
  readonly by: 'gate' | 'turbine' | null;
}

/** Installed and accepted are two facts: between them a model is on probation. */
export interface ModelStanding {
  readonly installed: InstalledModel;
  /** The last one that was; null: nobody knows of any. */
  readonly accepted: AcceptedModel | null;
}

export interface Deployments {
  /** @throws NotFound for an unknown model or group; JobRefused; ConfigInvalid for a plan that makes no sense, naming every fault */
  deploy(request: DeploymentRequest): Promise<Deployment>;
  /** @throws NotFound */
  show(id: string): Promise<Deployment>;
  /** Newest first. */
  list(): Promise<readonly Deployment[]>;
  /** Ends it: what has not begun to update does not; what is updated stays. @throws JobRefused when it is over */
  cancel(id: string): Promise<Deployment>;
  /** No wave begins until it is resumed; the gate goes on watching. @throws JobRefused when it is not under way */
  pause(id: string): Promise<Deployment>;
  /** @throws JobRefused when it is not paused */
  resume(id: string): Promise<Deployment>;
  /** Sends every turbine that it has updated back to what it had. @throws JobRefused when it goes back already */
  rollback(id: string): Promise<Deployment>;
  /** What a turbine has installed and what of it is accepted; null for one that was never heard of. */
  standing(thing: ThingName): ModelStanding | null;
  /** Heard after a rollout has changed, a model has been accepted, or its gate has looked. Jobs tell of their changes themselves. */
  onChange(heard: () => void): void;
}
