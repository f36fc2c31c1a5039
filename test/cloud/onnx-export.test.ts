import { InferenceSession, Tensor } from 'onnxruntime-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BATCH, checkOnnx, outputShape } from '../../actors/onnx/check.ts';
import type { OnnxModel } from '../../actors/onnx/model.ts';
import { readOnnx } from '../../actors/onnx/read.ts';
import { writeOnnx } from '../../actors/onnx/write.ts';
import type { LayeredNetwork } from '../../cloud/studio/layers.ts';
import { exportOnnx } from '../../cloud/studio/onnx.ts';
import { createRng } from '../../twins/rng.ts';
import {
  answer,
  convLayer,
  countMacs,
  countParameters,
  denseNetwork,
  mixedNetwork,
  scoresOf,
  seedNetwork,
} from '../kit/reference-network.ts';

const exported = suite('export');

const sizeOf = ({ input }: LayeredNetwork) => input.reduce((product, n) => product * n, 1);
const randomWindows = (network: LayeredNetwork, count: number, seed: number) => {
  const rng = createRng(seed).fork('windows');
  return Float32Array.from({ length: count * sizeOf(network) }, (_, i) => rng.normal(i));
};
const endsOf = ({ input }: LayeredNetwork) => ({ input: 'input0', shape: [-1, ...input], outputs: { scores: [-1, input[0]] } });
const thresholdsFor = (network: LayeredNetwork) => Float32Array.from({ length: network.input[0] }, (_, f) => 0.5 + 0.1 * f);

async function run(bytes: Uint8Array, network: LayeredNetwork, windows: Float32Array) {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const count = windows.length / sizeOf(network);
  const outputs = await session.run({ input0: new Tensor('float32', windows, [count, ...network.input]) });
  await session.release();
  return {
    scores: outputs['scores'].data as Float32Array,
    reconstruction: outputs['reconstruction'].data as Float32Array,
    dims: { scores: outputs['scores'].dims, reconstruction: outputs['reconstruction'].dims },
  };
}

const opsIn = ({ graph }: OnnxModel) => (graph?.node ?? []).map(({ opType }) => opType);

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.is(a.length, b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Number.isNaN(a[i]) ? Infinity : Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  return most;
}

const networks: readonly (readonly [string, LayeredNetwork])[] = [
  ['dense', denseNetwork(3, 20, [16, 4, 16], createRng(1))],
  ['strided, dense and back', mixedNetwork(4, 40, createRng(2))],
  ['the original’s', seedNetwork(createRng(3))],
];

for (const [name, network] of networks) {
  exported(`${name}: both forms answer as the plainest loop does`, async () => {
    const windows = randomWindows(network, 5, 7);
    const thresholds = thresholdsFor(network);
    const size = sizeOf(network);
    const wanted = Array.from({ length: 5 }, (_, w) => answer(network, windows.subarray(w * size, (w + 1) * size)));
    const wantedScores = Array.from({ length: 5 }, (_, w) => scoresOf(network, windows.subarray(w * size, (w + 1) * size), thresholds));

    for (const form of ['as-trained', 'convolutions'] as const) {
      const { scores, reconstruction, dims } = await run(exportOnnx(network, thresholds, form), network, windows);

      assert.equal(dims.reconstruction, [5, ...network.input]);
      assert.equal(dims.scores, [5, network.input[0]]);
      assert.ok(
        farthest(
          reconstruction,
          wanted.flatMap((row) => [...row]),
        ) <= 1e-5,
        `${form}: reconstruction`,
      );
      assert.ok(
        farthest(
          scores,
          wantedScores.flatMap((row) => [...row]),
        ) <= 1e-5,
        `${form}: scores`,
      );
    }
  });

  exported(`${name}: it passes its own check, and what is read is what was written`, () => {
    const bytes = exportOnnx(network, thresholdsFor(network));
    const checked = checkOnnx(bytes, endsOf(network));
    assert.is(checked.opset, 17);
    assert.is(checked.ir, 8);
    assert.equal(outputShape(checked, 'scores'), [-1, network.input[0]]);
    assert.equal(outputShape(checked, 'reconstruction'), [-1, ...network.input]);
    assert.equal(Buffer.from(writeOnnx(readOnnx(bytes))), Buffer.from(bytes));
  });
}

exported('the original’s network has the original’s size, and no transposed convolution is left in it', () => {
  const [, network] = networks[2];
  assert.is(countParameters(network), 83_782);
  assert.ok(Math.abs(countMacs(network) / 17.3e6 - 1) < 0.01, `${countMacs(network)}`);
  assert.equal(opsIn(readOnnx(exportOnnx(network, thresholdsFor(network), 'as-trained'))).filter((op) => op === 'ConvTranspose').length, 3);

  const bytes = exportOnnx(network, thresholdsFor(network));
  const ops = opsIn(readOnnx(bytes));
  assert.is(ops.filter((op) => op === 'Conv').length, 6);
  assert.not.ok(ops.includes('ConvTranspose'));
  assert.not.ok(ops.includes('Slice'));
  // Kernel 2 and padding 2 crop what the layer before need not have made: 13 × 13 places instead of 15 × 15.
  const { values, macs } = checkOnnx(bytes, endsOf(network));
  assert.equal(values.get('conv2')?.dims, [BATCH, 128, 13, 13]);
  assert.ok(macs < 0.75 * countMacs(network));
});

exported('a transposed convolution of any kernel and padding, of stride 1, becomes a plain one with the same answers', async () => {
  for (const [kernel, pad, side] of [
    [1, 0, 4],
    [2, 0, 4],
    [2, 1, 4],
    [2, 2, 6], // crops the input itself: no convolution before it
    [3, 1, 4],
    [3, 2, 4],
    [4, 1, 5],
    [5, 3, 7],
  ] as const) {
    const image = { channels: 3, height: side, width: side + 1 };
    const options = { kernel: [kernel, kernel], stride: [1, 1], pad: [pad, pad] } as const;
    const layer = convLayer('conv-transpose', image, 3, options, 'none', createRng(kernel * 10 + pad));
    const network = { input: [3, side, side + 1], layers: [layer] };
    const back = layer.output.height * layer.output.width === side * (side + 1);
    const windows = randomWindows(network, 2, 9);
    // The reconstruction must have the input's shape: a dense layer brings back what grew or shrank.
    const whole: LayeredNetwork = back ? network : { ...network, layers: [layer, fitting(layer.output, image)] };
    const thresholds = thresholdsFor(network);

    const plain = await run(exportOnnx(whole, thresholds, 'as-trained'), whole, windows);
    const bytes = exportOnnx(whole, thresholds);
    const rewritten = await run(bytes, whole, windows);

    assert.not.ok(opsIn(readOnnx(bytes)).includes('ConvTranspose'));
    assert.ok(farthest(rewritten.reconstruction, plain.reconstruction) <= 1e-5, `k=${kernel} p=${pad}`);
    assert.ok(
      farthest(rewritten.reconstruction.subarray(0, sizeOf(whole)), answer(whole, windows.subarray(0, sizeOf(whole)))) <= 1e-5,
      `k=${kernel} p=${pad} against the loop`,
    );
  }
});

/** A dense layer from an image to another. */
function fitting(from: { channels: number; height: number; width: number }, to: { channels: number; height: number; width: number }) {
  const [inputs, outputs] = [from.channels * from.height * from.width, to.channels * to.height * to.width];
  const rng = createRng(4);
  const weights = Float32Array.from({ length: inputs * outputs }, (_, i) => rng.normal(i) / Math.sqrt(inputs));
  return { kind: 'dense', inputs, outputs, weights, bias: new Float32Array(outputs), activation: 'none' } as const;
}

exported('a transposed convolution with steps stays one', () => {
  const ops = opsIn(readOnnx(exportOnnx(networks[1][1], thresholdsFor(networks[1][1]))));
  assert.is(ops.filter((op) => op === 'ConvTranspose').length, 2);
});

exported('shapes are followed as ONNX Runtime makes them', async () => {
  for (const [, network] of networks) {
    const bytes = exportOnnx(network, thresholdsFor(network), 'as-trained');
    const model = readOnnx(bytes);
    const { values } = checkOnnx(bytes, endsOf(network));
    const all = (model.graph?.node ?? []).flatMap(({ output = [] }) => output);
    const open = writeOnnx({ ...model, graph: { ...model.graph, output: all.map((name) => ({ name })) } });
    const session = await InferenceSession.create(open);
    const outputs = await session.run({ input0: new Tensor('float32', randomWindows(network, BATCH, 1), [BATCH, ...network.input]) });
    await session.release();
    for (const name of all) assert.equal(values.get(name)?.dims, outputs[name].dims, name);
  }
});

exported.run();
