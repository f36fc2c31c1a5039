/** Both models of a canary over the stored samples of a turbine that stands still. */
import type { Channel } from '../contracts/channels.ts';
import { streamPipeline } from '../signal/stream.ts';
import { pairWindows, type Score } from './challenger.ts';
import type { History } from './history.ts';
import type { LoadedModel } from './score.ts';
import { createWindows, pushSample, takeWindow } from './windows.ts';

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
  return pairWindows(await scoreStored(history, row, channels, champion), scores);
}

/** `at` is the number of the window's last sample. */
async function scoreStored(history: History, row: number, channels: readonly Channel[], model: LoadedModel): Promise<Score[]> {
  const { window, features } = model.manifest.signal;
  const pipeline = streamPipeline(model.manifest.signal, channels, 1);
  const windows = createWindows(1, features.length, window.samples, window.hop);
  const size = features.length * window.samples;
  const sample = new Float32Array(features.length);
  const batch = new Float32Array(Math.ceil(history.size(row) / window.hop) * size);
  const ends: number[] = [];
  let n = 0; // samples so far
  history.replay(row, (values, offset) => {
    n++;
    if (!pipeline.push(0, values, offset, sample, 0) || n <= window.settle || !pushSample(windows, 0, sample)) return;
    takeWindow(windows, 0, batch, ends.length * size);
    ends.push(n);
  });
  if (ends.length === 0) return [];
  const scores = new Float32Array(ends.length * features.length);
  await model.inference.predict(batch.subarray(0, ends.length * size), ends.length, scores);
  return ends.map((at, i) => ({ at, score: Math.max(...scores.subarray(i * features.length, (i + 1) * features.length)) }));
}
