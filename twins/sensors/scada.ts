/**
 * What a utility-scale turbine tells: its controller's signals and its condition monitoring, a reading every tick.
 *
 * Bearings of the fast shaft ring above what 20 readings a second can carry: their bands come as root mean squares. Noise figures are
 * assumptions.
 */
import type { SampleBlock } from '../../actors/contracts/backing.ts';
import type { Channel } from '../../actors/contracts/channels.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import { mixWords } from '../rng.ts';
import type { VariableSpeedColumns } from '../turbine/variable-speed/columns.ts';
import type { VariableSpeedEffects } from '../turbine/variable-speed/effects.ts';
import type { VariableSpeedParameters } from '../turbine/variable-speed/parameters.ts';
import { NORMAL_CELLS, normalTable } from '../wind/normals.ts';

/** The channels of a machine, with the range of a healthy one. */
export function scadaChannels(p: VariableSpeedParameters): readonly Channel[] {
  const { gearRatio, generatorEfficiency } = p.drivetrain;
  const ratedRpm = (p.pitch.referenceRadPerS * 30) / Math.PI;
  const ratedKw = (p.torque.ratedMechanicalW * generatorEfficiency) / 1_000;
  const upTo = (value: number, share: number): readonly [number, number] => [0, Number((share * value).toPrecision(3))];
  return [
    { name: 'windSpeedMps', unit: 'm/s', decimals: 2, range: [0, 40] },
    { name: 'windDirectionDeg', unit: '°', decimals: 1, range: [0, 360] },
    { name: 'yawErrorDeg', unit: '°', decimals: 1, range: [-60, 60] },
    { name: 'powerKw', unit: 'kW', decimals: 1, range: [-50, Number((1.25 * ratedKw).toPrecision(3))] },
    { name: 'rotorRpm', unit: '1/min', decimals: 3, range: upTo(ratedRpm / gearRatio, 1.3), role: 'rotor-speed' },
    { name: 'generatorRpm', unit: '1/min', decimals: 1, range: upTo(ratedRpm, 1.3) },
    { name: 'torqueKnm', unit: 'kN·m', decimals: 3, range: upTo(p.torque.maximumNm / 1_000, 1.05) },
    { name: 'generatorV', unit: 'V', decimals: 1, range: upTo(p.generatorV, 1.4) },
    { name: 'pitchDeg', unit: '°', decimals: 2, range: [-1, 91] },
    { name: 'accForeAftMps2', unit: 'm/s²', decimals: 4, range: [-3, 3] },
    { name: 'accSideSideMps2', unit: 'm/s²', decimals: 4, range: [-1, 1] },
    { name: 'bearingOuterG', unit: 'g', decimals: 4, range: [0, 1.5] },
    { name: 'bearingInnerG', unit: 'g', decimals: 4, range: [0, 1.5] },
    { name: 'bearingRmsG', unit: 'g', decimals: 4, range: [0, 2] },
    { name: 'gearboxC', unit: '°C', decimals: 2, range: [-30, 95] },
    { name: 'generatorC', unit: '°C', decimals: 2, range: [-30, 120] },
    { name: 'nacelleC', unit: '°C', decimals: 2, range: [-30, 65] },
    { name: 'ambientC', unit: '°C', decimals: 1, range: [-30, 45] },
    { name: 'pressureHpa', unit: 'hPa', decimals: 1, range: [850, 1_080] },
    { name: 'humidityPercent', unit: '%', decimals: 0, range: [0, 100] },
  ];
}

export interface Surroundings {
  readonly ambientC: number;
  readonly pressurePa: number;
  readonly humidity: number;
  readonly directionDeg: number;
}

/** Standard deviations of the noise, in the channels' units. */
const NOISE = {
  windMps: 0.15,
  directionDeg: 1,
  powerKw: 2,
  rpm: 0.002,
  generatorRpm: 0.2,
  accMps2: 0.01,
  bandG: 0.004,
  temperatureC: 0.05,
};
const BAND_AT_RATED_G = 0.08; // of a healthy bearing
const DEG = 180 / Math.PI;
const RPM = 30 / Math.PI;

export interface ScadaSensors {
  /** @param step number of the step that the reading follows */
  write(into: SampleBlock, step: number, around: Surroundings): void;
}

/** @param streams one a row, for noise; only their keys are kept. */
export function createScadaSensors(
  c: VariableSpeedColumns,
  e: VariableSpeedEffects,
  p: VariableSpeedParameters,
  streams: readonly Rng[],
): ScadaSensors {
  const rows = streams.length;
  const low = Uint32Array.from(streams, ({ key }) => key[0]);
  const high = Uint32Array.from(streams, ({ key }) => key[1]);
  const normals = normalTable();
  const generatorShare = 1 / (1 + (p.drivetrain.generatorInertiaKgM2 * p.drivetrain.gearRatio ** 2) / p.drivetrain.rotorInertiaKgM2);
  const scales = Float64Array.from(scadaChannels(p), ({ decimals = 6 }) => 10 ** decimals);
  const stuckMps = new Float32Array(rows).fill(Number.NaN);

  return {
    write({ values, quality }, step, { ambientC, pressurePa, humidity, directionDeg }) {
      const width = scales.length;
      const mask = NORMAL_CELLS - 1;
      for (let i = 0; i < rows; i++) {
        const slot = e.slotOf[i];
        const noise = (word: number) => normals[mixWords(low[i], high[i], step, word) & mask];
        const twisting = c.twistRadPerS[i];
        const rotor = c.shaftRadPerS[i] + (1 - generatorShare) * twisting;
        const generator = p.drivetrain.gearRatio * (c.shaftRadPerS[i] - generatorShare * twisting);
        const speed = Math.max(0, generator / p.pitch.referenceRadPerS);
        const wind = Math.max(0, (c.windMps[i] + NOISE.windMps * noise(1)) * e.anemometer[slot]);
        if (e.anemometerStuck[slot] === 0) stuckMps[i] = Number.NaN;
        else if (Number.isNaN(stuckMps[i])) stuckMps[i] = wind;
        const shaken = e.vibration[slot];
        const outer = speed * speed * (BAND_AT_RATED_G + e.outerRaceG[slot]) + NOISE.bandG * Math.abs(noise(2));
        const inner =
          speed * speed * (BAND_AT_RATED_G + e.innerRaceG[slot] * (0.85 + 0.15 * Math.sin(c.azimuthRad[i]))) +
          NOISE.bandG * Math.abs(noise(3));
        const at = i * width;
        values[at] = Number.isNaN(stuckMps[i]) ? wind : stuckMps[i];
        values[at + 1] = (directionDeg + NOISE.directionDeg * noise(4) + 360) % 360;
        values[at + 2] = c.yawErrorRad[i] * DEG + NOISE.directionDeg * noise(5);
        values[at + 3] = c.powerW[i] / 1_000 + NOISE.powerKw * noise(6);
        values[at + 4] = Math.max(0, rotor * RPM * e.encoder[slot] + NOISE.rpm * noise(7));
        values[at + 5] = Math.max(0, generator * RPM + NOISE.generatorRpm * noise(8));
        values[at + 6] = c.torqueNm[i] / 1_000;
        values[at + 7] = p.generatorV * speed * e.voltage[slot] * (1 + 0.002 * noise(9));
        values[at + 8] = c.pitchRad[i] * DEG;
        values[at + 9] = shaken * (c.foreAftMps2[i] + NOISE.accMps2 * noise(10));
        values[at + 10] = shaken * (c.sideSideMps2[i] + NOISE.accMps2 * noise(11));
        values[at + 11] = outer;
        values[at + 12] = inner;
        values[at + 13] = shaken * Math.sqrt(outer * outer + inner * inner);
        const nacelleC = ambientC + c.nacelleK[i];
        values[at + 14] = nacelleC + c.gearboxK[i] + NOISE.temperatureC * noise(12);
        values[at + 15] = nacelleC + c.generatorK[i] + NOISE.temperatureC * noise(13);
        values[at + 16] = nacelleC + NOISE.temperatureC * noise(14);
        values[at + 17] = ambientC;
        values[at + 18] = pressurePa / 100;
        values[at + 19] = 100 * humidity;
        for (let k = 0; k < width; k++) values[at + k] = Math.round(values[at + k] * scales[k]) / scales[k] || 0; // as the controller sends it; never −0
        quality[i] = 0;
      }
    },
  };
}
