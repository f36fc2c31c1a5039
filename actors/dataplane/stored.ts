/** Both models of a canary over the stored samples of a turbine that stands still. */
import type { Channel } from '../contracts/channels.ts';
import type { LoadedModel } from '../contracts/shard.ts';
import { openWindowSource } from '../signal/source.ts';
import { pairWindows, type Score } from './challenger.ts';
import type { History } from './history.ts';

/** Worst scores of champion and challenger on the stored windows; empty when there are none. */
export async function storedScores(
  history: History,
  row: number,
  channels: readonly Channel[],
  champion: LoadedModel | null,
  challenger: LoadedModel,
): Promise<{ readonly champion: number | null; readonly challenger: number }[]> {
  const scores = await scoreStored(history, row, channels, challenger);
  if (!champion) return scores.map(({ score }) => ({ champion: null, challenger: score }));
  const judged = await scoreStored(history, row, channels, champion);
  // A pipeline with a longer memory has its first window later: what the challenger saw before that has no partner.
  const first = judged.length > 0 ? judged[0].at - champion.manifest.signal.window.samples : Infinity;
  return pairWindows(
    judged,
    scores.filter(({ at }) => at > first),
  );
}

/** `at` is the number of the window's last sample. */
async function scoreStored(history: History, row: number, channels: readonly Channel[], model: LoadedModel): Promise<Score[]> {
  const { window, features } = model.manifest.signal;
  const source = openWindowSource(model.manifest.signal, channels, 1);
  const size = features.length * window.samples;
  const batch = new Float32Array(Math.ceil(history.size(row) / window.hop) * size);
  const ends: number[] = [];
  let n = 0; // samples so far
  history.replay(row, (values, offset) => {
    n++;
    if (!source.push(0, values, offset)) return;
    source.take(0, batch, ends.length * size);
    ends.push(n - source.lag);
  });
  if (ends.length === 0) return [];
  const scores = new Float32Array(ends.length * features.length);
  await model.inference.predict(batch.subarray(0, ends.length * size), ends.length, scores);
  return ends.map((at, i) => ({ at, score: Math.max(...scores.subarray(i * features.length, (i + 1) * features.length)) }));
}
