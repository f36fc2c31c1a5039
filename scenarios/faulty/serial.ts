/**
 * What goes wrong on a serial turbine's way to its reader: the cable loses, changes or joins lines; the board's I²C bus does not
 * acknowledge, hangs, or flips a bit. Each draw is a function of (seed, turbine, fault, number of the line).
 */
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Rng } from '../../actors/contracts/rng.ts';

export type SerialTrouble = 'serial-garbage' | 'i2c-nack' | 'i2c-timeout' | 'i2c-bit-flip';

/** Of one reading over the board's bus. */
export type BusAnswer = 'well' | 'nack' | 'hang' | { readonly flipBit: number };

export interface SerialFaults {
  /** A line's bytes as they come out of the cable. */
  cable(thing: ThingName, line: Uint8Array): Uint8Array;
  /** @param loop of the firmware, from 1. @param bits of the registers that can flip */
  bus(thing: ThingName, loop: number, bits: number): BusAnswer;
  /** @param share 0..1 of the lines or readings; null: it is over */
  trouble(thing: ThingName, name: SerialTrouble, share: number | null): void;
}

export function serialFaults(rng: Rng): SerialFaults {
  const troubles = new Map<string, number>();
  const lines = new Map<ThingName, number>();
  const shareOf = (thing: ThingName, name: SerialTrouble) => troubles.get(`${thing} ${name}`) ?? 0;
  const chanceOf = (thing: ThingName, name: SerialTrouble) => rng.fork(`${name} ${thing}`);

  return {
    cable(thing, line) {
      const share = shareOf(thing, 'serial-garbage');
      if (share === 0) return line;
      const n = (lines.get(thing) ?? 0) + 1;
      lines.set(thing, n);
      const chance = chanceOf(thing, 'serial-garbage');
      if (chance.uniform(n) >= share) return line;
      const where = Math.floor(chance.fork('where').uniform(n) * (line.length - 2));
      switch (Math.floor(chance.fork('what').uniform(n) * 4)) {
        case 0: // some bytes are lost
          return Buffer.concat([line.subarray(0, where), line.subarray(where + 1 + Math.floor(chance.fork('many').uniform(n) * 4))]);
        case 1: {
          const changed = Uint8Array.from(line);
          changed[where] ^= 1 << Math.floor(chance.fork('many').uniform(n) * 8);
          return changed;
        }
        case 2: // its end is lost: the next line joins it
          return line.subarray(0, line.length - 2);
        default: // its start is lost, as after the reader came late
          return line.subarray(where);
      }
    },
    bus(thing, loop, bits) {
      for (const [name, answer] of [
        ['i2c-timeout', 'hang'],
        ['i2c-nack', 'nack'],
      ] as const)
        if (chanceOf(thing, name).uniform(loop) < shareOf(thing, name)) return answer;
      const chance = chanceOf(thing, 'i2c-bit-flip');
      if (chance.uniform(loop) < shareOf(thing, 'i2c-bit-flip')) return { flipBit: Math.floor(chance.fork('which').uniform(loop) * bits) };
      return 'well';
    },
    trouble(thing, name, share) {
      if (share === null) troubles.delete(`${thing} ${name}`);
      else troubles.set(`${thing} ${name}`, share);
    },
  };
}
