/**
 * What a model of each machine looks at, when nobody says otherwise: features of the `stream` pipeline, by machine. Their statistics,
 * and the points of their curves, are fitted to the recording.
 */
import type { Channel } from '../../actors/contracts/channels.ts';
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import type { FeatureSpec } from '../../actors/contracts/model.ts';
import { CURVE_POINTS } from '../../actors/signal/operations.ts';

/** A feature before it is fitted: `std` is by how much its fitted spread is multiplied, so below 1 it weighs more than the others. */
const plain = { mean: 0, std: 1 };
/**
 * What the others depend on and no fault is found by alone: it weighs so much that the bottleneck, a few numbers wide, is left with it,
 * and what is unusual of the others cannot pass.
 */
const context = { mean: 0, std: 0.25 };

const QUATERNION = ['qx', 'qy', 'qz', 'qw'];

/** The points of a feature's curve are fitted; until then it has none. */
const unfitted = Object.fromEntries(
  Array.from(
    { length: CURVE_POINTS },
    (_, i) =>
      [
        [`x${i}`, i],
        [`y${i}`, 0],
      ] as const,
  ).flat(),
);

/** The rotor turns by its own light barrier, or by its voltage: what tells of one of them is gated by the other. */
const byRps = { gate: 0.3, gateSeconds: 6 };
const byVoltage = { gate: 4, gateSeconds: 6 };

/**
 * Of a desk turbine. Its polled light barriers and its generator's ripple are noisy from second to second, so each relation stands
 * twice: fast for a large fault, slow for a small one.
 */
const deskFeatures: readonly FeatureSpec[] = [
  { name: 'roll', op: 'roll', channels: QUATERNION, parameters: { seconds: 30, usual: 0 }, ...plain },
  { name: 'pitch', op: 'pitch', channels: QUATERNION, parameters: { seconds: 30, usual: 0 }, ...plain },
  { name: 'wind_speed_rps', op: 'value', channels: ['wind_speed_rps'], parameters: { seconds: 10 }, ...context },
  ...fastAndSlow('voltage_by_rps', ['voltage', 'rps', 'voltage'], [20, 60], { lagSeconds: 1, xLagSeconds: 3, floor: 20, ...byVoltage }),
  ...fastAndSlow('voltage_by_wind', ['voltage', 'wind_speed_rps', 'rps'], [25, 90], { lagSeconds: 0, xLagSeconds: 3, floor: 20, ...byRps }),
  ...fastAndSlow('rps_by_wind', ['rps', 'wind_speed_rps', 'voltage'], [25, 90], {
    lagSeconds: 0,
    xLagSeconds: 4,
    floor: 0.8,
    ...byVoltage,
  }),
  spread('voltage_spread', ['voltage', 'rps'], { seconds: 0.5, rmsSeconds: 10, floor: 10, ...byRps }, plain),
  spread('rps_spread', ['rps', 'voltage'], { seconds: 4, rmsSeconds: 6, floor: 0.2, ...byVoltage }, plain),
  spread('wind_spread', ['wind_speed_rps', 'rps'], { seconds: 4, rmsSeconds: 6, floor: 0.3, ...byRps }, context),
  // So short a high-pass leaves a race's impulses and little of the rotor's own once and thrice a turn; the longer ones are after these.
  vibration('impulses', ['ay', 'az', 'rps'], { seconds: 5, highPassSeconds: 0.05, lagSeconds: 1.5, speedSeconds: 1, ...byRps }),
  vibration('vibration_x', ['ax', 'rps'], { seconds: 40, highPassSeconds: 0.3, lagSeconds: 1.5, speedSeconds: 1, ...byRps }),
  vibration('vibration_z', ['az', 'rps'], { seconds: 40, highPassSeconds: 0.3, lagSeconds: 1.5, speedSeconds: 1, ...byRps }),
  { name: 'bearing_heat', op: 'excess', channels: ['gearboxtemp', 'ambtemp'], parameters: { seconds: 20, usual: 0 }, ...plain },
];

const turning = { gate: 5, gateSeconds: 30 }; // 1/min of the rotor

/** Of the NREL 5-MW turbine and machines like it, all from what its controller tells. */
const nrelFeatures: readonly FeatureSpec[] = [
  { name: 'wind', op: 'value', channels: ['windSpeedMps'], parameters: { seconds: 20 }, ...context },
  { name: 'pitch', op: 'value', channels: ['pitchDeg'], parameters: { seconds: 20 }, ...context },
  ...fastAndSlow('power_by_wind', ['powerKw', 'windSpeedMps', 'rotorRpm'], [30, 300], {
    lagSeconds: 0,
    xLagSeconds: 10,
    floor: 500,
    ...turning,
  }),
  ...fastAndSlow('speed_by_wind', ['generatorRpm', 'windSpeedMps', 'rotorRpm'], [30, 300], {
    lagSeconds: 0,
    xLagSeconds: 10,
    floor: 500,
    ...turning,
  }),
  // The gearbox ties the two speeds, the speed the voltage: what is left of them is a sensor's fault, or the winding's.
  curve('generator_by_rotor', ['generatorRpm', 'rotorRpm', 'generatorRpm'], {
    seconds: 10,
    lagSeconds: 0,
    xLagSeconds: 0,
    floor: 100,
    gate: 400,
    gateSeconds: 30,
  }),
  curve('voltage_by_speed', ['generatorV', 'generatorRpm', 'rotorRpm'], {
    seconds: 10,
    lagSeconds: 0,
    xLagSeconds: 0,
    floor: 50,
    ...turning,
  }),
  spread('power_spread', ['powerKw', 'rotorRpm'], { seconds: 0.2, rmsSeconds: 20, floor: 200, ...turning }, plain),
  spread('voltage_spread', ['generatorV', 'rotorRpm'], { seconds: 0.2, rmsSeconds: 20, floor: 50, ...turning }, plain),
  spread('rotor_spread', ['rotorRpm', 'generatorRpm'], { seconds: 0.2, rmsSeconds: 20, floor: 1, gate: 400, gateSeconds: 30 }, plain),
  spread('wind_spread', ['windSpeedMps', 'rotorRpm'], { seconds: 20, rmsSeconds: 120, floor: 2, ...turning }, context),
  vibration('tower_fore_aft', ['accForeAftMps2', 'generatorRpm'], {
    seconds: 120,
    highPassSeconds: 0.3,
    lagSeconds: 0,
    speedSeconds: 1,
    gate: 400,
    gateSeconds: 30,
  }),
  vibration('tower_side_side', ['accSideSideMps2', 'generatorRpm'], {
    seconds: 120,
    highPassSeconds: 0.3,
    lagSeconds: 0,
    speedSeconds: 1,
    gate: 400,
    gateSeconds: 30,
  }),
  curve('bearing_outer', ['bearingOuterG', 'generatorRpm', 'rotorRpm'], {
    seconds: 20,
    lagSeconds: 0,
    xLagSeconds: 0,
    floor: 0.01,
    ...turning,
  }),
  curve('bearing_inner', ['bearingInnerG', 'generatorRpm', 'rotorRpm'], {
    seconds: 20,
    lagSeconds: 0,
    xLagSeconds: 0,
    floor: 0.01,
    ...turning,
  }),
  { name: 'gearbox_heat', op: 'excess', channels: ['gearboxC', 'nacelleC'], parameters: { seconds: 60, usual: 0 }, ...plain },
];

function curve(name: string, channels: readonly string[], parameters: Readonly<Record<string, number>>): FeatureSpec {
  return { name, op: 'curve', channels, parameters: { ...parameters, ...unfitted }, ...plain };
}

function fastAndSlow(
  name: string,
  channels: readonly string[],
  [fast, slow]: readonly [fastSeconds: number, slowSeconds: number],
  parameters: Readonly<Record<string, number>>,
): FeatureSpec[] {
  return [curve(name, channels, { seconds: fast, ...parameters }), curve(`${name}_slow`, channels, { seconds: slow, ...parameters })];
}

function spread(
  name: string,
  channels: readonly string[],
  parameters: Readonly<Record<string, number>>,
  weight: typeof plain,
): FeatureSpec {
  return { name, op: 'spread', channels, parameters: { ...parameters, usual: -2 }, ...weight };
}

function vibration(name: string, channels: readonly string[], parameters: Readonly<Record<string, number>>): FeatureSpec {
  return { name, op: 'vibration-curve', channels, parameters: { ...parameters, ...unfitted }, ...plain };
}

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
