/** An expectation that did not come true, and how it is told: where it stands, what was wanted, and the command that looks there. */
import type { FleetEvent } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Expectation } from '../dsl.ts';
import type { StorySource } from '../words/source.ts';
import { clockTime } from './clock-time.ts';

export interface Failure {
  readonly expectation: Expectation;
  /** In the story, from 0. */
  readonly index: number;
  readonly wanted: string;
  readonly got: string;
  /** When it first went wrong. */
  readonly at: Millis;
  /** The turbine, step or service that it is about. */
  readonly of: string | null;
  /** What happened around then, oldest first. */
  readonly nearby: readonly FleetEvent[];
}

/** A failure as reports have it. */
export interface ToldFailure {
  /** `file:line:col` of the expectation. */
  readonly place: string;
  readonly that: Expectation['that'];
  readonly wanted: string;
  readonly got: string;
  readonly atMs: Millis;
  readonly nearby: readonly FleetEvent[];
  /** What to type to see it. */
  readonly look: string;
}

export const tellFailure = (
  { index, expectation, wanted, got, at, nearby }: Failure,
  { name, place }: StorySource,
  seed: number,
): ToldFailure => ({
  place: place(['expect', index]),
  that: expectation.that,
  wanted,
  got,
  atMs: at,
  nearby,
  look: `windfleet scenario run ${/^[\w./@:-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`} --seed ${seed} --until ${clockTime(Math.ceil((at + 1) / 1_000) * 1_000)}`,
});

/** In words. */
export const explain = ({ place, wanted, got, atMs, nearby, look }: ToldFailure): string =>
  [
    `  ${place}`,
    `    wanted ${wanted}`,
    `    got    ${got}`,
    `    at     ${clockTime(atMs)}${nearby.length > 0 ? ', around which:' : ''}`,
    ...nearby.map(({ at: when, kind, of, what }) => `      ${clockTime(when)} ${kind} ${of} ${JSON.stringify(what)}`),
    `    look   ${look}`,
  ].join('\n');
