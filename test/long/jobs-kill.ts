/** `kill -9` at 200 random instants of rollouts over 10 000 things. */
import { killRollouts } from '../kit/kill-rollout.ts';
import type { Lane } from './main.ts';

export const lane: Lane = async (say) => {
  const { kills, rollouts, acknowledged } = await killRollouts(200, 10_000, 5, say);
  return [`${kills} kills in ${rollouts} rollouts, ${acknowledged} acknowledged changes, none lost, doubled or undone`];
};
