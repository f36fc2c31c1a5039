import { onnxEngine } from '../../actors/inference/onnx.ts';
import type { Figure } from '../kit/bench.ts';
import { starter } from '../kit/packages.ts';

/** Windows a second through the starter model in batches of 64; the baseline asks for one window at a time. */
export async function bench(): Promise<Figure[]> {
  const { manifest, network, golden } = starter('1.0.0');
  const inference = await onnxEngine().load(manifest, network, golden);
  const features = manifest.signal.features.length;
  const size = features * manifest.signal.window.samples;
  const windows = new Float32Array(64 * size).map((_, i) => Math.sin(i));
  const scores = new Float32Array(64 * features);
  const rate = async (batch: number, calls: number) => {
    for (let i = 0; i < calls / 10; i++) await inference.predict(windows, batch, scores);
    const began = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await inference.predict(windows, batch, scores);
    return (batch * calls * 1e9) / Number(process.hrtime.bigint() - began);
  };
  const single = await rate(1, 1_000);
  const batched = await rate(64, 1_000);
  await inference.close();
  return [
    { name: 'inference', value: batched, unit: 'windows/s', baseline: { name: 'one at a time', value: single, ratio: batched / single } },
  ];
}
