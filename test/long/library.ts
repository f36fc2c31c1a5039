/** Every story of the library on seeds 1 to 10. */
import { keepParts } from '../../scenarios/kept.ts';
import { stories } from '../../scenarios/library.ts';
import { failuresIn, playHere } from '../kit/story.ts';
import type { Lane } from './main.ts';

const SEEDS = 10;

export const lane: Lane = async (say) => {
  const failed: string[] = [];
  const kept = keepParts();
  for (const [name, story] of Object.entries(stories)) {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const failures = failuresIn(await playHere(story, { seed, kept }));
      if (failures.length > 0) failed.push(`${name}, seed ${seed}: ${failures.join('; ')}`);
    }
    say(`${name}${failed.length > 0 ? `, ${failed.length} failures so far` : ''}`);
  }
  await kept.close();
  if (failed.length > 0) throw new Error(failed.join('\n'));
  return [`${Object.keys(stories).length} stories on ${SEEDS} seeds each`];
};
