/** Everything a training depends on but its data and its seed: what must be the same for a training to be resumed. */
import { UsageError } from '../../actors/contracts/errors.ts';
import { type NetworkKind, SEED_DROPOUT_AFTER } from './network-kinds.ts';

export interface TrainPlan {
  readonly network: NetworkKind;
  /** Widths of the hidden layers of a dense network; the smallest is the bottleneck. */
  readonly hidden: readonly number[];
  readonly epochs: number;
  /** Windows of a mini-batch. */
  readonly batch: number;
  readonly learningRate: number;
  /** `cosine` falls from the learning rate to 0 over the epochs. */
  readonly schedule: 'cosine' | 'constant';
  /** 0..1 */
  readonly dropout: number;
  readonly dropoutAfter: readonly number[];
  /** Epochs without a better loss on windows that do not train before it stops. */
  readonly patience: number;
  /** Parts for K-fold cross-validation, and the one that is left out; null: none, or each in turn. */
  readonly folds: number | null;
  readonly fold: number | null;
}

const ours = {
  hidden: [] as readonly number[],
  epochs: 20,
  batch: 64,
  learningRate: 2e-3,
  schedule: 'cosine',
  dropout: 0,
  dropoutAfter: [] as readonly number[],
  patience: 8,
  folds: null,
  fold: null,
} as const;

const defaults: Readonly<Record<NetworkKind, TrainPlan>> = {
  dense: { ...ours, network: 'dense', hidden: [16, 2, 16] },
  conv: { ...ours, network: 'conv' },
  // original-system.md §3; its script leaves out the fourth of six folds, and keeps the best of 200 epochs.
  seed: {
    ...ours,
    network: 'seed',
    epochs: 200,
    batch: 256,
    learningRate: 1e-4,
    schedule: 'constant',
    dropout: 0.001,
    dropoutAfter: SEED_DROPOUT_AFTER,
    patience: 200,
    folds: 6,
    fold: 3,
  },
};

/** The defaults of a kind with some of them changed. @throws UsageError for what cannot be */
export function planTraining({ network = 'dense', ...changes }: Partial<TrainPlan>): TrainPlan {
  const plan = { ...defaults[network], ...changes };
  const { epochs, batch, learningRate, dropout, patience, folds, fold, hidden } = plan;
  const whole = (value: number, min: number) => Number.isSafeInteger(value) && value >= min;
  if (!whole(epochs, 1)) throw new UsageError(`${epochs} epochs are no whole number from 1 on`);
  if (!whole(batch, 1) || batch > 4096) throw new UsageError(`a batch of ${batch} windows is not within 1..4096`);
  if (!whole(patience, 1)) throw new UsageError(`a patience of ${patience} epochs is no whole number from 1 on`);
  if (!(learningRate > 0 && learningRate < 1)) throw new UsageError(`a learning rate of ${learningRate} is not within 0..1`);
  if (!(dropout >= 0 && dropout < 1)) throw new UsageError(`a dropout of ${dropout} is not within 0..1`);
  if (network !== 'dense' && changes.hidden !== undefined && hidden.length > 0)
    throw new UsageError(`a ${network} network has its own layers`, { hint: '--hidden is for --network dense' });
  if (network === 'dense' && (hidden.length === 0 || !hidden.every((width) => whole(width, 1) && width <= 4096)))
    throw new UsageError(`hidden layers ${hidden.join(',')} are no widths within 1..4096`);
  if (folds !== null && (!whole(folds, 2) || folds > 100)) throw new UsageError(`${folds} folds are not within 2..100`);
  if (fold !== null && (folds === null || !whole(fold, 0) || fold >= folds))
    throw new UsageError(`fold ${fold} is not one of ${folds ?? 'no'} folds`, { hint: 'folds are counted from 0' });
  return plan;
}

/** Of an epoch, from 1 on. */
export function learningRateOf({ learningRate, schedule, epochs }: TrainPlan, epoch: number): number {
  return schedule === 'constant' ? learningRate : learningRate * 0.5 * (1 + Math.cos((Math.PI * (epoch - 1)) / epochs));
}
