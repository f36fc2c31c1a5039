/** Processor time of the calling thread. Node 20 has no word for it; Linux has. */
import { readFileSync } from 'node:fs';

/** @param fallback seconds, where neither Node nor the system tells */
export function threadSeconds(fallback: () => number): number {
  const own = (process as { threadCpuUsage?: () => { readonly user: number; readonly system: number } }).threadCpuUsage?.();
  if (own) return (own.user + own.system) / 1e6;
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return fallback();
  }
}
