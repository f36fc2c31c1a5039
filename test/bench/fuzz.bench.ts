import { parseDuration } from '../../actors/contracts/units.ts';
import { twinBacking } from '../../twins/backing.ts';
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { createRng } from '../../twins/rng.ts';
import { keepParts, type KeptParts } from '../../scenarios/kept.ts';
import { playRandom } from '../../scenarios/fuzz/player.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import type { Figure } from '../kit/bench.ts';
import { drawRandom } from '../kit/mutant-search.ts';

const SEEDS = 10;

/** Random stories of the small farm in this process, in its processor time: with what they share, each by itself, and their bodies alone. */
export async function bench(): Promise<Figure[]> {
  const draw = drawRandom();
  const stories = Array.from({ length: SEEDS }, (_, i) => draw(i + 1));
  const kept = keepParts();
  for (const story of stories.slice(0, 2)) await play(story, kept); // warm
  let [shared, alone] = [0, 0];
  for (const story of stories) {
    shared += await cpuSeconds(() => play(story, kept));
    const own = keepParts();
    alone += await cpuSeconds(() => play(story, own));
    await own.close();
  }
  await kept.close();
  const bodies = await bodiesAlone(stories);
  return [
    figure('fuzz', shared, 'nothing shared between stories', alone),
    figure('fuzz beside its bodies', shared, 'the bodies of the same stories alone', bodies),
  ];
}

const aMinute = (seconds: number) => (60 * SEEDS) / seconds;

const figure = (name: string, seconds: number, baseline: string, other: number): Figure => ({
  name,
  value: aMinute(seconds),
  unit: 'seeds a processor minute of one worker',
  baseline: { name: baseline, value: aMinute(other), ratio: other / seconds },
});

/** @throws Error for a story that breaks an invariant */
async function play(story: Scenario, kept: KeptParts): Promise<void> {
  const broken = await playRandom(story, { kept, isStopped: () => false });
  if (broken?.length !== 0) throw new Error(`seed ${story.seed}: ${JSON.stringify(broken)}`);
}

const bodiesAlone = (stories: readonly Scenario[]): Promise<number> =>
  cpuSeconds(async () => {
    for (const { seed, fleet, duration } of stories) {
      const [entry] = fleet;
      const many = 'twins' in entry ? entry.twins : 0;
      const backing = twinBacking({ things: Array.from({ length: many }, (_, i) => `T-${i}`), rng: createRng(seed), wind: defaultWind });
      const block = createSampleBlock(backing.channels, many);
      for (let now = 50; now <= parseDuration(duration)!; now += 50) {
        backing.advance(now);
        backing.sample(block);
      }
    }
  });

async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
