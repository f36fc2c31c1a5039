import { availableParallelism } from 'node:os';
import { countTrainingMacs, inputsOf } from '../../cloud/studio/network.ts';
import { gridOf, patchOf, walkOf } from '../../cloud/studio/network-images.ts';
import { createNetwork, type NetworkKind } from '../../cloud/studio/network-kinds.ts';
import type { LayeredNetwork } from '../../cloud/studio/layers.ts';
import { createMember, createTrainMemory, type TrainMemory } from '../../cloud/studio/train-crew.ts';
import { planTraining } from '../../cloud/studio/train-plan.ts';
import { threadCrew } from '../../cloud/studio/train-threads.ts';
import { createRng } from '../../twins/rng.ts';
import type { Figure } from '../kit/bench.ts';

const ROUNDS = 4;

const cases: readonly { readonly kind: NetworkKind; readonly features: number; readonly batch: number; readonly windows: number }[] = [
  { kind: 'dense', features: 7, batch: 64, windows: 1_024 },
  { kind: 'conv', features: 7, batch: 64, windows: 512 },
  { kind: 'seed', features: 6, batch: 16, windows: 16 },
];

/**
 * A training step — forward, backward, Adam and all — in multiplications of its products a second, on one thread and on every core.
 * The baseline is the products alone, of the same sizes and in the same run, each as three plain loops over typed arrays.
 */
export async function bench(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { kind, features, batch, windows } of cases) {
    const network = createNetwork(kind, features, 100, planTraining({}).hidden, createRng(1));
    const macs = countTrainingMacs(network);
    const plain = plainProducts(network, batch);
    const member = createMember(memoryOf(network, kind, batch, windows), createRng(2), 0, 1);
    const epoch = () => member.train(legOf(batch, windows), () => {});
    const [own, base] = await inTurns([
      { work: async () => void epoch(), amount: macs * windows },
      { work: async () => plain.work(), amount: plain.macs },
    ]);
    const cores = availableParallelism();
    const crew = await threadCrew(cores)(memoryOf(network, kind, batch, windows), createRng(2));
    const [shared] = await inTurns([
      { work: async () => void (await crew.train(legOf(batch, windows), () => {})), amount: macs * windows },
    ]);
    await crew.close();
    const baseline = { name: 'the plain loop', value: base / 1e9 };
    figures.push(
      { name: `train ${kind}`, value: own / 1e9, unit: 'GMAC/s', baseline: { ...baseline, ratio: own / base } },
      { name: `train ${kind}, ${cores} threads`, value: shared / 1e9, unit: 'GMAC/s', baseline: { ...baseline, ratio: shared / base } },
    );
  }
  return figures;
}

const legOf = (batch: number, windows: number) => ({ epoch: 1, from: 0, to: windows / batch, steps: 0, learningRate: 1e-3 });

function memoryOf(network: LayeredNetwork, kind: NetworkKind, batch: number, windows: number): TrainMemory {
  const rng = createRng(3);
  const values = new Float32Array(windows * inputsOf(network.layers[0])).map((_, i) => rng.normal(i));
  const { dropout: rate, dropoutAfter: after } = planTraining({ network: kind });
  const memory = createTrainMemory(network, {
    windows: [values],
    trains: windows,
    checks: new Uint32Array(0),
    batch,
    dropout: { rate, after },
  });
  for (let w = 0; w < windows; w++) memory.order[w] = w;
  return memory;
}

/** Amounts a second: the best of some rounds, taken in turns so that a busy moment of the machine falls on all of them. */
async function inTurns(contestants: readonly { readonly work: () => Promise<void>; readonly amount: number }[]): Promise<number[]> {
  const best = contestants.map(() => 0);
  for (const { work } of contestants) await work();
  for (let round = 0; round < ROUNDS; round++)
    for (const [c, { work, amount }] of contestants.entries()) {
      const began = process.hrtime.bigint();
      await work();
      best[c] = Math.max(best[c], (amount * 1e9) / Number(process.hrtime.bigint() - began));
    }
  return best;
}

/** The products of a training step over `batch` windows: y = Wx, and back to the weights and to the inputs. */
function plainProducts(network: LayeredNetwork, batch: number): { readonly work: () => void; readonly macs: number } {
  const products = network.layers.flatMap((layer, l) => {
    // A dense layer takes the batch at once, a convolution window by window.
    const [m, n, k, times] =
      layer.kind === 'dense'
        ? [batch, layer.outputs, layer.inputs, 1]
        : [layer.weights.length / patchOf(walkOf(layer)), gridOf(walkOf(layer)), patchOf(walkOf(layer)), batch];
    return [{ sizes: [m, n, k], times }, { sizes: [m, k, n], times }, ...(l === 0 ? [] : [{ sizes: [k, n, m], times }])];
  });
  const arrays = products.map(({ sizes: [m, n, k], times }) => ({
    m,
    n,
    k,
    times,
    a: new Float32Array(m * k).fill(0.5),
    b: new Float32Array(k * n).fill(0.25),
    c: new Float32Array(m * n),
  }));
  return {
    work() {
      for (const { m, n, k, times, a, b, c } of arrays) for (let t = 0; t < times; t++) multiply(m, n, k, a, b, c);
    },
    macs: arrays.reduce((sum, { m, n, k, times }) => sum + m * n * k * times, 0),
  };
}

/** The plainest: C [m × n] = A [m × k] · B [k × n]. */
function multiply(m: number, n: number, k: number, a: Float32Array, b: Float32Array, c: Float32Array): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[i * k + p] * b[p * n + j];
      c[i * n + j] = sum;
    }
  }
}
