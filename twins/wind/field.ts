/** The wind at every rotor: a mean, a slow component that all of the farm shares, and turbulence of each rotor's own. */
import type { Rng } from '../../actors/contracts/rng.ts';
import { createTurbulence } from './turbulence.ts';

export interface WindSpec {
  readonly meanMps: number;
  /** Standard deviation over mean, 0..1. */
  readonly turbulenceIntensity: number;
}

export interface WindField {
  /** Writes the wind speed of every row for time step `step`; never below 0. */
  advance(windMps: Float64Array, step: number): void;
}

const FARM_SECOND = 600; // the shared component wanders within ten minutes
const FARM_SHARE = 0.15; // of the variance lies below 1/600 Hz in Kaimal's spectrum
const LENGTH_M = 8; // assumption: the eddies of a room with a fan in it

/** @param labels one a row; a row's wind depends on the seed and its label alone. @param dt seconds */
export function createWindField(rng: Rng, labels: readonly string[], { meanMps, turbulenceIntensity }: WindSpec, dt: number): WindField {
  const sigma = meanMps * turbulenceIntensity;
  const farm = rng.fork('farm wind');
  const a = Math.exp(-dt / FARM_SECOND);
  const farmSigma = sigma * Math.sqrt(FARM_SHARE);
  const turbulence = createTurbulence(
    labels.map((label) => rng.fork(label).fork('wind')),
    meanMps,
    sigma * Math.sqrt(1 - FARM_SHARE),
    LENGTH_M,
    dt,
  );
  let slow = 0;

  return {
    advance(windMps, step) {
      const draw = farm.normal(step);
      slow = step === 0 ? farmSigma * draw : a * slow + farmSigma * Math.sqrt(1 - a * a) * draw;
      windMps.fill(meanMps + slow);
      turbulence.add(windMps, step);
      for (let i = 0; i < windMps.length; i++) if (windMps[i] < 0) windMps[i] = 0;
    },
  };
}
