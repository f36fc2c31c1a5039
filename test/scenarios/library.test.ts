import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scenario } from '../../scenarios/dsl.ts';
import { stories } from '../../scenarios/library.ts';
import { readStory } from '../../scenarios/words/story-file.ts';
import { packageRoot } from '../kit/package-root.ts';
import { failuresIn, playHere } from '../kit/story.ts';

const library = suite('the library of stories');

for (const [name, story] of Object.entries(stories))
  library(`${name} comes true`, async () => {
    assert.equal(failuresIn(await playHere(story)), []);
  });

library('holds what the folder holds, each with a word about it', () => {
  const files = readdirSync(join(packageRoot(import.meta.dirname), 'scenarios/library')).map((file) => file.replace('.ts', ''));
  assert.equal(Object.keys(stories).sort(), files.sort());
  assert.ok(files.length >= 15);
  for (const { about } of Object.values(stories)) assert.ok(about.length > 80);
});

library('is the same as YAML: the examples that have a story’s name tell that story', async () => {
  const folder = join(packageRoot(import.meta.dirname), 'scenarios/examples');
  const twins = readdirSync(folder).filter((file) => Object.hasOwn(stories, file.replace('.yaml', '')));
  assert.ok(twins.length >= 3, `${twins}`);
  for (const file of twins) {
    const { story } = await readStory(join(folder, file));
    const told = stories[file.replace('.yaml', '')];
    assert.equal(story, { ...told, about: told.about.replace(/\s+/g, ' ').trim() }, file);
  }
});

/** What a story must notice when it is taken away or put in. */
const broken: readonly (readonly [string, (story: Scenario) => Scenario, RegExp])[] = [
  ['encoder-loses-a-slot', without('encoder-dropout'), /an alarm of T-001/],
  ['icing-night', without('icing'), /an alarm of T-003/],
  ['loose-mount', onAnother('T-001'), /T-00[14]/],
  ['calm-day', withStep({ at: '5m', fault: 'voltage-sag', on: 'T-003', severity: 0.8 }), /no alarm of T-003/],
  ['corrupt-package', without('package-corrupt'), /FAILED|1\.0\.0/],
  ['power-cut-while-downloading', withStep({ at: '50s', fault: 'package-unsigned', on: 'new' }), /SUCCEEDED|1\.1\.0/],
  ['trigger-happy-model', without('model-trigger-happy'), /HALTED/],
  ['slow-model', without('model-slow'), /HALTED/],
  ['good-rollout', withStep({ at: '3m', fault: 'model-slow', on: 'good' }), /SUCCEEDED/],
  ['clock-skew', withStep({ at: '6m', fault: 'voltage-sag', on: 'T-001', severity: 0.8 }), /no alarm of T-001/],
];

for (const [name, change, says] of broken)
  library(`${name} fails when what it tells is not so`, async () => {
    const failures = failuresIn(await playHere(change(stories[name])));
    assert.ok(
      failures.some((failure) => says.test(failure)),
      `${failures.length} failures: ${failures.join('; ')}`,
    );
  });

function without(fault: string) {
  return (story: Scenario): Scenario => ({
    ...story,
    timeline: story.timeline.map((step) => ('fault' in step && step.fault === fault ? harmless(step) : step)),
  });
}

/** A fault that does nothing in the place of one that does: what names it goes on to. */
function harmless(step: Scenario['timeline'][number]): Scenario['timeline'][number] {
  const { at, id } = step as { readonly at: string; readonly id?: string };
  return { at, fault: 'link-latency', on: 'T-001', attributes: { latencyMs: 0 }, for: '1s', ...(id === undefined ? {} : { id }) };
}

function onAnother(thing: string) {
  return (story: Scenario): Scenario => ({
    ...story,
    timeline: story.timeline.map((step) => ('fault' in step ? ({ ...step, on: thing } as typeof step) : step)),
  });
}

function withStep(step: Scenario['timeline'][number]) {
  return (story: Scenario): Scenario => ({ ...story, timeline: [...story.timeline, step] });
}

library.run();
