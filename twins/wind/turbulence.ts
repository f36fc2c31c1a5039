/**
 * Turbulence of each rotor as a sum of five independent Ornstein–Uhlenbeck processes of variance 1, each stepped exactly:
 *
 *   x ← a x + √(1 − a²) N(0,1),   a = exp(−dt / T),   u = σ Σ √w x
 *
 * Time constants T·V/L and weights w fit Kaimal's spectrum 4 σ² (L/V) / (1 + 6 f L/V)^(5/3) over 1/600–5 Hz to 0.05 dB rms.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import { mixWords } from '../rng.ts';
import { NORMAL_CELLS, normalTable } from './normals.ts';

const BANK = [
  { timeOverLength: 2.68554, weight: 0.20823 },
  { timeOverLength: 0.62012, weight: 0.51722 },
  { timeOverLength: 0.12781, weight: 0.20968 },
  { timeOverLength: 0.01874, weight: 0.05089 },
  { timeOverLength: 0.00238, weight: 0.01398 },
];
const NORMAL_BITS = 12;

export interface Turbulence {
  /** Follows the mean wind: the same eddies pass faster in more wind. */
  setMean(meanMps: number): void;
  /** Writes the fluctuation of rows `first` up to, not including, `last`, in standard deviations. @param step from 0; the first is stationary */
  advance(into: Float64Array, step: number, first: number, last: number): void;
}

export interface TurbulenceSpec {
  /** One a row. */
  readonly streams: readonly Rng[];
  readonly meanMps: number;
  /** L of the spectrum, m. */
  readonly lengthM: number;
  /** Seconds. */
  readonly dt: number;
  /** Variance that somebody else adds more slowly than the slowest process: taken from that one, 0..0.2. */
  readonly slowShare?: number;
}

export function createTurbulence({ streams, meanMps, lengthM, dt, slowShare = 0 }: TurbulenceSpec): Turbulence {
  const rows = streams.length;
  const low = Uint32Array.from(streams, ({ key }) => key[0]);
  const high = Uint32Array.from(streams, ({ key }) => key[1]);
  const normals = normalTable();
  const state = BANK.map(() => new Float32Array(rows));
  const share = BANK.map(({ weight }, k) => Math.sqrt(k === 0 ? Math.max(0, weight - slowShare) : weight));
  const [x0, x1, x2, x3, x4] = state;
  const [w0, w1, w2, w3, w4] = share;
  const keep = new Float64Array(BANK.length);
  const kick = new Float64Array(BANK.length);
  const forget = new Float64Array(BANK.length); // of the first step: its state is a draw of the stationary distribution
  const draw = new Float64Array(BANK.length).fill(1);

  const setMean = (mps: number) => {
    for (const [k, { timeOverLength }] of BANK.entries()) {
      keep[k] = Math.exp((-dt * Math.max(mps, 0.1)) / (timeOverLength * lengthM));
      kick[k] = Math.sqrt(1 - keep[k] * keep[k]);
    }
  };
  setMean(meanMps);

  return {
    setMean,
    advance(into, step, first, last) {
      const a = step === 0 ? forget : keep;
      const b = step === 0 ? draw : kick;
      const a0 = a[0]; // by index: taking arrays apart makes objects
      const a1 = a[1];
      const a2 = a[2];
      const a3 = a[3];
      const a4 = a[4];
      const b0 = b[0];
      const b1 = b[1];
      const b2 = b[2];
      const b3 = b[3];
      const b4 = b[4];
      const mask = NORMAL_CELLS - 1;
      for (let i = first; i < last; i++) {
        const one = mixWords(low[i], high[i], step, 1); // three words of 32 bits, two draws of 12 bits from each
        const two = mixWords(low[i], high[i], step, 2);
        const three = mixWords(low[i], high[i], step, 3);
        x0[i] = a0 * x0[i] + b0 * normals[one & mask];
        x1[i] = a1 * x1[i] + b1 * normals[(one >>> NORMAL_BITS) & mask];
        x2[i] = a2 * x2[i] + b2 * normals[two & mask];
        x3[i] = a3 * x3[i] + b3 * normals[(two >>> NORMAL_BITS) & mask];
        x4[i] = a4 * x4[i] + b4 * normals[three & mask];
        into[i] = w0 * x0[i] + w1 * x1[i] + w2 * x2[i] + w3 * x3[i] + w4 * x4[i];
      }
    },
  };
}
