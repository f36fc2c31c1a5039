/** What an evaluation compares: anything that gives the windows of a group's turbines a score, above 1 anomalous, and names what looks worst. */
import type { SampleBlock } from '../../../actors/contracts/backing.ts';
import type { Channel } from '../../../actors/contracts/channels.ts';
import type { Millis } from '../../../actors/contracts/units.ts';

/** Something that a detector may name as the worst, and the channels it is made from. */
export interface NamedFeature {
  readonly name: string;
  readonly channels: readonly string[];
}

/** A rule of comparison: it sees every sample and is asked whenever the model's window of a row is full. */
export interface ControlKind {
  readonly name: string;
  readonly about: string;
  readonly features: readonly NamedFeature[];
  /** Windows in a row that must disagree before its verdict turns over; absent: as many as the model's package says. */
  readonly persistence?: number;
  /** @param windowSamples of the model. @param label names the group, for chance. @returns null when it cannot work on these channels */
  open(channels: readonly Channel[], rows: number, windowSamples: number, label: string): Control | null;
}

export interface Control {
  /** One sample of one row, its channels from `offset` on. */
  push(row: number, values: Float64Array, offset: number): void;
  /** Of the window that the row's last sample has filled. `worst` indexes the kind's features. */
  score(row: number): { readonly score: number; readonly worst: number };
}

/** Score of a window → the row's announced verdict after it. */
export type Announce = (row: number, score: number) => boolean;

/** The fleet's rule of verdicts for so many rows. */
export type AnnounceRule = (rows: number, persistence: number) => Announce;

/** One tick of a group that is played; the arrays are only good until the next one. */
export interface PlayedTick {
  readonly now: Millis;
  readonly block: SampleBlock;
  /** [rows], the true wind. */
  readonly windMps: Float64Array;
}
