/**
 * The NREL 5-MW reference turbine: onshore, variable speed, pitch to feather.
 *
 * Sources: OpenFAST r-test `5MW_Baseline` (ElastoDyn, ServoDyn, DISCON controller) unless a line says otherwise; NREL TP-500-38060.
 */
import type { VariableSpeedParameters } from '../turbine/variable-speed/parameters.ts';
import { NREL_5MW_TABLE_DIAMETER_M, nrel5mwPitch, nrel5mwPowerThrust } from './nrel-5mw-table.ts';

export const nrel5mwParameters: VariableSpeedParameters = {
  rotorRadiusM: 63,
  hubHeightM: 90,
  cutInMps: 3,
  cutOutMps: 25,
  steadyTable: { diameterM: NREL_5MW_TABLE_DIAMETER_M, rows: nrel5mwPowerThrust, pitchRows: nrel5mwPitch },

  drivetrain: {
    rotorInertiaKgM2: 38_677_040.613,
    generatorInertiaKgM2: 534.116, // on the fast shaft
    gearRatio: 97,
    stiffnessNmPerRad: 867_637_000,
    dampingNmSPerRad: 6_215_000,
    generatorEfficiency: 0.944,
  },

  torque: {
    // the DISCON torque law; speeds and torques on the fast shaft
    cutInRadPerS: 70.16224,
    region2RadPerS: 91.21091,
    ratedRadPerS: 121.6805,
    slipPercent: 10,
    optimalGain: 2.332287, // N·m/(rad/s)²
    ratedMechanicalW: 5_296_610,
    maximumNm: 47_402.91,
    rateNmPerS: 15_000,
  },

  pitch: {
    proportionalS: 0.01882681,
    integral: 0.008068634,
    referenceRadPerS: 122.9096,
    halvingRad: 0.1099965,
    maximumRad: Math.PI / 2,
    rateRadPerS: (8 * Math.PI) / 180,
    constantPowerRad: Math.PI / 180, // from one degree on the torque law holds the power
    speedFilterRadPerS: 1.570796,
  },

  tower: {
    topMassKg: 436_255, // 349 390 kg of rotor and nacelle and a quarter of the tower's 347 460 kg
    foreAftHz: 0.324, // assumption: TP-500-38060, table 9-1, quoted from memory
    sideSideHz: 0.312, // assumption, as above
    dampingRatio: 0.01,
    bladePassShare: 0.01, // assumption: of the thrust, three times a turn
    imbalanceKgM: 400, // assumption: what balancing leaves; mass times radius
  },

  /** Lumps of heat: engineering assumptions without an outside reference; 40 to 65 °C at load, time constants of 20 to 60 min. */
  thermal: {
    gearboxJPerK: 3e6,
    generatorJPerK: 2e6,
    nacelleJPerK: 5e6,
    gearboxWPerK: 900,
    generatorWPerK: 1_500,
    nacelleWPerK: 4_000,
    gearboxLossShare: 0.07, // of all losses; they are 5.6 % of the shaft's power
    generatorLossShare: 0.17, // what the liquid cooling leaves in the windings; the rest goes straight outside
  },

  generatorV: 950, // at rated speed; assumption: a machine of 950 V
  bearing: { outerRaceOrder: 2.997, innerRaceOrder: 5.003 }, // of the fast shaft; assumption: 8 balls
};
