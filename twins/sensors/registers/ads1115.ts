/** The registers of an ADS1115: four of 16 bits, single-shot conversions that take their time. Source: TI SBAS444. */
import type { Millis } from '../../../actors/contracts/units.ts';
import type { RegisterChip } from './bus.ts';

const CONFIG_AT_RESET = 0x8583;
const START = 0x8000;
const FULL_SCALE_V = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256];
const SAMPLES_PER_S = [8, 16, 32, 64, 128, 250, 475, 860];

/** @param volts of inputs 0..3 against ground. @param now the bus's clock */
export function ads1115Chip(volts: (input: number) => number, now: () => Millis, address = 0x48): RegisterChip {
  const words = [0, CONFIG_AT_RESET, 0x8000, 0x7fff];
  let low = false; // a word goes high byte first
  let readyAt: Millis | null = null;

  const finish = () => {
    if (readyAt === null || now() < readyAt) return;
    readyAt = null;
    const config = words[1];
    const mux = (config >> 12) & 7;
    const input = mux >= 4 ? volts(mux - 4) : volts(mux === 0 ? 0 : mux - 1 > 1 ? 2 : mux - 1) - volts(mux === 0 ? 1 : 3);
    const fullScale = FULL_SCALE_V[(config >> 9) & 7];
    words[0] = Math.max(-32_768, Math.min(32_767, Math.round((input / fullScale) * 32_768))) & 0xffff;
  };

  return {
    address,
    next: (register) => register, // the pointer stays; bytes alternate
    read(register) {
      finish();
      const word = register === 1 ? (words[1] & ~START) | (readyAt === null ? START : 0) : words[register & 3];
      low = !low;
      return low ? word >> 8 : word & 0xff;
    },
    write(register, byte) {
      low = !low;
      const r = register & 3;
      words[r] = low ? (words[r] & 0x00ff) | (byte << 8) : (words[r] & 0xff00) | byte;
      if (low || r !== 1 || (words[1] & START) === 0) return;
      readyAt = now() + 1_000 / SAMPLES_PER_S[(words[1] >> 5) & 7];
    },
  };
}
