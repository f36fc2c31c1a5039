/**
 * What goes wrong between a body and the reader of its sensors: samples that do not arrive, a bus that does not acknowledge or hangs,
 * a bit that flips. The body itself is well.
 */
import { type Backing, Quality, type SampleBlock } from '../../actors/contracts/backing.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Rng } from '../../actors/contracts/rng.ts';

export type SensorTrouble = 'sensor-dropout' | 'i2c-nack' | 'i2c-timeout' | 'i2c-bit-flip';

export interface SensorFaults {
  /** The body as its reader sees it. */
  around(backing: Backing): Backing;
  /** @param share 0..1 of the samples; null: it is over */
  trouble(thing: ThingName, name: SensorTrouble, share: number | null): void;
}

const LOST_AFTER = 100; // samples that did not arrive in a row, 5 s: as the reader of a real line has it
const REGISTER_BITS = 16;

export function sensorFaults(rng: Rng): SensorFaults {
  const troubles = new Map<ThingName, Map<SensorTrouble, number>>();

  return {
    around(backing) {
      const { things, channels } = backing;
      const width = channels.length;
      const held = new Float64Array(things.length * width);
      const silent = new Uint32Array(things.length);
      let step = 0;

      const spoil = ({ values, quality }: SampleBlock, row: number, mine: ReadonlyMap<SensorTrouble, number>) => {
        const chance = rng.fork(`sensors ${things[row]}`);
        const strikes = (name: SensorTrouble) => chance.fork(name).uniform(step) < (mine.get(name) ?? 0);
        const at = row * width;
        if (strikes('sensor-dropout') || strikes('i2c-timeout')) {
          silent[row]++;
          if (silent[row] > LOST_AFTER) values.fill(Number.NaN, at, at + width);
          else values.set(held.subarray(at, at + width), at);
          quality[row] |= silent[row] > LOST_AFTER ? Quality.lost : Quality.stale;
          return;
        }
        silent[row] = 0;
        if (strikes('i2c-nack')) {
          values.set(held.subarray(at, at + width), at);
          quality[row] |= Quality.stale;
          return;
        }
        if (strikes('i2c-bit-flip')) {
          const which = chance.fork('which');
          const c = Math.floor(which.uniform(2 * step) * width);
          values[at + c] = flipped(values[at + c], channels[c], Math.floor(which.uniform(2 * step + 1) * REGISTER_BITS));
        }
        held.set(values.subarray(at, at + width), at);
      };

      return {
        ...backing,
        sample(into) {
          backing.sample(into);
          step++;
          if (troubles.size === 0) return;
          for (let row = 0; row < things.length; row++) {
            const mine = troubles.get(things[row]);
            if (mine && (into.quality[row] & Quality.lost) === 0) spoil(into, row, mine);
          }
        },
      };
    },
    trouble(thing, name, share) {
      const mine = troubles.get(thing) ?? new Map<SensorTrouble, number>();
      if (share === null) mine.delete(name);
      else mine.set(name, share);
      if (mine.size > 0) troubles.set(thing, mine);
      else troubles.delete(thing);
    },
  };
}

/** A reading whose register of 16 bits, over what the channel reads, has one bit wrong. */
function flipped(value: number, { range = [0, 1], decimals = 3 }: Backing['channels'][number], bit: number): number {
  const [low, high] = range;
  const register = Math.max(0, Math.min(0xffff, Math.round(((value - low) / (high - low)) * 0xffff)));
  const scale = 10 ** decimals;
  return Math.round((low + ((register ^ (1 << bit)) / 0xffff) * (high - low)) * scale) / scale;
}
