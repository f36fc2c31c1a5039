/**
 * A whole training: once, or once a fold, each time with another part of the training windows to test on. Of several folds the
 * network is kept whose loss on the held-out windows, which no fold has seen, is the lowest.
 */
import { networkOn, parametersOf } from './network.ts';
import { createNetwork } from './network-kinds.ts';
import type { Prepared } from './prepare.ts';
import { type Epoch, meanSquaredError, type Trained, type TrainOptions, type TrainState, trainNetwork } from './train.ts';
import { foldSplit } from './train-data.ts';
import { planTraining, type TrainPlan } from './train-plan.ts';

export interface FoldResult {
  /** From 0 on; null where nothing is folded. */
  readonly fold: number | null;
  /** The best on its own test part. */
  readonly loss: number;
  readonly epoch: number;
  readonly epochs: number;
  /** Of that network on the held-out windows. */
  readonly heldOutLoss: number;
}

/** Where it stands: folds that are over, the best of them, and the one under way. */
export interface FoldsState {
  readonly results: readonly FoldResult[];
  readonly champion: { readonly result: FoldResult; readonly history: readonly Epoch[]; readonly parameters: Float32Array } | null;
  readonly state: TrainState | null;
}

export interface FoldedTraining extends Trained {
  readonly results: readonly FoldResult[];
  /** Which of the results the network is of. */
  readonly chosen: FoldResult;
  readonly isFinished: boolean;
}

export interface FoldsOptions extends Pick<TrainOptions, 'rng' | 'signal' | 'openCrew'> {
  readonly plan: TrainPlan;
  readonly resume?: FoldsState;
  readonly onEpoch?: (fold: number | null, epoch: Epoch) => void | Promise<void>;
  readonly onBatch?: (fold: number | null, epoch: number, done: number, batches: number, loss: number) => void | Promise<void>;
  readonly onState?: (state: FoldsState) => void | Promise<void>;
}

/** The folds that a plan trains, in their order. */
export const foldsOf = ({ folds, fold }: TrainPlan): readonly (number | null)[] => {
  if (folds === null || fold !== null) return [fold];
  return Array.from({ length: folds }, (_, f) => f);
};

/** @returns null when it was ended before its first epoch. @throws as `trainNetwork` */
export async function trainFolds(prepared: Prepared, options: FoldsOptions): Promise<FoldedTraining | null> {
  const { rng, plan, signal, openCrew, resume, onEpoch, onBatch, onState } = options;
  const [features, samples] = [prepared.signal.features.length, prepared.signal.window.samples];
  const windows = prepared.training.length / (features * samples);
  const folds = foldsOf(planTraining(plan));
  let [results, champion] = [resume?.results ?? [], resume?.champion ?? null];
  let under = resume?.state ?? null;
  for (const fold of folds.slice(results.length)) {
    const { network, history, best } = await trainNetwork(prepared, {
      ...plan,
      rng: fold === null ? rng : rng.fork(`fold ${fold}`),
      ...(fold === null || plan.folds === null ? {} : { split: foldSplit(windows, plan.folds, fold, rng.fork('folds')) }),
      ...(signal ? { signal } : {}),
      ...(openCrew ? { openCrew } : {}),
      ...(under ? { resume: under } : {}),
      onEpoch: (epoch) => onEpoch?.(fold, epoch),
      onBatch: (...progress) => onBatch?.(fold, ...progress),
      onState: (state) => onState?.({ results, champion, state }),
    });
    under = null;
    if (history.length === 0) break;
    const heldOutLoss = fold === null ? best.loss : meanSquaredError(network, prepared.heldOut);
    const result: FoldResult = { fold, loss: best.loss, epoch: best.epoch, epochs: history.length, heldOutLoss };
    if (champion === null || heldOutLoss < champion.result.heldOutLoss) champion = { result, history, parameters: parametersOf(network) };
    if (signal?.aborted) break; // this one may go on later: it is no result yet
    results = [...results, result];
    await onState?.({ results, champion, state: null });
  }
  if (champion === null) return null;
  const { parameters, history, result } = champion;
  return {
    network: networkOn(createNetwork(plan.network, features, samples, plan.hidden, rng), parameters),
    history,
    best: { loss: result.loss, epoch: result.epoch },
    results,
    chosen: result,
    isFinished: results.length === folds.length,
  };
}
