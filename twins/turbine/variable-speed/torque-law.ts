/**
 * The published torque law of the generator by its speed ω (fast shaft), regions 1 to 3:
 *
 *   0 | linear | K ω² | linear, with the slip of an induction machine | P / ω
 */
import type { VariableSpeedParameters } from './parameters.ts';

export interface TorqueLaw {
  readonly slope15: number;
  readonly slope25: number;
  readonly synchronousRadPerS: number;
  /** Where K ω² meets the slip line. */
  readonly transitionRadPerS: number;
}

/** The law's derived lines: they follow from the published speeds. */
export function torqueLaw({ torque: t }: VariableSpeedParameters): TorqueLaw {
  const synchronousRadPerS = t.ratedRadPerS / (1 + 0.01 * t.slipPercent);
  const slope15 = (t.optimalGain * t.region2RadPerS ** 2) / (t.region2RadPerS - t.cutInRadPerS);
  const slope25 = t.ratedMechanicalW / t.ratedRadPerS / (t.ratedRadPerS - synchronousRadPerS);
  const transitionRadPerS = (slope25 - Math.sqrt(slope25 * (slope25 - 4 * t.optimalGain * synchronousRadPerS))) / (2 * t.optimalGain);
  return { slope15, slope25, synchronousRadPerS, transitionRadPerS };
}

/** N·m on the fast shaft below rated speed; above it the law is P / ω. */
export function torqueNm({ torque: t }: VariableSpeedParameters, law: TorqueLaw, speedRadPerS: number): number {
  if (speedRadPerS >= t.ratedRadPerS) return t.ratedMechanicalW / speedRadPerS;
  if (speedRadPerS <= t.cutInRadPerS) return 0;
  if (speedRadPerS < t.region2RadPerS) return law.slope15 * (speedRadPerS - t.cutInRadPerS);
  if (speedRadPerS < law.transitionRadPerS) return t.optimalGain * speedRadPerS * speedRadPerS;
  return law.slope25 * (speedRadPerS - law.synchronousRadPerS);
}

/** The speed at which the law takes a shaft power, up to the rated one. Bisection: the law's power rises with the speed. */
export function speedAtPower(p: VariableSpeedParameters, law: TorqueLaw, shaftW: number): number {
  let low = p.torque.cutInRadPerS;
  let high = p.torque.ratedRadPerS;
  for (let i = 0; i < 60; i++) {
    const middle = 0.5 * (low + high);
    if (torqueNm(p, law, middle) * middle < shaftW) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}
