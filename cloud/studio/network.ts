/**
 * A layered network's answers and gradients on typed arrays. Its loss is the mean squared error against its own input.
 *
 * All parameters lie behind each other in one array, weights before biases, so that gradients, moments and checkpoints are arrays of
 * the same length and order.
 */
import type { LayeredNetwork, NetworkLayer } from './layers.ts';
import { fold, gridOf, patchOf, unfold, walkOf } from './network-images.ts';
import { addProduct, type Matrix } from './network-products.ts';

/** Values of one window that go into a layer, and that come out. */
export const inputsOf = (layer: NetworkLayer): number =>
  layer.kind === 'dense' ? layer.inputs : layer.input.channels * layer.input.height * layer.input.width;
export const outputsOf = (layer: NetworkLayer): number =>
  layer.kind === 'dense' ? layer.outputs : layer.output.channels * layer.output.height * layer.output.width;

export const countParameters = ({ layers }: LayeredNetwork): number =>
  layers.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0);

/** Multiplications of one window's way through the network. */
export const countMacs = ({ layers }: LayeredNetwork): number => layers.reduce((sum, layer) => sum + macsOf(layer), 0);

/** …and of one window's part of a training step: forward, and back to every weight and to every input but the network's own. */
export const countTrainingMacs = ({ layers }: LayeredNetwork): number =>
  layers.reduce((sum, layer, l) => sum + macsOf(layer) * (l === 0 ? 2 : 3), 0);

function macsOf(layer: NetworkLayer): number {
  if (layer.kind === 'dense') return layer.inputs * layer.outputs;
  return layer.weights.length * gridOf(walkOf(layer));
}

/** The same network with its parameters in `values` [parameters]: what is written there is what it knows. */
export function networkOn(network: LayeredNetwork, values: Float32Array): LayeredNetwork {
  let at = 0;
  const take = (length: number) => {
    at += length;
    return values.subarray(at - length, at);
  };
  return {
    input: network.input,
    layers: network.layers.map((layer) => ({ ...layer, weights: take(layer.weights.length), bias: take(layer.bias.length) })),
  };
}

/** @returns [parameters], a copy */
export function parametersOf(network: LayeredNetwork): Float32Array {
  const values = new Float32Array(countParameters(network));
  for (const [l, layer] of networkOn(network, values).layers.entries()) {
    layer.weights.set(network.layers[l].weights);
    layer.bias.set(network.layers[l].bias);
  }
  return values;
}

/** Room for some windows on their way through a network and back. */
export interface Workspace {
  readonly windows: number;
  /** [layers + 1][windows × width]; the first is the input. */
  readonly activations: readonly Float32Array[];
  /** The loss by each of them. */
  readonly deltas: readonly Float32Array[];
  /** One unfolded image. */
  readonly columns: Float32Array;
}

export function createWorkspace({ layers }: LayeredNetwork, windows: number): Workspace {
  const widths = [inputsOf(layers[0]), ...layers.map(outputsOf)];
  const columns = layers.map((layer) => (layer.kind === 'dense' ? 0 : patchOf(walkOf(layer)) * gridOf(walkOf(layer))));
  return {
    windows,
    activations: widths.map((width) => new Float32Array(width * windows)),
    deltas: widths.map((width) => new Float32Array(width * windows)),
    columns: new Float32Array(Math.max(...columns)),
  };
}

/** Silences some of a layer's outputs while it trains. */
export interface Dropout {
  /** 0..1 */
  readonly rate: number;
  /** Layers, from 0 on, after which it stands. They must be linear above 0: `relu`. */
  readonly after: readonly number[];
  /** Uniform in [0, 1): whether output `i` of layer `l` is kept for the `b`-th of the windows in hand. */
  readonly draw: (l: number, b: number, i: number) => number;
}

/** Answers for the first `count` windows of `activations[0]`. @returns [count × outputs], the workspace's own */
export function forward({ layers }: LayeredNetwork, w: Workspace, count: number, dropout?: Dropout): Float32Array {
  for (const [l, layer] of layers.entries()) {
    const y = w.activations[l + 1];
    const size = outputsOf(layer);
    forwardLayer(layer, w.activations[l], y, w.columns, count);
    if (layer.activation === 'tanh') for (let i = 0; i < count * size; i++) y[i] = Math.tanh(y[i]);
    else if (layer.activation === 'relu') for (let i = 0; i < count * size; i++) if (y[i] < 0) y[i] = 0;
    if (!dropout || dropout.rate === 0 || !dropout.after.includes(l)) continue;
    const kept = 1 / (1 - dropout.rate);
    for (let b = 0; b < count; b++) for (let i = 0; i < size; i++) y[b * size + i] *= dropout.draw(l, b, i) < dropout.rate ? 0 : kept;
  }
  return w.activations[layers.length];
}

/**
 * Adds the gradients of `share` × (the sum of squared errors of the windows that `forward` last saw) to `gradients`, a network of the
 * same shape whose parameters are gradients. `dropout` must be what `forward` got.
 */
export function backward(
  { layers }: LayeredNetwork,
  w: Workspace,
  count: number,
  share: number,
  gradients: LayeredNetwork,
  dropout?: Dropout,
): void {
  const [input, output, delta] = [w.activations[0], w.activations[layers.length], w.deltas[layers.length]];
  const size = count * outputsOf(layers[layers.length - 1]);
  for (let i = 0; i < size; i++) delta[i] = 2 * share * (output[i] - input[i]);
  for (let l = layers.length - 1; l >= 0; l--) {
    const kept = dropout?.after.includes(l) ? 1 / (1 - dropout.rate) : 1;
    throughActivation(layers[l], w.activations[l + 1], w.deltas[l + 1], count, kept);
    backwardLayer(layers[l], w.activations[l], w.deltas[l + 1], l === 0 ? null : w.deltas[l], w.columns, count, gradients.layers[l]);
  }
}

/** Squared errors of the windows that `forward` last saw, summed by window. @param out [windows], written from `at` on */
export function squaredErrors({ layers }: LayeredNetwork, w: Workspace, count: number, out: Float64Array, at: number): void {
  const [input, output] = [w.activations[0], w.activations[layers.length]];
  const size = inputsOf(layers[0]);
  for (let b = 0; b < count; b++) {
    let sum = 0;
    for (let i = b * size; i < (b + 1) * size; i++) sum += (output[i] - input[i]) ** 2;
    out[at + b] = sum;
  }
}

const matrix = (values: Float32Array, at: number, down: number, right: number): Matrix => ({ values, at, down, right });

function forwardLayer(layer: NetworkLayer, x: Float32Array, y: Float32Array, columns: Float32Array, count: number): void {
  const { weights, bias } = layer;
  if (layer.kind === 'dense') {
    const { inputs, outputs } = layer;
    for (let b = 0; b < count; b++) y.set(bias, b * outputs);
    addProduct(count, outputs, inputs, matrix(x, 0, inputs, 1), matrix(weights, 0, 1, inputs), matrix(y, 0, outputs, 1));
    return;
  }
  const walk = walkOf(layer);
  const [patch, grid, inputs, outputs] = [patchOf(walk), gridOf(walk), inputsOf(layer), outputsOf(layer)];
  const place = layer.output.height * layer.output.width;
  for (let b = 0; b < count; b++) {
    for (let c = 0; c < bias.length; c++) y.fill(bias[c], b * outputs + c * place, b * outputs + (c + 1) * place);
    if (layer.kind === 'conv') {
      unfold(walk, x, b * inputs, columns);
      addProduct(bias.length, grid, patch, matrix(weights, 0, patch, 1), matrix(columns, 0, grid, 1), matrix(y, b * outputs, grid, 1));
    } else {
      columns.fill(0, 0, patch * grid);
      const channels = layer.input.channels;
      addProduct(patch, grid, channels, matrix(weights, 0, 1, patch), matrix(x, b * inputs, grid, 1), matrix(columns, 0, grid, 1));
      fold(walk, columns, y, b * outputs);
    }
  }
}

/** Deltas of what a layer puts out → deltas of its sums, by what came out of it. */
function throughActivation(layer: NetworkLayer, y: Float32Array, delta: Float32Array, count: number, kept: number): void {
  const size = count * outputsOf(layer);
  if (layer.activation === 'tanh')
    for (let i = 0; i < size; i++) delta[i] *= 1 - y[i] * y[i]; // tanh' = 1 − tanh²
  else if (layer.activation === 'relu') for (let i = 0; i < size; i++) delta[i] = y[i] > 0 ? delta[i] * kept : 0;
}

function backwardLayer(
  layer: NetworkLayer,
  x: Float32Array,
  delta: Float32Array,
  before: Float32Array | null,
  columns: Float32Array,
  count: number,
  gradient: NetworkLayer,
): void {
  const [inputs, outputs] = [inputsOf(layer), outputsOf(layer)];
  before?.fill(0, 0, count * inputs);
  if (layer.kind === 'dense') {
    for (let b = 0; b < count; b++) for (let o = 0; o < outputs; o++) gradient.bias[o] += delta[b * outputs + o];
    addProduct(outputs, inputs, count, matrix(delta, 0, 1, outputs), matrix(x, 0, inputs, 1), matrix(gradient.weights, 0, inputs, 1));
    if (before)
      addProduct(count, inputs, outputs, matrix(delta, 0, outputs, 1), matrix(layer.weights, 0, inputs, 1), matrix(before, 0, inputs, 1));
    return;
  }
  const walk = walkOf(layer);
  const [patch, grid] = [patchOf(walk), gridOf(walk)];
  const { weights, bias, input } = layer;
  const place = outputs / bias.length;
  for (let b = 0; b < count; b++) {
    for (let c = 0; c < bias.length; c++) {
      let sum = 0;
      for (let i = b * outputs + c * place; i < b * outputs + (c + 1) * place; i++) sum += delta[i];
      gradient.bias[c] += sum;
    }
    const unfolded = matrix(columns, 0, 1, grid);
    const learned = matrix(gradient.weights, 0, patch, 1);
    if (layer.kind === 'conv') {
      unfold(walk, x, b * inputs, columns);
      addProduct(bias.length, patch, grid, matrix(delta, b * outputs, grid, 1), unfolded, learned);
      if (!before) continue;
      columns.fill(0, 0, patch * grid);
      addProduct(patch, grid, bias.length, matrix(weights, 0, 1, patch), matrix(delta, b * outputs, grid, 1), matrix(columns, 0, grid, 1));
      fold(walk, columns, before, b * inputs);
    } else {
      unfold(walk, delta, b * outputs, columns);
      addProduct(input.channels, patch, grid, matrix(x, b * inputs, grid, 1), unfolded, learned);
      if (!before) continue;
      addProduct(
        input.channels,
        grid,
        patch,
        matrix(weights, 0, patch, 1),
        matrix(columns, 0, grid, 1),
        matrix(before, b * inputs, grid, 1),
      );
    }
  }
}
