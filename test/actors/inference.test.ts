import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { createRng } from '../../twins/rng.ts';
import { modelAround } from '../kit/network-model.ts';
import { denseNetwork, mixedNetwork, seedNetwork } from '../kit/reference-network.ts';

const inference = suite('inference');

const networks = [
  ['dense', denseNetwork(7, 100, [40, 10, 40], createRng(1))],
  ['convolutions', mixedNetwork(6, 100, createRng(2))],
  ['the original’s', seedNetwork(createRng(3))],
] as const;

for (const [name, layered] of networks) {
  inference(`${name}: a window’s scores are the same bits whatever batch it rides in, and beside whom`, async () => {
    const { manifest, network, golden } = modelAround(layered);
    const model = await onnxEngine().load(manifest, network, golden);
    const features = layered.input[0];
    const size = features * manifest.signal.window.samples;
    const rng = createRng(5);
    const window = Float32Array.from({ length: size }, (_, i) => rng.normal(i));
    const alone = new Float32Array(features);
    await model.predict(window, 1, alone);
    assert.ok(alone.every((score) => Number.isFinite(score) && score > 0));

    for (const neighbour of [0.5, Number.NaN, 3e38, Number.NEGATIVE_INFINITY]) {
      for (const [batch, rows] of [
        [1, [0]],
        [7, [0, 3, 6]],
        [64, [0, 31, 63]],
        [65, [0, 63, 64]],
        [200, [0, 64, 130, 191, 199]],
      ] as const) {
        const windows = new Float32Array(batch * size).fill(neighbour);
        for (const row of rows) windows.set(window, row * size);
        const scores = new Float32Array(batch * features);
        await model.predict(windows, batch, scores);
        for (const row of rows)
          assert.equal(
            Buffer.from(scores.slice(row * features, (row + 1) * features).buffer),
            Buffer.from(alone.slice().buffer),
            `row ${row} of ${batch}, neighbours ${neighbour}`,
          );
      }
    }
    await model.close();
  });
}

inference('a package for another processor is refused, and both are named', async () => {
  const { manifest, network, golden } = modelAround(networks[0][1]);
  const forArm = { ...manifest, target: 'arm64' };
  await (await onnxEngine({ arch: 'arm64' }).load(forArm, network, golden)).close();
  for (const engine of [onnxEngine({ arch: 'x64' }), onnxEngine()]) {
    await engine.load(forArm, network, golden).then(
      () => assert.unreachable(),
      (error: unknown) => assert.ok(error instanceof ModelRejected && /compiled for arm64, this is (x64|a processor)/.test(error.message)),
    );
  }
});

inference.run();
