/**
 * The normal turbulence model and the extreme operating gust of IEC 61400-1 (ed. 3).
 *
 *   σ₁ = I_ref (0.75 V_hub + 5.6),   Λ₁ = 0.7 z below 60 m else 42 m,   L_u = 8.1 Λ₁
 *   V_gust = min(1.35 (0.8 · 1.4 V_ref − V_hub), 3.3 σ₁ / (1 + 0.1 D/Λ₁))
 *   V(t) = V − 0.37 V_gust sin(3πt/T) (1 − cos(2πt/T)),   T = 10.5 s
 */
export type TurbulenceClass = 'A' | 'B' | 'C';

const REFERENCE_INTENSITY: Readonly<Record<TurbulenceClass, number>> = { A: 0.16, B: 0.14, C: 0.12 };
export const REFERENCE_WIND_MPS = { I: 50, II: 42.5, III: 37.5 } as const;
export const GUST_S = 10.5;

export const turbulenceSigmaMps = (hubMps: number, turbulenceClass: TurbulenceClass): number =>
  REFERENCE_INTENSITY[turbulenceClass] * (0.75 * hubMps + 5.6);

export const turbulenceScaleM = (hubHeightM: number): number => (hubHeightM < 60 ? 0.7 * hubHeightM : 42);

/** L_u of Kaimal's spectrum for the wind's own direction. */
export const integralLengthM = (hubHeightM: number): number => 8.1 * turbulenceScaleM(hubHeightM);

export interface GustSite {
  readonly hubMps: number;
  readonly sigmaMps: number;
  readonly diameterM: number;
  readonly hubHeightM: number;
  readonly referenceMps?: number;
}

export const gustAmplitudeMps = ({ hubMps, sigmaMps, diameterM, hubHeightM, referenceMps = REFERENCE_WIND_MPS.I }: GustSite): number =>
  Math.min(1.35 * (0.8 * 1.4 * referenceMps - hubMps), (3.3 * sigmaMps) / (1 + (0.1 * diameterM) / turbulenceScaleM(hubHeightM)));

/** What the gust adds to the wind, m/s. @param tS since its start; 0 before and after it */
export const gustMps = (amplitudeMps: number, tS: number): number =>
  tS <= 0 || tS >= GUST_S ? 0 : -0.37 * amplitudeMps * Math.sin((3 * Math.PI * tS) / GUST_S) * (1 - Math.cos((2 * Math.PI * tS) / GUST_S));
