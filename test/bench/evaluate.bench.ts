import { onnxEngine } from '../../actors/inference/onnx.ts';
import { announceRule } from '../../cloud/cli/evaluate/announce.ts';
import { evaluatedMachine, evaluationChance, twinRecorder } from '../../cloud/cli/evaluate/play.ts';
import { controlsOf } from '../../cloud/studio/evaluate/controls.ts';
import { evaluationFleet } from '../../cloud/studio/evaluate/fleet.ts';
import { scoreFleet } from '../../cloud/studio/evaluate/score.ts';
import type { Figure } from '../kit/bench.ts';
import { starter } from '../kit/packages.ts';

/** A seed of an evaluation, on one core: one group of it is timed; the baseline is the same group's twins with nobody to judge them. */
export async function bench(): Promise<Figure[]> {
  const { manifest, network, golden } = starter();
  const { channels, catalogue } = evaluatedMachine(manifest.machine);
  const chance = evaluationChance(1);
  const whole = evaluationFleet(1, chance, manifest.machine, catalogue);
  const fleet = { ...whole, groups: whole.groups.slice(0, 1) };
  const share = fleet.groups[0].turbines.length / whole.groups.reduce((sum, { turbines }) => sum + turbines.length, 0);
  const recorder = twinRecorder(manifest.machine);
  const inference = await onnxEngine().load(manifest, network, golden);
  const seconds = async (work: () => unknown): Promise<number> => {
    const began = process.hrtime.bigint();
    await work();
    return Number(process.hrtime.bigint() - began) / 1e9;
  };
  const play = () => {
    let ticks = 0;
    for (const { block } of recorder.play(fleet, fleet.groups[0])) ticks += block.values.length > 0 ? 1 : 0;
    return ticks;
  };
  const evaluated = await seconds(() =>
    scoreFleet(fleet, { manifest, inference, recorder, controls: controlsOf(channels, manifest.signal.features, chance), announceRule }),
  );
  const alone = await seconds(play);
  await inference.close();
  return [
    {
      name: 'evaluate',
      value: evaluated / share,
      unit: 's a seed and core',
      baseline: { name: 'its twins alone', value: alone / share, ratio: alone / evaluated },
    },
  ];
}
