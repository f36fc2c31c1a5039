/** The state of variable-speed twins, a column a quantity; index i is the same turbine in each. SI units; 193 bytes a turbine, and with its wind and sensors 256 at most. */
export interface VariableSpeedColumns {
  /** Undisturbed by the rotor, at hub height. */
  readonly windMps: Float64Array;
  /** Low-passed wind, by which the turbine starts and stops. */
  readonly smoothedWindMps: Float64Array;
  /** Angle of the rotor axis to the wind. */
  readonly yawErrorRad: Float32Array;
  /** Inertia-weighted mean of rotor and generator, slow shaft. */
  readonly shaftRadPerS: Float64Array;
  /** Twist of the shaft, rotor ahead of generator, and its rate; slow shaft. */
  readonly twistRad: Float64Array;
  readonly twistRadPerS: Float64Array;
  /** Angle of the first blade, 0..2π. */
  readonly azimuthRad: Float64Array;
  /** Of the generator, fast shaft, low-passed as the controller sees it. */
  readonly filteredRadPerS: Float64Array;
  readonly torqueNm: Float64Array;
  readonly pitchRad: Float64Array;
  readonly pitchIntegralRad: Float64Array;
  readonly aeroTorqueNm: Float64Array;
  readonly thrustN: Float64Array;
  /** Taken from the wind and given to the grid, means of the last step. */
  readonly aeroPowerW: Float64Array;
  readonly powerW: Float64Array;
  /** Deflection of the tower's top downwind and to the side, and their rates. */
  readonly foreAftM: Float64Array;
  readonly foreAftMps: Float64Array;
  readonly sideSideM: Float64Array;
  readonly sideSideMps: Float64Array;
  /** Their accelerations, means of the last step. */
  readonly foreAftMps2: Float32Array;
  readonly sideSideMps2: Float32Array;
  /** Heat above the nacelle's temperature, and the nacelle's above ambient. */
  readonly gearboxK: Float64Array;
  readonly generatorK: Float64Array;
  readonly nacelleK: Float64Array;
  /** Share of rated power that is asked for, 0..1. */
  readonly derateFraction: Float32Array;
  readonly mode: Uint8Array;
}

/** Parked by the weather, in operation, or stopped by its operator. */
export const Mode = { parked: 0, running: 1, stopped: 2 } as const;

export function createVariableSpeedColumns(count: number): VariableSpeedColumns {
  const column = (fill = 0) => new Float64Array(count).fill(fill);
  return {
    windMps: column(),
    smoothedWindMps: column(),
    yawErrorRad: new Float32Array(count),
    shaftRadPerS: column(),
    twistRad: column(),
    twistRadPerS: column(),
    azimuthRad: column(),
    filteredRadPerS: column(),
    torqueNm: column(),
    pitchRad: column(),
    pitchIntegralRad: column(),
    aeroTorqueNm: column(),
    thrustN: column(),
    aeroPowerW: column(),
    powerW: column(),
    foreAftM: column(),
    foreAftMps: column(),
    sideSideM: column(),
    sideSideMps: column(),
    foreAftMps2: new Float32Array(count),
    sideSideMps2: new Float32Array(count),
    gearboxK: column(),
    generatorK: column(),
    nacelleK: column(),
    derateFraction: new Float32Array(count).fill(1),
    mode: new Uint8Array(count),
  };
}
