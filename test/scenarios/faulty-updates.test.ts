import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scenario } from '../../scenarios/dsl.ts';
import { worldFaults } from '../../scenarios/faults.ts';
import { atWork, endings, eventsOf, livesOf, playFaults, statesOf } from '../kit/faulty-story.ts';
import type { PlayedStory, PlayHereOptions } from '../kit/story.ts';

const faulty = suite('faults around updates');

const seen = new Set<string>();

async function play(told: Parameters<typeof playFaults>[0], options: PlayHereOptions = {}): Promise<PlayedStory> {
  const played = await playFaults(told, options);
  for (const name of atWork(played)) seen.add(name);
  return played;
}

const deploying = { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' } as const;

faulty('an update outlives a broker that restarts, a slow store and URLs that run out', async () => {
  const played = await play(
    {
      duration: '6m',
      timeline: [
        { at: '55s', fault: 'store-slow', attributes: { latencyMs: 800, kbps: 2_000 }, for: '1m' },
        { at: '59s', fault: 'url-expired', for: '5s' },
        deploying,
        { at: '63s', fault: 'broker-restart', for: '15s' },
      ],
    },
    { look: endings },
  );
  const ended = [...(played.seen as Map<string, string>).values()];
  assert.is(ended.filter((ending) => ending.startsWith('SUCCEEDED')).length, 5, ended.join('\n'));
  assert.ok([...played.facts.messages.values()].every(({ lost }) => lost[1] === 0));
  assert.ok(
    livesOf(played, 'store').filter(([phase]) => phase === 'recovered').length === 2 &&
      livesOf(played, 'broker').at(-1)?.[0] === 'recovered',
  );
});

const refused: readonly (readonly [string, Scenario['timeline'][number], RegExp])[] = [
  ['a store that always fails', { at: '50s', fault: 'store-failing', attributes: { errorPercent: 100 } }, /FAILED .*503/],
  ['a package with wrong bytes', { at: '50s', fault: 'package-corrupt', on: 'new' }, /FAILED .*sha256 differs/],
  ['a package without a signature', { at: '50s', fault: 'package-unsigned', on: 'new' }, /FAILED .*not signed/],
  [
    'a model that finds everything anomalous',
    { at: '50s', fault: 'model-trigger-happy', on: 'new', severity: 1 },
    /FAILED .*3 of 3 windows/,
  ],
  [
    'a model with another machine’s statistics',
    { at: '50s', fault: 'model-wrong-statistics', on: 'new', severity: 1 },
    /FAILED .*3 of 3 windows/,
  ],
  ['a model that does not answer as its package says', { at: '50s', fault: 'model-broken', on: 'new' }, /FAILED .*golden/],
  ['a device without room', { at: '50s', fault: 'disk-full', on: 'every turbine' }, /FAILED .*ENOSPC/],
];
for (const [what, step, says] of refused)
  faulty(`${what} is refused by every device, for that reason, and the old model serves`, async () => {
    const ended = await play(
      { fleet: [{ twins: 2, like: 'desk-turbine' }], duration: '3m', timeline: [step, deploying] },
      { look: endings },
    );
    for (const ending of (ended.seen as Map<string, string>).values()) assert.match(ending, says);
    for (const { name } of ended.facts.things)
      assert.equal(
        eventsOf(ended, 'model', name).map(({ what }) => what['model']),
        ['windturbine-anomaly@1.0.0'],
      );
  });

faulty('a model is spoiled though its store fails at that instant: whoever does it stands at the store itself', async () => {
  const played = await play(
    {
      fleet: [{ twins: 1, like: 'desk-turbine' }],
      timeline: [
        { at: '50s', fault: 'store-failing', attributes: { errorPercent: 100 }, for: '30s' },
        { at: '50s', fault: 'model-broken', on: 'new' },
        deploying,
      ],
    },
    { look: endings },
  );
  assert.match([...(played.seen as Map<string, string>).values()].join(), /FAILED .*golden/);
});

faulty('a model that answers NaN is refused where a window shows it; where none did it is away later, and never an anomaly', async () => {
  const played = await play({ timeline: [{ at: '50s', fault: 'model-nan', on: 'new', severity: 1 }, deploying] }, { look: endings });
  const ended = [...(played.seen as Map<string, string>).values()];
  assert.ok(ended.filter((ending) => /FAILED .*not a finite number/.test(ending)).length >= 3, ended.join('\n'));
  assert.not.ok(played.facts.events.some(({ kind }) => kind === 'alarm'));
});

faulty('deaf, slow and drifting models get past a device: the first misses what breaks, the last cries in time', async () => {
  const broken: Scenario['timeline'] = [{ at: '4m', fault: 'voltage-sag', on: 'T-002', severity: 0.8 }];
  const told = async (spoiled: { readonly fault: string; readonly severity?: number }, more: Scenario['timeline'] = []) => {
    const played = await play({ duration: '8m', timeline: [{ at: '50s', on: 'new', ...spoiled }, deploying, ...more] }, { look: endings });
    const ended = [...(played.seen as Map<string, string>).values()];
    assert.ok(
      ended.every((ending) => ending.startsWith('SUCCEEDED')),
      `${spoiled.fault}: ${ended.join('\n')}`,
    );
    return new Set(played.facts.events.filter(({ kind, what }) => kind === 'alarm' && what['raised'] === true).map(({ of }) => of));
  };
  assert.equal([...(await told({ fault: 'model-deaf' }, broken))], []);
  assert.equal([...(await told({ fault: 'model-slow' }, broken))], ['T-002']);
  assert.is((await told({ fault: 'model-drifting', severity: 1 })).size, 5);
});

faulty('a power cut ends the device, its boot goes on with the update, and nothing that its disk held is lost', async () => {
  const cuts: Scenario['timeline'] = ['downloading', 'verifying', 'canary', 'committing', 'reporting'].map((stage, i) => ({
    at: '50s',
    fault: 'power-cut',
    on: `T-00${i + 1}`,
    attributes: { stage },
    for: '20s',
    id: stage,
  }));
  const played = await play({ duration: '5m', timeline: [...cuts, deploying] }, { look: endings });

  for (const [thing, ending] of played.seen as Map<string, string>) {
    assert.match(ending, 'SUCCEEDED', `${thing}: ${ending}`);
    const life = livesOf(played, thing);
    assert.equal(
      life.map(([phase]) => phase),
      ['pending', 'active', 'recovering', 'recovered'],
      thing,
    );
    const [, cut, booted] = life.map(([, at]) => at);
    assert.ok(cut >= 60 && booted - cut >= 20 && booted - cut < 20.5, `${thing}: ${life}`);
    assert.not.ok(
      played.facts.events.some(({ of, kind, at }) => of === thing && kind === 'state' && at > 1_000 * cut && at < 1_000 * booted),
      `${thing} says something without power`,
    );
    assert.is(eventsOf(played, 'model', thing).at(-1)?.what['model'], 'windturbine-anomaly@1.1.0', thing);
    assert.match(statesOf(played, thing).at(-1)!, 'inferring', thing);
  }
});

faulty('every fault of those kinds has been at work', () => {
  const kinds = ['service', 'model', 'device'];
  assert.equal(
    worldFaults.filter(({ name, kind }) => kinds.includes(kind) && !seen.has(name)).map(({ name }) => name),
    [],
  );
});

faulty.run();
