/** Who is meant: the turbines of a target, drawn by the seed where it says how many. */
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Draw, Target } from '../dsl.ts';
import type { StoryThing } from '../facts.ts';

export const EVERYONE = 'every turbine';

/** A target, or the one of another step, drawn by the same lots. */
export type Whom = Target | (Draw & { readonly lots: string });

/**
 * Names in the fleet's order; empty when nobody is meant. Each turbine's lot depends on the seed, the label and its name alone: one more
 * turbine changes nobody else's.
 *
 * @param label of the draw, where the target has none of its own: its step's (`labelOf`)
 */
export function resolveTargets(target: Whom, things: readonly StoryThing[], rng: Rng, label: string): readonly string[] {
  if (target === EVERYONE) return things.map(({ name }) => name);
  if (typeof target === 'string') return things.filter(({ name }) => name === target).map(({ name }) => name);
  const meant = things.filter(
    ({ name, tags }) =>
      (target.tag === undefined || tags.includes(target.tag)) && (target.things === undefined || target.things.includes(name)),
  );
  const wanted = drawnFrom(target, meant.length);
  const chance = rng.fork('targets').fork('lots' in target ? target.lots : label);
  const lots = meant.map(({ name }, place) => ({ name, place, lot: chance.fork(name).uniform(0) }));
  return lots
    .sort((a, b) => a.lot - b.lot || a.place - b.place)
    .slice(0, wanted)
    .sort((a, b) => a.place - b.place)
    .map(({ name }) => name);
}

/** How many of so many are drawn; a share of somebody is at least one. */
export function drawnFrom({ count, percent }: { readonly count?: number; readonly percent?: number }, many: number): number {
  if (count !== undefined) return count;
  return percent === undefined ? many : Math.max(1, Math.round((many * percent) / 100));
}
