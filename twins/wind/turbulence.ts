/**
 * Turbulence as a sum of independent Ornstein–Uhlenbeck processes, each stepped exactly:
 *
 *   u ← a u + σ √w √(1 − a²) N(0,1),   a = exp(−dt / T)
 *
 * Time constants T·V/L and weights w of three processes fitted to Kaimal's spectrum over 1/600–5 Hz (rms error 0.29 dB).
 */
import type { Rng } from '../../actors/contracts/rng.ts';

const BANK = [
  { timeOverLength: 0.94929, weight: 0.66957 },
  { timeOverLength: 0.1199, weight: 0.2937 },
  { timeOverLength: 0.00611, weight: 0.03673 },
];

export interface Turbulence {
  /** Adds the fluctuation of every row to `windMps`. @param step number of the time step, from 0 */
  add(windMps: Float64Array, step: number): void;
}

/** @param streams one a row. @param lengthM integral length scale. @param dt seconds */
export function createTurbulence(streams: readonly Rng[], meanMps: number, sigmaMps: number, lengthM: number, dt: number): Turbulence {
  const bank = BANK.map(({ timeOverLength, weight }) => {
    const a = Math.exp(-dt / ((timeOverLength * lengthM) / Math.max(meanMps, 0.1)));
    return { a, kick: sigmaMps * Math.sqrt(weight) * Math.sqrt(1 - a * a), stationary: sigmaMps * Math.sqrt(weight) };
  });
  const state = bank.map(() => new Float64Array(streams.length));

  return {
    add(windMps, step) {
      for (const [k, { a, kick, stationary }] of bank.entries()) {
        const u = state[k];
        for (let i = 0; i < streams.length; i++) {
          const draw = streams[i].normal(step * BANK.length + k);
          u[i] = step === 0 ? stationary * draw : a * u[i] + kick * draw;
          windMps[i] += u[i];
        }
      }
    },
  };
}
