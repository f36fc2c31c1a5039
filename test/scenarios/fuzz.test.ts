import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scenario } from '../../scenarios/dsl.ts';
import { worldFaults } from '../../scenarios/faults.ts';
import { drawStory } from '../../scenarios/fuzz/draw.ts';
import { paletteOf, smallFarm } from '../../scenarios/fuzz/palette.ts';
import { shrinkStory } from '../../scenarios/fuzz/shrink.ts';
import { prepareStory } from '../../scenarios/load.ts';
import type { Path } from '../../scenarios/words/source.ts';
import { parseStory, printStory } from '../../scenarios/words/yaml.ts';
import { createRng } from '../../twins/rng.ts';

const fuzz = suite('random stories');

const sourceOf = (story: Scenario) => ({ story, name: 'test', folder: null, place: (path: Path) => `test:${path.join('.')}` });
const palette = paletteOf(null, prepareStory(sourceOf(smallFarm)).vocabulary);
const draw = (seed: number) => drawStory(seed, palette, createRng(seed));

fuzz('a story is a function of its seed, and neighbours differ', () => {
  for (let seed = 0; seed < 50; seed++) assert.equal(draw(seed), draw(seed));
  assert.is(new Set(Array.from({ length: 200 }, (_, seed) => JSON.stringify({ ...draw(seed), seed: 0, about: '' }))).size, 200);
});

fuzz('every story is well formed, and every kind of step and fault is drawn', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 2_000; seed++) {
    const story = draw(seed);
    assert.equal(parseStory(printStory(story), 'random.yaml').story, story);
    for (const step of story.timeline) seen.add('fault' in step ? step.fault : Object.keys(step).find((word) => word !== 'at')!);
  }
  const kinds = [
    ...[...palette.bodyFaults.values()].flat(),
    ...worldFaults.filter(({ notOn }) => !notOn.twins).map(({ name }) => name),
    'deploy',
    'command',
    'abort',
    'rollback',
    'pause',
    'resume',
  ];
  assert.equal(
    kinds.filter((name) => !seen.has(name)),
    [],
  );
});

fuzz('every story can be played: nothing in it makes no sense', () => {
  for (let seed = 0; seed < 200; seed++) assert.is(prepareStory(sourceOf(draw(seed))).story.seed, seed);
});

fuzz('a failing story shrinks to what makes it fail, the same every time', async () => {
  const needs = (story: Scenario) =>
    story.timeline.some((step) => 'deploy' in step) && story.timeline.some((step) => 'fault' in step && step.fault.startsWith('link-'));
  const failing = Array.from({ length: 400 }, (_, seed) => draw(seed)).filter(needs);
  assert.ok(failing.length > 20);
  for (const story of failing.slice(0, 20)) {
    let asked = 0;
    const fails = async (candidate: Scenario) => {
      asked++;
      return needs(candidate);
    };
    const small = await shrinkStory(story, { fails, tries: 500 });
    assert.is(small.timeline.length, 2, JSON.stringify(small.timeline));
    assert.is('twins' in small.fleet[0] && small.fleet[0].twins, 1);
    assert.not.ok(small.timeline.some((step) => 'severity' in step || 'over' in step || 'attributes' in step));
    assert.ok(asked < 100, `${asked} tries`);
    assert.equal(await shrinkStory(story, { fails, tries: 500 }), small);
  }
});

fuzz('a story that fails whatever is left of it shrinks to nothing; one that cannot be shrunk stays', async () => {
  const story = draw(3);
  assert.equal((await shrinkStory(story, { fails: async () => true, tries: 500 })).timeline, []);
  assert.is(await shrinkStory(story, { fails: async () => false, tries: 500 }), story);
  let asked = 0;
  const counted = async () => {
    asked++;
    return false;
  };
  await shrinkStory(story, { fails: counted, tries: 3 });
  assert.is(asked, 3);
});

fuzz.run();
