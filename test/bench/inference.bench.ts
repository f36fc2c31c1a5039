import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Inference } from '../../actors/contracts/inference.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { checkOnnx } from '../../actors/onnx/check.ts';
import { writeOnnx } from '../../actors/onnx/write.ts';
import { addFloats, addNode, batchedValue, emptyGraph, modelOf } from '../../cloud/studio/onnx-graph.ts';
import { createRng } from '../../twins/rng.ts';
import type { Figure } from '../kit/bench.ts';
import { modelAround, type NetworkModel } from '../kit/network-model.ts';
import { starter } from '../kit/packages.ts';
import { countMacs, seedNetwork } from '../kit/reference-network.ts';

const BATCH = 64;
const ROUNDS = 25; // the best of them counts, for every contender alike: the machine may be shared

/** [rows, inner, columns] of the plain products that the networks are held against; the fastest one counts. */
const PRODUCTS = [
  [64, 600, 600],
  [128, 128, 128],
  [256, 256, 256],
  [384, 384, 384],
  [512, 512, 512],
  [384, 1536, 384],
  [1024, 256, 256],
  [4096, 256, 256],
] as const;

/**
 * The original's network in batches of 64 on one thread, against the best rate of a plain ONNX MatMul in the same run: once by the
 * multiplications that its graph does, once by its layer list as the original writes it (a transposed convolution makes numbers that
 * its padding then throws away; ours does not). Then the starter model's windows a second.
 */
export async function bench(): Promise<Figure[]> {
  const engine = onnxEngine();
  const seed = seedNetwork(createRng(3));
  const rewritten = modelAround(seed);
  const models: [string, NetworkModel][] = [
    ['rewritten', rewritten],
    ['as trained', modelAround(seed, 'as-trained')],
    ['starter', starter('1.1.0')],
  ];
  const loaded = await Promise.all(models.map(async ([name, model]) => [name, await predictor(await load(engine, model), model)] as const));
  const products = await Promise.all(PRODUCTS.map(openProduct));

  const best = new Map<string, number>();
  const time = async (name: string, work: () => Promise<void>, calls: number) => {
    const began = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await work();
    const seconds = Number(process.hrtime.bigint() - began) / 1e9 / calls;
    best.set(name, Math.min(best.get(name) ?? Infinity, seconds));
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, run, macs } of products) await time(name, run, Math.ceil(1e8 / macs));
    for (const [name, { batch }] of loaded) await time(name, batch, name === 'starter' ? 20 : 1);
    await time('starter, one at a time', loaded[2][1].single, 20);
  }
  await Promise.all([...loaded.map(([, { close }]) => close()), ...products.map(({ close }) => close())]);

  const seconds = (name: string) => best.get(name) ?? Infinity;
  const productRate = Math.max(...products.map(({ name, macs }) => macs / seconds(name))) * 2e-9;
  const { macs } = checkOnnx(rewritten.network);
  const rate = (perWindow: number) => (2e-9 * perWindow * BATCH) / seconds('rewritten');
  const against = (name: string, value: number, other: number) => ({ name, value: other, ratio: value / other });
  const [done, listed] = [rate(macs), rate(countMacs(seed))];
  const [starterRate, seedRate, single] = [BATCH / seconds('starter'), BATCH / seconds('rewritten'), 1 / seconds('starter, one at a time')];
  const asTrained = BATCH / seconds('as trained');
  return [
    { name: 'seed network, multiplications done', value: done, unit: 'GFLOP/s', baseline: against('best MatMul', done, productRate) },
    { name: 'seed network, by its layer list', value: listed, unit: 'GFLOP/s', baseline: against('best MatMul', listed, productRate) },
    { name: 'seed network', value: seedRate, unit: 'windows/s', baseline: against('with ConvTranspose', seedRate, asTrained) },
    { name: 'inference', value: starterRate, unit: 'windows/s', baseline: against('seed network', starterRate, seedRate) },
    { name: 'inference in batches', value: starterRate, unit: 'windows/s', baseline: against('one at a time', starterRate, single) },
  ];
}

const load = (engine: ReturnType<typeof onnxEngine>, { manifest, network, golden }: NetworkModel) => engine.load(manifest, network, golden);

async function predictor(inference: Inference, { manifest }: NetworkModel) {
  const features = manifest.signal.features.length;
  const windows = new Float32Array(BATCH * features * manifest.signal.window.samples).map((_, i) => Math.sin(i));
  const scores = new Float32Array(BATCH * features);
  return {
    batch: () => inference.predict(windows, BATCH, scores),
    single: () => inference.predict(windows, 1, scores),
    close: () => inference.close(),
  };
}

async function openProduct([rows, inner, columns]: (typeof PRODUCTS)[number]) {
  const graph = emptyGraph();
  const rng = createRng(1);
  graph.inputs = [batchedValue('x', [inner])];
  addFloats(
    graph,
    'W',
    [inner, columns],
    Float32Array.from({ length: inner * columns }, (_, i) => rng.normal(i) / Math.sqrt(inner)),
  );
  addNode(graph, 'MatMul', ['x', 'W'], 'y');
  graph.outputs = [batchedValue('y', [columns])];
  const session = await InferenceSession.create(writeOnnx(modelOf(graph)), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const x = new Tensor(
    'float32',
    new Float32Array(rows * inner).map((_, i) => Math.sin(i)),
    [rows, inner],
  );
  return {
    name: `${rows} × ${inner} × ${columns}`,
    macs: rows * inner * columns,
    run: async () => void (await session.run({ x })),
    close: () => session.release(),
  };
}
