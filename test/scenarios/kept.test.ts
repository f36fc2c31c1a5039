import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepParts } from '../../scenarios/kept.ts';
import { drawRandom } from '../kit/mutant-search.ts';
import { playHere } from '../kit/story.ts';

const shared = suite('parts that worlds share');
const kept = keepParts();

shared('change nothing in any of them', async () => {
  const draw = drawRandom();
  const inWaves = Array.from({ length: 200 }, (_, seed) => draw(seed)).filter(
    ({ timeline, fleet }) =>
      JSON.stringify(fleet).includes('3') && timeline.some((step) => 'waves' in step && !('to' in step && step.to !== 'farm')),
  );
  const story = { ...inWaves[0], duration: '4m' };
  const alone = await playHere(story);
  for (let time = 0; time < 2; time++) assert.is((await playHere(story, { kept })).digest, alone.digest);
  assert.ok(alone.facts.events.some(({ kind, what }) => kind === 'rollout' && 'wave' in what));
});

shared.after(() => kept.close());

shared.run();
