/**
 * What the cloud knows of the fleet, from telemetry alone: the same for twins, recordings and turbines far away.
 *
 * An announced anomalous verdict raises an alarm that names its worst feature; an announced healthy one, or an operator's reset,
 * clears it. A device of the original, which reports neither, is seen in its logs and its captures.
 */
import { z } from 'zod';
import type { Bus, Message } from '../actors/contracts/bus.ts';
import { reasonOf } from '../actors/contracts/errors.ts';
import type { Alarm, FleetView, FleetViewEvent, TurbineView } from '../actors/contracts/fleet-view.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { IndexedDocument } from '../actors/contracts/index.ts';
import type { Log } from '../actors/contracts/log.ts';
import { topics, type TransitionReport, type VerdictReport } from '../actors/contracts/telemetry.ts';
import { LogMessage, StateMessage, thingOf, TransitionMessage } from './ingest/messages.ts';
import { capturedFacts, loggedFacts, ORIGINAL_BACKING, verdictOf } from './original-devices.ts';
import { meansReader, readVerdict } from './telemetry-door.ts';

const CRITICAL_SCORE = 2;
const TRANSITIONS_KEPT = 50;
const ALARMS_KEPT = 1_000;

export interface FleetViewOptions {
  readonly bus: Bus;
  readonly log: Log;
  /** Called for a thing that is heard of for the first time. */
  readonly met?: (thing: ThingName) => void;
}

export interface OpenFleetView extends FleetView {
  /** Captures came in, of one file, of devices that report no verdicts themselves. */
  captured(captures: readonly IndexedDocument[]): void;
}

export async function openFleetView({ bus, log, met }: FleetViewOptions): Promise<OpenFleetView> {
  const turbines = new Map<ThingName, TurbineView>();
  const transitions = new Map<ThingName, TransitionReport[]>();
  const alarms: Alarm[] = []; // newest last
  const raised = new Map<ThingName, number>();
  const speaking = new Set<ThingName>(); // those that report themselves
  const listeners = new Set<(event: FleetViewEvent) => void>();

  const tell = (event: FleetViewEvent) => {
    for (const heard of listeners) heard(event);
  };
  const change = (thing: ThingName, facts: Partial<TurbineView>) => {
    if (!turbines.has(thing)) met?.(thing);
    const turbine: TurbineView = { ...(turbines.get(thing) ?? unknownTurbine(thing)), ...facts };
    turbines.set(thing, turbine);
    tell({ kind: 'turbine', turbine });
  };
  const setAlarm = (alarm: Alarm) => {
    const at = alarms.findIndex(({ id }) => id === alarm.id);
    if (at >= 0) alarms[at] = alarm;
    else alarms.push(alarm);
    if (alarms.length > ALARMS_KEPT) alarms.shift();
    tell({ kind: 'alarm', alarm });
    change(alarm.thing, { alarm: alarm.clearedAt === null ? alarm : null });
  };

  const onVerdict = (thing: ThingName, verdict: VerdictReport, facts: Partial<TurbineView> = { verdict, updatedAt: verdict.at }) => {
    change(thing, facts);
    const standing = turbines.get(thing)?.alarm ?? null;
    const { at, score, worst, model } = verdict;
    if (verdict.announced && !standing) {
      const n = (raised.get(thing) ?? 0) + 1;
      raised.set(thing, n);
      setAlarm({ id: `${thing}-${n}`, thing, feature: worst, severity: severityOf(score), score, model, at, clearedAt: null });
    } else if (standing && !verdict.announced) setAlarm({ ...standing, clearedAt: at });
    else if (standing && score > standing.score) setAlarm({ ...standing, score, severity: severityOf(score) });
  };

  const onState = (thing: ThingName, report: z.infer<typeof StateMessage>) => {
    const { at, ...facts } = report;
    change(thing, { ...facts, updatedAt: at });
    const standing = turbines.get(thing)?.alarm;
    if (standing && report.cause === 'operator.reset') setAlarm({ ...standing, clearedAt: at });
  };

  let malformed = 0;
  const listen = async <T>(
    filter: string,
    read: (payload: Uint8Array) => T,
    take: (thing: ThingName, body: T) => void,
    isWanted: (thing: ThingName) => boolean = () => true,
  ) => {
    await bus.subscribe(filter, ({ topic, payload }: Message) => {
      let thing: ThingName;
      let body: T;
      try {
        thing = thingOf(topic);
        if (!isWanted(thing)) return;
        body = read(payload);
      } catch (error) {
        malformed++;
        log.debug(
          { topic, malformed, reason: error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error) },
          'telemetry that cannot be read',
        );
        return;
      }
      take(thing, body);
    });
  };
  const hear = <T>(name: string, read: (payload: Uint8Array) => T, take: (thing: ThingName, body: T) => void) =>
    listen(`windfleet/+/${name}`, read, (thing, body) => {
      // what was made of its logs ends with its own first word
      if (turbines.get(thing)?.backing === ORIGINAL_BACKING) turbines.set(thing, unknownTurbine(thing));
      speaking.add(thing);
      take(thing, body);
    });

  const by =
    <T>(schema: z.ZodType<T>) =>
    (payload: Uint8Array) =>
      schema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  await hear('state', by(StateMessage), onState);
  await hear('verdict', readVerdict, (thing, verdict) => onVerdict(thing, verdict));
  await hear('telemetry', meansReader(), (thing, { at, means }) => change(thing, { channels: means, updatedAt: at }));
  await hear('transitions', by(TransitionMessage), (thing, transition) => {
    const known = [...(transitions.get(thing) ?? []), transition].slice(-TRANSITIONS_KEPT);
    transitions.set(thing, known);
    tell({ kind: 'transition', thing, transition });
  });

  await listen(
    topics.logs('+'),
    by(LogMessage),
    (thing, { logs }) => {
      const last = logs.at(-1);
      const facts = last && loggedFacts(turbines.get(thing) ?? null, Date.parse(last.ts), last.data);
      if (facts) change(thing, facts);
    },
    (thing) => !speaking.has(thing),
  );

  return {
    captured(captures) {
      for (const capture of captures) {
        const { thing, at } = capture;
        const turbine = turbines.get(thing) ?? unknownTurbine(thing);
        if (speaking.has(thing) || at < (turbine.verdict?.at ?? 0)) continue; // of before, delivered again
        const verdict = verdictOf(capture, turbine.verdict);
        if (verdict) onVerdict(thing, verdict, capturedFacts(verdict, turbine));
      }
    },
    turbines: () => [...turbines.values()].sort((a, b) => (a.thing < b.thing ? -1 : 1)),
    turbine: (thing) => turbines.get(thing) ?? null,
    alarms: () => alarms.toReversed(),
    transitions: (thing) => transitions.get(thing) ?? [],
    onChange(heard) {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    async close() {
      listeners.clear();
    },
  };
}

const severityOf = (score: number): Alarm['severity'] => (score >= CRITICAL_SCORE ? 'critical' : 'warning');

const unknownTurbine = (thing: ThingName): TurbineView => ({
  thing,
  state: 'unknown',
  cause: '',
  machine: '',
  backing: '',
  model: null,
  update: null,
  channels: {},
  verdict: null,
  alarm: null,
  updatedAt: 0,
});
