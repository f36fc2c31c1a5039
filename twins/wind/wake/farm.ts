/**
 * A farm in steady wind: every turbine's speed, thrust and power, from upwind to downwind, by FLORIS' definitions.
 *
 *   u  = ∛ mean((U(z) − √Σd²)³) over the rotor's nine points
 *   Ct = Ct(u) cos γ,   a = (1 − √(1 − Ct cos γ))/(2 cos γ),   P = P(u cos^(1.88/3) γ)
 *
 * Below rated, where P grows with u³, the last is the familiar P(u) cos^1.88 γ.
 */
import { type CastWake, createWakeColumns } from './columns.ts';
import { rotateIntoWind, sortDownwind } from './frame.ts';
import { gaussWake } from './gauss.ts';
import { jensenWake } from './jensen.ts';
import type { WakeTurbine } from './turbine.ts';

/** The wake models by name. */
export const wakeModels = { jensen: jensenWake(), gauss: gaussWake } as const;
export type WakeName = keyof typeof wakeModels;

export interface FarmShape {
  readonly wake: WakeName | CastWake;
  /** One for all, or one a turbine. */
  readonly turbines: WakeTurbine | readonly WakeTurbine[];
  /** [turbines] metres to the east and to the north. */
  readonly xM: ArrayLike<number>;
  readonly yM: ArrayLike<number>;
  /** Where the wind's speed is meant; default: the first turbine's hub. */
  readonly referenceHeightM?: number;
}

export interface SteadyWind {
  readonly windMps: number;
  /** Where it comes from, clockwise from north; 270 blows to +x. */
  readonly directionDeg: number;
  /** Ambient, 0..1. */
  readonly turbulenceIntensity: number;
  /** Exponent α of the power law. */
  readonly shear: number;
  /** [turbines] degrees out of the wind, counter-clockwise seen from above, within ±90; default: none. */
  readonly yawDeg?: ArrayLike<number>;
}

/** [turbines], in the layout's order. */
export interface FarmState {
  /** Rotor-averaged. */
  readonly windMps: Float64Array;
  /** As it acts along the wind: includes the yaw. */
  readonly ct: Float64Array;
  readonly powerKw: Float64Array;
  /** Of the air that meets the rotor, 0..1. */
  readonly turbulenceIntensity: Float64Array;
}

export interface FarmWakes {
  /** Solves in place: the answer is the same arrays every time. Allocates nothing. */
  solve(wind: SteadyWind): FarmState;
}

const YAW_LOSS_EXPONENT = 1.88; // of power; FLORIS' table of the NREL 5-MW
const CT_MIN = 0.0001; // FLORIS' bounds: a rotor that stands casts next to no wake,
const CT_MAX = 0.9999; // and beyond 1 momentum theory has no answer

export const solveWakes = (farm: FarmShape & SteadyWind): FarmState => createFarmWakes(farm).solve(farm);

/** A workspace for one shape of farm, to be kept and used for many winds. */
export function createFarmWakes({ wake, turbines, xM, yM, referenceHeightM }: FarmShape): FarmWakes {
  const count = xM.length;
  const each: readonly WakeTurbine[] = 'powerKw' in turbines ? new Array<WakeTurbine>(count).fill(turbines) : turbines;
  if (yM.length !== count || each.length !== count)
    throw new Error(`a farm of ${count} x, ${yM.length} y and ${each.length} turbines is none`);
  const kinds = [...new Set(each)];
  const kindOf = Uint32Array.from(each, (turbine) => kinds.indexOf(turbine));
  const reference = referenceHeightM ?? each[0]?.hubHeightM ?? 0;
  const profile = new Float64Array(kinds.length * 3);
  const cast = typeof wake === 'function' ? wake : wakeModels[wake];
  const [x, y] = [Float64Array.from(xM), Float64Array.from(yM)];
  const [downwind, crosswind] = [new Float64Array(count), new Float64Array(count)];
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const c = createWakeColumns(count);
  const state = {
    windMps: new Float64Array(count),
    ct: new Float64Array(count),
    powerKw: new Float64Array(count),
    turbulenceIntensity: new Float64Array(count),
  };

  function place({ windMps, directionDeg, turbulenceIntensity, shear, yawDeg }: SteadyWind): void {
    for (const [k, { hubHeightM, rotorDiameterM }] of kinds.entries())
      for (let row = 0; row < 3; row++)
        profile[3 * k + row] = windMps * ((hubHeightM + ((row - 1) * rotorDiameterM) / 4) / reference) ** shear;
    rotateIntoWind(x, y, directionDeg, downwind, crosswind);
    sortDownwind(order, downwind);
    for (let s = 0; s < count; s++) {
      const i = order[s];
      const k = kindOf[i];
      const yaw = yawDeg === undefined ? 0 : (yawDeg[i] * Math.PI) / 180;
      c.downwindM[s] = downwind[i];
      c.crosswindM[s] = crosswind[i];
      c.hubHeightM[s] = kinds[k].hubHeightM;
      c.rotorDiameterM[s] = kinds[k].rotorDiameterM;
      c.cosYaw[s] = Math.cos(yaw);
      c.sinYaw[s] = Math.sin(yaw);
      for (let row = 0; row < 3; row++) c.freeMps[3 * s + row] = profile[3 * k + row];
    }
    c.turbulenceIntensity.fill(turbulenceIntensity);
    c.deficitSquared.fill(0);
    c.ambientTurbulence = turbulenceIntensity;
  }

  function rotorAverage(s: number): number {
    let cubes = 0;
    for (let point = 0; point < 9; point++) {
      const u = c.freeMps[3 * s + (point % 3)] - Math.sqrt(c.deficitSquared[9 * s + point]);
      cubes += u * u * u;
    }
    return Math.max(0, Math.cbrt(cubes / 9)); // root-sum-squares of many near wakes may exceed the wind
  }

  return {
    solve(wind) {
      place(wind);
      for (let s = 0; s < count; s++) {
        const i = order[s];
        const turbine = kinds[kindOf[i]];
        const cosYaw = c.cosYaw[s];
        const u = rotorAverage(s);
        const ct = Math.min(CT_MAX, Math.max(CT_MIN, turbine.thrustCoefficient(u))) * cosYaw;
        c.thrustCoefficient[s] = ct;
        c.axialInduction[s] = (1 - Math.sqrt(1 - ct * cosYaw)) / (2 * cosYaw);
        state.windMps[i] = u;
        state.turbulenceIntensity[i] = c.turbulenceIntensity[s];
        state.ct[i] = ct;
        state.powerKw[i] = turbine.powerKw(cosYaw === 1 ? u : u * cosYaw ** (YAW_LOSS_EXPONENT / 3));
        cast(c, s);
      }
      return state;
    },
  };
}
