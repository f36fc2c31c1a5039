/** Who is updated when: turbines in an order that chance decides, cut at the sizes of the plan. */
import type { WaveSize } from '../../contracts/deployments.ts';
import type { ThingName } from '../../contracts/ids.ts';
import type { Rng } from '../../contracts/rng.ts';

/** How many turbines are updated when a wave is over, 1..`of`. */
export function sizeOf(wave: WaveSize, of: number): number {
  const count = typeof wave === 'number' ? wave : Math.ceil((Number(wave.slice(0, -1)) / 100) * of - 1e-9);
  return Math.max(1, Math.min(of, count));
}

/** One list a wave, none of them empty; sizes that add nothing on a small fleet are left out. */
export function drawWaves(things: readonly ThingName[], sizes: readonly WaveSize[], rng: Rng): readonly (readonly ThingName[])[] {
  const drawn = things
    .map((thing) => ({ thing, chance: rng.fork(thing).uniform(0) })) // by name: one turbine more moves nobody else
    .sort((a, b) => a.chance - b.chance || (a.thing < b.thing ? -1 : 1));
  const waves: ThingName[][] = [];
  let done = 0;
  for (const size of sizes) {
    const until = sizeOf(size, drawn.length);
    if (until <= done) continue;
    waves.push(
      drawn
        .slice(done, until)
        .map(({ thing }) => thing)
        .sort(),
    );
    done = until;
  }
  return waves;
}

/**
 * The part of a wave that the budgets let begin now, in its order. Power that nobody tells counts as none: that turbine makes none that
 * the farm knows of.
 * @returns empty when even the first turbine is too much
 */
export function withinBudget(
  things: readonly ThingName[],
  powerKw: (thing: ThingName) => number | null,
  budget: { readonly kw: number | null; readonly devices: number | null },
): readonly ThingName[] {
  const part: ThingName[] = [];
  let kw = 0;
  for (const thing of things) {
    kw += Math.max(0, powerKw(thing) ?? 0);
    if ((budget.kw !== null && kw > budget.kw) || (budget.devices !== null && part.length >= budget.devices)) break;
    part.push(thing);
  }
  return part;
}
