/** What a person reads while stories are played: a line rewritten on a terminal, a line in ten seconds elsewhere. */
import type { Millis } from '../../actors/contracts/units.ts';
import { clockTime } from '../expect/clock-time.ts';

/** How far a story is. */
export interface StoryProgress {
  readonly name: string;
  readonly now: Millis;
  readonly end: Millis;
  /** Simulated over wall time. */
  readonly factor: number;
  /** `bearing-wear on T-001` */
  readonly faults: readonly string[];
  readonly pending: number;
  readonly met: number;
  readonly failed: number;
}

const FAULTS_MAX = 3;

/** `bearing-wear  12m30s of 20m  340x  expectations: 2 met, 1 pending  faults: bearing-wear on T-001` */
export function progressLine({ name, now, end, factor, faults, pending, met, failed }: StoryProgress): string {
  const more = faults.length > FAULTS_MAX ? ` and ${faults.length - FAULTS_MAX} more` : '';
  const expectations = [`${met} met`, ...(failed > 0 ? [`${failed} failed`] : []), ...(pending > 0 ? [`${pending} pending`] : [])].join(
    ', ',
  );
  return [
    name,
    `${clockTime(1_000 * Math.floor(now / 1_000))} of ${clockTime(end)}`,
    `${factor >= 10 ? Math.round(factor) : factor.toFixed(1)}x`,
    `expectations: ${expectations}`,
    ...(faults.length > 0 ? [`faults: ${faults.slice(0, FAULTS_MAX).join(', ')}${more}`] : []),
  ].join('  ');
}
