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
import { type LogReport, type StateReport, type TransitionReport, topics, type VerdictReport } from './contracts/telemetry.ts';
import type { Millis } from './contracts/units.ts';
import { rollUpWriter } from './roll-up-text.ts';

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

  const writer = rollUpWriter();
  const telemetryTopics = new Map<ThingName, string>(); // one text for all messages: brokers look things up by it
  const telemetryTopic = (thing: ThingName): string => {
    const topic = telemetryTopics.get(thing) ?? topics.telemetry(thing);
    telemetryTopics.set(thing, topic);
    return topic;
  };
  const drop = (topic: string, error: unknown) => {
    dropped++;
    if (dropped === 1) log.warn({ topic, reason: reasonOf(error) }, 'telemetry is being dropped');
  };
  const send = (topic: string, payload: string | Uint8Array) => {
    bus.publish(topic, payload).catch((error: unknown) => drop(topic, error));
  };
  const say = (topic: string, report: StateReport | VerdictReport | TransitionReport | LogReport) => send(topic, JSON.stringify(report));
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
    say(topics.logs(thing), { logs: batch });
  };

  return {
    get dropped() {
      return dropped;
    },
    state: (thing, report) => say(topics.state(thing), { at: at(), ...report }),
    verdict: (thing, report) => say(topics.verdict(thing), report),
    transition: (thing, report) => say(topics.transitions(thing), { at: at(), ...report }),

    rollUp: (thing, channels, rollUp) => send(telemetryTopic(thing), writer.write(at(), channels, rollUp)),
    sample(thing, channels, values) {
      if (channels === deskTurbine.channels) record(thing, channels, values);
    },
  };
}
