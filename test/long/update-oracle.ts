/** 100 000 updates of 10 000 turbines in virtual time, through everything that can go wrong between a device and its job service. */
import { availableParallelism } from 'node:os';
import { faultsInWords } from '../kit/updates/chance.ts';
import { runUpdatesOn } from '../kit/updates/threads.ts';
import type { Lane } from './main.ts';

const SAY_EVERY = 10_000;

export const lane: Lane = async (say) => {
  const began = performance.now();
  let said = 0;
  const { updates, turbines, good, faults, violations } = await runUpdatesOn(
    Math.min(2, availableParallelism()),
    { updates: 100_000, turbines: 10_000, seed: 1 },
    (done) => {
      if (done - said < SAY_EVERY) return;
      said = done;
      say(`${done} updates`);
    },
  );
  if (violations.length > 0) throw new Error(violations.map(({ check, what }) => `${check}: ${what}`).join('\n'));
  return [
    `${updates} updates of ${turbines} turbines, ${updates - good} of them of bad packages: none lost, twice, stuck or wrong; never without a model`,
    `${faultsInWords(faults)}`,
    `${((1_000 * updates) / (performance.now() - began)).toFixed(0)} updates/s`,
  ];
};
