/**
 * The networks that `train` knows, untrained.
 *
 * `dense`: the window flat, through tanh layers with a bottleneck. `conv`: strided convolutions over time and their transposes back
 * up. `seed`: the original's, original-system.md §3: kernel 2, stride 1, 6→32→64→128→64→32→6 channels on 10 × 10 images, 83 782
 * parameters, and a latent image larger than its input.
 */
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Activation, ConvLayer, ConvTransposeLayer, DenseLayer, Image, LayeredNetwork, NetworkLayer } from './layers.ts';

export type NetworkKind = 'dense' | 'conv' | 'seed';
export const networkKinds: readonly NetworkKind[] = ['dense', 'conv', 'seed'];

/** What the original's images are made of: 6 features by 100 samples, row by row. */
const SEED_IMAGE: Image = { channels: 6, height: 10, width: 10 };

/** @param hidden widths of the dense network's inner layers. @throws FileInvalid when windows of that shape do not fit the network. */
export function createNetwork(kind: NetworkKind, features: number, samples: number, hidden: readonly number[], rng: Rng): LayeredNetwork {
  if (kind === 'seed') return seedNetwork(features, samples, rng);
  return kind === 'conv' ? convNetwork(features, samples, rng) : denseNetwork([features, samples], hidden, rng);
}

/** tanh between the layers, linear at the end; Glorot-uniform weights. @param input of one window, as [features × samples] */
export function denseNetwork(input: readonly number[], hidden: readonly number[], rng: Rng): LayeredNetwork {
  const size = input.reduce((product, side) => product * side, 1);
  const widths = [size, ...hidden, size];
  return {
    input,
    layers: widths.slice(1).map((outputs, l): DenseLayer => {
      const inputs = widths[l];
      const weights = uniform(inputs * outputs, Math.sqrt(6 / (inputs + outputs)), rng.fork(`layer ${l}`));
      const activation = l === widths.length - 2 ? 'none' : 'tanh';
      return { kind: 'dense', inputs, outputs, weights, bias: new Float32Array(outputs), activation };
    }),
  };
}

const CONV_CODE = 8;

/**
 * T → T/2 → T/4 → T/(4s) samples, 16, 16 and 8 channels, and back; s is the largest of 5, 4, 3, 2 that divides. Machines of more than
 * 11 features get 12 channels: so it stays within 0.15 M MAC up to 20 features of 100 samples.
 */
export function convNetwork(features: number, samples: number, rng: Rng): LayeredNetwork {
  const last = [5, 4, 3, 2].find((step) => samples % (4 * step) === 0);
  if (last === undefined)
    throw new FileInvalid(`windows of ${samples} samples do not halve twice and divide again`, {
      hint: 'a conv network wants a multiple of 8, 12, 16 or 20 samples; --network dense takes any',
    });
  const image = (channels: number, width: number): Image => ({ channels, height: 1, width });
  const channels = features > 11 ? 12 : 16;
  const [whole, half, quarter] = [image(features, samples), image(channels, samples / 2), image(channels, samples / 4)];
  const code = image(CONV_CODE, quarter.width / last);
  const along = (kernel: number, stride: number, pad: number) => ({ kernel: [1, kernel], stride: [1, stride], pad: [0, pad] }) as const;
  return {
    input: [features, samples],
    layers: [
      convolution('conv', whole, half, along(5, 2, 2), 'relu', rng.fork('layer 0')),
      convolution('conv', half, quarter, along(5, 2, 2), 'relu', rng.fork('layer 1')),
      convolution('conv', quarter, code, along(last, last, 0), 'tanh', rng.fork('layer 2')),
      convolution('conv-transpose', code, quarter, along(last, last, 0), 'relu', rng.fork('layer 3')),
      convolution('conv-transpose', quarter, half, along(4, 2, 1), 'relu', rng.fork('layer 4')),
      convolution('conv-transpose', half, whole, along(4, 2, 1), 'none', rng.fork('layer 5')),
    ],
  };
}

/** Layers after whose ReLU the original drops out. */
export const SEED_DROPOUT_AFTER: readonly number[] = [0, 1, 3, 4];

export function seedNetwork(features: number, samples: number, rng: Rng): LayeredNetwork {
  const { channels, height, width } = SEED_IMAGE;
  if (features !== channels || samples !== height * width)
    throw new FileInvalid(`the original’s network takes 6 features by 100 samples; these windows have ${features} by ${samples}`, {
      hint: 'prepare the data with the original’s pipeline, seed-db6',
    });
  const image = (c: number, side: number): Image => ({ channels: c, height: side, width: side });
  const by = (pad: number) => ({ kernel: [2, 2], stride: [1, 1], pad: [pad, pad] }) as const;
  return {
    input: [channels, height, width],
    layers: [
      convolution('conv', SEED_IMAGE, image(32, 11), by(1), 'relu', rng.fork('layer 0')),
      convolution('conv', image(32, 11), image(64, 12), by(1), 'relu', rng.fork('layer 1')),
      convolution('conv', image(64, 12), image(128, 15), by(2), 'relu', rng.fork('layer 2')),
      convolution('conv-transpose', image(128, 15), image(64, 12), by(2), 'relu', rng.fork('layer 3')),
      convolution('conv-transpose', image(64, 12), image(32, 11), by(1), 'relu', rng.fork('layer 4')),
      convolution('conv-transpose', image(32, 11), SEED_IMAGE, by(1), 'none', rng.fork('layer 5')),
    ],
  };
}

/** Weights and biases uniform within ±1/√fan-in, as PyTorch begins: its fan-in of a transposed convolution counts output channels. */
function convolution(
  kind: 'conv' | 'conv-transpose',
  input: Image,
  output: Image,
  step: Pick<ConvLayer, 'kernel' | 'stride' | 'pad'>,
  activation: Activation,
  rng: Rng,
): NetworkLayer {
  const area = step.kernel[0] * step.kernel[1];
  const limit = 1 / Math.sqrt(area * (kind === 'conv' ? input.channels : output.channels));
  const weights = uniform(input.channels * output.channels * area, limit, rng);
  const bias = uniform(output.channels, limit, rng.fork('bias'));
  return { kind, input, output, ...step, weights, bias, activation } satisfies ConvLayer | ConvTransposeLayer as NetworkLayer;
}

const uniform = (length: number, limit: number, rng: Rng) => new Float32Array(length).map((_, i) => limit * (2 * rng.uniform(i) - 1));
