/**
 * Training: mini-batches of windows through the autoencoder until the loss on windows that do not train stops falling; the best
 * network seen is kept, whether the end comes by itself, by the number of epochs, or by an abort.
 *
 * What a training is depends on (seed, plan, windows) alone: not on the number of workers, nor on where it was stopped and resumed.
 */
import { FileInvalid, UsageError } from '../../actors/contracts/errors.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { LayeredNetwork } from './layers.ts';
import { countTrainingMacs, createWorkspace, forward, inputsOf, networkOn, outputsOf, parametersOf } from './network.ts';
import { createNetwork } from './network-kinds.ts';
import type { Prepared } from './prepare.ts';
import { type Crew, createTrainMemory, inlineCrew, type OpenCrew, type TrainMemory } from './train-crew.ts';
import { checkWindows, plainSplit, type Split, shuffle } from './train-data.ts';
import { learningRateOf, planTraining, type TrainPlan } from './train-plan.ts';

/** Between two states that are kept at the latest: seconds on any machine. */
const LEG_MACS = 4e10;

export interface Epoch {
  readonly epoch: number;
  /** Mean squared errors. */
  readonly trainingLoss: number;
  /** Of the windows that do not train. */
  readonly heldOutLoss: number;
}

/** Where a training stands, whole: it goes on from here as if it had never stopped. */
export interface TrainState {
  /** Epochs that are over, and mini-batches of the one under way. */
  readonly epoch: number;
  readonly batch: number;
  /** Squared errors of those mini-batches. */
  readonly lossSum: number;
  readonly history: readonly Epoch[];
  readonly best: { readonly loss: number; readonly epoch: number };
  /** [parameters] */
  readonly parameters: Float32Array;
  readonly bestParameters: Float32Array;
  /** Adam's moments. */
  readonly m: Float32Array;
  readonly v: Float32Array;
}

export interface TrainOptions extends Partial<TrainPlan> {
  readonly rng: Rng;
  readonly signal?: AbortSignal;
  /** Absent: the training part trains, the held-out part tests. */
  readonly split?: Split;
  /** Absent: all is done in this thread. */
  readonly openCrew?: OpenCrew;
  readonly resume?: TrainState;
  /** Called after each epoch; training goes on when it resolves, so a caller may let others have their turn. */
  readonly onEpoch?: (epoch: Epoch) => void | Promise<void>;
  /** After each mini-batch: `done` of the epoch's `batches`, and its mean squared error. */
  readonly onBatch?: (epoch: number, done: number, batches: number, loss: number) => void | Promise<void>;
  /** After each epoch, now and then within a long one, and at an abort. */
  readonly onState?: (state: TrainState) => void | Promise<void>;
}

export interface Trained {
  /** Of the epoch that did best; the untrained one if no epoch came to its end. */
  readonly network: LayeredNetwork;
  readonly history: readonly Epoch[];
  readonly best: { readonly loss: number; readonly epoch: number };
}

/** @throws UsageError for a plan that cannot be, FileInvalid for windows that cannot train it */
export async function trainNetwork(prepared: Prepared, options: TrainOptions): Promise<Trained> {
  const { rng, signal, split, openCrew = inlineCrew, resume, onEpoch, onBatch, onState, ...changes } = options;
  const plan = planTraining(changes);
  checkWindows(prepared);
  const { features, window } = prepared.signal;
  const size = features.length * window.samples;
  const network = createNetwork(plan.network, features.length, window.samples, plan.hidden, rng.fork('weights'));
  const { trains, checks } = split ?? plainSplit(prepared.training.length / size, prepared.heldOut.length / size);
  const memory = createTrainMemory(network, {
    windows: [prepared.training, prepared.heldOut],
    trains: trains.length,
    checks,
    batch: plan.batch,
    dropout: { rate: plan.dropout, after: plan.dropoutAfter },
  });
  const crew = await openCrew(memory, rng.fork('dropout'));
  const stop = () => crew.stop();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  try {
    let state = resume ? restore(memory, resume) : begin(network);
    const keep = async (next: TrainState) => {
      state = next;
      await onState?.(state);
    };
    while (state.epoch < plan.epochs && state.epoch - state.best.epoch < plan.patience && !signal?.aborted) {
      const epoch = state.epoch + 1;
      memory.order.set(trains);
      shuffle(memory.order, rng.fork(`epoch ${epoch}`));
      const done = await trainEpoch(memory, crew, plan, state, keep, (batch, batches, loss) => onBatch?.(epoch, batch, batches, loss));
      if (!done || !(await crew.check())) break;
      const entry = { epoch, trainingLoss: meanOf(state.lossSum, trains.length * size), heldOutLoss: lossOf(memory, size) };
      if (!Number.isFinite(entry.trainingLoss) || !Number.isFinite(entry.heldOutLoss))
        throw new UsageError(`the training has lost its way: the loss of epoch ${epoch} is ${entry.trainingLoss}`, {
          hint: 'train with a lower --learning-rate',
        });
      const isBest = entry.heldOutLoss < state.best.loss;
      await keep({
        ...snapshot(memory, state),
        epoch,
        batch: 0,
        lossSum: 0,
        history: [...state.history, entry],
        ...(isBest ? { best: { loss: entry.heldOutLoss, epoch }, bestParameters: memory.parameters.slice() } : {}),
      });
      await onEpoch?.(entry);
    }
    return { network: networkOn(network, state.bestParameters.slice()), history: state.history, best: state.best };
  } finally {
    signal?.removeEventListener('abort', stop);
    await crew.close();
  }
}

/** The rest of an epoch, leg by leg. @returns whether it came to its end */
async function trainEpoch(
  memory: TrainMemory,
  crew: Crew,
  plan: TrainPlan,
  from: TrainState,
  keep: (state: TrainState) => Promise<void>,
  hear: (done: number, batches: number, loss: number) => void | Promise<void>,
): Promise<boolean> {
  const epoch = from.epoch + 1;
  const windows = memory.order.length;
  const batches = Math.ceil(windows / plan.batch);
  const leg = Math.max(1, Math.floor(LEG_MACS / (countTrainingMacs(memory.network) * plan.batch)));
  for (let state = from; state.batch < batches; ) {
    const to = Math.min(batches, state.batch + leg);
    const steps = (epoch - 1) * batches + state.batch;
    const work = { epoch, from: state.batch, to, steps, learningRate: learningRateOf(plan, epoch) };
    const done = await crew.train(work, (count) => hear(count, batches, batchLoss(memory, count - 1)));
    let { lossSum } = state;
    for (let w = state.batch * plan.batch; w < Math.min(windows, done * plan.batch); w++) lossSum += memory.losses[w];
    state = { ...snapshot(memory, state), batch: done, lossSum };
    await keep(state);
    if (done < to) return false;
  }
  return true;
}

function batchLoss({ losses, batch, network }: TrainMemory, k: number): number {
  let sum = 0;
  const last = Math.min(losses.length, (k + 1) * batch);
  for (let w = k * batch; w < last; w++) sum += losses[w];
  return meanOf(sum, (last - k * batch) * inputsOf(network.layers[0]));
}

const begin = (network: LayeredNetwork): TrainState => {
  const parameters = parametersOf(network);
  const zeros = new Float32Array(parameters.length);
  return {
    epoch: 0,
    batch: 0,
    lossSum: 0,
    history: [],
    best: { loss: Infinity, epoch: 0 },
    parameters,
    bestParameters: parameters,
    m: zeros,
    v: zeros,
  };
};

const snapshot = ({ parameters, m, v }: TrainMemory, state: TrainState): TrainState => ({
  ...state,
  parameters: parameters.slice(),
  m: m.slice(),
  v: v.slice(),
});

/** @throws FileInvalid when it is the state of another network */
function restore(memory: TrainMemory, state: TrainState): TrainState {
  for (const name of ['parameters', 'm', 'v'] as const) {
    if (state[name].length !== memory[name].length)
      throw new FileInvalid(`the state to resume holds ${state[name].length} ${name}; the network has ${memory[name].length}`);
    memory[name].set(state[name]);
  }
  return state;
}

/** By window, in their order. */
function lossOf({ checkLosses }: TrainMemory, size: number): number {
  let sum = 0;
  for (const loss of checkLosses) sum += loss;
  return meanOf(sum, checkLosses.length * size);
}

const meanOf = (sum: number, count: number) => sum / Math.max(1, count);

const BATCH = 64;

/** What the network makes of windows. @param windows [windows × values]. @returns the same shape */
export function reconstruct(network: LayeredNetwork, windows: Float32Array): Float32Array {
  const size = inputsOf(network.layers[0]);
  const widest = Math.max(...network.layers.map(outputsOf));
  const batch = Math.max(1, Math.min(BATCH, Math.floor(1e5 / widest)));
  const workspace = createWorkspace(network, batch);
  const out = new Float32Array(windows.length);
  for (let from = 0; from < windows.length; from += batch * size) {
    const part = windows.subarray(from, from + batch * size);
    workspace.activations[0].set(part);
    out.set(forward(network, workspace, part.length / size).subarray(0, part.length), from);
  }
  return out;
}

/** @param windows [windows × values] */
export function meanSquaredError(network: LayeredNetwork, windows: Float32Array): number {
  const outputs = reconstruct(network, windows);
  let sum = 0;
  for (let i = 0; i < windows.length; i++) sum += (outputs[i] - windows[i]) ** 2;
  return meanOf(sum, windows.length);
}

/** Mean absolute errors by feature. @param windows [windows × features × samples]. @returns [windows × features] */
export function featureErrors(network: LayeredNetwork, windows: Float32Array, samples: number): Float32Array {
  const outputs = reconstruct(network, windows);
  const errors = new Float32Array(windows.length / samples);
  for (let k = 0; k < errors.length; k++) {
    let sum = 0;
    for (let t = 0; t < samples; t++) sum += Math.abs(outputs[k * samples + t] - windows[k * samples + t]);
    errors[k] = sum / samples;
  }
  return errors;
}
