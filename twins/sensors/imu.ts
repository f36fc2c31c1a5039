/**
 * The MPU-6050 on the nacelle: attitude as its motion processor gives it, and raw acceleration with gravity in it, 16384 LSB/g.
 *
 * Quaternion from roll, pitch and yaw (ZYX). Vibration: the rotor's unbalance at 1P, blades passing at 3P, a worn race's
 * impulses at its own order, each ringing out within some ten milliseconds, and noise.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Effects } from '../turbine/fixed-pitch/effects.ts';
import type { DeskTurbineParameters } from '../library/desk-turbine.ts';
import type { Columns } from '../turbine/fixed-pitch/columns.ts';

const LSB_PER_G = 16_384;
const RING_HZ = 80; // assumption: the printed pillar
const RING_DECAY_S = 0.05;
const OMEGA_REFERENCE = 10; // rad/s, at which the vibration amplitudes are given

/** What the processor gives of one row: quaternion w x y z, gravity x y z in g, acceleration x y z in LSB. */
export type ImuReading = Float64Array & { readonly length: 10 };

export const createImuReading = () => new Float64Array(10) as ImuReading;

export function readImu(c: Columns, e: Effects, p: DeskTurbineParameters, row: number, chance: Rng, step: number, into: ImuReading): void {
  const roll = p.tiltRad.roll + c.swayRollRad[row] + e.tiltRad[row];
  const pitch = p.tiltRad.pitch + c.swayPitchRad[row] + 0.5 * e.tiltRad[row];
  const yaw = c.yawRad[row];
  const [cr, sr, cp, sp, cy, sy] = [
    Math.cos(roll / 2),
    Math.sin(roll / 2),
    Math.cos(pitch / 2),
    Math.sin(pitch / 2),
    Math.cos(yaw / 2),
    Math.sin(yaw / 2),
  ];
  const w = cr * cp * cy + sr * sp * sy;
  const x = sr * cp * cy - cr * sp * sy;
  const y = cr * sp * cy + sr * cp * sy;
  const z = cr * cp * sy - sr * sp * cy;
  into[0] = w;
  into[1] = x;
  into[2] = y;
  into[3] = z;
  into[4] = 2 * (x * z - w * y);
  into[5] = 2 * (w * x + y * z);
  into[6] = w * w - x * x - y * y + z * z;

  const angle = c.rotorAngleRad[row];
  const omega = c.rotorSpeedRadPerS[row];
  const speed = (omega / OMEGA_REFERENCE) ** 2;
  const unbalance = p.unbalanceG * e.unbalanceFactor[row] * speed;
  const race =
    e.outerRaceG[row] * ringing(angle, omega, p.outerRaceOrder) +
    e.innerRaceG[row] * ringing(angle, omega, p.innerRaceOrder) * (0.6 + 0.4 * Math.cos(angle));
  const blade = e.bladeG[row] * speed * (Math.cos(angle) + 0.5 * Math.cos(2 * angle));
  const pass = p.bladePassG * speed * Math.cos(3 * angle);
  const factor = e.vibrationFactor[row];
  into[7] = lsb(into[4] + factor * (pass + blade + p.accelNoiseG * chance.normal(3 * step)));
  into[8] = lsb(into[5] + factor * (unbalance * Math.cos(angle) + race + p.accelNoiseG * chance.normal(3 * step + 1)));
  into[9] = lsb(into[6] + factor * (unbalance * Math.sin(angle) + 0.7 * race + p.accelNoiseG * chance.normal(3 * step + 2)));
}

/** The ring of the last impulse of a defect that strikes `order` times a turn, −1..1. */
function ringing(angle: number, omega: number, order: number): number {
  if (omega < 0.5) return 0; // a rotor that hardly turns strikes nothing
  const strikes = (angle * order) / (2 * Math.PI);
  const sinceS = ((strikes - Math.floor(strikes)) * 2 * Math.PI) / (order * omega);
  return Math.exp(-sinceS / RING_DECAY_S) * Math.cos(2 * Math.PI * RING_HZ * sinceS);
}

const lsb = (g: number) => Math.max(-32_768, Math.min(32_767, Math.round(g * LSB_PER_G)));
