/** The workers of an evaluation: each takes the next seed when it has done one; the result is in the order of seeds whoever did them. */
import { Worker } from 'node:worker_threads';
import { ModelRejected } from '../../../actors/contracts/errors.ts';
import type { ModelId } from '../../../actors/contracts/ids.ts';
import type { ScoredWindows } from '../../studio/evaluate/score.ts';
import type { EvaluationJob, EvaluationNews, EvaluationOrder } from './main.ts';

export interface CrewOptions {
  readonly model: ModelId;
  readonly job: Omit<EvaluationJob, 'stop'>;
  readonly seeds: readonly number[];
  readonly workers: number;
  readonly signal: AbortSignal;
  /** @param share of all seeds, 0..1 */
  readonly onProgress: (share: number, done: number) => void;
}

/** Ends early, with the seeds that are complete, when the signal aborts. @throws ModelRejected when the model answers with no number. */
export async function scoreSeeds({ model, job, seeds, workers, signal, onProgress }: CrewOptions): Promise<ScoredWindows[]> {
  const done = new Map<number, ScoredWindows>();
  const shares = new Map<number, number>();
  const waiting = [...seeds];
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workerData: EvaluationJob = { ...job, stop };
  const crew = Array.from(
    { length: Math.min(workers, seeds.length) },
    () => new Worker(new URL('./main.js', import.meta.url), { workerData }),
  );
  const gone = crew.map((worker) => new Promise((left) => worker.once('exit', left)));
  const report = () => onProgress([...shares.values()].reduce((sum, share) => sum + share, 0) / seeds.length, done.size);

  const work = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      const next = () => {
        const seed = waiting.shift();
        if (seed === undefined || signal.aborted) resolve();
        else worker.postMessage(seed);
      };
      signal.addEventListener('abort', () => resolve(), { once: true });
      worker.on('error', reject);
      worker.on('message', (news: EvaluationNews) => {
        if (news.kind === 'failed')
          reject(news.code === 'model.rejected' ? new ModelRejected(model, news.message) : new Error(news.message));
        else if (news.kind === 'progress') shares.set(news.seed, news.share);
        else {
          done.set(news.windows.seed, news.windows);
          shares.set(news.windows.seed, 1);
          next();
        }
        report();
      });
      next();
    });
  try {
    await Promise.all(crew.map(work));
  } finally {
    Atomics.store(stop, 0, 1);
    for (const worker of crew) worker.postMessage('end' satisfies EvaluationOrder);
    await Promise.all(gone);
  }
  return seeds.flatMap((seed) => done.get(seed) ?? []);
}
