/**
 * Whether a rotor takes no more from the wind than it can. What is left of Betz's share of the wind that has passed,
 *
 *   ∫ (16/27) ½ ρ π R² v³ dt − ∫ P dt − ½ J ω² − ∫ (Qc + k ω) ω dt        (A. Betz, 1920)
 *
 * never falls: no step makes, stores and loses more than its wind allows. A probe beside a twin, which reads the truth after each step and
 * knows nothing of how that came about.
 */
import type { EnergyAccount } from '../actors/contracts/energy.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Millis } from '../actors/contracts/units.ts';
import { type TwinBacking, TWIN_STEP_MS } from './body.ts';
import type { TwinMachine } from './library/machines.ts';

const BETZ = 16 / 27;
const ROOM_DENSITY = 1.225; // kg/m³, ISA
const DENSEST = 1.45; // kg/m³: air at −30 °C

/** `read` is called after each step of 50 ms. */
export function energyMeter({ truth, things }: Pick<TwinBacking, 'truth' | 'things'>, machine: TwinMachine) {
  const rows = things.length;
  const { radiusM, inertiaKgM2, coulombNm, viscousNmS, density } = rotorOf(machine);
  const fullWind = 0.5 * BETZ * density * Math.PI * radiusM ** 2;
  const dt = TWIN_STEP_MS / 1_000;
  const column = () => new Float64Array(rows);
  const [made, left, mostLeft, mostStored, fromNothing, fromNothingAt] = Array.from({ length: 6 }, column);
  const storedBefore = Float64Array.from(truth.rotorRadPerS, (omega) => 0.5 * inertiaKgM2 * omega * omega);

  return {
    read(now: Millis): void {
      const { windMps, rotorRadPerS, powerW } = truth;
      for (let row = 0; row < rows; row++) {
        const omega = rotorRadPerS[row];
        const stored = 0.5 * inertiaKgM2 * omega * omega;
        const lost = (coulombNm + viscousNmS * omega) * omega * dt;
        made[row] += powerW[row] * dt;
        left[row] += fullWind * windMps[row] ** 3 * dt - powerW[row] * dt - lost - (stored - storedBefore[row]);
        storedBefore[row] = stored;
        if (stored > mostStored[row]) mostStored[row] = stored;
        if (left[row] > mostLeft[row]) mostLeft[row] = left[row];
        else if (mostLeft[row] - left[row] > fromNothing[row]) {
          fromNothing[row] = mostLeft[row] - left[row];
          fromNothingAt[row] = now;
        }
      }
    },
    account: (row: number): EnergyAccount => ({
      madeJ: made[row],
      fromNothingJ: fromNothing[row],
      fromNothingAt: fromNothingAt[row],
      mostStoredJ: mostStored[row],
    }),
  };
}

export interface MeteredTwins {
  readonly twins: TwinBacking;
  /** By turbine. */
  accounts(): readonly (readonly [ThingName, EnergyAccount])[];
}

/** Twins with a meter beside them. */
export function meteredTwins(twins: TwinBacking, machine: TwinMachine): MeteredTwins {
  const meter = energyMeter(twins, machine);
  return {
    twins: {
      ...twins,
      advance(now) {
        for (let at = twins.now() + TWIN_STEP_MS; at <= now; at += TWIN_STEP_MS) {
          twins.advance(at);
          meter.read(at);
        }
      },
    },
    accounts: () => twins.things.map((thing, row) => [thing, meter.account(row)]),
  };
}

/** What of a rotor takes up energy, at the least: wear adds friction. */
function rotorOf({ kind, parameters }: TwinMachine) {
  if (kind === 'fixed-pitch')
    return {
      radiusM: parameters.rotorRadiusM,
      inertiaKgM2: parameters.rotorInertiaKgM2,
      coulombNm: parameters.coulombTorqueNm,
      viscousNmS: parameters.viscousTorqueNmS,
      density: ROOM_DENSITY,
    };
  const { rotorInertiaKgM2, generatorInertiaKgM2, gearRatio } = parameters.drivetrain;
  return {
    radiusM: parameters.rotorRadiusM,
    inertiaKgM2: rotorInertiaKgM2 + generatorInertiaKgM2 * gearRatio ** 2,
    coulombNm: 0,
    viscousNmS: 0,
    density: DENSEST,
  };
}
