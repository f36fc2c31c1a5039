import { availableParallelism } from 'node:os';
import type { Figure } from '../kit/bench.ts';
import { noFaultsAtAll, sumOf, USUAL } from '../kit/updates/chance.ts';
import { runUpdatesOn } from '../kit/updates/threads.ts';

const UPDATES = 1_000_000;
const TURBINES = 100_000;
const CALM = 10_000; // updates of the baseline

/** An hour or more: run when it is named. */
export const isLong = true;

/** A million updates through all that can go wrong, judged by the oracle; the baseline is updates to which nothing happens. @throws when one is lost, stuck, wrong or applied twice */
export async function bench(): Promise<Figure[]> {
  const threads = Math.min(2, availableParallelism());
  const run = async (updates: number, turbines: number, chances = USUAL) => {
    const began = performance.now();
    const figures = await runUpdatesOn(threads, { updates, turbines, seed: 1, chances });
    if (figures.violations.length > 0) throw new Error(figures.violations.map(({ check, what }) => `${check}: ${what}`).join('\n'));
    return { ...figures, perSecond: (1_000 * figures.updates) / (performance.now() - began) };
  };
  const calm = await run(CALM, CALM / 10, noFaultsAtAll);
  const { perSecond, faults, updates, good } = await run(UPDATES, TURBINES);
  return [
    {
      name: 'updates',
      value: perSecond,
      unit: `updates/s, ${UPDATES} of ${TURBINES} turbines on ${threads} threads`,
      baseline: { name: 'updates/s without faults', value: calm.perSecond, ratio: perSecond / calm.perSecond },
    },
    { name: 'updates-bad', value: updates - good, unit: 'updates of bad packages, each refused with its code' },
    { name: 'updates-faults', value: sumOf(faults), unit: 'injected faults; none lost, twice, stuck or wrong, never without a model' },
    ...Object.entries(faults).map(([kind, value]) => ({ name: `updates-${kind}`, value, unit: 'injected' })),
  ];
}
