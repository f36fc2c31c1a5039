import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sumOf } from '../kit/updates/chance.ts';
import { runUpdates } from '../kit/updates/run.ts';
import { runUpdatesOn } from '../kit/updates/threads.ts';

const oracle = suite('oracle of updates');

oracle('5000 updates of 500 turbines: none lost, stuck, twice or wrong, and no turbine ever without a model', async () => {
  const figures = await runUpdatesOn(2, { updates: 5_000, turbines: 500, seed: 1 });

  assert.equal(figures.violations, []);
  assert.equal([figures.updates, figures.turbines], [5_000, 500]);
  assert.ok(figures.good > 3_500 && Object.keys(figures.bad).length === 10, JSON.stringify(figures));
  assert.ok(sumOf(figures.faults) > 5_000, JSON.stringify(figures.faults));
  for (const [kind, n] of Object.entries(figures.faults)) assert.ok(n > 0, `no fault of kind ${kind}`);
});

oracle('the same seed is the same story, on however many threads', async () => {
  const story = { updates: 120, turbines: 30, seed: 4, group: 15 };

  const [one, two] = [await runUpdates(story), await runUpdatesOn(2, story)];

  assert.equal(one.violations, []);
  assert.equal(one, two);
});

oracle.run();
