/** The oracle's groups on several threads: each has its own share of them, and the figures are added up. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { noFigures, runUpdates, type UpdatesFigures, type UpdatesOptions } from './run.ts';

type Shared = Omit<UpdatesOptions, 'part' | 'mutation' | 'said'>;
type Told = { readonly updates: number } | { readonly figures: UpdatesFigures };

const YOUNG_MB = 64; // so that what one instant makes is gone before it is copied

/** Ends as soon as one thread has found something. @param said told how many updates are done */
export async function runUpdatesOn(threads: number, options: Shared, said: (done: number) => void = () => {}): Promise<UpdatesFigures> {
  let done = 0;
  let isOver = false;
  const workers = Array.from(
    { length: threads },
    (_, mine) =>
      new Worker(new URL(import.meta.url), {
        workerData: { ...options, part: { mine, of: threads } },
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      }),
  );
  const parts = await Promise.all(
    workers.map(
      (worker) =>
        new Promise<UpdatesFigures>((ended, failed) => {
          worker.on('message', (told: Told) => {
            if ('updates' in told) {
              done += told.updates;
              return said(done);
            }
            ended(told.figures);
            isOver ||= told.figures.violations.length > 0;
            if (isOver) for (const other of workers) void other.terminate();
          });
          worker.on('error', failed);
          worker.on('exit', (code) => (isOver ? ended(noFigures()) : failed(new Error(`a thread of the oracle ended with ${code}`))));
        }),
    ),
  );
  const total = noFigures();
  for (const part of parts) {
    total.updates += part.updates;
    total.turbines += part.turbines;
    total.good += part.good;
    total.simulatedMs += part.simulatedMs;
    total.violations.push(...part.violations);
    for (const [kind, n] of Object.entries(part.bad)) total.bad[kind] = (total.bad[kind] ?? 0) + n;
    for (const kind of Object.keys(total.faults) as (keyof typeof total.faults)[]) total.faults[kind] += part.faults[kind];
  }
  return total;
}

if (!isMainThread && (workerData as Partial<UpdatesOptions> | null)?.part) {
  const tell = (told: Told) => parentPort?.postMessage(told);
  tell({ figures: await runUpdates({ ...(workerData as UpdatesOptions), said: (updates) => tell({ updates }) }) });
}
