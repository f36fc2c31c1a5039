/**
 * The faults that a fixed-pitch twin can show: names are fixed, a row each. `apply` turns the row's handles for one tick; `s` is the
 * severity as it stands, 0..1, and chance is a function of the time step.
 *
 * Signatures after the project's fault catalogue (physics reference §3); magnitudes are assumptions chosen to stay in range.
 */
import type { Effects } from '../turbine/fixed-pitch/effects.ts';

import { type FaultModel, sensorFaults } from './model.ts';

const STEPS_A_SECOND = 20;
/** The second that a step lies in: bursts last whole seconds. */
const second = (step: number) => Math.floor(step / STEPS_A_SECOND);

/** A slower rotor shakes less. */
const lessSpeed = { ax: 'follows', ay: 'follows', az: 'follows' } as const;
/** After a restart the climate reads zeros again. */
const unread = { ambtemp: 'follows', humidity: 'follows', pressure: 'follows', gas: 'follows' } as const;

export const fixedPitchFaults: readonly FaultModel<Effects>[] = [
  {
    name: 'bearing-wear',
    about: 'The outer race of a bearing wears: impulses in the acceleration, more friction, a warmer bearing.',
    moves: { ay: 'shakes', az: 'shakes', rps: 'down', voltage: 'down', gearboxtemp: 'up', ax: 'follows' },
    staysInRange: true,
    apply(e, row, s) {
      e.outerRaceG[row] = 0.25 * s;
      e.frictionFactor[row] *= 1 + 0.3 * s;
      e.heatK[row] += 12 * s;
    },
  },
  {
    name: 'bearing-inner-race',
    about: 'The inner race of a bearing wears: impulses that come and go with each turn of the rotor.',
    moves: { ay: 'shakes', az: 'shakes', rps: 'down', voltage: 'down', gearboxtemp: 'up', ax: 'follows' },
    staysInRange: true,
    apply(e, row, s) {
      e.innerRaceG[row] = 0.25 * s;
      e.frictionFactor[row] *= 1 + 0.2 * s;
      e.heatK[row] += 8 * s;
    },
  },
  {
    name: 'gearbox-overheating',
    about: 'The gears lose their grease: friction and a temperature that climbs for minutes.',
    moves: { gearboxtemp: 'up', rps: 'down', voltage: 'down', ...lessSpeed },
    staysInRange: true,
    apply(e, row, s) {
      e.frictionFactor[row] *= 1 + 0.5 * s;
      e.heatK[row] += 30 * s;
    },
  },
  {
    name: 'mass-imbalance',
    about: 'One blade is heavier: the nacelle shakes once a turn, with the square of the speed.',
    moves: { ay: 'shakes', az: 'shakes' },
    staysInRange: true,
    apply(e, row, s) {
      e.unbalanceFactor[row] += 8 * s;
    },
  },
  {
    name: 'icing',
    about: 'Ice on all blades: less torque from the same wind.',
    moves: { rps: 'down', voltage: 'down', gearboxtemp: 'follows', ...lessSpeed },
    staysInRange: true,
    apply(e, row, s) {
      e.aerodynamicFactor[row] *= 1 - 0.4 * s;
    },
  },
  {
    name: 'blade-crack',
    about: 'A blade cracks and gives way: the nacelle shakes once and twice a turn, and a little torque is gone.',
    moves: { ax: 'shakes', rps: 'down', voltage: 'down', gearboxtemp: 'follows', ay: 'follows', az: 'follows' },
    staysInRange: true,
    apply(e, row, s) {
      e.bladeG[row] = 0.03 * s;
      e.aerodynamicFactor[row] *= 1 - 0.1 * s;
    },
  },
  {
    name: 'pitch-bias',
    about: 'The blades stand at a wrong angle on the hub: less torque from the same wind.',
    moves: { rps: 'down', voltage: 'down', gearboxtemp: 'follows', ...lessSpeed },
    staysInRange: true,
    apply(e, row, s) {
      e.aerodynamicFactor[row] *= 1 - 0.25 * s;
    },
  },
  {
    name: 'yaw-misalignment',
    about: 'The rotor does not face the wind, by up to 30°: its power falls with the cosine to 1.88.',
    moves: { rps: 'down', voltage: 'down', gearboxtemp: 'follows', ...lessSpeed },
    staysInRange: true,
    apply(e, row, s) {
      e.aerodynamicFactor[row] *= Math.cos((30 * s * Math.PI) / 180) ** 1.88;
    },
  },
  {
    name: 'generator-winding',
    about: 'Turns of the winding are shorted: less voltage at the same speed.',
    moves: { voltage: 'down' },
    staysInRange: true,
    apply(e, row, s) {
      e.generatorFactor[row] *= 1 - 0.4 * s;
    },
  },
  {
    name: 'brush-wear',
    about: 'Worn brushes lose contact: the voltage drops out while the rotor turns.',
    moves: { voltage: 'down' },
    apply(e, row, s, chance, step) {
      if (chance.uniform(step) < 0.4 * s) e.brushOpen[row] = 1;
    },
  },
  {
    name: 'encoder-dropout',
    about: 'The light barrier misses slots: the rotor seems slower, in bursts far slower, than the voltage says.',
    moves: { rps: 'down' },
    apply(e, row, s, chance, step) {
      const burst = chance.uniform(second(step)) < 0.8 * s;
      e.slotFactor[row] *= burst ? 0.15 : 1 - s / 8;
    },
  },
  {
    name: 'encoder-bounce',
    about: 'The light barrier counts slots twice: the rotor seems faster than the voltage says.',
    moves: { rps: 'up' },
    staysInRange: true,
    apply(e, row, s) {
      e.slotFactor[row] *= 1 + 0.6 * s;
    },
  },
  {
    name: 'anemometer-drift',
    about: 'The anemometer’s bearing drags: the wind seems weaker than the rotor says.',
    moves: { wind_speed_rps: 'down' },
    staysInRange: true,
    apply(e, row, s) {
      e.anemometerFactor[row] *= 1 - 0.4 * s;
    },
  },
  {
    name: 'anemometer-stuck',
    about: 'The anemometer’s reading stands still while the wind changes.',
    moves: { wind_speed_rps: 'follows' },
    apply(e, row, s) {
      if (s > 0) e.anemometerStuck[row] = 1;
    },
  },
  {
    name: 'loose-mount',
    about: 'The nacelle’s mount is loose: it hangs tilted, and every vibration is larger.',
    moves: {
      gy: 'up',
      gx: 'down',
      gz: 'follows',
      ax: 'follows',
      ay: 'follows',
      az: 'shakes',
      qw: 'follows',
      qx: 'follows',
      qy: 'follows',
      qz: 'follows',
    },
    apply(e, row, s) {
      e.tiltRad[row] += 0.087 * s; // to 5°
      e.vibrationFactor[row] *= 1 + 4 * s;
    },
  },
  {
    name: 'voltage-sag',
    about: 'The supply sags: the converter’s reference drops, so the voltage reads high, and the controller restarts now and then.',
    moves: { voltage: 'up', arduino_timestamp: 'follows', rps: 'follows', wind_speed_rps: 'follows', ...unread },
    apply(e, row, s, chance, step) {
      e.referenceFactor[row] *= 1 - 0.5 * s;
      if (chance.uniform(step) < (0.02 * s) / STEPS_A_SECOND) e.reset[row] = 1;
    },
  },
  ...sensorFaults('voltage'),
  {
    name: 'yaw-drift-jump',
    about: 'The motion processor loses its heading for a moment: yaw jumps. Heading drifts anyway: a detector must ignore it.',
    moves: { qw: 'follows', qx: 'follows', qy: 'follows', qz: 'follows' },
    apply(e, row, s, chance, step) {
      if (chance.uniform(step) < 0.05 / STEPS_A_SECOND) e.yawJumpRad[row] = s * (2 * chance.uniform(step + 0.5) - 1);
    },
  },
];
