/** The names that a story may use, and what the files beside it hold: what its words are checked against. */
import type { FaultKind } from '../../actors/contracts/faults.ts';
import type { BodyKind } from '../faults.ts';
import type { StoryThing } from '../facts.ts';

export interface Vocabulary {
  /** The turbines of the story, in the fleet's order. */
  readonly things: readonly StoryThing[];
  /** Whether a file that names turbines could not be read: then nobody knows all of them. */
  readonly isPartial: boolean;
  /** Those that the fleet can have, by name. */
  readonly machines: ReadonlyMap<string, MachineWords>;
  /** `name@version` of what is published in any story. */
  readonly starters: readonly string[];
  /** `name@version` of what can be deployed: starters, and the story's own. */
  readonly models: readonly string[];
  /** Of a turbine's actor, `inferring`, `inferring.healthy`, … */
  readonly states: readonly string[];
}

export interface MachineWords {
  /** Whether classes of IEC 61400-1 are about it. */
  readonly isUtility: boolean;
  readonly channels: readonly string[];
  /** Of the models that judge it: what a verdict or an alarm can name. */
  readonly features: readonly string[];
  /** What its body can suffer, as a twin. */
  readonly faults: readonly FaultKind[];
}

/** What a fault does not act on, in words. */
export const BODY_NAMES: Readonly<Record<BodyKind, string>> = {
  twins: 'a twin',
  replay: 'a recording',
  emulated: 'an emulated serial turbine',
  serial: 'a turbine at a real serial port',
};
