/** A fleet of twins, recorded: every sample of every turbine for so long. */
import { createSampleBlock, type SampleBlock } from '../actors/contracts/backing.ts';
import type { Recording } from '../actors/contracts/recording.ts';
import type { Millis } from '../actors/contracts/units.ts';
import { type TwinBacking, TWIN_STEP_MS } from './body.ts';

export interface RecordOptions {
  readonly forMs: Millis;
  /** Epoch milliseconds at which the recording begins. */
  readonly epoch: Millis;
  /** Called before each sample: faults, commands, progress. */
  readonly before?: (now: Millis) => void;
}

/** One sample of every turbine; the block is the same each time, and holds until the next one is asked for. */
export interface RecordedTick {
  /** Since the backing began. */
  readonly now: Millis;
  readonly block: SampleBlock;
}

/** Advances the backing from where it stands, as fast as its samples are taken. */
export function* recordTicks(backing: TwinBacking, { forMs, before }: Omit<RecordOptions, 'epoch'>): Generator<RecordedTick> {
  const block = createSampleBlock(backing.channels, backing.things.length);
  const start = backing.now();
  for (let at = TWIN_STEP_MS; at <= forMs; at += TWIN_STEP_MS) {
    const now = start + at;
    before?.(now);
    backing.advance(now);
    backing.sample(block);
    yield { now, block };
  }
}

/** The whole recording in memory. */
export function recordTwins(backing: TwinBacking, { epoch, ...options }: RecordOptions): Recording {
  const samples = Math.floor(options.forMs / TWIN_STEP_MS);
  const width = backing.channels.length;
  const turbines = backing.things.map((thing) => ({ thing, at: new Float64Array(samples), values: new Float64Array(samples * width) }));
  let i = 0;
  for (const { now, block } of recordTicks(backing, options)) {
    for (const [row, { at, values }] of turbines.entries()) {
      at[i] = epoch + now;
      values.set(block.values.subarray(row * width, (row + 1) * width), i * width);
    }
    i++;
  }
  return { channels: backing.channels, turbines };
}
