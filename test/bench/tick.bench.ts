import { createSampleBlock } from '../../actors/contracts/backing.ts';
import { twinBacking } from '../../twins/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { createRng } from '../../twins/rng.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';

/** One step and one sample of a desk turbine, in a farm of a thousand; the baseline is the same farm, a backing a turbine. */
export async function bench(): Promise<Figure[]> {
  const things = Array.from({ length: 1_000 }, (_, i) => `T-${i}`);
  const run = (backings: ReturnType<typeof twinBacking>[]) => {
    const blocks = backings.map((backing) => createSampleBlock(backing.channels, backing.things.length));
    let now = 0;
    return (ticks: number) => {
      for (let t = 0; t < ticks; t++) {
        now += 50;
        for (const [i, backing] of backings.entries()) {
          backing.advance(now);
          backing.sample(blocks[i]);
        }
      }
    };
  };
  const open = (names: string[]) => twinBacking({ things: names, rng: createRng(1), wind: defaultWind });
  const together = nanosecondsEach(run([open(things)]), 20) / things.length;
  const apart = nanosecondsEach(run(things.map((thing) => open([thing]))), 20) / things.length;
  return [
    {
      name: 'tick',
      value: together,
      unit: 'ns a turbine and tick',
      baseline: { name: 'a backing a turbine', value: apart, ratio: apart / together },
    },
  ];
}
