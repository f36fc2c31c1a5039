import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { playRandom } from '../../scenarios/fuzz/player.ts';
import { keepParts } from '../../scenarios/kept.ts';
import { parseStory } from '../../scenarios/words/yaml.ts';
import { mutants } from '../kit/mutants.ts';
import { packageRoot } from '../kit/package-root.ts';

/**
 * Planted bugs and the small stories that random ones were shrunk to: lane `fuzz-mutants` finds them anew, and with WINDFLEET_MUTANTS
 * writes them.
 */
const planted = suite('planted bugs');

const folder = join(packageRoot(), 'test/scenarios/mutants');
const STEPS = 5;
const kept = keepParts();
const played = async (story: Parameters<typeof playRandom>[0], instead?: (typeof mutants)[string]['instead']) =>
  (await playRandom(story, { kept, isStopped: () => false, instead }))!.map(({ invariant, got }) => `${invariant}: ${got}`);

planted('each has its story', () => {
  assert.equal(
    readdirSync(folder).sort(),
    Object.keys(mutants)
      .map((name) => `${name}.yaml`)
      .sort(),
  );
});

for (const [name, { breaks, instead }] of Object.entries(mutants))
  planted(`${name} breaks ${breaks} in its story, and the real code does not`, async () => {
    const file = join(folder, `${name}.yaml`);
    const { story } = parseStory(readFileSync(file, 'utf8'), file);

    const broken = await played(story, instead);

    assert.ok(story.timeline.length <= STEPS);
    assert.equal(story.expect, [{ that: 'invariant', is: breaks }]);
    assert.ok(broken.length > 0 && broken.every((said) => said.startsWith(`${breaks}: `)), broken.join('\n') || 'it breaks nothing');
    assert.equal(await played(story), []);
  });

planted.after(() => kept.close());

planted.run();
