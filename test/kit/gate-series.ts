/** Many rollouts of one kind of model: how often the gate does what it is for, and what of that jobs alone would have done. */
import { keepParts } from '../../scenarios/kept.ts';
import { type GateTrial, gateTrial, jobTrial } from './rollout-gate.ts';

/** One model, one seed; `jobs` is null where the same was not played as a plain job. */
export interface TrialLine {
  /** Null: a good model. */
  readonly spoiled: string | null;
  readonly seed: number;
  readonly gate: GateTrial;
  readonly jobs: GateTrial | null;
}

export interface SeriesTools {
  /** What an earlier run has found: not played again. */
  readonly known?: readonly TrialLine[];
  /** Of the seeds, which is played as a plain job too. */
  readonly isBeside?: (seed: number) => boolean;
  readonly found?: (line: TrialLine) => void;
}

export async function gateSeries(
  spoiled: string | null,
  seeds: readonly number[],
  { known = [], isBeside = () => true, found = () => {} }: SeriesTools = {},
): Promise<readonly TrialLine[]> {
  const kept = keepParts();
  const lines: TrialLine[] = [];
  try {
    for (const seed of seeds) {
      const before = known.find((line) => line.spoiled === spoiled && line.seed === seed);
      if (before) {
        lines.push(before);
        continue;
      }
      const gate = await gateTrial({ spoiled, seed, kept });
      const jobs = isBeside(seed) ? await jobTrial({ spoiled, seed, kept }) : null;
      lines.push({ spoiled, seed, gate, jobs });
      found(lines.at(-1)!);
    }
  } finally {
    await kept.close();
  }
  return lines;
}

/** A bad model stays within the canary wave; a good one is not halted. */
export const isWanted = ({ spoiled, gate }: TrialLine): boolean => (spoiled === null ? gate.status !== 'HALTED' : gate.isContained);

export function seriesText(name: string, lines: readonly TrialLine[]): string {
  const gates = lines.map(({ gate }) => gate);
  const jobs = lines.flatMap((line) => line.jobs ?? []);
  const count = (of: readonly GateTrial[], is: (trial: GateTrial) => boolean) => of.filter(is).length;
  return [
    `${name}: ${count(gates, ({ isContained }) => isContained)} of ${gates.length} within the canary wave`,
    `${count(gates, ({ status }) => status === 'HALTED')} halted, ${count(gates, ({ status }) => status === 'SUCCEEDED')} finished, ${count(gates, ({ status }) => status === 'PAUSED')} paused`,
    `median exposure ${median(gates).toFixed(1)} turbine-minutes`,
    ...(jobs.length === 0
      ? []
      : [
          `with job status alone ${count(jobs, ({ isContained }) => isContained)} of ${jobs.length} within the canary wave, median exposure ${median(jobs).toFixed(1)}`,
        ]),
  ].join('; ');
}

function median(trials: readonly GateTrial[]): number {
  const sorted = trials.map(({ exposureMinutes }) => exposureMinutes).sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
