/**
 * The faults that a variable-speed twin can show, a row each, in the order in which they are composed.
 *
 * Signatures after the project's fault catalogue (physics reference §3); magnitudes that it leaves open are assumptions.
 */
import type { VariableSpeedEffects } from '../turbine/variable-speed/effects.ts';
import { type FaultModel, sensorFaults } from './model.ts';

const DEG = Math.PI / 180;
const STEPS_A_SECOND = 20;

/** With less power in the same wind the rotor is slower below rated and the blades stand finer above it, which shakes it otherwise; less heat is made. */
const lessPower = {
  rotorRpm: 'follows',
  generatorRpm: 'follows',
  torqueKnm: 'follows',
  generatorV: 'follows',
  pitchDeg: 'follows',
  accForeAftMps2: 'follows',
  accSideSideMps2: 'follows',
  bearingOuterG: 'follows',
  bearingInnerG: 'follows',
  bearingRmsG: 'follows',
  gearboxC: 'follows',
  generatorC: 'follows',
  nacelleC: 'follows',
} as const;

export const variableSpeedFaults: readonly FaultModel<VariableSpeedEffects>[] = [
  {
    name: 'bearing-wear',
    about: 'The outer race of a bearing of the fast shaft wears: impulses in its band, more friction, a warmer gearbox.',
    moves: { ...lessPower, bearingOuterG: 'up', bearingRmsG: 'up', gearboxC: 'up', powerKw: 'down' },
    staysInRange: true,
    apply(e, slot, s) {
      e.outerRaceG[slot] += 0.9 * s;
      e.gearLoss[slot] += 0.006 * s;
      e.gearHeat[slot] += 0.0012 * s; // beside the bearing: 8 K at rated power
    },
  },
  {
    name: 'bearing-inner-race',
    about: 'The inner race of a bearing of the fast shaft wears: impulses in its band, which come and go with the shaft.',
    moves: { ...lessPower, bearingInnerG: 'up', bearingRmsG: 'up', gearboxC: 'up', powerKw: 'down' },
    staysInRange: true,
    apply(e, slot, s) {
      e.innerRaceG[slot] += 0.9 * s;
      e.gearLoss[slot] += 0.004 * s;
      e.gearHeat[slot] += 0.0009 * s; // 6 K
    },
  },
  {
    name: 'gearbox-overheating',
    about: 'The gears drag and their cooling fails: the gearbox warms for an hour, and up to 3 % of the power is gone.',
    moves: { ...lessPower, gearboxC: 'up', powerKw: 'down' },
    apply(e, slot, s) {
      e.gearLoss[slot] += 0.03 * s;
      e.cooling[slot] *= 1 - 0.6 * s;
    },
  },
  {
    name: 'mass-imbalance',
    about: 'One blade is heavier: the nacelle shakes once a turn, with the square of the speed.',
    moves: { accSideSideMps2: 'shakes' },
    staysInRange: true,
    apply(e, slot, s) {
      e.imbalanceKgM[slot] += 12_000 * s;
    },
  },
  {
    name: 'icing',
    about: 'Ice on all blades: less power and a little less thrust from the same wind.',
    moves: { powerKw: 'down', ...lessPower },
    staysInRange: true,
    apply(e, slot, s) {
      e.power[slot] *= 1 - 0.3 * s;
      e.thrust[slot] *= 1 - 0.1 * s;
    },
  },
  {
    name: 'blade-crack',
    about:
      'A blade gives way and its mass moves: the nacelle shakes once a turn to the side, and twice a turn to and fro where gusts let it be seen.',
    moves: { accSideSideMps2: 'shakes', accForeAftMps2: 'follows' },
    staysInRange: true,
    apply(e, slot, s) {
      e.bladeStiffness[slot] *= 1 - s;
      e.bladePitchRad[slot] += 0.5 * DEG * s;
      e.imbalanceKgM[slot] += 5_000 * s; // 17.7 t of a blade, a third of a metre further out; assumption
    },
  },
  {
    name: 'pitch-stuck',
    about: 'The blades stay where they are: nothing below rated wind, too much speed or too little power above it.',
    moves: { powerKw: 'follows', ...lessPower },
    apply(e, slot, s) {
      if (s > 0) e.pitchStuck[slot] = 1;
    },
  },
  {
    name: 'pitch-bias',
    about: 'The blades stand up to 5° from what the pitch system tells: less power below rated wind.',
    moves: { powerKw: 'down', ...lessPower },
    staysInRange: true,
    apply(e, slot, s) {
      e.pitchBiasRad[slot] += 5 * DEG * s;
    },
  },
  {
    name: 'yaw-misalignment',
    about: 'The rotor does not face the wind, by up to 30°, and the vane does not say so: power falls with the cosine to 1.88.',
    moves: { powerKw: 'down', ...lessPower },
    staysInRange: true,
    apply(e, slot, s) {
      e.yawErrorRad[slot] += 30 * DEG * s;
    },
  },
  {
    name: 'generator-winding',
    about: 'Turns of the winding are shorted: less voltage at the same speed, more heat in the winding.',
    moves: { generatorV: 'down', generatorC: 'up', gearboxC: 'follows', nacelleC: 'follows' },
    staysInRange: true,
    apply(e, slot, s) {
      e.voltage[slot] *= 1 - 0.2 * s;
      e.windingLoss[slot] += 0.004 * s;
    },
  },
  {
    name: 'brush-wear',
    about: 'Worn slip rings lose contact: the voltage drops out while the rotor turns.',
    moves: { generatorV: 'down' },
    apply(e, slot, s, chance, step) {
      if (chance.uniform(step) < 0.4 * s) e.voltage[slot] = 0;
    },
  },
  {
    name: 'encoder-dropout',
    about: 'The rotor’s encoder misses pulses, in bursts most of them: slower than the generator says.',
    moves: { rotorRpm: 'down' },
    apply(e, slot, s, chance, step) {
      e.encoder[slot] *= chance.uniform(Math.floor(step / STEPS_A_SECOND)) < 0.8 * s ? 0.15 : 1 - s / 8;
    },
  },
  {
    name: 'encoder-bounce',
    about: 'The rotor’s encoder counts pulses twice: faster than the generator says.',
    moves: { rotorRpm: 'up' },
    apply(e, slot, s) {
      e.encoder[slot] *= 1 + 0.6 * s;
    },
  },
  {
    name: 'anemometer-drift',
    about: 'The anemometer’s bearing drags: the wind seems weaker than the power says.',
    moves: { windSpeedMps: 'down' },
    staysInRange: true,
    apply(e, slot, s) {
      e.anemometer[slot] *= 1 - 0.3 * s;
    },
  },
  {
    name: 'anemometer-stuck',
    about: 'The anemometer’s reading stands still while the wind changes.',
    moves: { windSpeedMps: 'follows' },
    staysInRange: true,
    apply(e, slot, s) {
      if (s > 0) e.anemometerStuck[slot] = 1;
    },
  },
  {
    name: 'loose-mount',
    about: 'The sensors’ mount is loose: every vibration of the nacelle reads larger.',
    moves: { accForeAftMps2: 'shakes', accSideSideMps2: 'shakes', bearingRmsG: 'up' },
    apply(e, slot, s) {
      e.vibration[slot] *= 1 + 4 * s;
    },
  },
  ...sensorFaults('powerKw'),
];
