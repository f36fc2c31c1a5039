/** The ADS1115: one single-shot conversion of one input against ground. Source: Texas Instruments SBAS444. */
import { BackingLost } from '../../actors/contracts/errors.ts';
import type { I2cBus } from '../../actors/contracts/i2c.ts';

export const ADS1115_ADDRESS = 0x48;

const Register = { conversion: 0, config: 1 } as const;
const START = 0x8000; // also reads 1 when no conversion runs
const SINGLE_ENDED = 0x4000; // of input 0; the next ones follow in the bits below
const SINGLE_SHOT = 0x0100;
const NO_COMPARATOR = 0x0003;
/** Volts at full scale, by the gain's bits. */
export const ADS1115_FULL_SCALE_V = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256] as const;
const SAMPLES_PER_S = [8, 16, 32, 64, 128, 250, 475, 860];
const POLLS = 1_000;

export type Ads1115Gain = 0 | 1 | 2 | 3 | 4 | 5;

/** @param input 0..3 @param rate index of 8, 16, 32, 64, 128, 250, 475, 860 samples a second */
export const ads1115Config = (input: number, gain: Ads1115Gain, rate = 4): number =>
  START | SINGLE_ENDED | (input << 12) | (gain << 9) | SINGLE_SHOT | (rate << 5) | NO_COMPARATOR;

/** @param code as the conversion register reads, 16 bits */
export const ads1115Volts = (code: number, gain: Ads1115Gain): number => (((code << 16) >> 16) * ADS1115_FULL_SCALE_V[gain]) / 32_768;

export function openAds1115(bus: I2cBus, wait: (ms: number) => Promise<void>, address = ADS1115_ADDRESS) {
  const word = Buffer.alloc(2);
  const read = async (register: number) => {
    await bus.readI2cBlock(address, register, 2, word);
    return word.readUInt16BE(0);
  };
  return {
    /** @returns volts. @throws BackingLost when the conversion never ends */
    async read(input: number, gain: Ads1115Gain, rate = 4): Promise<number> {
      word.writeUInt16BE(ads1115Config(input, gain, rate));
      await bus.writeI2cBlock(address, Register.config, 2, word);
      for (let poll = 0; poll < POLLS; poll++) {
        await wait(Math.ceil(1_000 / SAMPLES_PER_S[rate]));
        if ((await read(Register.config)) & START) return ads1115Volts(await read(Register.conversion), gain);
      }
      throw new BackingLost(`the ADS1115 at 0x${address.toString(16)} does not finish a conversion`);
    },
  };
}
