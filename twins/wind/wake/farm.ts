/**
 * A farm in steady wind: turbine by turbine from the wind's side, each in the wakes of those before it.
 *
 * As FLORIS defines it: a rotor's wind is the cubic mean over 3 × 3 points, of the sheared free wind minus its deficits; deficits of
 * several wakes combine by the root of their squares; added turbulence by the root of squares with the ambient one, the largest
 * source counting, times the share of the rotor that lies in the wake.
 */
import {
  addedTurbulenceDecay,
  addedTurbulenceSource,
  OVERLAP_MPS,
  TURBULENCE_REACH_ACROSS_DIAMETERS,
  TURBULENCE_REACH_DIAMETERS,
} from './added-turbulence.ts';
import { wakeDeflectionM } from './deflection.ts';
import { POINTS, type WakeModel, type WakeSource } from './model.ts';

/** A turbine as its neighbours know it. */
export interface WakeTurbine {
  readonly diameterM: number;
  readonly hubHeightM: number;
  /** Of the rotor's wind, m/s. */
  thrustCoefficient(windMps: number): number;
}

export interface SteadyWind {
  /** At hub height. */
  readonly windMps: number;
  /** From where, clockwise from north. */
  readonly directionDeg: number;
  readonly turbulenceIntensity: number;
  /** Exponent of the power law of height. */
  readonly shear: number;
}

export interface WakeFarm {
  /** [turbines], results of the last `solve`, in the layout's order: mean wind of each rotor, thrust coefficient along the wind, turbulence. */
  readonly windMps: Float64Array;
  readonly thrustCoefficient: Float64Array;
  readonly turbulenceIntensity: Float64Array;
  /** @param yawDeg [turbines], counter-clockwise from above against the wind; null: all face it */
  solve(wind: SteadyWind, yawDeg?: Float64Array | null): void;
}

const CELLS = POINTS * POINTS;
const THRUST_MAX = 0.9999;
const UPWIND_M = 1e-6; // turbines abreast do not wake each other

/** Allocates once; every `solve` uses the same memory. */
export function createWakeFarm(model: WakeModel, turbine: WakeTurbine, xM: Float64Array, yM: Float64Array): WakeFarm {
  const count = xM.length;
  const downwind = new Float64Array(count);
  const across = new Float64Array(count);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const lostSquares = new Float64Array(count * CELLS);
  const deficits = new Float64Array(CELLS);
  const free = new Float64Array(CELLS);
  const windMps = new Float64Array(count);
  const thrustCoefficient = new Float64Array(count);
  const turbulenceIntensity = new Float64Array(count);
  const source: WakeSource = {
    diameterM: turbine.diameterM,
    thrustCoefficient: 0,
    axialInduction: 0,
    turbulenceIntensity: 0,
    cosYaw: 1,
    sinYaw: 0,
  };
  const span = turbine.diameterM / 4;

  return {
    windMps,
    thrustCoefficient,
    turbulenceIntensity,
    solve(wind, yawDeg = null) {
      turned(xM, yM, wind.directionDeg, downwind, across);
      order.sort((a, b) => downwind[a] - downwind[b] || a - b);
      for (let cell = 0; cell < CELLS; cell++)
        free[cell] = wind.windMps * (1 + (((cell % POINTS) - 1) * span) / turbine.hubHeightM) ** wind.shear;
      lostSquares.fill(0);
      turbulenceIntensity.fill(wind.turbulenceIntensity);

      for (let n = 0; n < count; n++) {
        const i = order[n];
        let cubes = 0;
        for (let cell = 0; cell < CELLS; cell++) {
          const here = free[cell] - Math.sqrt(lostSquares[i * CELLS + cell]);
          cubes += here * here * here;
        }
        windMps[i] = Math.cbrt(cubes / CELLS);
        const yaw = ((yawDeg?.[i] ?? 0) * Math.PI) / 180;
        source.cosYaw = Math.cos(yaw);
        source.sinYaw = Math.sin(yaw);
        const ct = Math.min(THRUST_MAX, turbine.thrustCoefficient(windMps[i]) * source.cosYaw);
        thrustCoefficient[i] = ct;
        if (ct <= 0) continue;
        source.thrustCoefficient = ct;
        source.axialInduction = (0.5 / source.cosYaw) * (1 - Math.sqrt(1 - ct * source.cosYaw));
        source.turbulenceIntensity = turbulenceIntensity[i];
        const added = addedTurbulenceSource(source.axialInduction, wind.turbulenceIntensity);

        for (let m = n + 1; m < count; m++) {
          const t = order[m];
          const behind = downwind[t] - downwind[i];
          if (behind < UPWIND_M) continue;
          const aside = across[t] - across[i];
          const deflected = source.sinYaw === 0 ? aside : aside - wakeDeflectionM(source, behind);
          if (!model.deficits(source, behind, deflected, 0, span, deficits)) continue;
          let overlapping = 0;
          const at = t * CELLS;
          for (let cell = 0; cell < CELLS; cell++) {
            const lost = deficits[cell] * free[cell];
            lostSquares[at + cell] += lost * lost;
            if (lost > OVERLAP_MPS) overlapping++;
          }
          const diameters = behind / turbine.diameterM;
          if (overlapping === 0 || diameters > TURBULENCE_REACH_DIAMETERS) continue;
          if (Math.abs(aside) >= TURBULENCE_REACH_ACROSS_DIAMETERS * turbine.diameterM) continue;
          const own = (overlapping / CELLS) * added * addedTurbulenceDecay(diameters);
          const here = Math.sqrt(own * own + wind.turbulenceIntensity * wind.turbulenceIntensity);
          if (here > turbulenceIntensity[t]) turbulenceIntensity[t] = here;
        }
      }
    },
  };
}

/** Coordinates along the wind and to its left. */
function turned(xM: Float64Array, yM: Float64Array, directionDeg: number, downwind: Float64Array, across: Float64Array): void {
  const towards = ((270 - directionDeg) * Math.PI) / 180; // 270° blows towards +x
  const [cos, sin] = [Math.cos(towards), Math.sin(towards)];
  for (let i = 0; i < xM.length; i++) {
    downwind[i] = cos * xM[i] + sin * yM[i];
    across[i] = -sin * xM[i] + cos * yM[i];
  }
}
