/**
 * The 3D-printed desk turbine: what it is made of and how it behaves in the wind of a desk fan.
 *
 * Sizes are those of the printed parts; statistics to hit are those of the original's data set (mean rotor speed 1.61 1/s, mean
 * anemometer speed 2.15 1/s, mean voltage 47.8 counts). Where nobody measured, the value is an assumption and says so.
 */
export const deskTurbineParameters = {
  rotorRadiusM: 0.187, // tip radius of the assembled print
  rotorInertiaKgM2: 3.2e-4, // between 65 % fill (2.5e-4) and solid (3.9e-4)
  /** Torque coefficient falls in a line from standstill to the run-away tip-speed ratio. Assumption: low-Reynolds printed blades, peak Cp 0.07. */
  torqueCoefficientAtRest: 0.056,
  runawayTipSpeedRatio: 5,
  coulombTorqueNm: 0.06e-3, // assumption: two F686ZZ bearings; fits the spread of the data set's rotor speed
  viscousTorqueNmS: 1.29e-4, // assumption: the servo's last gears; fits the data set's mean rotor speed
  derateTorqueNmS: 3e-5, // assumption: the generator on a resistor, at fraction 0
  brakeTorqueNm: 8e-3, // assumption: the generator shorted

  /**
   * Open-circuit voltage of the hacked servo: U = ke·ω − Ub. The data set's means and spreads are those *after* its denoising, which takes
   * σ √(2 log₂ N) / 2^2.5 from every value: 76 counts at 2.27 1/s are behind its 47.8 at 1.61.
   */
  generatorConstantVS: 0.019,
  brushDropV: 0.0265,
  /** Commutation ripple of a three-pole motor, standard deviation over the voltage; fits the data set's raw against its denoised spread. */
  rippleShare: 0.28,
  /** Polled light barriers miss edges and count bounces: standard deviation of a window's count over the count. Fits, as above. */
  countJitter: 0.185,
  windCountJitter: 0.085,

  adcReferenceV: 3.3, // Pro Mini, 3.3 V
  adcCounts: 1023,
  slotsPerRevolution: 16,
  anemometerFactor: 3.0, // v over the speed of the cups; 2.5 to 3 is usual
  anemometerRadiusM: 0.0395, // cup centres at 37 to 41 mm
  anemometerLagS: 0.5, // assumption

  /** 7 balls of 2 mm on a 9.5 mm pitch circle (assumption): fault frequencies in orders of the rotor. */
  outerRaceOrder: 2.763,
  innerRaceOrder: 4.237,
  tiltRad: { roll: -0.00797, pitch: 0.00117 }, // means of the data set
  swayRad: 0.0153, // fits the data set's spread of roll and pitch: the printed pole leans with the gusts
  swaySecond: 3,
  gyroBiasRadPerS: 0.004, // heading is unobservable for a 6-axis sensor: it drifts
  gyroWalkRadPerSqrtS: 0.002,
  unbalanceG: 0.004, // at 10 rad/s, grows with ω²; assumption
  bladePassG: 0.002, // as above, at three times the rotor's speed
  accelNoiseG: 0.004, // MPU-6050 at a bandwidth of 42 Hz, and the table it stands on

  dieAboveAmbientK: 8, // the sensor's die warms itself
  bearingHeatKPerW: 40, // assumption
  thermalSecond: 300, // assumption
} as const;

export type DeskTurbineParameters = typeof deskTurbineParameters;

/** The wind that `up` and stories have when nobody says otherwise: a desk fan. */
export const defaultWind = { meanMps: 1.6, turbulenceIntensity: 0.18 } as const;

/** As the wind sees it. */
export const deskSite = {
  hubHeightM: 0.25,
  diameterM: 2 * deskTurbineParameters.rotorRadiusM,
  lengthM: 8, // assumption: the eddies of a room with a fan in it
};

/**
 * The wind in which the twin has the statistics of the original's data set: a stronger fan in a closed room, so without the slow part that
 * a farm has in common.
 */
export const referenceWind = { meanMps: 1.912, turbulenceIntensity: 0.149, lengthM: 5, farmShare: 0 };
