/** Every story that an emulated serial turbine can play, on serial lines. */
import { capabilitiesOf } from '../../scenarios/capabilities.ts';
import { stories } from '../../scenarios/library.ts';
import { loadStory } from '../../scenarios/load.ts';
import { onSerialLines } from '../kit/emulated-story.ts';
import { failuresIn, playHere } from '../kit/story.ts';
import type { Lane } from './main.ts';

const SEEDS = 3;

export const lane: Lane = async (say) => {
  const failed: string[] = [];
  let played = 0;
  for (const [name, story] of Object.entries(stories)) {
    const { vocabulary } = await loadStory(name);
    const [why] = capabilitiesOf(story, vocabulary).emulated;
    if (why !== undefined) {
      say(`${name}: not, ${why}`);
      continue;
    }
    played++;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const failures = failuresIn(await playHere(onSerialLines(story), { seed }));
      if (failures.length > 0) failed.push(`${name}, seed ${seed}: ${failures.join('; ')}`);
    }
    say(name);
  }
  if (failed.length > 0) throw new Error(failed.join('\n'));
  return [`${played} of ${Object.keys(stories).length} stories on emulated serial lines, ${SEEDS} seeds each`];
};
