/**
 * What turbines say to the cloud, by the telemetry policy: states and verdicts as they come, one roll-up a second, and for
 * observed desk turbines the full 20 Hz log on the original's topic, 11 records a message.
 *
 * Telemetry is best effort (QoS 0): what cannot be sent is counted and dropped. Only job reports go through the outbox.
 */
import { Quality, type SampleBlock } from './contracts/backing.ts';
import type { Bus } from './contracts/bus.ts';
import { deskTurbine, printReading } from './contracts/channels.ts';
import { type Clock, isoDate } from './contracts/clock.ts';
import { reasonOf } from './contracts/errors.ts';
import type { ThingName } from './contracts/ids.ts';
import type { Log } from './contracts/log.ts';
import {
  type LogReport,
  type StateReport,
  type TelemetryReport,
  type TransitionReport,
  topics,
  type VerdictReport,
} from './contracts/telemetry.ts';
import type { Millis } from './contracts/units.ts';

const ROLL_UP_MS = 1_000;
const RECORDS_PER_LOG = 11; // as the original's application sends them

export interface Reporter {
  state(thing: ThingName, report: Omit<StateReport, 'at'>): void;
  verdict(thing: ThingName, report: VerdictReport): void;
  transition(thing: ThingName, report: Omit<TransitionReport, 'at'>): void;
  /** The samples of one backing at one instant. */
  samples(things: readonly ThingName[], block: SampleBlock): void;
  /** Messages that could not be sent. */
  readonly dropped: number;
}

export interface ReporterOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether a turbine's full log is wanted. */
  readonly isObserved: (thing: ThingName) => boolean;
}

export function createReporter({ bus, clock, log, isObserved }: ReporterOptions): Reporter {
  const rollUps = new Map<ThingName, RollUp>();
  const records = new Map<ThingName, { ts: string; data: string[] }[]>();
  let dropped = 0;

  const send = (topic: string, report: StateReport | VerdictReport | TransitionReport | TelemetryReport | LogReport) => {
    bus.publish(topic, JSON.stringify(report)).catch((error: unknown) => {
      dropped++;
      if (dropped === 1) log.warn({ topic, reason: reasonOf(error) }, 'telemetry is being dropped');
    });
  };
  const at = (): Millis => clock.epoch + clock.now();

  const record = (thing: ThingName, block: SampleBlock, offset: number) => {
    const batch = records.get(thing) ?? [];
    records.set(thing, batch);
    batch.push({
      ts: isoDate(clock).replace('Z', '+00:00'),
      data: block.channels.map((channel, c) => printReading(channel, block.values[offset + c])),
    });
    if (batch.length < RECORDS_PER_LOG) return;
    records.delete(thing);
    send(topics.logs(thing), { logs: batch });
  };

  return {
    get dropped() {
      return dropped;
    },
    state: (thing, report) => send(topics.state(thing), { at: at(), ...report }),
    verdict: (thing, report) => send(topics.verdict(thing), report),
    transition: (thing, report) => send(topics.transitions(thing), { at: at(), ...report }),

    samples(things, block) {
      const width = block.channels.length;
      for (const [row, thing] of things.entries()) {
        if (block.quality[row] & (Quality.lost | Quality.stale)) continue;
        if (block.channels === deskTurbine.channels && isObserved(thing)) record(thing, block, row * width);
        const rollUp = rollUps.get(thing) ?? createRollUp(width, clock.now());
        rollUps.set(thing, rollUp);
        addSample(rollUp, block.values, row * width);
        if (clock.now() - rollUp.since < ROLL_UP_MS - 1) continue;
        send(topics.telemetry(thing), { at: at(), every: ROLL_UP_MS, channels: closeRollUp(rollUp, block, clock.now()) });
      }
    },
  };
}

interface RollUp {
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly count: Uint32Array;
  since: Millis;
}

function createRollUp(channels: number, since: Millis): RollUp {
  const column = (fill: number) => new Float64Array(channels).fill(fill);
  return { sum: column(0), min: column(Infinity), max: column(-Infinity), count: new Uint32Array(channels), since };
}

function addSample(r: RollUp, values: Float64Array, offset: number): void {
  for (let c = 0; c < r.sum.length; c++) {
    const value = values[offset + c];
    if (Number.isNaN(value)) continue;
    r.sum[c] += value;
    r.count[c]++;
    if (value < r.min[c]) r.min[c] = value;
    if (value > r.max[c]) r.max[c] = value;
  }
}

/** The roll-up by channel, channels without a reading left out; the next one starts at `now`. */
function closeRollUp(r: RollUp, block: SampleBlock, now: Millis): TelemetryReport['channels'] {
  const channels: Record<string, [number, number, number, number]> = {};
  for (const [c, { name }] of block.channels.entries()) {
    if (r.count[c] > 0) channels[name] = [Math.round((r.sum[c] / r.count[c]) * 1e4) / 1e4, r.min[c], r.max[c], r.count[c]];
    r.sum[c] = 0;
    r.min[c] = Infinity;
    r.max[c] = -Infinity;
    r.count[c] = 0;
  }
  r.since = now;
  return channels;
}
