/** The BME680: a reading every 10 s, and zeros until the first one, as the firmware prints them. */
import type { Rng } from '../../actors/contracts/rng.ts';

export interface Climate {
  readonly ambientC: number;
  readonly humidityPercent: number;
  readonly pressureHpa: number;
  readonly gas100kOhm: number;
}

export const BME_PERIOD_MS = 10_000;

/** The room's air at an instant: a slow day of it, and the weather outside. @param reading number of the reading, from 1 */
export function readClimate(chance: Rng, reading: number): Climate {
  const hours = (reading * BME_PERIOD_MS) / 3_600_000;
  const day = Math.sin((2 * Math.PI * hours) / 24);
  const ambientC = 22 + 1.5 * day + 0.05 * chance.normal(4 * reading);
  return {
    ambientC,
    humidityPercent: 40 - 2.4 * (ambientC - 22) + 0.2 * chance.normal(4 * reading + 1), // the dew point stays
    pressureHpa: 1013.2 + 3 * Math.sin((2 * Math.PI * hours) / 61) + 0.03 * chance.normal(4 * reading + 2),
    gas100kOhm: 1.1 + 0.02 * chance.normal(4 * reading + 3),
  };
}
