/** What of a rollout its gate has accepted, and who accepts the rest. */
import type { ThingName } from '../../contracts/ids.ts';
import { isUnderWay } from './machine.ts';
import { planOf } from './plan.ts';
import type { Acceptance } from './probation.ts';
import type { RolloutRecord, WaveRecord } from './record.ts';

/** Waves that the gate has let pass, parts of them too. */
export const passedWaves = ({ isGated, waves, stand }: RolloutRecord): readonly WaveRecord[] =>
  isGated ? waves.slice(0, stand.context.wave).filter((wave, i) => wave.jobId !== null && !isOpenPart(waves, i, stand.context.wave)) : [];

/** A part of a wave whose rest is still under way. */
const isOpenPart = (waves: readonly WaveRecord[], index: number, current: number): boolean =>
  waves.slice(index, current).every(({ isPart }) => isPart);

/** Who accepts what a job has installed: its rollout's gate, while there is one to come; the turbine by itself; or nobody any more. */
export function acceptanceOf(of: RolloutRecord | undefined, jobId: string, thing: ThingName): Acceptance {
  const { soak, minWindows } = of?.plan ?? planOf({}, () => {});
  const before = of?.before[thing] ?? null;
  if (!of || of.heal?.jobs.some((job) => job.jobId === jobId)) return { by: 'turbine', soak, minWindows, before: null };
  const { state } = of.stand;
  if (state === 'halting' || state === 'halted' || state === 'rollingBack' || state === 'rolledBack')
    return { by: 'nobody', soak, minWindows, before };
  if (!of.isGated || state === 'succeeded' || state === 'failed') return { by: 'turbine', soak, minWindows, before };
  return { by: isUnderWay(of.stand) ? 'gate' : 'nobody', soak, minWindows, before };
}
