import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scenario } from '../../scenarios/dsl.ts';
import { worldFaults } from '../../scenarios/faults.ts';
import type { StoryWorld } from '../../scenarios/stage.ts';
import { atWork, eventsOf, livesOf, playFaults, statesOf } from '../kit/faulty-story.ts';
import type { PlayedStory, PlayHereOptions } from '../kit/story.ts';

const faulty = suite('faults around bodies');

const seen = new Set<string>();

async function play(told: Parameters<typeof playFaults>[0], options: PlayHereOptions = {}): Promise<PlayedStory> {
  const played = await playFaults(told, options);
  for (const name of atWork(played)) seen.add(name);
  return played;
}

/** Windows whose verdicts reached the index, by turbine, between two instants of the devices' clocks. */
const verdicts =
  (fromS = 0, toS = 1e9) =>
  async ({ world }: StoryWorld) => {
    await world.ingest.settled();
    await world.index.flush();
    const { epoch } = world.clock;
    const rows = await world.index.aggregate({
      index: 'verdicts',
      by: ['thing'],
      agg: 'count',
      from: epoch + 1_000 * fromS,
      to: epoch + 1_000 * toS,
      where: { feature: 'roll' },
    });
    return new Map(rows.map(({ by, value }) => [String(by['thing']), value]));
  };

faulty('a sensor that is silent is a body that is lost, one that does not acknowledge keeps its last values', async () => {
  const fault = (fault: string, on: string, attributes: Record<string, number>) => ({ at: '1m', for: '30s', fault, on, attributes });
  const played = await play(
    {
      fleet: [
        { twins: 5, like: 'desk-turbine' },
        { serial: 'emulated', thing: 'T-200' },
        { serial: 'emulated', thing: 'T-201' },
      ],
      timeline: [
        fault('sensor-dropout', 'T-001', { lossPercent: 100 }),
        fault('i2c-timeout', 'T-002', { errorPercent: 100 }),
        fault('i2c-nack', 'T-003', { errorPercent: 100 }),
        fault('i2c-bit-flip', 'T-004', { errorPercent: 100 }),
        fault('i2c-timeout', 'T-200', { errorPercent: 100 }),
      ],
    },
    { look: verdicts(66, 90) },
  );
  const judged = played.seen as Map<string, number>;

  for (const thing of ['T-001', 'T-002', 'T-200']) {
    assert.ok(statesOf(played, thing).includes('faulted.lost'), thing);
    assert.is(statesOf(played, thing).at(-1), 'inferring.healthy', thing);
  }
  for (const thing of ['T-003', 'T-005', 'T-201']) assert.not.ok(statesOf(played, thing, 1).includes('faulted.lost'), thing);
  for (const thing of ['T-001', 'T-002', 'T-003', 'T-200']) assert.is(judged.get(thing) ?? 0, 0, thing);
  for (const thing of ['T-004', 'T-005', 'T-201']) assert.ok(judged.get(thing)! >= 4, thing);
  assert.ok(eventsOf(played, 'verdict', 'T-004').some(({ what }) => what['anomalous'] === true));
  assert.equal(eventsOf(played, 'verdict', 'T-005'), []);
  assert.equal(livesOf(played, 'T-001'), [
    ['pending', 60],
    ['active', 60],
    ['recovering', 90],
    ['recovered', 90],
  ]);
});

faulty('a serial line full of garbage costs lines and never its turbine', async () => {
  const fleet: Scenario['fleet'] = [
    { serial: 'emulated', thing: 'T-200' },
    { serial: 'emulated', thing: 'T-201' },
  ];
  const played = await play(
    { fleet, timeline: [{ at: '1m', fault: 'serial-garbage', on: 'T-200', attributes: { errorPercent: 30 }, for: '2m' }] },
    { look: verdicts(60, 180) },
  );
  const judged = played.seen as Map<string, number>;

  assert.not.ok(statesOf(played, 'T-200', 1).includes('faulted.lost'));
  const [damaged, whole] = [judged.get('T-200')!, judged.get('T-201')!];
  assert.ok(whole >= 23 && damaged >= 10 && damaged < whole, `${damaged} windows of ${whole}`);
});

faulty('each network fault does what it says to its turbine and nothing to another; nothing of QoS 1 is lost', async () => {
  const fault = (fault: string, on: string, attributes: Record<string, number>) => ({ at: '1m', for: '90s', fault, on, attributes });
  const played = await play({
    fleet: [{ twins: 9, like: 'desk-turbine' }],
    timeline: [
      fault('link-latency', 'T-001', { latencyMs: 2_000, jitterMs: 500 }),
      fault('link-loss', 'T-002', { lossPercent: 30 }),
      fault('link-duplicate', 'T-003', { duplicatePercent: 30 }),
      fault('link-reorder', 'T-004', { reorderPercent: 30 }),
      fault('link-bandwidth', 'T-005', { kbps: 20 }),
      fault('link-partition', 'T-006', {}),
    ],
  });
  const { facts } = played;
  const counts = (thing: string) => facts.messages.get(thing)!;

  for (const { name } of facts.things) assert.is(counts(name).lost[1], 0, `${name} has lost of QoS 1`);
  for (const thing of ['T-002', 'T-005', 'T-006'])
    assert.ok(counts(thing).lost[0] > 50, `${thing} has lost ${counts(thing).lost[0]} of QoS 0`);
  for (const thing of ['T-001', 'T-004', 'T-007']) assert.equal(counts(thing).lost, [0, 0], thing);
  assert.ok(counts('T-002').duplicated[1] > 0 && counts('T-003').duplicated[0] > 20 && counts('T-003').duplicated[1] > 0);
  for (const thing of ['T-001', 'T-006', 'T-007']) assert.equal(counts(thing).duplicated, [0, 0], thing);
  for (const thing of ['T-001', 'T-002', 'T-003', 'T-004', 'T-005', 'T-006'])
    assert.is(livesOf(played, thing).at(-1)?.[0], 'recovered', thing);
});

faulty('a link that is cut delays verdicts and states and loses none: the index has as many as of the others', async () => {
  const { seen: found, facts } = await play(
    { duration: '6m', timeline: [{ at: '1m', fault: 'link-partition', on: 'T-002', for: '3m' }] },
    { look: verdicts() },
  );
  const judged = found as Map<string, number>;
  assert.equal(new Set(judged.values()).size, 1, `${[...judged]}`);
  assert.ok(judged.get('T-002')! > 60);
  assert.equal(facts.messages.get('T-002')!.lost[1], 0);
});

faulty('a wrong clock dates what its device says, and nothing else', async () => {
  const ahead = async ({ world }: StoryWorld) =>
    Object.fromEntries(
      world.view.turbines().map(({ thing, updatedAt }) => [thing, Math.round((updatedAt - world.clock.epoch - world.clock.now()) / 1_000)]),
    );
  const { seen: found, facts } = await play(
    {
      timeline: [
        { at: '1m', fault: 'clock-skew', on: 'T-001', attributes: { skewMs: 30_000, driftPpm: 100_000 }, for: '3m' },
        { at: '1m', fault: 'clock-jump', on: 'T-002', attributes: { jumpMs: -45_000 }, for: '3m' },
      ],
      duration: '3m',
    },
    { look: ahead },
  );
  assert.equal(found, { 'T-001': 42, 'T-002': -45, 'T-003': 0, 'T-004': 0, 'T-005': 0 });
  assert.ok([...facts.messages.values()].every(({ lost }) => lost[0] === 0 && lost[1] === 0));
});

faulty('a fault that was cleared is recovered, one whose moment did not come was never at work', async () => {
  const played = await play({
    timeline: [
      { at: '1m', fault: 'link-partition', on: 'T-001', id: 'cut' },
      { at: '90s', clear: 'cut' },
      { at: '1m', fault: 'power-cut', on: 'T-002', attributes: { stage: 'canary' } },
    ],
    duration: '2m',
  });
  const phases = (thing: string) => livesOf(played, thing).map(([phase]) => phase);
  assert.equal(phases('T-001'), ['pending', 'active', 'recovering', 'recovered']);
  assert.equal(phases('T-002'), ['pending']);
});

faulty('every fault of those kinds has been at work', () => {
  const kinds = ['sensor', 'network'];
  assert.equal(
    worldFaults.filter(({ name, kind }) => kinds.includes(kind) && !seen.has(name)).map(({ name }) => name),
    [],
  );
});

faulty.run();
