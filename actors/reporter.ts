/**
 * What turbines say to the cloud, by the telemetry policy: states and verdicts as they come, one roll-up a second, and for
 * observed desk turbines the full 20 Hz log on the original's topic, 11 records a message.
 *
 * Telemetry is best effort (QoS 0): what cannot be sent is counted and dropped. Only job reports go through the outbox.
 */
import type { Bus } from './contracts/bus.ts';
import { type Channel, deskTurbine, printReading } from './contracts/channels.ts';
import { type Clock, isoDate } from './contracts/clock.ts';
import { reasonOf } from './contracts/errors.ts';
import type { ThingName } from './contracts/ids.ts';
import type { Log } from './contracts/log.ts';
import type { RollUp } from './contracts/shard.ts';
import {
  type LogReport,
  type StateReport,
  type TelemetryReport,
  type TransitionReport,
  topics,
  type VerdictReport,
} from './contracts/telemetry.ts';
import type { Millis } from './contracts/units.ts';

const RECORDS_PER_LOG = 11; // as the original's application sends them

export interface Reporter {
  state(thing: ThingName, report: Omit<StateReport, 'at'>): void;
  verdict(thing: ThingName, report: VerdictReport): void;
  transition(thing: ThingName, report: Omit<TransitionReport, 'at'>): void;
  rollUp(thing: ThingName, channels: readonly Channel[], rollUp: RollUp): void;
  /** One sample of a turbine whose full log is wanted; of a machine that has none of that form, it goes nowhere. */
  sample(thing: ThingName, channels: readonly Channel[], values: Float64Array): void;
  /** Messages that could not be sent. */
  readonly dropped: number;
}

export interface ReporterOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
}

export function createReporter({ bus, clock, log }: ReporterOptions): Reporter {
  const records = new Map<ThingName, { ts: string; data: string[] }[]>();
  let dropped = 0;

  const send = (topic: string, report: StateReport | VerdictReport | TransitionReport | TelemetryReport | LogReport) => {
    bus.publish(topic, JSON.stringify(report)).catch((error: unknown) => {
      dropped++;
      if (dropped === 1) log.warn({ topic, reason: reasonOf(error) }, 'telemetry is being dropped');
    });
  };
  const at = (): Millis => clock.epoch + clock.now();

  const record = (thing: ThingName, channels: readonly Channel[], values: Float64Array) => {
    const batch = records.get(thing) ?? [];
    records.set(thing, batch);
    batch.push({
      ts: isoDate(clock).replace('Z', '+00:00'),
      data: channels.map((channel, c) => printReading(channel, values[c])),
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

    rollUp: (thing, channels, { spanMs, values }) =>
      send(topics.telemetry(thing), { at: at(), every: spanMs, channels: rolledUp(channels, values) }),
    sample(thing, channels, values) {
      if (channels === deskTurbine.channels) record(thing, channels, values);
    },
  };
}

/** By channel; those without a reading are left out. @param values [channels × 4] */
function rolledUp(channels: readonly Channel[], values: Float64Array): TelemetryReport['channels'] {
  const report: Record<string, [number, number, number, number]> = {};
  for (const [c, { name }] of channels.entries()) {
    const [mean, min, max, count] = values.subarray(4 * c, 4 * c + 4);
    if (count > 0) report[name] = [Math.round(mean * 1e4) / 1e4, min, max, count];
  }
  return report;
}
