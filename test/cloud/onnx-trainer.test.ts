import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { exportModel } from '../../cloud/studio/export.ts';
import type { Prepared } from '../../cloud/studio/prepare.ts';
import { featureErrors, trainNetwork } from '../../cloud/studio/train.ts';
import { createRng } from '../../twins/rng.ts';

const exported = suite('export of what was trained');

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Slow waves, each feature a multiple of one of them, with noise: something to learn. */
function waves(features: number, samples: number, windows: number): Prepared {
  const rng = createRng(31);
  const make = (from: number, count: number) =>
    Float32Array.from({ length: count * features * samples }, (_, i) => {
      const [t, f, w] = [i % samples, Math.floor(i / samples) % features, Math.floor(i / (samples * features))];
      return (1 + 0.2 * f) * Math.sin(t / 9 + from + w) + 0.1 * rng.normal(from * 1e6 + i);
    });
  return {
    machine: 'desk-turbine',
    source: 'waves',
    signal: {
      pipeline: 'stream',
      rateHz: 20,
      window: { samples, hop: samples, settle: 0 },
      features: Array.from({ length: features }, (_, f) => ({
        name: `f${f}`,
        op: 'value',
        channels: ['rps'],
        parameters: {},
        mean: 0,
        std: 1,
      })),
    },
    training: make(0, windows),
    heldOut: make(1, 12),
  };
}

for (const [network, windows, epochs] of [
  ['dense', 200, 4],
  ['conv', 100, 2],
  ['seed', 24, 1],
] as const) {
  exported(`${network}: ONNX Runtime gives the trainer’s scores, and the golden samples are the trainer’s`, async () => {
    const prepared = waves(6, 100, windows);
    const trained = await trainNetwork(prepared, { rng: createRng(5), network, epochs, batch: 8 });
    const options = { name: 'waves', version: '1.0.0', sequence: 1, fleet: 'test', lineage: {}, digest };
    const { manifest, network: onnx, golden } = exportModel(prepared, trained, options);

    const inference = await onnxEngine().load(manifest, onnx, golden); // asks the golden samples
    const scores = new Float32Array(12 * 6);
    await inference.predict(prepared.heldOut, 12, scores);
    await inference.close();

    const errors = featureErrors(trained.network, prepared.heldOut, 100);
    for (const [i, error] of errors.entries()) {
      const wanted = error / Math.fround(manifest.thresholds[i % 6].mae);
      assert.ok(Math.abs(scores[i] - wanted) <= 1e-5 * Math.max(1, wanted), `${i}: ${scores[i]} against ${wanted}`);
    }
    assert.equal(manifest.network.input, network === 'seed' ? [-1, 6, 10, 10] : [-1, 6, 100]);
    assert.equal([manifest.network.opset, manifest.network.ir], [17, 8]);
  });
}

exported.run();
