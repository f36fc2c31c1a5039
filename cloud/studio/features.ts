/**
 * What a model of each machine looks at, when nobody says otherwise: features of the `stream` pipeline, by machine. Their statistics,
 * and the lines of their relations, are fitted to the recording.
 */
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

/** The features of a machine's default detector, by the machine's name. */
export const featureLists: Readonly<Record<string, readonly FeatureSpec[]>> = {
  'desk-turbine': deskFeatures,
};
