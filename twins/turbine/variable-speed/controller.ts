/**
 * The baseline controller: torque by the published law of the low-passed generator speed, pitch by a gain-scheduled PI
 *
 *   θ = G K_P e + G K_I ∫e dt,   e = ω_f − ω_ref,   G = 1 / (1 + θ / θ_K)
 *
 * with the integral held where it alone would leave the range of pitch. Above rated speed, or from one degree of pitch on, the torque
 * holds the power: P / ω_f. Source: NREL 5-MW baseline controller (DISCON of OpenFAST r-test). Starting and stopping by the wind is
 * an assumption.
 */
import { Mode, type VariableSpeedColumns } from './columns.ts';
import type { VariableSpeedEffects } from './effects.ts';
import type { VariableSpeedParameters } from './parameters.ts';
import { torqueLaw } from './torque-law.ts';

const WIND_SMOOTHING_S = 10; // assumption
const CUT_IN_HYSTERESIS_MPS = 0.5; // assumption
const CUT_OUT_HYSTERESIS_MPS = 3; // assumption

/** @returns the step of the controller over rows `first` up to, not including, `last`. @param dt seconds */
export function createController(p: VariableSpeedParameters, dt: number) {
  const law = torqueLaw(p);
  const { torque: t, pitch, drivetrain: d } = p;
  const keep = Math.exp(-dt * pitch.speedFilterRadPerS);
  const smoothing = 1 - Math.exp(-dt / WIND_SMOOTHING_S);
  const generatorShare = d.rotorInertiaKgM2 / (d.rotorInertiaKgM2 + d.generatorInertiaKgM2 * d.gearRatio ** 2);
  const torqueStep = t.rateNmPerS * dt;
  const pitchStep = pitch.rateRadPerS * dt;

  return (c: VariableSpeedColumns, e: VariableSpeedEffects, first: number, last: number): void => {
    const {
      windMps,
      smoothedWindMps,
      shaftRadPerS,
      twistRadPerS,
      filteredRadPerS,
      torqueNm,
      pitchRad,
      pitchIntegralRad,
      derateFraction,
      mode,
    } = c;
    const { slotOf, pitchStuck } = e;
    for (let i = first; i < last; i++) {
      const smoothed = smoothedWindMps[i] + smoothing * (windMps[i] - smoothedWindMps[i]);
      smoothedWindMps[i] = smoothed;
      if (mode[i] === Mode.running) {
        if (smoothed > p.cutOutMps || smoothed < p.cutInMps - CUT_IN_HYSTERESIS_MPS) mode[i] = Mode.parked;
      } else if (mode[i] === Mode.parked && smoothed >= p.cutInMps && smoothed <= p.cutOutMps - CUT_OUT_HYSTERESIS_MPS)
        mode[i] = Mode.running;

      const speed = d.gearRatio * (shaftRadPerS[i] - generatorShare * twistRadPerS[i]);
      const filtered = keep * filteredRadPerS[i] + (1 - keep) * speed;
      filteredRadPerS[i] = filtered;

      const theta = pitchRad[i];
      const derate = derateFraction[i];
      let torque: number;
      if (filtered >= t.ratedRadPerS || (theta >= pitch.constantPowerRad && mode[i] === Mode.running))
        torque = t.ratedMechanicalW / Math.max(filtered, t.cutInRadPerS);
      else if (filtered <= t.cutInRadPerS) torque = 0;
      else if (filtered < t.region2RadPerS) torque = law.slope15 * (filtered - t.cutInRadPerS);
      else if (filtered < law.transitionRadPerS) torque = t.optimalGain * filtered * filtered;
      else torque = law.slope25 * (filtered - law.synchronousRadPerS);
      if (derate < 1 && torque * filtered > derate * t.ratedMechanicalW) torque = (derate * t.ratedMechanicalW) / filtered;
      if (torque > t.maximumNm) torque = t.maximumNm;
      const held = torqueNm[i];
      torqueNm[i] = torque > held + torqueStep ? held + torqueStep : Math.max(torque, held - torqueStep);

      let command = pitch.maximumRad;
      if (mode[i] === Mode.running) {
        const gain = 1 / (1 + theta / pitch.halvingRad);
        const error = filtered - pitch.referenceRadPerS;
        const most = pitch.maximumRad / (gain * pitch.integral);
        let integral = pitchIntegralRad[i] + error * dt;
        if (integral < 0) integral = 0;
        else if (integral > most) integral = most;
        pitchIntegralRad[i] = integral;
        command = gain * (pitch.proportionalS * error + pitch.integral * integral);
        if (command < 0) command = 0;
        else if (command > pitch.maximumRad) command = pitch.maximumRad;
      } else pitchIntegralRad[i] = 0;
      if (pitchStuck[slotOf[i]] === 0) pitchRad[i] = command > theta + pitchStep ? theta + pitchStep : Math.max(command, theta - pitchStep);
    }
  };
}
