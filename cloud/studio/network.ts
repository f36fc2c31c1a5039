/**
 * A dense autoencoder on typed arrays: layers y = f(Wx + b), f = tanh between the layers and the identity at the end, the mean
 * squared error as its loss.
 */
import type { Rng } from '../../actors/contracts/rng.ts';

export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs × inputs], row-major. */
  readonly weights: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

export interface Network {
  readonly layers: readonly Layer[];
}

/** Glorot-uniform weights, zero biases. @param widths of the input, the hidden layers and the output */
export function createNetwork(widths: readonly number[], rng: Rng): Network {
  return {
    layers: widths.slice(1).map((outputs, l) => {
      const inputs = widths[l];
      const chance = rng.fork(`layer ${l}`);
      const limit = Math.sqrt(6 / (inputs + outputs));
      const weights = new Float32Array(inputs * outputs).map((_, i) => limit * (2 * chance.uniform(i) - 1));
      return { inputs, outputs, weights, bias: new Float32Array(outputs) };
    }),
  };
}

/** Room for one batch: the activations of every layer and the gradients of every weight. */
export interface Workspace {
  /** [layers + 1][batch × width]; the first is the input. */
  readonly activations: readonly Float32Array[];
  readonly deltas: readonly Float32Array[];
  readonly gradients: readonly { readonly weights: Float32Array; readonly bias: Float32Array }[];
}

export function createWorkspace(network: Network, batch: number): Workspace {
  const widths = [network.layers[0].inputs, ...network.layers.map((layer) => layer.outputs)];
  return {
    activations: widths.map((width) => new Float32Array(width * batch)),
    deltas: widths.map((width) => new Float32Array(width * batch)),
    gradients: network.layers.map(({ weights, bias }) => ({
      weights: new Float32Array(weights.length),
      bias: new Float32Array(bias.length),
    })),
  };
}

/** Answers for the inputs in `activations[0]`. @returns [batch × outputs], the workspace's own */
export function forward({ layers }: Network, w: Workspace, batch: number): Float32Array {
  for (const [l, { inputs, outputs, weights, bias }] of layers.entries()) {
    const x = w.activations[l];
    const y = w.activations[l + 1];
    const last = l === layers.length - 1;
    for (let b = 0; b < batch; b++) {
      for (let o = 0; o < outputs; o++) {
        let sum = bias[o];
        const row = o * inputs;
        const from = b * inputs;
        for (let i = 0; i < inputs; i++) sum += weights[row + i] * x[from + i];
        y[b * outputs + o] = last ? sum : Math.tanh(sum);
      }
    }
  }
  return w.activations[layers.length];
}

/** Gradients of the mean squared error against `target`, after `forward`. @returns the loss. */
export function backward({ layers }: Network, w: Workspace, target: Float32Array, batch: number): number {
  const output = w.activations[layers.length];
  const delta = w.deltas[layers.length];
  const size = layers[layers.length - 1].outputs * batch;
  let loss = 0;
  for (let i = 0; i < size; i++) {
    const error = output[i] - target[i];
    loss += error * error;
    delta[i] = (2 * error) / size;
  }
  for (let l = layers.length - 1; l >= 0; l--) backwardLayer(layers[l], w, l, batch);
  return loss / size;
}

function backwardLayer({ inputs, outputs, weights }: Layer, w: Workspace, l: number, batch: number): void {
  const x = w.activations[l];
  const delta = w.deltas[l + 1];
  const before = w.deltas[l];
  const gradient = w.gradients[l];
  gradient.weights.fill(0);
  gradient.bias.fill(0);
  before.fill(0);
  for (let b = 0; b < batch; b++) {
    const from = b * inputs;
    for (let o = 0; o < outputs; o++) {
      const d = delta[b * outputs + o];
      const row = o * inputs;
      gradient.bias[o] += d;
      for (let i = 0; i < inputs; i++) {
        gradient.weights[row + i] += d * x[from + i];
        before[from + i] += d * weights[row + i];
      }
    }
  }
  if (l === 0) return;
  for (let i = 0; i < batch * inputs; i++) before[i] *= 1 - x[i] * x[i]; // tanh' = 1 − tanh²
}
