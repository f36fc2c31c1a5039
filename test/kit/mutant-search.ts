/** Looks for a planted bug with random stories, as `windfleet scenario fuzz` looks for others, in this process. */
import { FleetError } from '../../actors/contracts/errors.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import { drawStory } from '../../scenarios/fuzz/draw.ts';
import { paletteOf, smallFarm } from '../../scenarios/fuzz/palette.ts';
import { playRandom } from '../../scenarios/fuzz/player.ts';
import { type Finding, searchStories } from '../../scenarios/fuzz/search.ts';
import type { KeptParts } from '../../scenarios/kept.ts';
import { prepareStory } from '../../scenarios/load.ts';
import { pathText } from '../../scenarios/words/source.ts';
import { createRng } from '../../twins/rng.ts';
import type { Mutant } from './mutants.ts';

export const sourceOf = (story: Scenario) => ({ story, name: 'random', folder: null, place: pathText });

export const drawRandom = (): ((seed: number) => Scenario) => {
  const palette = paletteOf(null, prepareStory(sourceOf(smallFarm)).vocabulary);
  return (seed) => drawStory(seed, palette, createRng(seed));
};

/** @returns its story, as small as it gets, and the seeds that it took; null when none of them finds it */
export async function findMutant(
  { breaks, instead }: Mutant,
  { seeds, kept, say }: { readonly seeds: number; readonly kept: KeptParts; readonly say: (line: string) => void },
): Promise<Finding | null> {
  let found: Finding | null = null;
  await searchStories({
    first: 1,
    seeds,
    lanes: 1,
    tries: 300,
    draw: drawRandom(),
    play: async (story) =>
      (await playRandom(story, { kept, instead, isStopped: () => false }))!.filter(({ invariant }) => invariant === breaks),
    isPlayable(story) {
      try {
        return prepareStory(sourceOf(story)).things.length > 0;
      } catch (error) {
        if (error instanceof FleetError) return false;
        throw error;
      }
    },
    isStopped: () => found !== null,
    found(finding) {
      if (finding.isSmallest) found = finding;
    },
    progress: ({ played, findings, shrinking }) => {
      if (played % 25 === 0 || shrinking)
        say(
          `${played} seeds${shrinking ? `, ${shrinking}: ${findings.find((one) => one.invariant === shrinking)?.story.timeline.length} steps` : ''}`,
        );
    },
  });
  return found;
}
