/** Networks with random weights, and the plainest forward pass there is, in float64, one number at a time: what an export is held against. */
import type { Rng } from '../../actors/contracts/rng.ts';
import type {
  Activation,
  ConvLayer,
  ConvTransposeLayer,
  DenseLayer,
  Image,
  LayeredNetwork,
  NetworkLayer,
} from '../../cloud/studio/layers.ts';

const random = (length: number, scale: number, rng: Rng) => Float32Array.from({ length }, (_, i) => scale * rng.normal(i));

export function denseLayer(inputs: number, outputs: number, activation: Activation, rng: Rng): DenseLayer {
  return {
    kind: 'dense',
    inputs,
    outputs,
    weights: random(inputs * outputs, Math.sqrt(2 / inputs), rng.fork('weights')),
    bias: random(outputs, 0.1, rng.fork('bias')),
    activation,
  };
}

type Pair = readonly [number, number];

/** @param output of a transposed one, where its stride leaves a choice; else it follows */
export function convLayer(
  kind: 'conv' | 'conv-transpose',
  input: Image,
  channels: number,
  { kernel, stride, pad }: { readonly kernel: Pair; readonly stride: Pair; readonly pad: Pair },
  activation: Activation,
  rng: Rng,
  output?: Image,
): ConvLayer | ConvTransposeLayer {
  const side = (n: number, d: 0 | 1) =>
    kind === 'conv' ? Math.floor((n + 2 * pad[d] - kernel[d]) / stride[d]) + 1 : (n - 1) * stride[d] + kernel[d] - 2 * pad[d];
  return {
    kind,
    input,
    output: output ?? { channels, height: side(input.height, 0), width: side(input.width, 1) },
    kernel,
    stride,
    pad,
    weights: random(
      input.channels * channels * kernel[0] * kernel[1],
      Math.sqrt(2 / (input.channels * kernel[0] * kernel[1])),
      rng.fork('weights'),
    ),
    bias: random(channels, 0.1, rng.fork('bias')),
    activation,
  };
}

export function denseNetwork(features: number, samples: number, hidden: readonly number[], rng: Rng): LayeredNetwork {
  const widths = [features * samples, ...hidden, features * samples];
  return {
    input: [features, samples],
    layers: hidden
      .map((_, l): NetworkLayer => denseLayer(widths[l], widths[l + 1], 'tanh', rng.fork(`${l}`)))
      .concat(denseLayer(widths[widths.length - 2], features * samples, 'none', rng.fork('last'))),
  };
}

/** Strided over time, through a dense bottleneck, and back: every layer kind and activation in one. */
export function mixedNetwork(features: number, samples: number, rng: Rng): LayeredNetwork {
  const whole = { channels: features, height: 1, width: samples };
  const along = (kernel: number, stride: number, pad: number) => ({ kernel: [1, kernel], stride: [1, stride], pad: [0, pad] }) as const;
  const one = convLayer('conv', whole, 8, along(5, 2, 2), 'relu', rng.fork('a'));
  const two = convLayer('conv', one.output, 4, along(5, 2, 2), 'tanh', rng.fork('b'));
  const flat = two.output.channels * two.output.width;
  const down = denseLayer(flat, 7, 'tanh', rng.fork('c'));
  const up = denseLayer(7, flat, 'relu', rng.fork('d'));
  const three = convLayer('conv-transpose', two.output, 8, along(5, 2, 2), 'relu', rng.fork('e'), one.output);
  const four = convLayer('conv-transpose', one.output, features, along(5, 2, 2), 'none', rng.fork('f'), whole);
  return { input: [features, samples], layers: [one, two, down, up, three, four] };
}

/** The original's (original-system.md §3): 83 782 parameters, kernel 2, stride 1. */
export function seedNetwork(rng: Rng): LayeredNetwork {
  const layers: NetworkLayer[] = [];
  let image: Image = { channels: 6, height: 10, width: 10 };
  for (const [l, [kind, channels, pad]] of (
    [
      ['conv', 32, 1],
      ['conv', 64, 1],
      ['conv', 128, 2],
      ['conv-transpose', 64, 2],
      ['conv-transpose', 32, 1],
      ['conv-transpose', 6, 1],
    ] as const
  ).entries()) {
    const options = { kernel: [2, 2], stride: [1, 1], pad: [pad, pad] } as const;
    const layer: ConvLayer | ConvTransposeLayer = convLayer(kind, image, channels, options, l < 5 ? 'relu' : 'none', rng.fork(`${l}`));
    layers.push(layer);
    image = layer.output;
  }
  return { input: [6, 10, 10], layers };
}

/** Multiplications of a window, layer by layer as they are written: a transposed one spends its kernel on every number that comes in. */
export const countMacs = ({ layers }: LayeredNetwork): number =>
  layers.reduce((sum, layer) => {
    if (layer.kind === 'dense') return sum + layer.inputs * layer.outputs;
    const { height, width } = layer.kind === 'conv' ? layer.output : layer.input;
    return sum + layer.weights.length * height * width;
  }, 0);

export const countParameters = ({ layers }: LayeredNetwork): number =>
  layers.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0);

/** @param window [features × …]. @returns its reconstruction, in the same shape */
export function answer({ layers }: LayeredNetwork, window: ArrayLike<number>): Float64Array {
  let x: Float64Array = Float64Array.from(window);
  for (const layer of layers) {
    x = layer.kind === 'dense' ? dense(layer, x) : layer.kind === 'conv' ? conv(layer, x) : transposed(layer, x);
    if (layer.activation === 'tanh') x = x.map(Math.tanh);
    if (layer.activation === 'relu') x = x.map((value) => Math.max(0, value));
  }
  return x;
}

/** Mean absolute error by feature, over its threshold. @returns [features] */
export function scoresOf(network: LayeredNetwork, window: ArrayLike<number>, thresholds: Float32Array): Float64Array {
  const y = answer(network, window);
  const each = y.length / thresholds.length;
  return Float64Array.from(thresholds, (threshold, f) => {
    let sum = 0;
    for (let i = 0; i < each; i++) sum += Math.abs(y[f * each + i] - window[f * each + i]);
    return sum / each / threshold;
  });
}

const dense = ({ inputs, outputs, weights, bias }: DenseLayer, x: Float64Array) =>
  Float64Array.from({ length: outputs }, (_, o) => {
    let sum = bias[o];
    for (let i = 0; i < inputs; i++) sum += weights[o * inputs + i] * x[i];
    return sum;
  });

function conv({ input, output, kernel, stride, pad, weights, bias }: ConvLayer, x: Float64Array): Float64Array {
  const y = new Float64Array(output.channels * output.height * output.width);
  for (let o = 0; o < output.channels; o++)
    for (let r = 0; r < output.height; r++)
      for (let c = 0; c < output.width; c++) {
        let sum = bias[o];
        for (let i = 0; i < input.channels; i++)
          for (let a = 0; a < kernel[0]; a++)
            for (let b = 0; b < kernel[1]; b++) {
              const [row, column] = [r * stride[0] + a - pad[0], c * stride[1] + b - pad[1]];
              if (row < 0 || row >= input.height || column < 0 || column >= input.width) continue;
              sum +=
                weights[((o * input.channels + i) * kernel[0] + a) * kernel[1] + b] * x[(i * input.height + row) * input.width + column];
            }
        y[(o * output.height + r) * output.width + c] = sum;
      }
  return y;
}

/** Every number that comes in spreads over a kernel of what goes out. */
function transposed({ input, output, kernel, stride, pad, weights, bias }: ConvTransposeLayer, x: Float64Array): Float64Array {
  const area = output.height * output.width;
  const y = Float64Array.from({ length: output.channels * area }, (_, i) => bias[Math.floor(i / area)]);
  for (let i = 0; i < input.channels; i++)
    for (let r = 0; r < input.height; r++)
      for (let c = 0; c < input.width; c++)
        for (let o = 0; o < output.channels; o++)
          for (let a = 0; a < kernel[0]; a++)
            for (let b = 0; b < kernel[1]; b++) {
              const [row, column] = [r * stride[0] + a - pad[0], c * stride[1] + b - pad[1]];
              if (row < 0 || row >= output.height || column < 0 || column >= output.width) continue;
              y[(o * output.height + row) * output.width + column] +=
                weights[((i * output.channels + o) * kernel[0] + a) * kernel[1] + b] * x[(i * input.height + r) * input.width + c];
            }
  return y;
}
