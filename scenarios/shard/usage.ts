/** `--workers`, and what each of them has done, for people. */
import { UsageError } from '../../actors/contracts/errors.ts';
import type { ShardUsage } from '../../actors/contracts/shard.ts';

/** More threads help on no machine that a farm runs on. */
export const MAX_WORKERS = 64;

/** @throws UsageError */
export function readWorkers(text: string): number {
  const workers = Number(text);
  if (/^\d{1,3}$/.test(text) && workers >= 1 && workers <= MAX_WORKERS) return workers;
  throw new UsageError(`--workers ${text} is no whole number within 1..${MAX_WORKERS}`, {
    hint: '1 runs the rows in the farm’s own thread',
  });
}

export const usageLine = ({ rows, windows, cpuSeconds }: ShardUsage, i: number): string =>
  `worker ${i + 1}: ${rows} rows, ${windows} windows, ${cpuSeconds} s of processor time`;
