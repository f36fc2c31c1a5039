import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killRollouts } from '../kit/kill-rollout.ts';

const kills = suite('jobs under kill -9');

// 200 instants in `npm run test:long -- jobs-kill`
kills('20 kills of a rollout over 10000 things lose, double and undo nothing', async () => {
  const { acknowledged } = await killRollouts(20, 10_000, 20_260_101);
  assert.ok(acknowledged > 1_000, `only ${acknowledged} changes were acknowledged in all`);
});

kills.run();
