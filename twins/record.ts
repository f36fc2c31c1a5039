/** A fleet of twins, recorded: every sample of every turbine for so long. */
import { createSampleBlock } from '../actors/contracts/backing.ts';
import type { Recording } from '../actors/contracts/recording.ts';
import type { Millis } from '../actors/contracts/units.ts';
import type { TwinBacking } from './body.ts';

export interface RecordOptions {
  readonly forMs: Millis;
  /** Epoch milliseconds at which the recording begins. */
  readonly epoch: Millis;
  /** Called before each sample: faults, commands, progress. */
  readonly before?: (now: Millis) => void;
}

const SAMPLE_MS = 50;

/** Advances the backing from where it stands. */
export function recordTwins(backing: TwinBacking, { forMs, epoch, before }: RecordOptions): Recording {
  const samples = Math.floor(forMs / SAMPLE_MS);
  const width = backing.channels.length;
  const block = createSampleBlock(backing.channels, backing.things.length);
  const turbines = backing.things.map((thing) => ({ thing, at: new Float64Array(samples), values: new Float64Array(samples * width) }));
  const start = backing.now();

  for (let i = 0; i < samples; i++) {
    const now = start + (i + 1) * SAMPLE_MS;
    before?.(now);
    backing.advance(now);
    backing.sample(block);
    for (const [row, { at, values }] of turbines.entries()) {
      at[i] = epoch + now;
      values.set(block.values.subarray(row * width, (row + 1) * width), i * width);
    }
  }
  return { channels: backing.channels, turbines };
}
