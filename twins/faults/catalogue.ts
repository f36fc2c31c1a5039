/**
 * The faults that a desk-turbine twin can show: names are fixed, a row each. `apply` turns the row's handles for one tick; `s` is the
 * severity as it stands, 0..1, and chance is a function of the time step.
 *
 * Signatures after the project's fault catalogue (physics reference §3); magnitudes are assumptions chosen to stay in range.
 */
import type { FaultKind } from '../../actors/contracts/faults.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Effects } from './effects.ts';

export interface FaultModel extends FaultKind {
  apply(e: Effects, row: number, s: number, chance: Rng, step: number): void;
}

const STEPS_A_SECOND = 20;
/** The second that a step lies in: bursts last whole seconds. */
const second = (step: number) => Math.floor(step / STEPS_A_SECOND);

export const deskTurbineFaults: readonly FaultModel[] = [
  {
    name: 'bearing-wear',
    about: 'The outer race of a bearing wears: impulses in the acceleration, more friction, a warmer bearing.',
    apply(e, row, s) {
      e.outerRaceG[row] = 0.8 * s;
      e.frictionFactor[row] *= 1 + 0.3 * s;
      e.heatK[row] += 12 * s;
    },
  },
  {
    name: 'bearing-inner-race',
    about: 'The inner race of a bearing wears: impulses that come and go with each turn of the rotor.',
    apply(e, row, s) {
      e.innerRaceG[row] = 0.8 * s;
      e.frictionFactor[row] *= 1 + 0.2 * s;
      e.heatK[row] += 8 * s;
    },
  },
  {
    name: 'gearbox-overheating',
    about: 'The gears lose their grease: friction and a temperature that climbs for minutes.',
    apply(e, row, s) {
      e.frictionFactor[row] *= 1 + 0.5 * s;
      e.heatK[row] += 30 * s;
    },
  },
  {
    name: 'mass-imbalance',
    about: 'One blade is heavier: the nacelle shakes once a turn, with the square of the speed.',
    apply(e, row, s) {
      e.unbalanceFactor[row] += 8 * s;
    },
  },
  {
    name: 'icing',
    about: 'Ice on all blades: less torque from the same wind.',
    apply(e, row, s) {
      e.aerodynamicFactor[row] *= 1 - 0.4 * s;
    },
  },
  {
    name: 'generator-winding',
    about: 'Turns of the winding are shorted: less voltage at the same speed.',
    apply(e, row, s) {
      e.generatorFactor[row] *= 1 - 0.4 * s;
    },
  },
  {
    name: 'brush-wear',
    about: 'Worn brushes lose contact: the voltage drops out while the rotor turns.',
    apply(e, row, s, chance, step) {
      if (chance.uniform(step) < 0.4 * s) e.brushOpen[row] = 1;
    },
  },
  {
    name: 'encoder-dropout',
    about: 'The light barrier misses slots: the rotor seems slower, in bursts far slower, than the voltage says.',
    apply(e, row, s, chance, step) {
      const burst = chance.uniform(second(step)) < 0.8 * s;
      e.slotFactor[row] *= burst ? 0.15 : 1 - s / 8;
    },
  },
  {
    name: 'encoder-bounce',
    about: 'The light barrier counts slots twice: the rotor seems faster than the voltage says.',
    apply(e, row, s) {
      e.slotFactor[row] *= 1 + 0.6 * s;
    },
  },
  {
    name: 'anemometer-drift',
    about: 'The anemometer’s bearing drags: the wind seems weaker than the rotor says.',
    apply(e, row, s) {
      e.anemometerFactor[row] *= 1 - 0.4 * s;
    },
  },
  {
    name: 'anemometer-stuck',
    about: 'The anemometer’s reading stands still while the wind changes.',
    apply(e, row, s) {
      if (s > 0) e.anemometerStuck[row] = 1;
    },
  },
  {
    name: 'loose-mount',
    about: 'The nacelle’s mount is loose: it hangs tilted, and every vibration is larger.',
    apply(e, row, s) {
      e.tiltRad[row] += 0.0175 + 0.07 * s; // 1° to 5°
      e.vibrationFactor[row] *= 1 + 4 * s;
    },
  },
  {
    name: 'voltage-sag',
    about: 'The supply sags: the converter’s reference drops, so the voltage reads high, and the controller restarts now and then.',
    apply(e, row, s, chance, step) {
      e.referenceFactor[row] *= 1 - 0.5 * s;
      if (chance.uniform(step) < (0.02 * s) / STEPS_A_SECOND) e.reset[row] = 1;
    },
  },
  {
    name: 'sensor-noise',
    about: 'The voltage reading is noisy.',
    apply(e, row, s) {
      e.voltageNoiseCounts[row] += 40 * s;
    },
  },
  {
    name: 'sensor-bias',
    about: 'The voltage reading is off by a constant.',
    apply(e, row, s) {
      e.voltageBiasCounts[row] += 40 * s;
    },
  },
  {
    name: 'sensor-stuck',
    about: 'The voltage reading stands still.',
    apply(e, row, s) {
      if (s > 0) e.voltageStuck[row] = 1;
    },
  },
  {
    name: 'sensor-spike',
    about: 'The voltage reading jumps for single samples.',
    apply(e, row, s, chance, step) {
      if (chance.uniform(step) < 0.1) e.voltageBiasCounts[row] += 300 * s;
    },
  },
  {
    name: 'yaw-drift-jump',
    about: 'The motion processor loses its heading for a moment: yaw jumps. Heading drifts anyway: a detector must ignore it.',
    apply(e, row, s, chance, step) {
      if (chance.uniform(step) < 0.05 / STEPS_A_SECOND) e.yawJumpRad[row] = s * (2 * chance.uniform(step + 0.5) - 1);
    },
  },
];
