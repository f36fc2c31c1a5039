import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { sharedEngine } from '../../actors/inference/shared.ts';
import { exportModel } from '../../cloud/studio/export.ts';
import { prepare } from '../../cloud/studio/prepare.ts';
import { featureErrors, trainNetwork } from '../../cloud/studio/train.ts';
import { twinBacking } from '../../twins/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { recordTwins } from '../../twins/record.ts';
import { createRng } from '../../twins/rng.ts';
import { starter } from '../kit/packages.ts';

const studio = suite('studio');

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A small recording, a few epochs. */
async function trainSmall(seed: number) {
  const recording = recordTwins(twinBacking({ things: ['A', 'B'], rng: createRng(seed), wind: defaultWind }), {
    forMs: 6 * 60_000,
    epoch: 0,
  });
  const prepared = prepare(recording, 'desk-turbine', 'test');
  const trained = await trainNetwork(prepared, { rng: createRng(seed), epochs: 6, hidden: [16, 4, 16], batch: 16 });
  const options = { name: 'small', version: '1.0.0', sequence: 1, fleet: 'test', lineage: { seed }, digest };
  return { prepared, trained, artefacts: exportModel(prepared, trained, options) };
}

studio('the exported network answers as the trainer does', async () => {
  const { prepared, trained, artefacts } = await trainSmall(11);
  const { manifest, network, golden } = artefacts;
  const [first, last] = [trained.history[0].trainingLoss, trained.history.at(-1)!.trainingLoss];
  assert.ok(last < 0.95 * first, `${first} → ${last}`);

  const inference = await onnxEngine().load(manifest, network, golden);
  const features = manifest.signal.features.length;
  const windows = prepared.heldOut.length / (features * manifest.signal.window.samples);
  const scores = new Float32Array(windows * features);
  await inference.predict(prepared.heldOut, windows, scores);

  const errors = featureErrors(trained.network, prepared.heldOut, manifest.signal.window.samples);
  for (const [i, error] of errors.entries()) {
    const wanted = error / Math.fround(manifest.thresholds[i % features].mae);
    assert.ok(Math.abs(scores[i] - wanted) <= 1e-5, `window ${Math.floor(i / features)}: ${scores[i]} against ${wanted}`);
  }
  await inference.close();
});

studio('thresholds come from windows that training never saw, and the same seed gives the same bytes', async () => {
  const [one, two, other] = [await trainSmall(12), await trainSmall(12), await trainSmall(13)];
  assert.equal(one.artefacts.network, two.artefacts.network);
  assert.equal(one.artefacts.manifest, two.artefacts.manifest);
  assert.is.not(digest(one.artefacts.network), digest(other.artefacts.network));
  const worse = { ...one.prepared, heldOut: one.prepared.heldOut.map((x) => 3 * x) };
  const options = { name: 'small', version: '1.0.0', sequence: 1, fleet: 'test', lineage: {}, digest };
  const [own, shifted] = [one.artefacts.manifest, exportModel(worse, one.trained, options).manifest];
  for (const [f, { mae }] of shifted.thresholds.entries()) assert.ok(mae > own.thresholds[f].mae);
});

studio('a window’s scores do not depend on its neighbours', async () => {
  const { manifest, network, golden } = starter('1.0.0');
  const inference = await onnxEngine().load(manifest, network, golden);
  const size = manifest.signal.features.length * manifest.signal.window.samples;
  const rng = createRng(5);
  const batch = Float32Array.from({ length: 70 * size }, (_, i) => rng.normal(i));
  const scores = new Float32Array(70 * manifest.signal.features.length);
  await inference.predict(batch, 70, scores);

  for (const row of [0, 1, 63, 64, 69]) {
    const alone = new Float32Array(manifest.signal.features.length);
    await inference.predict(batch.slice(row * size, (row + 1) * size), 1, alone);
    assert.equal(alone, scores.slice(row * alone.length, (row + 1) * alone.length));
  }
  await inference.close();
});

studio('turbines with the same model share a session until the last one lets go', async () => {
  const { manifest, network, golden } = starter('1.0.0');
  let open = 0;
  const counting = onnxEngine();
  const engine = sharedEngine({
    async load(...parts) {
      open++;
      const inference = await counting.load(...parts);
      return { ...inference, close: async () => void open-- };
    },
  });
  const [a, b] = await Promise.all([engine.load(manifest, network, golden), engine.load(manifest, network, golden)]);
  assert.is(open, 1);
  await a.close();
  await a.close();
  assert.is(open, 1);
  await b.close();
  assert.is(open, 0);
});

studio('a network that is none, or lies about itself, is refused and ends nothing', async () => {
  const { manifest, network, golden } = starter('1.0.0');
  const engine = onnxEngine();
  const cases: [string, Parameters<typeof engine.load>, RegExp][] = [
    ['garbage', [manifest, Buffer.from('garbage'), golden], /it is no ONNX/],
    ['nothing', [manifest, new Uint8Array(), golden], /it is empty/],
    ['half of it', [manifest, network.slice(0, network.length / 2), golden], /it is cut short/],
    [
      'another shape',
      [{ ...manifest, network: { ...manifest.network, input: [-1, 16, 99] } }, network, golden],
      /its input input0 is \[N, 16, 100\], not \[N, 16, 99\]/,
    ],
    [
      'golden samples of another model',
      [manifest, network, { ...golden, scores: golden.scores.map((row) => row.map((x) => x + 1)) }],
      /golden sample 0/,
    ],
    ['no golden samples', [manifest, network, { windows: [], scores: [] }], /no golden samples/],
  ];
  for (const [name, parts, reason] of cases) {
    await engine.load(...parts).then(
      () => assert.unreachable(name),
      (error: unknown) => assert.ok(error instanceof ModelRejected && reason.test(error.message), `${name}: ${error}`),
    );
  }
});

studio.run();
