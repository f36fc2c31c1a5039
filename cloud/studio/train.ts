/**
 * Training: mini-batches of windows through the autoencoder until the held-out loss stops falling; the best network seen is kept,
 * whether the end comes by itself, by the number of epochs, or by an abort.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import { createAdam } from './adam.ts';
import { backward, createNetwork, createWorkspace, forward, type Network } from './network.ts';
import type { Prepared } from './prepare.ts';

export interface Epoch {
  readonly epoch: number;
  /** Mean squared errors. */
  readonly trainingLoss: number;
  readonly heldOutLoss: number;
}

export interface TrainOptions {
  readonly rng: Rng;
  readonly epochs: number;
  /** Widths of the hidden layers; the smallest is the bottleneck. */
  readonly hidden: readonly number[];
  readonly learningRate?: number;
  readonly batch?: number;
  /** Epochs without a better held-out loss before it stops. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  /** Called after each epoch; training goes on when it resolves, so a caller may let others have their turn. */
  readonly onEpoch?: (epoch: Epoch) => void | Promise<void>;
}

export interface Trained {
  readonly network: Network;
  readonly history: readonly Epoch[];
}

export async function trainNetwork(prepared: Prepared, options: TrainOptions): Promise<Trained> {
  const { rng, epochs, hidden, learningRate = 2e-3, batch = 64, patience = 8, signal, onEpoch } = options;
  const size = windowSize(prepared);
  const windows = prepared.training.length / size;
  const network = createNetwork([size, ...hidden, size], rng.fork('weights'));
  const workspace = createWorkspace(network, batch);
  const adam = createAdam(network, workspace);
  const order = Uint32Array.from({ length: windows }, (_, i) => i);
  const history: Epoch[] = [];
  let best = { loss: Infinity, epoch: 0, network: copyNetwork(network) };

  for (let epoch = 1; epoch <= epochs && !signal?.aborted && epoch - best.epoch <= patience; epoch++) {
    shuffle(order, rng.fork(`epoch ${epoch}`));
    let loss = 0;
    const rate = learningRate * 0.5 * (1 + Math.cos((Math.PI * (epoch - 1)) / epochs)); // cosine annealing
    for (let first = 0; first < windows; first += batch) {
      const count = Math.min(batch, windows - first);
      const input = workspace.activations[0];
      for (let b = 0; b < count; b++)
        input.set(prepared.training.subarray(order[first + b] * size, (order[first + b] + 1) * size), b * size);
      forward(network, workspace, count);
      loss += backward(network, workspace, input, count) * count;
      adam.step(rate);
    }
    const heldOutLoss = lossOf(network, prepared.heldOut);
    if (heldOutLoss < best.loss) best = { loss: heldOutLoss, epoch, network: copyNetwork(network) };
    const entry = { epoch, trainingLoss: loss / windows, heldOutLoss };
    history.push(entry);
    await onEpoch?.(entry);
  }
  return { network: best.network, history };
}

const windowSize = ({ signal }: Prepared) => signal.features.length * signal.window.samples;

/** Fisher–Yates, from a stream of its own. */
function shuffle(order: Uint32Array, rng: Rng): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(rng.uniform(i) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

/** @param windows [windows × width] */
function lossOf(network: Network, windows: Float32Array): number {
  const size = network.layers[0].inputs;
  const outputs = reconstruct(network, windows);
  let sum = 0;
  for (let i = 0; i < windows.length; i++) sum += (outputs[i] - windows[i]) ** 2;
  return sum / Math.max(size, windows.length);
}

/** What the network makes of windows. @param windows [windows × width]. @returns the same shape */
export function reconstruct(network: Network, windows: Float32Array): Float32Array {
  const size = network.layers[0].inputs;
  const workspace = createWorkspace(network, 1);
  const out = new Float32Array(windows.length);
  for (let from = 0; from < windows.length; from += size) {
    workspace.activations[0].set(windows.subarray(from, from + size));
    out.set(forward(network, workspace, 1), from);
  }
  return out;
}

/** Mean absolute errors by feature. @param windows [windows × features × samples]. @returns [windows × features] */
export function featureErrors(network: Network, windows: Float32Array, samples: number): Float32Array {
  const outputs = reconstruct(network, windows);
  const errors = new Float32Array(windows.length / samples);
  for (let k = 0; k < errors.length; k++) {
    let sum = 0;
    for (let t = 0; t < samples; t++) sum += Math.abs(outputs[k * samples + t] - windows[k * samples + t]);
    errors[k] = sum / samples;
  }
  return errors;
}

const copyNetwork = ({ layers }: Network): Network => ({
  layers: layers.map((layer) => ({ ...layer, weights: layer.weights.slice(), bias: layer.bias.slice() })),
});
