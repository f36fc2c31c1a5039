/** Lane `stories`: what is told of updates and rollouts comes true with any seed. */
import { childProver } from '../../actors/inference/proof/prover.ts';
import { stories } from '../../scenarios/library.ts';
import { failuresIn, playHere } from '../kit/story.ts';
import type { Lane } from './main.ts';

const SEEDS = 10;
const NAMES = [
  'power-cut-in-update',
  'trigger-happy-model',
  'deaf-model',
  'slow-model',
  'nan-model',
  'drifting-model',
  'good-rollout',
] as const;

/** @throws Error naming every story, seed and expectation that did not come true */
export const lane: Lane = async (say) => {
  const prover = childProver();
  const wrong: string[] = [];
  for (const name of NAMES)
    for (let seed = 1; seed <= SEEDS; seed++) {
      const failures = failuresIn(await playHere(stories[name], { seed, prover }));
      say(`${name}, seed ${seed}: ${failures.length === 0 ? 'it comes true' : failures.join('; ')}`);
      wrong.push(...failures.map((failure) => `${name}, seed ${seed}: ${failure}`));
    }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return [`${NAMES.length} stories of updates come true with seeds 1 to ${SEEDS}`];
};
