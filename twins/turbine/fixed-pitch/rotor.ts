/**
 * Rotor speed of a small fixed-pitch turbine from the balance of torques:
 *
 *   J dω/dt = ½ ρ π R³ Cq(λ) v² − Qc sign(ω) − k ω − Qbrake,    Cq(λ) = Cq₀ (1 − λ/λ₀),   λ = ω R / v
 *
 * so that Cp = λ Cq is a parabola with its peak at λ₀/2. Semi-implicit in ω.
 */
import type { Effects } from './effects.ts';
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import type { Columns } from './columns.ts';

const WIND_SPEED_MIN = 0.05; // m/s: below it λ means nothing

/** Advances rows `first` up to, not including, `last` by `dt` seconds. @param airDensity kg/m³ */
export function stepRotor(
  c: Columns,
  e: Effects,
  p: DeskTurbineParameters,
  airDensity: number,
  first: number,
  last: number,
  dt: number,
): void {
  const swept = 0.5 * airDensity * Math.PI * p.rotorRadiusM ** 3;
  for (let i = first; i < last; i++) {
    const v = c.windSpeedMps[i];
    const omega = c.rotorSpeedRadPerS[i];
    const cq = torqueCoefficient(p, (omega * p.rotorRadiusM) / Math.max(v, WIND_SPEED_MIN)) * e.aerodynamicFactor[i];
    const drag = p.viscousTorqueNmS * e.frictionFactor[i] + p.derateTorqueNmS * (1 - c.derateFraction[i]);
    const holding = p.coulombTorqueNm * e.frictionFactor[i] + (c.brake[i] ? p.brakeTorqueNm : 0);
    const driven = (omega + (dt / p.rotorInertiaKgM2) * swept * cq * v * v) / (1 + (dt * drag) / p.rotorInertiaKgM2);
    const held = (dt * holding) / p.rotorInertiaKgM2;
    const next = Math.max(0, driven - held); // dry friction stops a rotor, it does not turn it back
    c.rotorAngleRad[i] += 0.5 * (omega + next) * dt;
    c.rotorSpeedRadPerS[i] = next;
  }
}

/** Cq, dimensionless, for λ ≥ 0; negative beyond run-away, where the wind brakes. */
export const torqueCoefficient = (p: DeskTurbineParameters, lambda: number): number =>
  p.torqueCoefficientAtRest * (1 - lambda / p.runawayTipSpeedRatio);

/** Ct that goes with Cp by momentum theory: Cp = 4a(1 − a)², Ct = 4a(1 − a), for the lightly loaded root a ≤ ⅓. @param powerCoefficient below 16/27 */
export function thrustCoefficient(powerCoefficient: number): number {
  let a = 0;
  for (let i = 0; i < 30; i++) a = Math.min(1 / 3, Math.max(0, powerCoefficient) / (4 * (1 - a) ** 2));
  return 4 * a * (1 - a);
}
