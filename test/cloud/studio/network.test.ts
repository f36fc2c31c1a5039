import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConvTransposeLayer, LayeredNetwork } from '../../../cloud/studio/layers.ts';
import {
  backward,
  countMacs,
  countParameters,
  createWorkspace,
  type Dropout,
  forward,
  networkOn,
  outputsOf,
  parametersOf,
  squaredErrors,
} from '../../../cloud/studio/network.ts';
import { convNetwork, createNetwork, denseNetwork, SEED_DROPOUT_AFTER, seedNetwork } from '../../../cloud/studio/network-kinds.ts';
import { addProduct } from '../../../cloud/studio/network-products.ts';
import { reconstruct } from '../../../cloud/studio/train.ts';
import { createRng } from '../../../twins/rng.ts';

const network = suite('network');

const normals = (length: number, label: string) => {
  const stream = createRng(5).fork(label);
  return Float32Array.from({ length }, (_, i) => stream.normal(i));
};

/**
 * Every `stride`-th gradient against (loss(p + h) − loss(p − h)) / 2h; the loss is the mean squared error of `count` windows. A wide
 * step crosses kinks of ReLU, a narrow one is lost in the rounding of few outputs.
 */
function compareGradients(
  shape: LayeredNetwork,
  count: number,
  { stride = 1, step = 3e-4, dropout = undefined as Dropout | undefined } = {},
): void {
  const values = parametersOf(shape);
  const gradients = new Float32Array(values.length);
  const [on, learned] = [networkOn(shape, values), networkOn(shape, gradients)];
  const workspace = createWorkspace(on, count);
  const errors = new Float64Array(count);
  const size = outputsOf(shape.layers.at(-1)!);
  workspace.activations[0].set(normals(count * size, 'input'));
  const loss = () => {
    forward(on, workspace, count, dropout);
    squaredErrors(on, workspace, count, errors, 0);
    return errors.reduce((sum, x) => sum + x, 0) / (count * size);
  };
  loss();
  backward(on, workspace, count, 1 / (count * size), learned, dropout);

  let [worst, off, all] = [0, 0, 0];
  for (let i = 0; i < values.length; i += stride) {
    const kept = values[i];
    const [high, low] = [Math.fround(kept + step), Math.fround(kept - step)];
    values[i] = high;
    const above = loss();
    values[i] = low;
    const below = loss();
    values[i] = kept;
    const difference = Math.abs((above - below) / (high - low) - gradients[i]);
    worst = Math.max(worst, difference);
    off += difference ** 2;
    all += gradients[i] ** 2;
  }
  assert.ok(worst <= 1e-4, `the worst is off by ${worst}`);
  assert.ok(Math.sqrt(off / all) <= 1e-2, `together they are off by ${Math.sqrt(off / all)} of their length`);
}

network('its products are those of the plain loop, whatever the sizes and the order in memory', () => {
  for (const [m, n, k] of [
    [1, 1, 1],
    [4, 4, 7],
    [5, 6, 3],
    [3, 9, 11],
    [7, 3, 2],
    [16, 13, 5],
    [2, 2, 40],
  ]) {
    for (const order of ['nn', 'nt', 'tn', 'tt']) {
      const [a, b, c] = [normals(m * k, `a${m}`), normals(k * n, `b${n}`), normals(m * n + 3, 'c')];
      const wanted = Array.from(c);
      const at = (left: boolean, row: number, column: number) =>
        left
          ? order[0] === 'n'
            ? a[row * k + column]
            : a[column * m + row]
          : order[1] === 'n'
            ? b[row * n + column]
            : b[column * k + row];
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) wanted[3 + i * n + j] += at(true, i, p) * at(false, p, j);

      addProduct(
        m,
        n,
        k,
        order[0] === 'n' ? { values: a, at: 0, down: k, right: 1 } : { values: a, at: 0, down: 1, right: m },
        order[1] === 'n' ? { values: b, at: 0, down: n, right: 1 } : { values: b, at: 0, down: 1, right: k },
        { values: c, at: 3, down: n, right: 1 },
      );

      for (const [i, x] of c.entries()) assert.ok(Math.abs(x - wanted[i]) < 1e-5, `${m}×${n}×${k} ${order}: ${x} against ${wanted[i]}`);
    }
  }
});

network('gradients of a dense network are those of finite differences', () => {
  compareGradients(denseNetwork([3, 2], [5, 3, 4], createRng(3)), 3, { step: 3e-3 });
});

network('gradients of a strided convolutional network are those of finite differences', () => {
  compareGradients(convNetwork(3, 40, createRng(4)), 2, { stride: 3 });
});

network('gradients of the original’s network are those of finite differences', () => {
  compareGradients(seedNetwork(6, 100, createRng(5)), 1, { stride: 1_499 });
});

network('gradients through dropout are those of the outputs that were kept', () => {
  const chance = createRng(6);
  const dropout = { rate: 0.4, after: [0, 1], draw: (l: number, b: number, i: number) => chance.fork(`${l} ${b}`).uniform(i) };
  const shape = denseNetwork([6], [8, 8], createRng(7));
  const rectified = {
    ...shape,
    layers: shape.layers.map((layer, l) => ({
      ...layer,
      bias: normals(layer.bias.length, `bias ${l}`), // with biases of 0 a unit whose inputs are all dropped sits on the kink
      activation: l < 2 ? ('relu' as const) : layer.activation,
    })),
  };
  compareGradients(rectified, 4, { dropout, step: 1e-3 });
  const workspace = createWorkspace(rectified, 4);
  workspace.activations[0].set(normals(24, 'input'));
  const answers = forward(rectified, workspace, 4, dropout).slice();
  assert.is.not(answers.join(), forward(rectified, workspace, 4).join());
});

network('the original’s network has the original’s shapes, 83 782 parameters and 17.3 M multiplications', () => {
  const seed = seedNetwork(6, 100, createRng(1));

  assert.equal(seed.input, [6, 10, 10]);
  assert.is(countParameters(seed), 83_782);
  assert.is(Math.round(countMacs(seed) / 1e5), 173);
  assert.equal(
    seed.layers.map((layer) => (layer.kind === 'dense' ? null : [layer.output.channels, layer.output.height, layer.output.width])),
    [
      [32, 11, 11],
      [64, 12, 12],
      [128, 15, 15],
      [64, 12, 12],
      [32, 11, 11],
      [6, 10, 10],
    ],
  );
  assert.equal(
    seed.layers.map(({ weights, bias }) => weights.length + bias.length),
    [800, 8_256, 32_896, 32_832, 8_224, 774],
  );
  assert.equal(
    seed.layers.map(({ activation }) => activation),
    ['relu', 'relu', 'relu', 'relu', 'relu', 'none'],
  );
  assert.equal(SEED_DROPOUT_AFTER, [0, 1, 3, 4]);
});

network('a transposed convolution is the convolution with flipped weights and the padding that is left', () => {
  const layer = seedNetwork(6, 100, createRng(2)).layers[5] as ConvTransposeLayer;
  const { channels, height, width } = layer.input;
  const image = normals(channels * height * width, 'image');
  const workspace = createWorkspace({ input: [channels, height, width], layers: [layer] }, 1);
  workspace.activations[0].set(image);
  const answers = forward({ input: [channels, height, width], layers: [layer] }, workspace, 1);

  for (let o = 0; o < 6; o++) {
    for (let y = 0; y < 10; y++) {
      for (let x = 0; x < 10; x++) {
        let sum = layer.bias[o];
        for (let c = 0; c < channels; c++)
          for (let dy = 0; dy < 2; dy++)
            for (let dx = 0; dx < 2; dx++)
              sum += image[(c * height + y + 1 - dy) * width + x + 1 - dx] * layer.weights[((c * 6 + o) * 2 + dy) * 2 + dx];
        const answer = answers[(o * 10 + y) * 10 + x];
        assert.ok(Math.abs(answer - sum) < 1e-5, `[${o}, ${y}, ${x}]: ${answer} against ${sum}`);
      }
    }
  }
});

network('a window’s answer does not depend on the windows beside it', () => {
  for (const kind of ['dense', 'conv', 'seed'] as const) {
    const shape = createNetwork(kind, 6, 100, [12, 5, 12], createRng(8));
    const windows = normals(7 * 600, 'windows');
    const together = reconstruct(shape, windows);
    for (const w of [0, 3, 6])
      assert.is(reconstruct(shape, windows.slice(w * 600, (w + 1) * 600)).join(), together.slice(w * 600, (w + 1) * 600).join(), kind);
  }
});

network('the networks of ours are small enough for a large fleet', () => {
  for (const kind of ['dense', 'conv'] as const)
    for (const features of [6, 7, 13, 18]) {
      const macs = countMacs(createNetwork(kind, features, 100, [40, 10, 40], createRng(1)));
      assert.ok(macs <= 150_000, `${kind} of ${features} features: ${macs}`);
    }
});

network('windows that do not fit a network are refused with the reason', () => {
  assert.throws(() => createNetwork('seed', 7, 100, [], createRng(1)), /6 features by 100 samples; these windows have 7 by 100/);
  assert.throws(() => createNetwork('conv', 6, 90, [], createRng(1)), /90 samples/);
});

network.run();
