/** The life of a fault: how severe it is at an age, from its onset to its end. */
import type { FaultOrder } from '../../actors/contracts/faults.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Millis } from '../../actors/contracts/units.ts';

const WEAR_RATE = 3; // e-foldings over the onset: half of the damage comes in its last quarter
const BURST_MS = 5_000;
const BURST_SHARE = 0.4; // of intermittent faults' time

/** 0..severity; null once it is over. @param age since it was injected. @param chance the fault's own stream */
export function severityAt(order: FaultOrder, age: Millis, chance: Rng): number | null {
  const { severity, over, onset = 'ramp', recovery = 0 } = order;
  if (order.for === undefined || age < order.for) return severity * onsetShare(onset, age, over, chance);
  if (age >= order.for + recovery) return null;
  return severity * onsetShare(onset, order.for, over, chance) * (1 - (age - order.for) / recovery);
}

function onsetShare(onset: NonNullable<FaultOrder['onset']>, age: Millis, over: Millis, chance: Rng): number {
  const ramp = over > 0 ? Math.min(1, age / over) : 1;
  switch (onset) {
    case 'ramp':
      return ramp;
    case 'wear':
      return Math.expm1(WEAR_RATE * ramp) / Math.expm1(WEAR_RATE);
    case 'intermittent':
      return chance.fork('bursts').uniform(Math.floor(age / BURST_MS)) < BURST_SHARE ? ramp : 0;
    case 'periodic':
      return over > 0 && age % over >= over / 2 ? 0 : 1;
  }
}
