/** The state of every twin, a column a quantity; index i is the same turbine in each. */
export interface Columns {
  readonly windSpeedMps: Float64Array;
  readonly rotorSpeedRadPerS: Float64Array;
  /** Turned angle of the rotor, unwrapped. */
  readonly rotorAngleRad: Float64Array;
  readonly anemometerSpeedRadPerS: Float64Array;
  readonly anemometerAngleRad: Float64Array;
  /** Share of rated power that is asked for, 0..1. */
  readonly derateFraction: Float64Array;
  /** 1 when the brake is on. */
  readonly brake: Uint8Array;
  readonly generatorV: Float64Array;
  readonly swayRollRad: Float64Array;
  readonly swayPitchRad: Float64Array;
  /** Heading as the gyro integrates it; drifts. */
  readonly yawRad: Float64Array;
  readonly dieTemperatureC: Float64Array;
  /** Room for draws of chance. */
  readonly noise: Float64Array;
}

export function createColumns(count: number): Columns {
  const column = (fill = 0) => new Float64Array(count).fill(fill);
  return {
    windSpeedMps: column(),
    rotorSpeedRadPerS: column(),
    rotorAngleRad: column(),
    anemometerSpeedRadPerS: column(),
    anemometerAngleRad: column(),
    derateFraction: column(1),
    brake: new Uint8Array(count),
    generatorV: column(),
    swayRollRad: column(),
    swayPitchRad: column(),
    yawRad: column(),
    dieTemperatureC: column(22),
    noise: column(),
  };
}
