/** The desk turbine's sensors as its firmware prints them: one line's 20 values a row, in the order of its channels. */
import type { SampleBlock } from '../../actors/contracts/backing.ts';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Effects } from '../turbine/fixed-pitch/effects.ts';
import type { DeskTurbineParameters } from '../library/desk-turbine.ts';
import type { Columns } from '../turbine/fixed-pitch/columns.ts';
import { nearest } from '../elementary.ts';
import { fillNormals, keyColumns } from '../rng.ts';
import { readAdc } from './adc.ts';
import { BME_PERIOD_MS, type Climate, readClimate } from './climate.ts';
import { createEncoder } from './encoder.ts';
import { createImu, IMU_READINGS } from './imu.ts';

const ROTATION_WINDOW_MS = 1_000; // whole times in BME_PERIOD_MS
const FREE_MEMORY_B = 386; // assumption: what the sketch leaves of 2 kB
const MILLIS_WRAP = 0x1_0000_0000;
const ATTITUDE = 7; // of the motion sensor's readings: quaternion and gravity, which have decimals

export interface FirmwareSensors {
  /** Reads what moved since the last tick. @param step number of the tick, @param nowMs its instant */
  advance(step: number, nowMs: number): void;
  write(into: SampleBlock): void;
}

/** @param streams one a row, for noise and for the phase of its timers. */
export function createFirmwareSensors(c: Columns, e: Effects, p: DeskTurbineParameters, streams: readonly Rng[]): FirmwareSensors {
  const rows = streams.length;
  const rotor = createEncoder(rows, p.slotsPerRevolution);
  const anemometer = createEncoder(rows, p.slotsPerRevolution);
  const noise = keyColumns(streams.map((stream) => stream.fork('noise')));
  const ripples = keyColumns(streams.map((stream) => stream.fork('ripple')));
  const counting = streams.map((stream) => stream.fork('counting'));
  const rotorJitter = new Float64Array(rows).fill(1);
  const windJitter = new Float64Array(rows).fill(1);
  const air = streams.map((stream) => stream.fork('air'));
  const phaseMs = streams.map((stream) => 50 * Math.floor(stream.uniform(0) * 20));
  const bootMs = new Float64Array(rows);
  const windowCloses = new Uint8Array(rows);
  const stuckWindRps = new Float64Array(rows).fill(Number.NaN);
  const voltage = new Float64Array(rows);
  const climate: (Climate | null)[] = new Array(rows).fill(null);
  const imu = createImu(c, e, p, rows);
  const shaking = { x: new Float64Array(rows), y: new Float64Array(rows), z: new Float64Array(rows) };
  const rippling = new Float64Array(rows);
  const width = deskTurbine.channels.length;
  const printed = new Float64Array(rows * width); // the line of each row as it stands
  const told: (Climate | null)[] = new Array(rows).fill(null); // what of the air is in it
  const millis = new Float64Array(rows);

  const restart = (row: number, nowMs: number) => {
    bootMs[row] = nowMs;
    rotor.reset(row);
    anemometer.reset(row);
    climate[row] = null;
  };

  return {
    advance(step, nowMs) {
      fillNormals(shaking.x, noise, 3 * step);
      fillNormals(shaking.y, noise, 3 * step + 1);
      fillNormals(shaking.z, noise, 3 * step + 2);
      fillNormals(rippling, ripples, step);
      for (let row = 0; row < rows; row++) {
        if (e.reset[row]) restart(row, nowMs);
        const age = nowMs - bootMs[row] + phaseMs[row];
        millis[row] = age < MILLIS_WRAP ? age : age % MILLIS_WRAP;
        windowCloses[row] = age > 0 && after(age, ROTATION_WINDOW_MS) < 50 ? 1 : 0;
        if (windowCloses[row]) {
          if (age >= BME_PERIOD_MS && after(age, BME_PERIOD_MS) < 50)
            climate[row] = readClimate(air[row], Math.round(nowMs / BME_PERIOD_MS) + 1);
          rotorJitter[row] = 1 + p.countJitter * counting[row].normal(2 * step);
          windJitter[row] = 1 + p.windCountJitter * counting[row].normal(2 * step + 1);
        }
        c.yawRad[row] += e.yawJumpRad[row];
        const ripple = 1 + p.rippleShare * rippling[row];
        voltage[row] = readAdc(c.generatorV[row] * ripple, p.adcReferenceV * e.referenceFactor[row]);
      }
      imu.read(shaking);
      rotor.count(c.rotorAngleRad, e.slotFactor, rotorJitter, windowCloses);
      anemometer.count(c.anemometerAngleRad, null, windJitter, windowCloses);
      for (let row = 0; row < rows; row++) {
        if (e.anemometerStuck[row] === 0) stuckWindRps[row] = Number.NaN;
        else if (Number.isNaN(stuckWindRps[row])) stuckWindRps[row] = anemometer.rps[row];
      }
    },

    write({ values, quality }) {
      for (let row = 0; row < rows; row++) {
        const at = row * width;
        const wind = Number.isNaN(stuckWindRps[row]) ? anemometer.rps[row] : stuckWindRps[row];
        const own = row * IMU_READINGS;
        printed[at] = millis[row];
        printed[at + 1] = FREE_MEMORY_B;
        printed[at + 2] = hundredths(rotor.rps[row]);
        printed[at + 3] = hundredths(wind);
        printed[at + 4] = voltage[row];
        for (let k = 0; k < ATTITUDE; k++) printed[at + 5 + k] = hundredths(imu.readings[own + k]);
        for (let k = ATTITUDE; k < IMU_READINGS; k++) printed[at + 5 + k] = imu.readings[own + k];
        printed[at + 15] = hundredths(nearest((c.dieTemperatureC[row] - 36.53) * 340) / 340 + 36.53); // raw / 340 + 36.53
        const bme = climate[row];
        if (bme !== told[row]) {
          told[row] = bme;
          printed[at + 16] = hundredths(bme ? bme.ambientC : 0);
          printed[at + 17] = hundredths(bme ? bme.humidityPercent : 0);
          printed[at + 18] = hundredths(bme ? bme.pressureHpa : 0);
          printed[at + 19] = hundredths(bme ? bme.gas100kOhm : 0);
        }
        quality[row] = 0;
      }
      values.set(printed);
    },
  };
}

/** `age % period`, without the call that it is on doubles. */
const after = (age: number, period: number): number => age - Math.floor(age / period) * period;

/** A reading as the firmware prints it, with two decimals; no −0. */
const hundredths = (value: number): number => nearest(value * 100) / 100;
