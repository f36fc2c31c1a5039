/**
 * What turbines say to the cloud, by the telemetry policy: states and verdicts as they come, one roll-up a second, and for
 * observed desk turbines the full 20 Hz log on the original's topic, 11 records a message.
 *
 * States and verdicts go by the device's spool (QoS 1): an outage delays them. The rest is best effort (QoS 0): what cannot be sent is
 * counted and dropped.
 */
import type { Bus } from './contracts/bus.ts';
import { type Channel, deskTurbine, printReading } from './contracts/channels.ts';
import type { Clock } from './contracts/clock.ts';
import { reasonOf } from './contracts/errors.ts';
import type { ThingName } from './contracts/ids.ts';
import type { Log } from './contracts/log.ts';
import type { RollUp } from './contracts/shard.ts';
import { type LogReport, type StateReport, type TransitionReport, topics, type VerdictReport } from './contracts/telemetry.ts';
import type { Millis } from './contracts/units.ts';
import { rollUpWriter } from './roll-up-text.ts';
import type { Spool } from './spool.ts';

const RECORDS_PER_LOG = 11; // as the original's application sends them

export interface Reporter {
  state(thing: ThingName, report: Omit<StateReport, 'at'>): void;
  /** `at` is the fleet's instant; it goes out as the device's date. */
  verdict(thing: ThingName, report: VerdictReport): void;
  transition(thing: ThingName, report: Omit<TransitionReport, 'at'>): void;
  rollUp(thing: ThingName, channels: readonly Channel[], rollUp: RollUp): void;
  /** One sample of a turbine whose full log is wanted; of a machine that has none of that form, it goes nowhere. */
  sample(thing: ThingName, channels: readonly Channel[], values: Float64Array): void;
  /** The device has lost what it had not sent. */
  forget(thing: ThingName): void;
  /** Messages that could not be sent. */
  readonly dropped: number;
}

/** How one device reaches the cloud. */
export interface ReportingLine {
  readonly bus: Bus;
  readonly spool: Pick<Spool, 'send'>;
  /** Epoch milliseconds of an instant, as the device's own clock has them. */
  readonly dateOf: (at: Millis) => Millis;
}

export interface ReporterOptions {
  /** Null while the device is off. */
  readonly lineOf: (thing: ThingName) => ReportingLine | null;
  readonly clock: Clock;
  readonly log: Log;
}

export function createReporter({ lineOf, clock, log }: ReporterOptions): Reporter {
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
  const send = (bus: Bus, topic: string, payload: string | Uint8Array) => {
    bus.publish(topic, payload).catch((error: unknown) => drop(topic, error));
  };
  const say = (bus: Bus, topic: string, report: TransitionReport | LogReport) => send(bus, topic, JSON.stringify(report));

  const record = ({ bus, dateOf }: ReportingLine, thing: ThingName, channels: readonly Channel[], values: Float64Array) => {
    const batch = records.get(thing) ?? [];
    records.set(thing, batch);
    batch.push({
      ts: new Date(dateOf(clock.now())).toISOString().replace('Z', '+00:00'),
      data: channels.map((channel, c) => printReading(channel, values[c])),
    });
    if (batch.length < RECORDS_PER_LOG) return;
    records.delete(thing);
    say(bus, topics.logs(thing), { logs: batch });
  };

  return {
    get dropped() {
      return dropped;
    },
    state(thing, report) {
      const line = lineOf(thing);
      line?.spool.send(topics.state(thing), JSON.stringify({ at: line.dateOf(clock.now()), ...report } satisfies StateReport));
    },
    verdict(thing, report) {
      const line = lineOf(thing);
      if (!line) return;
      const { at, model, anomalous, score, worst, scores, announced, tookMs } = report;
      const dated: VerdictReport = { at: line.dateOf(at), model, anomalous, score, worst, scores, announced, tookMs };
      line.spool.send(topics.verdict(thing), JSON.stringify(dated));
    },
    transition(thing, report) {
      const line = lineOf(thing);
      if (line) say(line.bus, topics.transitions(thing), { at: line.dateOf(clock.now()), ...report });
    },
    rollUp(thing, channels, rollUp) {
      const line = lineOf(thing);
      if (line) send(line.bus, telemetryTopic(thing), writer.write(line.dateOf(clock.now()), channels, rollUp));
    },
    sample(thing, channels, values) {
      const line = lineOf(thing);
      if (line && channels === deskTurbine.channels) record(line, thing, channels, values);
    },
    forget: (thing) => void records.delete(thing),
  };
}
