/** How a training goes, as the one who trains tells it. */
export interface TrainingReport {
  /** Of the run: a resumed training is another. */
  readonly id: string;
  readonly model: string;
  readonly machine: string;
  readonly network: string;
  readonly state: 'running' | 'done' | 'stopped' | 'failed';
  readonly epoch: number;
  readonly epochs: number;
  /** Of several folds the one under way, from 0 on. */
  readonly fold: number | null;
  /** Of the whole, 0..1. */
  readonly share: number;
  readonly windowsPerSecond: number;
  /** At most; null while nobody knows. */
  readonly secondsLeft: number | null;
  /** Losses by epoch: mean squared errors of the windows that train, and of those that test. */
  readonly history: readonly { readonly epoch: number; readonly trainingLoss: number; readonly heldOutLoss: number }[];
}
