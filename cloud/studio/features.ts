/**
 * What a model of each machine looks at, when nobody says otherwise: features of the `stream` pipeline, by machine. Their statistics,
 * and the lines of their relations, are fitted to the recording.
 */
import type { Channel } from '../../actors/contracts/channels.ts';
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import type { FeatureSpec } from '../../actors/contracts/model.ts';

const plain = { mean: 0, std: 1 };

/** Of a desk turbine, low-passed: its polled light barriers and its sway are noisy from second to second. */
const deskFeatures: readonly FeatureSpec[] = [
  { name: 'roll', op: 'roll', channels: ['qx', 'qy', 'qz', 'qw'], parameters: { seconds: 12 }, ...plain },
  { name: 'pitch', op: 'pitch', channels: ['qx', 'qy', 'qz', 'qw'], parameters: { seconds: 12 }, ...plain },
  // So short a high-pass leaves the impulses and little of the rotor's own once and thrice a turn.
  { name: 'vibration', op: 'vibration', channels: ['ax', 'ay', 'az'], parameters: { seconds: 0.05, rmsSeconds: 1 }, ...plain },
  { name: 'wind_speed_rps', op: 'value', channels: ['wind_speed_rps'], parameters: { seconds: 2 }, ...plain },
  { name: 'rps', op: 'value', channels: ['rps'], parameters: { seconds: 4 }, ...plain },
  { name: 'voltage', op: 'value', channels: ['voltage'], parameters: { seconds: 2 }, ...plain },
  {
    name: 'voltage_per_rps',
    op: 'relation',
    channels: ['voltage', 'rps'],
    parameters: { slope: 0, offset: 0, seconds: 20, lagSeconds: 1 },
    ...plain,
  },
];

/**
 * Of the NREL 5-MW turbine and machines like it, all from what its controller tells. Below rated wind the generator's torque is what
 * the speed asks for, above it the pitch holds the speed: lines that hold in both are taken, others are left to the network.
 */
const nrelFeatures: readonly FeatureSpec[] = [
  { name: 'wind', op: 'value', channels: ['windSpeedMps'], parameters: { seconds: 10 }, ...plain },
  { name: 'power', op: 'value', channels: ['powerKw'], parameters: { seconds: 10 }, ...plain },
  { name: 'rotor', op: 'value', channels: ['rotorRpm'], parameters: { seconds: 10 }, ...plain },
  { name: 'pitch', op: 'value', channels: ['pitchDeg'], parameters: { seconds: 10 }, ...plain },
  { name: 'yaw_error', op: 'value', channels: ['yawErrorDeg'], parameters: { seconds: 60 }, ...plain },
  // The gearbox ties the two speeds, and the speed the voltage: what is left of them is a sensor's fault, or the winding's.
  {
    name: 'generator_per_rotor',
    op: 'relation',
    channels: ['generatorRpm', 'rotorRpm'],
    parameters: { slope: 0, offset: 0, seconds: 10, lagSeconds: 0 },
    ...plain,
  },
  {
    name: 'voltage_per_speed',
    op: 'relation',
    channels: ['generatorV', 'generatorRpm'],
    parameters: { slope: 0, offset: 0, seconds: 10, lagSeconds: 0 },
    ...plain,
  },
  { name: 'tower_fore_aft', op: 'vibration', channels: ['accForeAftMps2'], parameters: { seconds: 10, rmsSeconds: 30 }, ...plain },
  { name: 'tower_side_side', op: 'vibration', channels: ['accSideSideMps2'], parameters: { seconds: 10, rmsSeconds: 30 }, ...plain },
  // Bands grow with the speed squared; over so short a span of speeds a line will do.
  {
    name: 'bearing_outer',
    op: 'relation',
    channels: ['bearingOuterG', 'generatorRpm'],
    parameters: { slope: 0, offset: 0, seconds: 20, lagSeconds: 0 },
    ...plain,
  },
  {
    name: 'bearing_inner',
    op: 'relation',
    channels: ['bearingInnerG', 'generatorRpm'],
    parameters: { slope: 0, offset: 0, seconds: 20, lagSeconds: 0 },
    ...plain,
  },
  // Both heat with the losses, which grow with the power: their balance tells of one that does not.
  {
    name: 'heat_balance',
    op: 'relation',
    channels: ['generatorC', 'gearboxC'],
    parameters: { slope: 0, offset: 0, seconds: 60, lagSeconds: 0 },
    ...plain,
  },
  {
    name: 'power_per_torque',
    op: 'relation',
    channels: ['powerKw', 'torqueKnm'],
    parameters: { slope: 0, offset: 0, seconds: 10, lagSeconds: 0 },
    ...plain,
  },
  { name: 'power_ripple', op: 'vibration', channels: ['powerKw'], parameters: { seconds: 0.2, rmsSeconds: 10 }, ...plain },
];

/** The features of a machine's default detector, by the machine's name. */
export const featureLists: Readonly<Record<string, readonly FeatureSpec[]>> = {
  'desk-turbine': deskFeatures,
  'nrel-5mw': nrelFeatures,
};

/** Those of the machine, or, for a machine of the user's own, of one in the library whose channels it has. @throws ConfigInvalid */
export function featuresOf(machine: string, channels: readonly Channel[]): readonly FeatureSpec[] {
  const has = (name: string) => channels.some((channel) => channel.name === name);
  const found = [featureLists[machine] ?? [], ...Object.values(featureLists)].find(
    (features) => features.length > 0 && features.every((feature) => feature.channels.every(has)),
  );
  if (found) return found;
  throw new ConfigInvalid(`no features are known for a ${machine}: it has neither a list of its own nor the channels of another`, {
    hint: `lists there are for ${Object.keys(featureLists).join(', ')}`,
  });
}

const QUATERNION = ['qx', 'qy', 'qz', 'qw'];

/**
 * The six features of the original, in its order, with its statistics: σ of the raw data, then mean and standard deviation of what its
 * denoising left. Source: the arrays that the original ships (raw_std, mean, std).
 */
export const seedFeatures: readonly FeatureSpec[] = [
  {
    name: 'roll',
    op: 'roll',
    channels: QUATERNION,
    parameters: { sigma: 0.016420936223837328 },
    mean: -0.007964888641109898,
    std: 0.00749032366908536,
  },
  {
    name: 'pitch',
    op: 'pitch',
    channels: QUATERNION,
    parameters: { sigma: 0.016334995704541194 },
    mean: 0.0011708225976491218,
    std: 0.0042807694729227255,
  },
  {
    name: 'yaw',
    op: 'yaw',
    channels: QUATERNION,
    parameters: { sigma: 1.8099483201980124 },
    mean: -0.10684876812419516,
    std: 0.48142986104607144,
  },
  {
    name: 'wind_speed_rps',
    op: 'value',
    channels: ['wind_speed_rps'],
    parameters: { sigma: 0.390586993510686 },
    mean: 2.1539819710169525,
    std: 0.354319324916855,
  },
  {
    name: 'rps',
    op: 'value',
    channels: ['rps'],
    parameters: { sigma: 0.6198457502848073 },
    mean: 1.6106330201974879,
    std: 0.46953962260612736,
  },
  {
    name: 'voltage',
    op: 'value',
    channels: ['voltage'],
    parameters: { sigma: 26.381718657769373 },
    mean: 47.79383123678855,
    std: 15.94323947766873,
  },
];
