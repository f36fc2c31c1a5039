/** Lane `rollout-gate`: six kinds of bad model and the good one on 200 seeds each, 40 desk turbines, 30 simulated minutes. */
import { BAD_MODELS, gateSeries, seriesLine } from '../kit/rollout-gate.ts';
import type { Lane } from './main.ts';

const SEEDS = 200;
const FIRST_SEED = 1_000; // nothing was tuned on these

/** @throws Error when a bad model leaves the canary wave in more than 5 % of the seeds, or a good one is halted in more than 2 % */
export const lane: Lane = async (say) => {
  const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i);
  const lines: string[] = [];
  const wrong: string[] = [];
  for (const kind of [null, ...BAD_MODELS]) {
    const series = await gateSeries(kind, seeds, say);
    lines.push(seriesLine(kind ?? 'a good model', series));
    say(lines.at(-1)!);
    const isGood = kind === null ? series.halted <= 0.02 * SEEDS : series.contained >= 0.95 * SEEDS;
    if (!isGood) wrong.push(lines.at(-1)!, ...series.missed);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return lines;
};
