import { onnxEngine } from '../../actors/inference/onnx.ts';
import { openModel, packModel } from '../../actors/package/package.ts';
import { agentEngine } from '../../physical/agent/client.ts';
import { startTestAgent } from '../kit/agent.ts';
import type { Figure } from '../kit/bench.ts';
import { removeFolder } from '../kit/farm-process.ts';
import { starter } from '../kit/packages.ts';

/** Windows a second through an edge agent's Predict, both ends in this process; the baseline asks ONNX Runtime by the batch. */
export async function bench(): Promise<Figure[]> {
  const { manifest, network, golden } = starter();
  const { agent, key, folder, close } = await startTestAgent();
  const { files } = openModel(packModel({ manifest, network, golden }, key.privateKey).bytes, { trustedKeys: [key.publicKey] });
  const features = manifest.signal.features.length;
  const windows = new Float32Array(64 * features * manifest.signal.window.samples).map((_, i) => Math.sin(i));
  const scores = new Float32Array(64 * features);
  const rate = async (engine: ReturnType<typeof onnxEngine>, calls: number) => {
    const inference = await engine.load(manifest, network, golden, files);
    for (let i = 0; i < calls / 10; i++) await inference.predict(windows, 64, scores);
    const began = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await inference.predict(windows, 64, scores);
    const windowsEachSecond = (64 * calls * 1e9) / Number(process.hrtime.bigint() - began);
    await inference.close();
    return windowsEachSecond;
  };
  const here = await rate(onnxEngine(), 500);
  const value = await rate(agentEngine(agent.socket, Date.now), 30);
  close();
  await agent.close();
  removeFolder(folder);
  return [
    { name: 'agent', value, unit: 'windows/s', baseline: { name: 'in this process, by the batch', value: here, ratio: value / here } },
  ];
}
