/**
 * Row ↔ actor: the one place that knows both planes. What the data plane says of a row becomes an event for that turbine's
 * actor (changes) and a report to the cloud (every verdict).
 */
import type { Channel } from './contracts/channels.ts';
import type { Clock } from './contracts/clock.ts';
import type { ThingName } from './contracts/ids.ts';
import type { EventLog } from './contracts/log.ts';
import type { RowChange } from './contracts/shard.ts';
import type { Verdict } from './contracts/verdict.ts';
import type { DataPlane, PlaneListener } from './dataplane/plane.ts';
import type { Reporter } from './reporter.ts';
import type { TurbineEvent } from './turbine/machine.ts';

export interface BridgePorts {
  /** In the order of the backing's rows. */
  readonly things: readonly ThingName[];
  readonly channels: readonly Channel[];
  readonly send: (thing: ThingName, event: TurbineEvent) => void;
  readonly reporter: Reporter;
  readonly events: EventLog;
  readonly clock: Clock;
  /** Every judged window. */
  readonly capture: (row: number, verdict: Verdict) => void;
}

const EVENTS: Readonly<Record<RowChange, TurbineEvent>> = {
  turning: { type: 'rotor.turning' },
  still: { type: 'rotor.still' },
  filled: { type: 'window.filled' },
  broken: { type: 'window.broken' },
  lost: { type: 'backing.lost', cause: 'the body does not answer' },
  back: { type: 'backing.ready' },
};

export function bridge({ things, channels, send, reporter, events, clock, capture }: BridgePorts): PlaneListener {
  return {
    changed: (row, change) => send(things[row], EVENTS[change]),
    rollUp: (row, rollUp) => reporter.rollUp(things[row], channels, rollUp),
    sample: (row, values) => reporter.sample(things[row], channels, values),
    failed: (row, cause) => send(things[row], { type: 'model.lost', cause }),
    judged(row, verdict, announced, turned) {
      const thing = things[row];
      const { at, model, anomalous, score, worst, scores } = verdict;
      reporter.verdict(thing, { at, model, anomalous, score, worst, scores, announced, tookMs: clock.now() - at });
      capture(row, verdict);
      if (!turned) return;
      events.append({
        at: clock.now(),
        kind: 'verdict',
        of: thing,
        what: { anomalous: announced, model, worst, score: Math.round(score * 1e6) / 1e6 },
      });
      send(thing, { type: 'verdict.changed', verdict: { ...verdict, anomalous: announced } });
    },
  };
}

/** Tells an actor that has started anew what it would have heard. */
export function retellFacts(plane: DataPlane, row: number, send: (event: TurbineEvent) => void): void {
  const { turning, lost, filled, verdict } = plane.facts(row);
  const model = plane.champion(row);
  if (lost) send(EVENTS.lost);
  if (turning) send(EVENTS.turning);
  if (model) send({ type: 'model.ready', model: model.id });
  if (filled) send(EVENTS.filled);
  if (verdict) send({ type: 'verdict.changed', verdict });
}
