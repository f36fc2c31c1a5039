/**
 * Rotor and generator on a twisting shaft, all on the slow side. With φ the rotor's lead over the generator,
 *
 *   (J_r + J_g) ω′ = Q − N T,   φ″ + (C φ′ + K φ)(1/J_r + 1/J_g) = Q / J_r + N T / J_g
 *
 * Torques stand still during a step, and both equations are then solved exactly.
 */
import { Mode, type VariableSpeedColumns } from './columns.ts';
import type { VariableSpeedEffects } from './effects.ts';
import { createOscillator } from './oscillator.ts';
import type { VariableSpeedParameters } from './parameters.ts';

const BRAKE_BELOW_RAD_PER_S = 0.15; // assumption: the parking brake of a rotor that is out of operation
const BRAKE_RAD_PER_S2 = 0.01;

/** Undamped angular frequency and damping ratio of the torsion, rotor against generator. */
export function torsion({ drivetrain: d }: VariableSpeedParameters): { readonly radPerS: number; readonly dampingRatio: number } {
  const inverse = 1 / d.rotorInertiaKgM2 + 1 / (d.generatorInertiaKgM2 * d.gearRatio ** 2);
  const radPerS = Math.sqrt(d.stiffnessNmPerRad * inverse);
  return { radPerS, dampingRatio: (d.dampingNmSPerRad * inverse) / (2 * radPerS) };
}

/** @returns the step over rows `first` up to, not including, `last`. @param dt seconds */
export function createDrivetrain(p: VariableSpeedParameters, dt: number) {
  const { drivetrain: d } = p;
  const rotorInertia = d.rotorInertiaKgM2;
  const generatorInertia = d.generatorInertiaKgM2 * d.gearRatio ** 2;
  const inertia = rotorInertia + generatorInertia;
  const { radPerS, dampingRatio } = torsion(p);
  const { m00, m01, m10, m11, compliance } = createOscillator(radPerS, dampingRatio, dt);
  const turn = 2 * Math.PI;

  return (c: VariableSpeedColumns, e: VariableSpeedEffects, first: number, last: number): void => {
    const { shaftRadPerS, twistRad, twistRadPerS, azimuthRad, aeroTorqueNm, torqueNm, aeroPowerW, powerW, mode } = c;
    const { slotOf, gearLoss } = e;
    for (let i = first; i < last; i++) {
      const aero = aeroTorqueNm[i];
      const generator = torqueNm[i] * d.gearRatio;
      const resistance = gearLoss[slotOf[i]] * aero; // a dragging gearbox takes its share before the generator does
      const before = shaftRadPerS[i];
      let after = before + ((aero - resistance - generator) / inertia) * dt;
      if (mode[i] !== Mode.running && after < BRAKE_BELOW_RAD_PER_S) after -= BRAKE_RAD_PER_S2 * dt;
      if (after < 0) after = 0; // what holds a rotor does not turn it back
      shaftRadPerS[i] = after;

      const rest = ((aero - resistance) / rotorInertia + generator / generatorInertia) * compliance;
      const x = twistRad[i] - rest;
      const v = twistRadPerS[i];
      const twisted = m00 * x + m01 * v + rest;
      const lead = twisted - twistRad[i];
      twistRad[i] = twisted;
      twistRadPerS[i] = m10 * x + m11 * v;

      const turned = 0.5 * (before + after) * dt;
      const rotorTurned = turned + (generatorInertia / inertia) * lead;
      const generatorTurned = turned - (rotorInertia / inertia) * lead;
      const angle = azimuthRad[i] + rotorTurned;
      azimuthRad[i] = angle >= turn ? angle - turn : angle;
      aeroPowerW[i] = (aero * rotorTurned) / dt;
      powerW[i] = (d.generatorEfficiency * generator * generatorTurned) / dt;
    }
  };
}
