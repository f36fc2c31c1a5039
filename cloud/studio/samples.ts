/** Where samples come from, whatever the file: they can be heard any number of times, always the same and in the same order. */
import type { Channel } from '../../actors/contracts/channels.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Recording } from '../../actors/contracts/recording.ts';
import type { Millis } from '../../actors/contracts/units.ts';

/**
 * Hears one sample.
 *
 * @param row of its turbine
 * @param at epoch milliseconds; never before the one that the turbine had last
 * @param values its channels from `offset` on; they hold until the call returns
 */
export type SampleHearer = (row: number, at: Millis, values: Float64Array, offset: number) => void;

export interface SampleSource {
  /** Name of the machine. */
  readonly machine: string;
  readonly channels: readonly Channel[];
  /** Its times are a board's, that began when it was switched on. */
  readonly boardClock?: true;
  /** By row; it grows while it is read for the first time. */
  readonly things: readonly ThingName[];
  /** @throws FileInvalid naming every fault of the file; only the first time can find any. */
  read(hear: SampleHearer): Promise<void>;
  /** What a reader should know that is no fault: lines that were dropped, say. Complete once it has been read. */
  notes(): readonly string[];
}

/** All samples of a recording, turbine by turbine. */
export function hearRecording({ channels, turbines }: Recording, hear: SampleHearer): void {
  for (const [row, { at, values }] of turbines.entries()) for (let i = 0; i < at.length; i++) hear(row, at[i], values, i * channels.length);
}

const BLOCK_SAMPLES = 4_096;

/** Keeps what it reads the first time when that takes no more than `bytes`; a larger source is read again each time. */
export function keptInMemory(source: SampleSource, bytes: number): SampleSource {
  const width = source.channels.length;
  const most = Math.floor(bytes / (8 * (width + 2)));
  let blocks: { readonly rows: Int32Array; readonly at: Float64Array; readonly values: Float64Array }[] | null = null;
  let count = 0;
  return {
    machine: source.machine,
    channels: source.channels,
    ...(source.boardClock ? { boardClock: true } : {}),
    things: source.things,
    notes: source.notes,
    async read(hear) {
      if (blocks !== null && count <= most) {
        for (const [b, { rows, at, values }] of blocks.entries()) {
          const held = Math.min(BLOCK_SAMPLES, count - b * BLOCK_SAMPLES);
          for (let i = 0; i < held; i++) hear(rows[i], at[i], values, i * width);
        }
        return;
      }
      if (blocks !== null) return source.read(hear);
      blocks = [];
      const kept = blocks;
      await source.read((row, at, values, offset) => {
        hear(row, at, values, offset);
        if (++count > most) {
          kept.length = 0;
          return;
        }
        const i = (count - 1) % BLOCK_SAMPLES;
        if (i === 0)
          kept.push({
            rows: new Int32Array(BLOCK_SAMPLES),
            at: new Float64Array(BLOCK_SAMPLES),
            values: new Float64Array(BLOCK_SAMPLES * width),
          });
        const block = kept[kept.length - 1];
        block.rows[i] = row;
        block.at[i] = at;
        for (let c = 0; c < width; c++) block.values[i * width + c] = values[offset + c];
      });
    },
  };
}

const MOST_TURBINES = 20_000;

/** Rows by name, in the order of their first samples, and the time of each one's last. */
export function createRows(): {
  readonly things: ThingName[];
  /** The row; −1 when there is no room for another turbine. */
  of(thing: ThingName): number;
  /** By row; −Infinity before the first. */
  readonly lastAt: number[];
  /** Before another reading from the start. */
  rewind(): void;
} {
  const rows = new Map<ThingName, number>();
  const things: ThingName[] = [];
  const lastAt: number[] = [];
  return {
    things,
    lastAt,
    of(thing) {
      const known = rows.get(thing);
      if (known !== undefined) return known;
      if (things.length >= MOST_TURBINES) return -1;
      rows.set(thing, things.length);
      lastAt.push(Number.NEGATIVE_INFINITY);
      return things.push(thing) - 1;
    },
    rewind: () => lastAt.fill(Number.NEGATIVE_INFINITY),
  };
}
