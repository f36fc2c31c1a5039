import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import { onnxEngine, openNetwork } from '../../actors/inference/onnx.ts';
import { OnnxFault } from '../../actors/onnx/fault.ts';
import { readOnnx } from '../../actors/onnx/read.ts';
import { writeOnnx } from '../../actors/onnx/write.ts';
import { compileModel } from '../../cloud/studio/compile.ts';
import { describeModel } from '../../cloud/studio/describe.ts';
import type { ModelArtefacts } from '../../cloud/studio/export.ts';
import { openForeign } from '../../cloud/studio/onnx-import.ts';
import { createRng } from '../../twins/rng.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { writeForeignOnnx } from '../kit/foreign-onnx.ts';
import { modelAround } from '../kit/network-model.ts';
import { hasPython } from '../kit/programs.ts';
import { mixedNetwork, seedNetwork } from '../kit/reference-network.ts';

const imported = suite('networks from elsewhere');

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const normals = (count: number, seed: number) => {
  const rng = createRng(seed);
  return Float32Array.from({ length: count }, (_, i) => rng.normal(i));
};
const options = (target: 'x64' | 'arm64', int8 = false) => ({
  target,
  int8,
  open: (manifest: ModelArtefacts['manifest'], network: Uint8Array) => openNetwork(manifest, network, { arch: target }),
  digest,
  now: () => process.hrtime.bigint(),
  heldOut: null,
});
const opsIn = (network: Uint8Array) => (readOnnx(network).graph?.node ?? []).map(({ opType = '' }) => opType);

/** A model around a file, for windows of its own shape. */
function described(bytes: Uint8Array, features: number, samples: number) {
  return describeModel(
    openForeign(bytes),
    {
      name: 'foreign',
      version: '1.0.0',
      sequence: 1,
      fleet: 'test',
      machine: 'desk-turbine',
      persistence: 1,
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
      thresholds: null,
      windows: normals(20 * features * samples, 3),
      lineage: {},
    },
    { open: openNetwork, digest },
  );
}

if (hasPython('onnx', 'python3-onnx')) {
  const folder = scratchFolder();
  const file = writeForeignOnnx(folder);
  imported.after(() => removeFolder(folder));

  for (const [name, features, sides, batch] of [
    ['pytorch-seed.onnx', 6, [10, 10], 1],
    ['carried-11.onnx', 7, [100], 5],
    ['carried-13.onnx', 7, [100], 5],
    ['carried-17.onnx', 7, [100], 5],
    ['flat.onnx', 7, [100], 5],
    ['taken-in.onnx', 7, [100], 5],
  ] as const) {
    imported(`${name} is scored as its own reconstruction says, and compiles to the same answers`, async () => {
      const bytes = readFileSync(file(name));
      const samples = sides.reduce((all: number, n) => all * n, 1);
      const size = features * samples;
      const window = normals(batch * size, 11);

      const artefacts = await described(bytes, features, samples);
      const model = await onnxEngine().load(artefacts.manifest, artefacts.network, artefacts.golden);
      const scores = new Float32Array(batch * features);
      await model.predict(window, batch, scores);
      await model.close();

      const session = await InferenceSession.create(bytes);
      const outputs = await session.run({ [session.inputNames[0]]: new Tensor('float32', window, [batch, features, ...sides]) });
      const reconstruction = outputs[session.outputNames[0]].data as Float32Array;
      await session.release();
      for (let k = 0; k < scores.length; k++) {
        let error = 0;
        for (let i = k * samples; i < (k + 1) * samples; i++) error += Math.abs(reconstruction[i] - window[i]) / samples;
        const wanted = error / artefacts.manifest.thresholds[k % features].mae;
        assert.ok(Math.abs(scores[k] - wanted) <= 1e-5 * Math.max(1, wanted), `score ${k}: ${scores[k]}, not ${wanted}`);
      }
      assert.is(artefacts.manifest.lineage['producer'], name === 'taken-in.onnx' ? 'unknown' : 'pytorch 1.6');

      const { artefacts: compiled, report } = await compileModel(artefacts, options('arm64'));
      assert.ok(report.golden.max <= 1e-5, `${report.golden.max}`);
      for (const op of ['Dropout', 'Identity', 'Constant', 'Shape', 'Gather', 'Concat', 'BatchNormalization', 'MatMul', 'ConvTranspose'])
        assert.not.ok(opsIn(compiled.network).includes(op), `${op} is left`);
      await (await onnxEngine({ arch: 'arm64' }).load(compiled.manifest, compiled.network, compiled.golden)).close();
      await onnxEngine({ arch: 'x64' })
        .load(compiled.manifest, compiled.network, compiled.golden)
        .then(
          () => assert.unreachable(),
          (error: unknown) => assert.ok(error instanceof ModelRejected && /compiled for arm64, this is x64/.test(error.message)),
        );
    });
  }

  imported('what is no autoencoder for windows, or more than a network, is refused in words', () => {
    for (const [name, reason] of [
      ['classifier.onnx', /outputs are y \[N, 3\]; one must be scores \[N, 7\], or a reconstruction of the input \[N, 7, 100\]/],
      ['einsum.onnx', /unknown operator Einsum/],
      ['external.onnx', /outside the file \(external_data\)/],
    ] as const)
      assert.throws(
        () => openForeign(readFileSync(file(name))),
        (error: unknown) => error instanceof OnnxFault && reason.test(error.message),
      );
  });
}

imported('one of ours comes back as it went, whatever its values are called', async () => {
  const { network, golden, manifest } = modelAround(mixedNetwork(4, 40, createRng(2)));
  const model = readOnnx(network);
  const graph = model.graph ?? {};
  const other = (name: string) => (name === 'input0' ? 'x' : name === 'reconstruction' ? 'input0' : name);
  const renamed = writeOnnx({
    ...model,
    graph: {
      ...graph,
      node: (graph.node ?? []).map((node) => ({ ...node, input: node.input?.map(other) ?? [], output: node.output?.map(other) ?? [] })),
      input: (graph.input ?? []).map((value) => ({ ...value, name: 'x' })),
      output: (graph.output ?? []).map((value) => ({ ...value, name: other(value.name ?? '') })),
    },
  });
  const foreign = openForeign(renamed);
  assert.ok(foreign.hasScores);
  await (await onnxEngine().load(manifest, foreign.withScores(new Float32Array(4)), golden)).close();
});

imported('a network for other windows than its signal’s, or whose answer is no number, becomes no model', async () => {
  const { network } = modelAround(mixedNetwork(4, 40, createRng(2)));
  await described(network, 4, 39).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /does not hold the 4 features × 39 samples/),
  );
  const nan = modelAround({ ...mixedNetwork(4, 40, createRng(2)) });
  const poisoned = writeOnnx({
    ...readOnnx(nan.network),
    graph: {
      ...readOnnx(nan.network).graph,
      initializer: (readOnnx(nan.network).graph?.initializer ?? []).map((tensor) =>
        tensor.name === 'b0' ? { ...tensor, rawData: new Uint8Array(Float32Array.from({ length: 8 }, () => Number.NaN).buffer) } : tensor,
      ),
    },
  });
  await described(poisoned, 4, 40).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /answers a normal window with what is no number/),
  );
});

imported('a network that looks at a window’s neighbours becomes no model', async () => {
  const { network } = modelAround(mixedNetwork(4, 40, createRng(2)));
  const { graph = {}, ...model } = readOnnx(network);
  // Centred over the batch, as a normalisation in training does.
  const node = [
    { opType: 'ReduceMean', input: ['input0'], output: ['centre'], attribute: [{ name: 'axes', type: 7, ints: [0] }] },
    { opType: 'Sub', input: ['input0', 'centre'], output: ['centred'] },
    ...(graph.node ?? []).map((old) => ({ ...old, input: (old.input ?? []).map((name) => (name === 'input0' ? 'centred' : name)) })),
  ];
  await described(writeOnnx({ ...model, graph: { ...graph, node } }), 4, 40).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /depend on the other windows of its batch/),
  );
});

imported('int8 takes a quarter of the bytes, says what it moves, and carries its own golden answers', async () => {
  const artefacts = modelAround(seedNetwork(createRng(3)));
  const { artefacts: compiled, report } = await compileModel(artefacts, { ...options('x64', true), heldOut: normals(30 * 600, 5) });
  assert.ok(report.bytes[1] < 0.3 * report.bytes[0], `${report.bytes}`);
  assert.ok(report.golden.max > 1e-4 && report.golden.max < 0.05, `${report.golden.max}`);
  assert.is(report.heldOut?.windows, 30);
  assert.is(compiled.manifest.lineage['weights'], 'int8');
  assert.is(compiled.manifest.target, 'x64');
  await (await onnxEngine({ arch: 'x64' }).load(compiled.manifest, compiled.network, compiled.golden)).close();
});

imported('a model that does not answer its golden samples is not compiled, nor one for another processor again', async () => {
  const artefacts = modelAround(mixedNetwork(4, 40, createRng(2)));
  const lying = { ...artefacts, golden: { ...artefacts.golden, scores: artefacts.golden.scores.map((row) => row.map((x) => x + 0.01)) } };
  for (const [wrong, reason] of [
    [lying, /does not answer its golden samples/],
    [{ ...artefacts, manifest: { ...artefacts.manifest, target: 'arm64' } }, /compiled for arm64 already/],
  ] as const)
    await compileModel(wrong, options('x64')).then(
      () => assert.unreachable(),
      (error: unknown) => assert.ok(error instanceof ModelRejected && reason.test(error.message), String(error)),
    );
});

imported.run();
