/**
 * What must hold between the parameters of a machine, beyond each one's own range: a machine that breaks one of these has no steady
 * operation, or an equation without an answer.
 */
import { torsion } from '../turbine/variable-speed/drivetrain.ts';
import { REFERENCE_DENSITY, steadyLine } from '../turbine/variable-speed/steady-line.ts';
import { LAMBDA_MAX } from '../turbine/variable-speed/surface.ts';
import { torqueLaw } from '../turbine/variable-speed/torque-law.ts';
import type { DeskTurbineParameters } from './desk-turbine.ts';
import type { TwinMachine } from './machines.ts';
import type { VariableSpeedParameters } from '../turbine/variable-speed/parameters.ts';

export interface Inconsistency {
  /** Path of the parameter within the machine's. */
  readonly keys: readonly string[];
  readonly why: string;
}

const BETZ = 16 / 27;
const WIND_MAX_MPS = 75;
const PITCH_RATE_MAX = 1; // rad/s; the fastest pitch drives do a third of it
const THRUST_MAX = 1.5; // of published tables near cut-in
const round = (value: number) => Number(value.toPrecision(4));

export const inconsistencies = (machine: TwinMachine): Inconsistency[] =>
  machine.kind === 'fixed-pitch' ? ofFixedPitch(machine.parameters) : ofVariableSpeed(machine.parameters);

function ofFixedPitch(p: DeskTurbineParameters): Inconsistency[] {
  const found: Inconsistency[] = [];
  for (const key of ['slotsPerRevolution', 'adcCounts'] as const)
    if (!Number.isInteger(p[key])) found.push({ keys: [key], why: `${p[key]} is no whole number` });
  const most = (p.torqueCoefficientAtRest * p.runawayTipSpeedRatio) / 4; // of the parabola Cp = λ Cq
  if (most > BETZ)
    found.push({ keys: ['torqueCoefficientAtRest'], why: `the rotor would take Cp ${round(most)} at best, more than Betz allows (16/27)` });
  return found;
}

function ofVariableSpeed(p: VariableSpeedParameters): Inconsistency[] {
  const { torque: t, pitch, steadyTable } = p;
  const found: Inconsistency[] = [];
  const must = (holds: boolean, keys: readonly string[], why: string) => {
    if (!holds) found.push({ keys, why });
    return holds;
  };
  must(p.cutOutMps <= WIND_MAX_MPS, ['cutOutMps'], `${p.cutOutMps} m/s is no wind that a turbine runs in`);
  must(p.cutInMps < p.cutOutMps, ['cutInMps'], `${p.cutInMps} m/s is not below the cut-out of ${p.cutOutMps} m/s`);
  must(p.hubHeightM > p.rotorRadiusM, ['hubHeightM'], `${p.hubHeightM} m: blades of ${p.rotorRadiusM} m would strike the ground`);
  must(p.tower.dampingRatio < 1, ['tower', 'dampingRatio'], 'must be below 1: a tower swings');
  const twist = torsion(p);
  must(
    twist.dampingRatio < 1,
    ['drivetrain', 'dampingNmSPerRad'],
    `the shaft would not swing: its damping is ${round(twist.dampingRatio)} of the critical one`,
  );
  must(pitch.maximumRad <= Math.PI / 2 + 1e-9, ['pitch', 'maximumRad'], `${pitch.maximumRad} rad is beyond feather: is it in degrees?`);
  must(pitch.rateRadPerS <= PITCH_RATE_MAX, ['pitch', 'rateRadPerS'], `${pitch.rateRadPerS} rad/s is no pitch drive’s: is it in degrees?`);

  const rising =
    must(t.cutInRadPerS < t.region2RadPerS, ['torque', 'region2RadPerS'], `is not above cutInRadPerS, ${t.cutInRadPerS}`) &&
    must(t.region2RadPerS < t.ratedRadPerS, ['torque', 'ratedRadPerS'], `is not above region2RadPerS, ${t.region2RadPerS}`);
  must(pitch.referenceRadPerS >= t.ratedRadPerS, ['pitch', 'referenceRadPerS'], `is below torque.ratedRadPerS, ${t.ratedRadPerS}`);
  const ratedNm = t.ratedMechanicalW / t.ratedRadPerS;
  must(t.maximumNm >= ratedNm, ['torque', 'maximumNm'], `is below the torque at rated power, ${round(ratedNm)} N·m`);
  const { transitionRadPerS } = torqueLaw(p);
  const meets = must(
    !rising || (transitionRadPerS >= t.region2RadPerS && transitionRadPerS <= t.ratedRadPerS),
    ['torque', 'optimalGain'],
    'K ω² never meets the line of the slip between region2RadPerS and ratedRadPerS',
  );

  const rows = must(
    steadyTable.rows.every(([v, kw, ct]) => v >= 0 && kw >= 0 && ct >= 0 && ct <= THRUST_MAX),
    ['steadyTable', 'rows'],
    `wind and power must not be negative, and thrust coefficients within 0..${THRUST_MAX}`,
  );
  must(
    steadyTable.pitchRows.every(([, deg]) => deg >= 0 && deg <= 90),
    ['steadyTable', 'pitchRows'],
    'pitch must be within 0..90°',
  );
  if (rows && rising && meets && p.cutInMps < p.cutOutMps) found.push(...offTheSurface(p));
  return found;
}

/** Points of the published operation that no rotor could hold, or that lie beyond the surface's tables. */
function offTheSurface(p: VariableSpeedParameters): Inconsistency[] {
  const line = steadyLine(p, torqueLaw(p));
  const [first, last] = [p.steadyTable.rows[0][0], p.steadyTable.rows[p.steadyTable.rows.length - 1][0]];
  if (first > p.cutInMps || last < p.cutOutMps)
    return [{ keys: ['steadyTable', 'rows'], why: `hold ${first}..${last} m/s, and the turbine runs in ${p.cutInMps}..${p.cutOutMps}` }];
  for (let v = p.cutInMps; v <= p.cutOutMps; v += (p.cutOutMps - p.cutInMps) / 100) {
    const { powerCoefficient, rotorRadPerS } = line(v);
    const lambda = (rotorRadPerS * p.rotorRadiusM) / v;
    if (powerCoefficient > BETZ)
      return [
        {
          keys: ['rotorRadiusM'],
          why: `a rotor of ${p.rotorRadiusM} m would take Cp ${round(powerCoefficient)} at ${round(v)} m/s and ${REFERENCE_DENSITY} kg/m³, more than Betz allows (16/27)`,
        },
      ];
    if (lambda > LAMBDA_MAX)
      return [
        {
          keys: ['rotorRadiusM'],
          why: `the blades’ tips would be ${round(lambda)} times as fast as a wind of ${round(v)} m/s; ${LAMBDA_MAX} is the most`,
        },
      ];
  }
  return [];
}
