/**
 * The MPU-6050: acceleration, turning rate and its own temperature by polling.
 *
 * Sources: InvenSense register map RM-MPU-6000A; scales agree with the Linux kernel's `inv_mpu_core.c`.
 */
import { BackingLost } from '../../actors/contracts/errors.ts';
import type { I2cBus } from '../../actors/contracts/i2c.ts';

export const MPU6050_ADDRESS = 0x68;

const Register = {
  sampleRateDivider: 0x19,
  config: 0x1a,
  gyroConfig: 0x1b,
  accelConfig: 0x1c,
  data: 0x3b,
  power: 0x6b,
  whoAmI: 0x75,
} as const;
const WHO_AM_I = 0x68; // whatever the address pin says
const WAKE_ON_GYRO_CLOCK = 0x01;
const BURST = 14; // bytes: the chip latches them together
const ACCEL_LSB_PER_G = [16_384, 8_192, 4_096, 2_048];
const GYRO_LSB_PER_DEG_PER_S = [131, 65.5, 32.8, 16.4];
const STANDARD_GRAVITY = 9.80665; // m/s²

export interface Mpu6050Reading {
  readonly accelerationMps2: readonly [x: number, y: number, z: number];
  readonly rateDegPerS: readonly [x: number, y: number, z: number];
  readonly temperatureC: number;
}

export interface Mpu6050Options {
  readonly address?: number;
  /** ±2, 4, 8, 16 g. */
  readonly accelRange?: 0 | 1 | 2 | 3;
  /** ±250, 500, 1000, 2000 °/s. */
  readonly gyroRange?: 0 | 1 | 2 | 3;
}

/** Wakes and configures the chip: 100 Hz, low-pass at 42 Hz. @throws BackingLost when another chip, or none, answers. */
export async function openMpu6050(bus: I2cBus, { address = MPU6050_ADDRESS, accelRange = 0, gyroRange = 0 }: Mpu6050Options = {}) {
  const id = await bus.readByte(address, Register.whoAmI);
  if (id !== WHO_AM_I) throw new BackingLost(`no MPU-6050 at 0x${address.toString(16)}: it calls itself 0x${id.toString(16)}`);
  await bus.writeByte(address, Register.power, WAKE_ON_GYRO_CLOCK);
  await bus.writeByte(address, Register.sampleRateDivider, 9); // 1 kHz / (1 + 9)
  await bus.writeByte(address, Register.config, 3);
  await bus.writeByte(address, Register.gyroConfig, gyroRange << 3);
  await bus.writeByte(address, Register.accelConfig, accelRange << 3);
  const buffer = Buffer.alloc(BURST);
  return {
    async read(): Promise<Mpu6050Reading> {
      await bus.readI2cBlock(address, Register.data, BURST, buffer);
      return decodeMpu6050(buffer, accelRange, gyroRange);
    },
  };
}

/** @param bytes 14 from register 0x3B: acceleration, temperature, rate; big-endian two's complement */
export function decodeMpu6050(bytes: Buffer, accelRange: 0 | 1 | 2 | 3, gyroRange: 0 | 1 | 2 | 3): Mpu6050Reading {
  const accel = (i: number) => (bytes.readInt16BE(2 * i) / ACCEL_LSB_PER_G[accelRange]) * STANDARD_GRAVITY;
  const rate = (i: number) => bytes.readInt16BE(8 + 2 * i) / GYRO_LSB_PER_DEG_PER_S[gyroRange];
  return {
    accelerationMps2: [accel(0), accel(1), accel(2)],
    rateDegPerS: [rate(0), rate(1), rate(2)],
    temperatureC: bytes.readInt16BE(6) / 340 + 36.53,
  };
}
