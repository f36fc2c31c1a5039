/**
 * The MPU-6050 on the nacelle: attitude as its motion processor gives it, and raw acceleration with gravity in it, 16384 LSB/g.
 *
 * Quaternion from roll, pitch and yaw (ZYX). Vibration: the rotor's unbalance at 1P, blades passing at 3P, a worn race's
 * impulses at its own order, each ringing out within some ten milliseconds, and noise.
 */
import { nearest, sinesAndCosines } from '../elementary.ts';
import type { Effects } from '../turbine/fixed-pitch/effects.ts';
import type { DeskTurbineParameters } from '../library/desk-turbine.ts';
import type { Columns } from '../turbine/fixed-pitch/columns.ts';

const LSB_PER_G = 16_384;
const RING_HZ = 80; // assumption: the printed pillar
const RING_DECAY_S = 0.05;
const OMEGA_REFERENCE = 10; // rad/s, at which the vibration amplitudes are given

/** What the processor gives: quaternion w x y z, gravity x y z in g, acceleration x y z in LSB. */
export const IMU_READINGS = 10;

/** Standard normal draws of one step, [rows] each. */
export interface ImuNoise {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
}

export interface Imu {
  /** [rows × IMU_READINGS] */
  readonly readings: Float64Array;
  /** Reads all rows. @param noise of the three axes */
  read(noise: ImuNoise): void;
}

export function createImu(c: Columns, e: Effects, p: DeskTurbineParameters, rows: number): Imu {
  const readings = new Float64Array(rows * IMU_READINGS);
  const angles = new Float64Array(4 * rows); // half of roll, of pitch, of yaw, and the rotor's
  const sines = new Float64Array(4 * rows);
  const cosines = new Float64Array(4 * rows);

  return {
    readings,
    read(noise) {
      for (let row = 0; row < rows; row++) {
        angles[row] = (p.tiltRad.roll + c.swayRollRad[row] + e.tiltRad[row]) / 2;
        angles[rows + row] = (p.tiltRad.pitch + c.swayPitchRad[row] + 0.5 * e.tiltRad[row]) / 2;
        angles[2 * rows + row] = c.yawRad[row] / 2;
        angles[3 * rows + row] = c.rotorAngleRad[row];
      }
      sinesAndCosines(angles, sines, cosines);
      for (let row = 0; row < rows; row++) {
        const cr = cosines[row];
        const sr = sines[row];
        const cp = cosines[rows + row];
        const sp = sines[rows + row];
        const cy = cosines[2 * rows + row];
        const sy = sines[2 * rows + row];
        const w = cr * cp * cy + sr * sp * sy;
        const x = sr * cp * cy - cr * sp * sy;
        const y = cr * sp * cy + sr * cp * sy;
        const z = cr * cp * sy - sr * sp * cy;
        const gx = 2 * (x * z - w * y);
        const gy = 2 * (w * x + y * z);
        const gz = w * w - x * x - y * y + z * z;
        const at = row * IMU_READINGS;
        readings[at] = w;
        readings[at + 1] = x;
        readings[at + 2] = y;
        readings[at + 3] = z;
        readings[at + 4] = gx;
        readings[at + 5] = gy;
        readings[at + 6] = gz;

        const angle = c.rotorAngleRad[row];
        const omega = c.rotorSpeedRadPerS[row];
        const speed = (omega / OMEGA_REFERENCE) ** 2;
        const cosine = cosines[3 * rows + row];
        const unbalance = p.unbalanceG * e.unbalanceFactor[row] * speed;
        let race = 0; // only a worn one rings
        if (e.outerRaceG[row] !== 0) race += e.outerRaceG[row] * ringing(angle, omega, p.outerRaceOrder);
        if (e.innerRaceG[row] !== 0) race += e.innerRaceG[row] * ringing(angle, omega, p.innerRaceOrder) * (0.6 + 0.4 * cosine);
        const blade = e.bladeG[row] * speed * (cosine + 0.5 * (2 * cosine * cosine - 1)); // cos α + ½ cos 2α
        const pass = p.bladePassG * speed * cosine * (4 * cosine * cosine - 3); // cos 3α
        const factor = e.vibrationFactor[row];
        readings[at + 7] = lsb(gx + factor * (pass + blade + p.accelNoiseG * noise.x[row]));
        readings[at + 8] = lsb(gy + factor * (unbalance * cosine + race + p.accelNoiseG * noise.y[row]));
        readings[at + 9] = lsb(gz + factor * (unbalance * sines[3 * rows + row] + 0.7 * race + p.accelNoiseG * noise.z[row]));
      }
    },
  };
}

/** The ring of the last impulse of a defect that strikes `order` times a turn, −1..1. */
function ringing(angle: number, omega: number, order: number): number {
  if (omega < 0.5) return 0; // a rotor that hardly turns strikes nothing
  const strikes = (angle * order) / (2 * Math.PI);
  const sinceS = ((strikes - Math.floor(strikes)) * 2 * Math.PI) / (order * omega);
  return Math.exp(-sinceS / RING_DECAY_S) * Math.cos(2 * Math.PI * RING_HZ * sinceS);
}

const lsb = (g: number) => Math.max(-32_768, Math.min(32_767, nearest(g * LSB_PER_G)));
