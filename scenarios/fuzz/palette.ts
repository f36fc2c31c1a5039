/** What random stories are made of: everything that a story of this fleet can say. */
import { INVARIANTS, type Scenario } from '../dsl.ts';
import { worldFaults } from '../faults.ts';
import type { Vocabulary } from '../words/vocabulary.ts';
import type { Palette } from './draw.ts';

/** The farm of which random stories are played when none is named. */
export const smallFarm: Scenario = {
  about: 'Three desk turbines.',
  seed: 0,
  duration: '12m30s',
  fleet: [{ twins: 3, like: 'desk-turbine' }],
  // 1.9 comes back after 1.10, as a correction of an old line does: with a higher sequence, and an older version
  models: [
    { model: 'windturbine-anomaly@1.10.0', like: 'windturbine-anomaly@1.1.0' },
    { model: 'windturbine-anomaly@1.9.0', like: 'windturbine-anomaly@1.1.0' },
  ],
  timeline: [],
  expect: [],
};

/** @param base whose fleet, wind and length random stories have; null: the small farm. @param words of that story, or of the small farm */
export function paletteOf(base: Scenario | null, words: Vocabulary): Palette {
  const isMetered = words.things.some(({ body }) => body === 'twins'); // no other body is known from within
  return {
    base,
    things: words.things,
    bodyFaults: new Map([...words.machines].map(([name, { faults }]) => [name, faults.map((fault) => fault.name)])),
    worldFaults,
    models: words.models,
    copies: base ? [] : (smallFarm.models ?? []),
    expect: INVARIANTS.filter((is) => is !== 'energy-balance' || isMetered).map((is) => ({ that: 'invariant', is })),
  };
}
