import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { stories } from '../../scenarios/library.ts';
import { storyJsonSchema } from '../../scenarios/words/schema.ts';
import { readShape } from '../../scenarios/words/shape.ts';
import { parseStory, printStory } from '../../scenarios/words/yaml.ts';
import { arbitraryStory } from '../kit/arbitrary-story.ts';
import { packageRoot } from '../kit/package-root.ts';

const yaml = suite('yaml');

const STORY = `about: A bearing wears while a new detector is rolled out; the rollout must not hide it.
seed: 7
duration: 20m
fleet:
  - { twins: 9, like: desk-turbine, tags: [row-a] }
  - { replay: t-100.csv }
  - { serial: emulated, thing: T-200 }
wind: { meanMps: 1.6, turbulenceIntensity: 0.18 }
timeline:
  - { at: 1m, fault: bearing-wear, on: T-001, severity: 0.6, over: 5m, id: wear }
  - { at: 4m, deploy: windturbine-anomaly@1.1.0, waves: [10%, 100%], soak: 2m, id: good }
  - { at: 6m, fault: link-latency, on: { tag: row-a, percent: 30 }, attributes: { latencyMs: 800, jitterMs: 300 }, for: 5m }
expect:
  - { that: alarm, on: T-001, after: wear, within: 8m }
  - { that: job, of: good, is: SUCCEEDED, within: 12m }
  - { that: falseAlarmsPerTurbineDay, below: 1 }
  - { that: state, on: every turbine, is: inferring, at: end }
`;

const faultsOf = (text: string): string[] => {
  try {
    parseStory(text, 'a.yaml');
  } catch (error) {
    assert.instance(error, FileInvalid);
    return (error as Error).message.split('\n');
  }
  return [];
};

yaml('the interface’s example is read, and every entry has its place', () => {
  const { story, place } = parseStory(STORY, 'a.yaml');

  assert.is(story.timeline.length, 3);
  assert.equal(story.fleet[2], { serial: 'emulated', thing: 'T-200' });
  assert.is(place(['expect', 1]), 'a.yaml:15:5');
  assert.is(place(['timeline', 2, 'on', 'percent']), 'a.yaml:12:54');
  assert.is(place(['timeline', 0, 'nothing']), 'a.yaml:10:5');
});

yaml('every fault of a file is named at once, by line and column, with its mend', () => {
  const wrong = STORY.replace('seed: 7', 'seed: -1')
    .replace('duration: 20m', 'duration: 20')
    .replace('severity: 0.6', 'severty: 0.6')
    .replace('percent: 30', 'percent: 130')
    .replace('at: 4m', 'at: -4m')
    .replace('that: alarm', 'that: alarme')
    .replace('SUCCEEDED', 'SUCCEDED')
    .replace(', below: 1', '');

  assert.equal(faultsOf(wrong), [
    'a.yaml:2:1 seed: -1 is less than 0',
    'a.yaml:3:1 duration: is no duration: 20 has no unit, as in 20s',
    'a.yaml:10:47 timeline[0].severty: is not known here. Did you mean severity?',
    'a.yaml:11:7 timeline[1].at: "-4m" is negative: a story begins at 0s',
    'a.yaml:12:54 timeline[2].on.percent: 130 is more than 100',
    'a.yaml:14:7 expect[0].that: nothing is known of "alarme". Did you mean alarm?',
    'a.yaml:15:28 expect[1].is: "SUCCEDED" is none of SUCCEEDED, FAILED, CANCELED. Did you mean SUCCEEDED?',
    'a.yaml:16:5 expect[2]: has no bound: below, above, is',
  ]);
});

const step = (words: string) => STORY.replace('{ at: 1m, fault: bearing-wear, on: T-001, severity: 0.6, over: 5m, id: wear }', words);
const WRONG_STEPS: readonly (readonly [words: string, why: string])[] = [
  ['{ at: 1m, on: T-001 }', 'says nothing to do'],
  ['{ at: 1m, falt: bearing-wear, on: T-001 }', 'Did you mean fault'],
  ['{ fault: bearing-wear, on: T-001 }', 'says not when'],
  ['{ at: 1m, every: 2m, fault: bearing-wear, on: T-001 }', 'says when twice'],
  ['{ at: 1m, until: 2m, fault: bearing-wear, on: T-001 }', 'belongs to `every`'],
  ['{ at: 1m, fault: bearing-wear, clear: bearing-wear, on: T-001 }', 'does one thing, and this one has fault already'],
  ['{ at: 1m, command: halt, on: T-001 }', 'none of start, stop, reset, derate'],
  ['{ at: 1m, command: derate, on: T-001 }', 'fraction: is missing'],
  ['{ at: 1m, command: stop }', 'on: is missing'],
  ['{ at: 1m, command: stop, on: [T-001] }', 'is not a turbine'],
  ['{ at: 1m, deploy: a@1.0.0, waves: [] }', 'waves: is empty'],
  ['{ at: 1m, fault: x, on: T-001, id: 1st }', 'a letter first'],
  ['{ at: 1m, fault: x, on: T-001, id: }', 'must be a text, not null'],
  ['[1, 2]', 'must be an entry'],
  ['x', 'must be an entry'],
];
for (const [words, why] of WRONG_STEPS)
  yaml(`a step that is no step is refused: ${words}`, () => {
    const [first, ...more] = faultsOf(step(words)).filter((line) => line.startsWith('a.yaml:10:'));

    assert.ok(first.includes(why), first);
    assert.is(more.length, 0, more.join('\n'));
  });

const HOSTILE: Readonly<Record<string, readonly [text: string, why: RegExp]>> = {
  'an empty file': ['', /^a\.yaml:1:1 is empty$/],
  'nothing but a comment': ['# a story\n', /is empty/],
  'a list': ['- 1\n', /the story: must be an entry/],
  'a null': ['~', /must be an entry with keys and values, not null/],
  'several documents': [`${STORY}---\n${STORY}`, /^a\.yaml:18:1 a second document begins/],
  'a key twice': [STORY.replace('seed: 7', 'seed: 7\nseed: 8'), /^a\.yaml:3:1 the key is there already/],
  'a key of its own prototype': ['__proto__: { about: x }\n', /^a\.yaml:1:1 __proto__/],
  'a constructor': [`constructor: { prototype: { x: 1 } }\n${STORY}`, /^a\.yaml:1:1 constructor: is not known here/],
  'a tag of another language': [STORY.replace('seed: 7', 'seed: !!js/function "x"'), /^a\.yaml:2:7 Unresolved tag/],
  'a tag of its own': [STORY.replace('seed: 7', 'seed: !seed 7'), /^a\.yaml:2:7 Unresolved tag/],
  binary: ['about: \u0000\u0001', /^a\.yaml:1:8 is no text/],
  'a bracket too many': [STORY.replace('[row-a]', '[row-a'), /^a\.yaml:5:\d+ /],
  'an anchor that nobody set': [STORY.replace('seed: 7', 'seed: *seven'), /^a\.yaml:2:7 Unresolved alias/],
  'a merge': [`<<: { seed: 1 }\n${STORY}`, /^a\.yaml:1:1 <<: entries are not merged/],
  'a key that is a list': [`? [a]\n: b\n${STORY}`, /a key must be a word/],
  'brackets without end': ['['.repeat(200_000), /nested more than 32 deep/],
  'dashes without end': [`${'- '.repeat(100_000)}x`, /nested more than 32 deep/],
  'blocks without end': [Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested more than 32 deep/],
  'aliases that grow beyond all measure': [
    [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...[...'bcdefghi'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`),
    ].join('\n'),
    /^a\.yaml:2:\d+ Excessive alias count/,
  ],
};
for (const [what, [text, why]] of Object.entries(HOSTILE))
  yaml(`is refused, and does no harm: ${what}`, () => {
    const faults = faultsOf(text);

    assert.match(faults.join('\n'), why);
    assert.is(Object.hasOwn(Object.prototype, 'about') || Object.hasOwn(Object.prototype, 'x'), false);
  });

yaml('more entries than anyone has time for are refused in one line', () => {
  const many = STORY.replace(/expect:.*/s, `expect:\n${'  - { that: noAlarm }\n'.repeat(1_001)}`);

  assert.equal(faultsOf(many), ['a.yaml:13:1 expect: holds more than 1000 entries']);
});

yaml('JSON is read too, with tabs, a byte order mark and Windows’ line ends', () => {
  const { story } = parseStory(STORY, 'a.yaml');
  const json = JSON.stringify({ $schema: 'scenario.schema.json', ...story }, null, '\t');

  assert.equal(parseStory(`\uFEFF${json.replaceAll('\n', '\r\n')}`, 'a.json').story, story);
});

yaml('an alias within measure is what it stands for', () => {
  const { story } = parseStory(
    STORY.replace('on: T-001, severity', 'on: &first T-001, severity').replace('on: T-001, after', 'on: *first, after'),
    'a.yaml',
  );

  assert.is((story.expect[0] as { readonly on: string }).on, 'T-001');
});

yaml('any story prints to YAML that is read back as the same', () => {
  fc.assert(
    fc.property(arbitraryStory, (story) => {
      assert.equal(parseStory(printStory(story, 'scenario.schema.json'), 'a.yaml').story, story);
    }),
    { numRuns: 300, seed: 7 },
  );
});

yaml('whatever bytes a file holds, it is a story or it is refused', () => {
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
    fc.string({ unit: fc.constantFrom(...'[]{}:,-?*&!|>#%@`"\' \n\tab1'), maxLength: 120 }),
    fc
      .tuple(fc.nat(STORY.length), fc.nat(20), fc.string({ unit: fc.constantFrom(...'[]{}:,-?*&!|>#%"\' \n\ta0'), maxLength: 4 }))
      .map(([at, length, other]) => STORY.slice(0, at) + other + STORY.slice(at + length)),
  );
  fc.assert(
    fc.property(text, (given) => {
      faultsOf(given);
    }),
    { numRuns: 1_500, seed: 7 },
  );
});

const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(storyJsonSchema());

yaml('the published JSON Schema is the one that the code makes', () => {
  const published = readFileSync(join(packageRoot(import.meta.dirname), 'scenarios/scenario.schema.json'), 'utf8');

  assert.equal(
    JSON.parse(published),
    JSON.parse(JSON.stringify(storyJsonSchema())),
    'windfleet scenario schema > scenarios/scenario.schema.json',
  );
});

yaml('every story of the library and every example is valid by the JSON Schema', () => {
  const folder = join(packageRoot(import.meta.dirname), 'scenarios/examples');
  const examples = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  assert.ok(examples.length > 0);
  for (const file of examples)
    assert.ok(validate(parseStory(readFileSync(join(folder, file), 'utf8'), file).story), `${file} ${JSON.stringify(validate.errors)}`);
  for (const [name, story] of Object.entries(stories)) assert.ok(validate(story), `${name} ${JSON.stringify(validate.errors)}`);
});

yaml('what the JSON Schema takes the reader takes, and the other way round', () => {
  fc.assert(
    fc.property(arbitraryStory, (story) => {
      assert.ok(validate(story), JSON.stringify(validate.errors));
    }),
    { numRuns: 200, seed: 8 },
  );
  const { story } = parseStory(STORY, 'a.yaml');
  const wrong = { ...story, seed: -1 };
  for (const other of [wrong, { ...story, fleet: [] }, { ...story, extra: 1 }, ...WRONG_STEPS.map(([words]) => parse(step(words)))]) {
    assert.is(validate(other), false, JSON.stringify(other));
    assert.ok('faults' in readShape(other));
  }
});

yaml.run();
