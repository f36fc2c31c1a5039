/**
 * The BME680: one forced measurement of temperature, pressure, humidity and gas resistance.
 *
 * Compensation in doubles, after the formulas of Bosch's BME68x_SensorAPI 80ea120 (BSD-3-Clause). The integer ones overflow above
 * 106 kPa.
 */
import { BackingLost } from '../../actors/contracts/errors.ts';
import type { I2cBus } from '../../actors/contracts/i2c.ts';

export const BME680_ADDRESS = 0x77;

export const Bme680Register = {
  status: 0x1d,
  data: 0x1f,
  gas: 0x2a,
  ctrlGas1: 0x71,
  ctrlHumidity: 0x72,
  ctrlMeasure: 0x74,
  filter: 0x75,
  id: 0xd0,
  reset: 0xe0,
  variant: 0xf0,
} as const;
const CHIP_ID = 0x61;
const RESET = 0xb6;
const NEW_DATA = 0x80;
const FORCED = 0x01;
const OVERSAMPLING = { temperature: 4, pressure: 3, humidity: 2 }; // ×8, ×4, ×2: as the original's firmware
const FILTER = 2; // size 3
const RUN_GAS = 0x10;
const POLLS = 50;
const POLL_MS = 10;

export interface Bme680Calibration {
  readonly t: readonly [t1: number, t2: number, t3: number];
  readonly p: readonly [
    p1: number,
    p2: number,
    p3: number,
    p4: number,
    p5: number,
    p6: number,
    p7: number,
    p8: number,
    p9: number,
    p10: number,
  ];
  readonly h: readonly [h1: number, h2: number, h3: number, h4: number, h5: number, h6: number, h7: number];
  readonly rangeSwitchingError: number;
}

export interface Bme680Reading {
  readonly temperatureC: number;
  readonly pressurePa: number;
  /** Relative, 0..100. */
  readonly humidityPercent: number;
  /** Null while the heater has not settled. */
  readonly gasOhm: number | null;
}

/** @param low 23 bytes from 0x8A. @param high 14 bytes from 0xE1. @param other register 0x04 */
export function readCalibration(low: Buffer, high: Buffer, other: number): Bme680Calibration {
  return {
    t: [high.readUInt16LE(8), low.readInt16LE(0), low.readInt8(2)],
    p: [
      low.readUInt16LE(4),
      low.readInt16LE(6),
      low.readInt8(8),
      low.readInt16LE(10),
      low.readInt16LE(12),
      low.readInt8(15),
      low.readInt8(14),
      low.readInt16LE(18),
      low.readInt16LE(20),
      low.readUInt8(22),
    ],
    h: [
      (high[2] << 4) | (high[1] & 0x0f),
      (high[0] << 4) | (high[1] >> 4),
      high.readInt8(3),
      high.readInt8(4),
      high.readInt8(5),
      high.readUInt8(6),
      high.readInt8(7),
    ],
    rangeSwitchingError: ((other << 24) >> 24) >> 4,
  };
}

/** What temperature leaves for the others: t_fine. @param adc 20 bits */
export function fineTemperature({ t: [t1, t2, t3] }: Bme680Calibration, adc: number): number {
  return (adc / 16_384 - t1 / 1_024) * t2 + (adc / 131_072 - t1 / 8_192) ** 2 * 16 * t3;
}

export const temperatureOf = (fine: number): number => fine / 5_120;

/** Pa. @param adc 20 bits */
export function pressureOf({ p: [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10] }: Bme680Calibration, fine: number, adc: number): number {
  const a = fine / 2 - 64_000;
  const b = ((a * a * p6) / 131_072 + 2 * a * p5) / 4 + 65_536 * p4;
  const c = (1 + ((p3 * a * a) / 16_384 + p2 * a) / 524_288 / 32_768) * p1;
  if (c === 0) return 0;
  const p = ((1_048_576 - adc - b / 4_096) * 6_250) / c;
  return p + ((p9 * p * p) / 2_147_483_648 + (p * p8) / 32_768 + (p / 256) ** 3 * (p10 / 131_072) + 128 * p7) / 16;
}

/** Relative humidity, 0..100. @param adc 16 bits */
export function humidityOf({ h: [h1, h2, h3, h4, h5, h6, h7] }: Bme680Calibration, temperatureC: number, adc: number): number {
  const t = temperatureC;
  const a = adc - (16 * h1 + (h3 * t) / 2);
  const b = a * ((h2 / 262_144) * (1 + (h4 * t) / 16_384 + (h5 * t * t) / 1_048_576));
  return Math.min(100, Math.max(0, b + (h6 / 16_384 + (h7 * t) / 2_097_152) * b * b));
}

const GAS_K1 = [0, 0, 0, 0, 0, -1, 0, -0.8, 0, 0, -0.2, -0.5, 0, -1, 0, 0];
const GAS_K2 = [0, 0, 0, 0, 0.1, 0.7, 0, -0.8, -0.1, 0, 0, 0, 0, 0, 0, 0];

/** Ω, of a BME680 (variant 0). @param adc 10 bits @param range 0..15 */
export function gasResistanceLow({ rangeSwitchingError }: Bme680Calibration, adc: number, range: number): number {
  const var1 = 1_340 + 5 * rangeSwitchingError;
  const var2 = var1 * (1 + GAS_K1[range] / 100);
  const var3 = 1 + GAS_K2[range] / 100;
  return 1 / (var3 * 0.000000125 * 2 ** range * ((adc - 512) / var2 + 1));
}

/** Ω, of a BME688 (variant 1). */
export const gasResistanceHigh = (adc: number, range: number): number => (1e6 * (262_144 / 2 ** range)) / (4_096 + 3 * (adc - 512));

/** Resets the chip and reads its calibration. @throws BackingLost when another chip, or none, answers. */
export async function openBme680(bus: I2cBus, wait: (ms: number) => Promise<void>, address = BME680_ADDRESS) {
  const block = async (register: number, length: number) => {
    const buffer = Buffer.alloc(length);
    await bus.readI2cBlock(address, register, length, buffer);
    return buffer;
  };
  const id = await bus.readByte(address, Bme680Register.id);
  if (id !== CHIP_ID) throw new BackingLost(`no BME680 at 0x${address.toString(16)}: it calls itself 0x${id.toString(16)}`);
  await bus.writeByte(address, Bme680Register.reset, RESET);
  await wait(POLL_MS);
  const variant = await bus.readByte(address, Bme680Register.variant);
  const calibration = readCalibration(await block(0x8a, 23), await block(0xe1, 14), await bus.readByte(address, 0x04));
  await bus.writeByte(address, Bme680Register.ctrlHumidity, OVERSAMPLING.humidity);
  await bus.writeByte(address, Bme680Register.filter, FILTER << 2);
  await bus.writeByte(address, Bme680Register.ctrlGas1, RUN_GAS);

  return {
    /** @throws BackingLost when the measurement never ends */
    async read(): Promise<Bme680Reading> {
      await bus.writeByte(address, Bme680Register.ctrlMeasure, (OVERSAMPLING.temperature << 5) | (OVERSAMPLING.pressure << 2) | FORCED);
      for (let poll = 0; poll < POLLS; poll++) {
        await wait(POLL_MS);
        if (((await bus.readByte(address, Bme680Register.status)) & NEW_DATA) === 0) continue;
        const data = await block(Bme680Register.data, 8);
        const gas = await block(variant === 0 ? Bme680Register.gas : 0x2c, 2);
        const adc20 = (at: number) => (data[at] << 12) | (data[at + 1] << 4) | (data[at + 2] >> 4);
        const fine = fineTemperature(calibration, adc20(3));
        const temperatureC = temperatureOf(fine);
        const gasAdc = (gas[0] << 2) | (gas[1] >> 6);
        const settled = (gas[1] & 0x30) === 0x30; // valid, and the heater stable
        return {
          temperatureC,
          pressurePa: pressureOf(calibration, fine, adc20(0)),
          humidityPercent: humidityOf(calibration, temperatureC, data.readUInt16BE(6)),
          gasOhm: !settled
            ? null
            : variant === 0
              ? gasResistanceLow(calibration, gasAdc, gas[1] & 0x0f)
              : gasResistanceHigh(gasAdc, gas[1] & 0x0f),
        };
      }
      throw new BackingLost(`the BME680 at 0x${address.toString(16)} does not finish a measurement`);
    },
  };
}
