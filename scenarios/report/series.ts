/**
 * Measured quantities of a run for its plots, heard on the bus as anybody could: they change no event, and so no digest. Memory is
 * bounded: a turbine's quantity keeps so many stretches of equal length, each with the mean of what was heard in it.
 */
import type { Bus, Subscription } from '../../actors/contracts/bus.ts';
import type { TelemetryReport, VerdictReport } from '../../actors/contracts/telemetry.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { ReportSeries } from './story-report.ts';

export interface SeriesOptions {
  /** Simulated epoch milliseconds of the run's start. */
  readonly epoch: Millis;
  /** Until when it may be played. */
  readonly end: Millis;
  readonly things: readonly string[];
  /** Channels to draw, by machine-independent name, with what they are called. */
  readonly channels: readonly { readonly channel: string; readonly quantity: string; readonly unit: string }[];
}

export interface SeriesRecorder {
  series(): readonly ReportSeries[];
  close(): Promise<void>;
}

const STRETCHES = 240; // enough for a plot of that many pixels' width

export async function recordSeries(bus: Bus, { epoch, end, things, channels }: SeriesOptions): Promise<SeriesRecorder> {
  const width = Math.max(1, end) / STRETCHES;
  const lanes = new Map<string, Lane>();
  const laneOf = (thing: string, quantity: string, unit: string): Lane => {
    const key = `${thing} ${quantity}`;
    const lane = lanes.get(key) ?? { thing, quantity, unit, sum: new Float64Array(STRETCHES), count: new Uint32Array(STRETCHES) };
    lanes.set(key, lane);
    return lane;
  };
  const note = (lane: Lane, at: Millis, value: number) => {
    const i = Math.min(STRETCHES - 1, Math.floor((at - epoch) / width));
    if (i < 0 || !Number.isFinite(value)) return; // a device whose clock is wrong
    lane.sum[i] += value;
    lane.count[i]++;
  };

  const heard: Subscription[] = [];
  for (const thing of things) {
    heard.push(
      await bus.subscribe(`windfleet/${thing}/telemetry`, ({ payload }) => {
        const report = parse<TelemetryReport>(payload);
        if (!report) return;
        for (const { channel, quantity, unit } of channels) {
          const rollUp = report.channels[channel];
          if (rollUp) note(laneOf(thing, quantity, unit), report.at, rollUp[0]);
        }
      }),
      await bus.subscribe(`windfleet/${thing}/verdict`, ({ payload }) => {
        const report = parse<VerdictReport>(payload);
        if (report) note(laneOf(thing, 'score', ''), report.at, report.score);
      }),
    );
  }

  return {
    series: () =>
      [...lanes.values()].map(({ thing, quantity, unit, sum, count }) => {
        const filled = Array.from(count.keys()).filter((i) => count[i] > 0);
        return { thing, quantity, unit, at: filled.map((i) => (i + 0.5) * width), value: filled.map((i) => sum[i] / count[i]) };
      }),
    async close() {
      for (const subscription of heard) await subscription.close();
    },
  };
}

interface Lane {
  readonly thing: string;
  readonly quantity: string;
  readonly unit: string;
  readonly sum: Float64Array;
  readonly count: Uint32Array;
}

/** Null for what a fault of the link has made of it. */
function parse<T>(payload: Uint8Array): T | null {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8')) as T;
  } catch {
    return null;
  }
}
