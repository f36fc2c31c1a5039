/**
 * What one kind of machine senses: a column a channel, in the order in which its samples carry them.
 *
 * A machine declares its channels; nothing else in the code knows their order. Look one up with `column`.
 */
export interface Channel {
  readonly name: string;
  readonly unit: string;
  /** Digits after the point that the sensor gives; absent when it gives all. */
  readonly decimals?: number;
  /** Within which a healthy machine's readings stay, all of its winds and a year long: what a range check would ask. */
  readonly range?: readonly [low: number, high: number];
  /** What the sensor can say at all; absent: anything. */
  readonly limits?: readonly [low: number, high: number];
  /** What the fleet itself reads, whatever the channel is called: whether the rotor turns. */
  readonly role?: 'rotor-speed';
}

/** A kind of turbine, as far as its readers need to know it. */
export interface Machine {
  readonly name: string;
  readonly channels: readonly Channel[];
}

/** @throws Error (a defect) when no channel has that name. */
export const column = (channels: readonly Channel[], name: string): number => {
  const index = channels.findIndex((c) => c.name === name);
  if (index < 0) throw new Error(`no channel ${name} among ${channels.map((c) => c.name).join(', ')}`);
  return index;
};

/** A reading as the firmware prints it: fixed decimals, `NaN` as an empty text. */
export const printReading = (channel: Channel, value: number): string =>
  Number.isNaN(value) ? '' : channel.decimals === undefined ? String(value) : value.toFixed(channel.decimals);

/**
 * The 3D-printed desk turbine: the 20 fields of its serial line, under the names that the original gave them in its logs.
 * Source: the original firmware's line (115200 baud, 20 fields); a reading not yet made is 0, as the firmware prints it.
 */
export const deskTurbine: Machine = {
  name: 'desk-turbine',
  channels: [
    { name: 'arduino_timestamp', unit: 'ms', decimals: 0 },
    { name: 'nanoFreemem', unit: 'B', decimals: 0 },
    { name: 'rps', unit: '1/s', decimals: 2, role: 'rotor-speed', range: [0, 8] },
    { name: 'wind_speed_rps', unit: '1/s', decimals: 2, range: [0, 6] },
    { name: 'voltage', unit: 'ADC', decimals: 0, range: [0, 300], limits: [0, 1_023] },
    { name: 'qw', unit: '1', decimals: 2, range: [-1, 1] },
    { name: 'qx', unit: '1', decimals: 2, range: [-1, 1] },
    { name: 'qy', unit: '1', decimals: 2, range: [-1, 1] },
    { name: 'qz', unit: '1', decimals: 2, range: [-1, 1] },
    { name: 'gx', unit: 'g', decimals: 2, range: [-0.2, 0.2] },
    { name: 'gy', unit: 'g', decimals: 2, range: [-0.2, 0.2] },
    { name: 'gz', unit: 'g', decimals: 2, range: [0.9, 1.01] },
    { name: 'ax', unit: 'LSB', decimals: 0, range: [-6_000, 6_000] },
    { name: 'ay', unit: 'LSB', decimals: 0, range: [-6_000, 6_000] },
    { name: 'az', unit: 'LSB', decimals: 0, range: [10_000, 22_500] },
    { name: 'gearboxtemp', unit: '°C', decimals: 2, range: [10, 60] },
    { name: 'ambtemp', unit: '°C', decimals: 2, range: [0, 40] },
    { name: 'humidity', unit: '%', decimals: 2, range: [0, 100] },
    { name: 'pressure', unit: 'hPa', decimals: 2, range: [0, 1_100] },
    { name: 'gas', unit: '100 kΩ', decimals: 2, range: [0, 5] },
  ],
};
