/** What a run leaves behind for its expectations: the event log, and a few counters that no event tells. */
import type { FleetEvent } from '../actors/contracts/log.ts';
import type { Millis } from '../actors/contracts/units.ts';
import type { BodyKind } from './faults.ts';
import type { Witness } from './witness.ts';

/** A turbine of a story. */
export interface StoryThing {
  readonly name: string;
  readonly machine: string;
  readonly body: BodyKind;
  readonly tags: readonly string[];
}

/**
 * The event log says of a fault `{ kind: 'fault', of, what: { step, fault, phase } }`: `of` is the turbine, the service or the deploy step,
 * `step` the label of its step (`labelOf`), `phase` a `FaultPhase`; of a rollout `{ kind: 'rollout', of: <label>, what: { status } }`; of
 * a drawn target `{ kind: 'step', of: <label>, what: { things } }`, names separated by blanks.
 */
export interface RunFacts {
  /** In the fleet's order. */
  readonly things: readonly StoryThing[];
  readonly events: readonly FleetEvent[];
  /** When each step took place, by label; of a repeated one the first time. */
  readonly steps: ReadonlyMap<string, Millis>;
  /** Whom a step was about, by label. */
  readonly targets: ReadonlyMap<string, readonly string[]>;
  /** The jobs that a deploy step made, one a wave, by label. */
  readonly jobs: ReadonlyMap<string, readonly string[]>;
  /** By turbine. A turbine that is missing has sent nothing that could be counted. */
  readonly messages: ReadonlyMap<string, MessageCounts>;
  /** Joules made since the start, by turbine; missing: nothing is known. */
  readonly energyJ: ReadonlyMap<string, number>;
  /** What probes have seen; absent: no expectation asks for them. */
  readonly witness?: Witness;
  /** Until when it was played: the story's end, or `--until`. */
  readonly end: Millis;
}

/** By quality of service: index 0, index 1. */
export interface MessageCounts {
  readonly sent: readonly [number, number];
  /** Sent, and never seen by the cloud although it could have been by the end. */
  readonly lost: readonly [number, number];
  /** Seen by the cloud once more than sent. */
  readonly duplicated: readonly [number, number];
}

/** What a step is called in the event log and in labels of chance: its id, else its place in the story. */
export const labelOf = (step: { readonly id?: string }, index: number): string => step.id ?? `timeline[${index}]`;
