/** What a variable-speed, pitch-controlled turbine is made of. Angles in rad, speeds of the generator on the fast shaft. */
export interface VariableSpeedParameters {
  readonly rotorRadiusM: number;
  readonly hubHeightM: number;
  readonly cutInMps: number;
  readonly cutOutMps: number;
  /** The published steady operation, on which the aerodynamic surface is anchored. */
  readonly steadyTable: {
    /** Of the rotor on which the thrust coefficients stand. */
    readonly diameterM: number;
    /** [row]: wind speed in m/s, electrical power in kW, thrust coefficient; wind ascending. */
    readonly rows: readonly (readonly [windMps: number, powerKw: number, thrustCoefficient: number])[];
    /** [row]: wind speed in m/s, pitch in degrees; wind ascending, above rated. */
    readonly pitchRows: readonly (readonly [windMps: number, pitchDeg: number])[];
  };
  readonly drivetrain: {
    readonly rotorInertiaKgM2: number;
    readonly generatorInertiaKgM2: number;
    readonly gearRatio: number;
    readonly stiffnessNmPerRad: number;
    readonly dampingNmSPerRad: number;
    /** Electrical power over shaft power, 0..1. */
    readonly generatorEfficiency: number;
  };
  readonly torque: {
    readonly cutInRadPerS: number;
    /** Where the optimal law K ω² begins. */
    readonly region2RadPerS: number;
    readonly ratedRadPerS: number;
    readonly slipPercent: number;
    /** K, N·m/(rad/s)². */
    readonly optimalGain: number;
    readonly ratedMechanicalW: number;
    readonly maximumNm: number;
    readonly rateNmPerS: number;
  };
  readonly pitch: {
    /** Proportional gain at pitch 0, rad of pitch a rad/s: s. */
    readonly proportionalS: number;
    /** Integral gain at pitch 0, dimensionless. */
    readonly integral: number;
    readonly referenceRadPerS: number;
    /** Pitch at which the rotor answers twice as strongly as at 0, rad: gains fall as 1 / (1 + θ / it). */
    readonly halvingRad: number;
    readonly maximumRad: number;
    readonly rateRadPerS: number;
    /** From this pitch on the torque law holds the power. */
    readonly constantPowerRad: number;
    readonly speedFilterRadPerS: number;
  };
  readonly tower: {
    readonly topMassKg: number;
    readonly foreAftHz: number;
    readonly sideSideHz: number;
    readonly dampingRatio: number;
    /** Amplitude of the thrust at three times the rotor's speed, as a share of the thrust. */
    readonly bladePassShare: number;
    readonly imbalanceKgM: number;
  };
  readonly thermal: {
    readonly gearboxJPerK: number;
    readonly generatorJPerK: number;
    readonly nacelleJPerK: number;
    readonly gearboxWPerK: number;
    readonly generatorWPerK: number;
    readonly nacelleWPerK: number;
    readonly gearboxLossShare: number;
    readonly generatorLossShare: number;
  };
  readonly generatorV: number;
  readonly bearing: { readonly outerRaceOrder: number; readonly innerRaceOrder: number };
}
