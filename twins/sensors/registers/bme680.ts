/**
 * The registers of a BME680: forced measurements that take as long as their oversampling, and raw codes that this chip's calibration
 * turns back into what it felt.
 *
 * Codes are found by halving: the compensation of Bosch's formulas rises with temperature, falls with pressure, rises with humidity.
 * Default calibration: the register image of pimoroni/bme680-python 30fcb34 (MIT), `tests/conftest.py`.
 */
import type { Millis } from '../../../actors/contracts/units.ts';
import type { RegisterChip } from './bus.ts';

export interface Air {
  readonly temperatureC: number;
  readonly pressurePa: number;
  /** Relative, 0..100. */
  readonly humidityPercent: number;
  readonly gasOhm: number;
}

/** What turns codes into readings, as a driver has it; handed in so that the chip has no second copy of the formulas. */
export interface Compensation {
  temperatureC(adc: number): number;
  /** Pa, at the temperature that a code says. */
  pressurePa(adc: number, temperatureAdc: number): number;
  humidityPercent(adc: number, temperatureAdc: number): number;
  gasOhm(adc: number, range: number): number;
}

export const CALIBRATION_LOW = [
  0x65, 0x67, 0x03, 0, 0x41, 0x8f, 0xed, 0xd6, 0x58, 0, 0x8e, 0x1c, 0x7f, 0xff, 0x2e, 0x1e, 0, 0, 0x97, 0xf3, 0xb5, 0xf6, 0x1e,
];
export const CALIBRATION_HIGH = [0x40, 0x54, 0x2a, 0x00, 0x2d, 0x14, 0x78, 0x9c, 0xb9, 0x65, 0x4e, 0x9f, 0xe2, 0x12];

const STATUS = 0x1d;
const CTRL_MEASURE = 0x74;
const NEW_DATA = 0x80;
const MEASURING = 0x20;
const CONVERSION_MS = 2; // a sample of one quantity; assumption, about the data sheet's
const HEATER_MS = 150;
const GAS_VALID_AND_STABLE = 0x30;

/** @param air what surrounds the chip. @param now the bus's clock */
export function bme680Chip(
  air: () => Air,
  { temperatureC, pressurePa, humidityPercent, gasOhm }: Compensation,
  now: () => Millis,
  address = 0x77,
): RegisterChip {
  const registers = new Uint8Array(256);
  let readyAt: Millis | null = null;
  const reset = () => {
    registers.fill(0);
    registers.set(CALIBRATION_LOW, 0x8a);
    registers.set(CALIBRATION_HIGH, 0xe1);
    registers[0x00] = 0x30;
    registers[0x02] = 0x10;
    registers[0xd0] = 0x61;
    readyAt = null;
  };
  reset();

  const finish = () => {
    if (readyAt === null || now() < readyAt) return;
    readyAt = null;
    const felt = air();
    const t = nearestCode(felt.temperatureC, 0, 0xfffff, temperatureC);
    const p = nearestCode(-felt.pressurePa, 0, 0xfffff, (adc) => -pressurePa(adc, t)); // falls with its code
    const h = nearestCode(felt.humidityPercent, 0, 0xffff, (adc) => humidityPercent(adc, t));
    const range = Array.from({ length: 16 }, (_, r) => r).findLast((r) => gasOhm(0, r) >= felt.gasOhm) ?? 0;
    const g = nearestCode(-felt.gasOhm, 0, 0x3ff, (adc) => -gasOhm(adc, range));
    const words = [p >> 12, (p >> 4) & 0xff, (p & 0x0f) << 4, t >> 12, (t >> 4) & 0xff, (t & 0x0f) << 4, h >> 8, h & 0xff];
    registers.set(words, 0x1f);
    registers[0x2a] = g >> 2;
    registers[0x2b] = ((g & 3) << 6) | (registers[0x71] & 0x10 ? GAS_VALID_AND_STABLE : 0) | range;
    registers[STATUS] = NEW_DATA;
    registers[CTRL_MEASURE] &= ~3; // back to sleep
  };

  return {
    address,
    read(register) {
      finish();
      const byte = register === STATUS ? registers[STATUS] | (readyAt === null ? 0 : MEASURING) : registers[register];
      if (register === STATUS) registers[STATUS] &= ~NEW_DATA;
      return byte;
    },
    write(register, byte) {
      if (register === 0xe0 && byte === 0xb6) return reset();
      registers[register] = byte;
      if (register !== CTRL_MEASURE || (byte & 3) !== 1) return;
      const samples = (bits: number) => (bits === 0 ? 0 : 2 ** (bits - 1));
      const all = samples(byte >> 5) + samples((byte >> 2) & 7) + samples(registers[0x72] & 7);
      readyAt = now() + CONVERSION_MS * all + (registers[0x71] & 0x10 ? HEATER_MS : 0);
    },
  };
}

/** The code whose reading is nearest to `wanted`; `reading` rises with its code. */
function nearestCode(wanted: number, low: number, high: number, reading: (adc: number) => number): number {
  let [below, above] = [low, high];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (reading(middle) <= wanted) below = middle;
    else above = middle;
  }
  return Math.abs(reading(above) - wanted) < Math.abs(reading(below) - wanted) ? above : below;
}
