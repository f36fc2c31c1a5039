/**
 * What goes wrong between a body and the reader of its sensors: samples that do not arrive, a bus that does not acknowledge or hangs,
 * a bit that flips. The body itself is well; `severity` is the share of the samples that are hit.
 */
import { type Backing, Quality, type SampleBlock } from '../../actors/contracts/backing.ts';
import type { FaultOrder } from '../../actors/contracts/faults.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export const SAMPLE_FAULTS = ['sensor-dropout', 'i2c-nack', 'i2c-timeout', 'i2c-bit-flip'] as const;
export type SampleFault = (typeof SAMPLE_FAULTS)[number];

export const isSampleFault = (name: string): name is SampleFault => (SAMPLE_FAULTS as readonly string[]).includes(name);

/** Breaks and mends a body; `faults` of a twin is one. */
export interface Breaking {
  inject(row: number, order: FaultOrder, now: Millis): void;
  clear(row: number, fault?: string): number;
}

const LOST_AFTER = 100; // samples that did not arrive in a row, 5 s: as the reader of a real line has it
const REGISTER_BITS = 16;

/** The body as its reader sees it. Each draw is a function of (seed, turbine, fault, number of the sample). */
export function sampledThrough<Body extends Backing>(backing: Body, faults: Breaking, rng: Rng): Body & { readonly breaking: Breaking } {
  const { things, channels } = backing;
  const width = channels.length;
  const troubles = new Map<number, Map<SampleFault, number>>();
  const held = new Float64Array(things.length * width);
  const silent = new Uint32Array(things.length);
  let step = 0;

  const spoil = ({ values, quality }: SampleBlock, row: number, mine: ReadonlyMap<SampleFault, number>) => {
    const chance = rng.fork(things[row]).fork('samples');
    const strikes = (name: SampleFault) => mine.has(name) && chance.fork(name).uniform(step) < mine.get(name)!;
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
    breaking: {
      inject(row, order, now) {
        if (!isSampleFault(order.fault)) return faults.inject(row, order, now);
        const mine = troubles.get(row) ?? new Map<SampleFault, number>();
        troubles.set(row, mine.set(order.fault, order.severity));
      },
      clear(row, fault) {
        const mine = troubles.get(row);
        const before = mine?.size ?? 0;
        if (fault === undefined) mine?.clear();
        else if (isSampleFault(fault)) mine?.delete(fault);
        const ended = before - (mine?.size ?? 0);
        if (mine?.size === 0) troubles.delete(row);
        return ended + (fault !== undefined && isSampleFault(fault) ? 0 : faults.clear(row, fault));
      },
    },
    sample(into) {
      backing.sample(into);
      step++;
      for (const [row, mine] of troubles) if ((into.quality[row] & Quality.lost) === 0) spoil(into, row, mine);
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
