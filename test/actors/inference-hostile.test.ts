import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { OPERATORS } from '../../actors/onnx/operators.ts';
import { createRng } from '../../twins/rng.ts';
import { goodGraph, goodNetwork, HOSTILE_NETWORKS, withGraph } from '../kit/hostile-networks.ts';

const hostile = suite('hostile networks');

const { manifest, network, golden } = goodNetwork;
const graph = goodGraph;

for (const [name, bytes, reason] of HOSTILE_NETWORKS) {
  hostile(name, async () => {
    await onnxEngine()
      .load(manifest, bytes, golden)
      .then(
        async (inference) => {
          await inference.close();
          assert.unreachable(`${name} was loaded`);
        },
        (error: unknown) => assert.ok(error instanceof ModelRejected && reason.test(error.message), String(error).slice(0, 300)),
      );
  });
}

hostile('every cut, and every flipped byte of the structure, is refused or loads; nothing else happens', async () => {
  const engine = onnxEngine();
  const rng = createRng(8).fork('flips');
  let loaded = 0;
  for (let i = 0; i < 150; i++) {
    const damaged = Uint8Array.from(i % 3 === 0 ? network.subarray(0, Math.floor(rng.uniform(2 * i) * network.length)) : network);
    for (let k = 0; k < 3 && i % 3 !== 0; k++) damaged[Math.floor(rng.uniform(1_000 + 3 * i + k) * damaged.length)] ^= 1 << (i % 8);
    await engine.load(manifest, damaged, golden).then(
      async (inference) => {
        loaded++;
        await inference.close();
      },
      (error: unknown) => assert.instance(error, ModelRejected),
    );
  }
  assert.ok(loaded < 150);
  const inference = await engine.load(manifest, network, golden); // the process goes on
  await inference.close();
});

/** Numbers that shapes and attributes should not be, and some that they may. */
const ODD = [0, 1, 2, 3, -1, -2, 5, 7, 40, 64, 160, 1_000, 4_096, 2 ** 31, 2 ** 40, -(2 ** 31)];

hostile('a graph that was rewired at random is refused or loads; nothing else happens', async () => {
  const engine = onnxEngine();
  const rng = createRng(9).fork('wires');
  let drawn = 0;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(rng.uniform(drawn++) * list.length)];
  const operators = [...OPERATORS.keys()];
  const values = [...graph.node.flatMap(({ output = [] }) => output), 'input0', ...graph.initializer.map(({ name = '' }) => name)];
  const attribute = () => ({
    name: pick(['axis', 'axes', 'kernel_shape', 'pads', 'strides', 'perm', 'group', 'dilations', 'output_padding', 'keepdims', 'to']),
    ...pick([
      { type: 7, ints: [pick(ODD), pick(ODD)] },
      { type: 7, ints: [pick(ODD)] },
      { type: 2, i: pick(ODD) },
    ]),
  });
  let reached = 0; // ONNX Runtime, or beyond
  for (let i = 0; i < 400; i++) {
    const node = [...graph.node];
    const at = Math.floor(rng.uniform(drawn++) * node.length);
    const old = node[at];
    const made = { opType: pick(operators), input: [pick(values), pick(values)], output: ['z'], attribute: [attribute()] };
    if (i % 4 === 0) node[at] = { ...old, opType: pick(operators) };
    else if (i % 4 === 1) node[at] = { ...old, input: (old.input ?? []).map((name) => (pick([true, false]) ? pick(values) : name)) };
    else if (i % 4 === 2) node[at] = { ...old, attribute: [...(old.attribute ?? []), attribute()] };
    else node.splice(at, 1, made, { ...old, input: ['z', ...(old.input ?? []).slice(1)] });
    await engine.load(manifest, withGraph({ node }), golden).then(
      (inference) => {
        reached++;
        return inference.close();
      },
      (error: unknown) => {
        assert.instance(error, ModelRejected);
        if (/ONNX Runtime|cannot answer|golden sample/.test(String(error))) reached++;
      },
    );
  }
  assert.ok(reached > 20, `only ${reached} reached ONNX Runtime`);
});

hostile.run();
