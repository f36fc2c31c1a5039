/** Each planted bug is found within 2 000 random stories, and its story is made small. With WINDFLEET_MUTANTS=DIR the stories are written there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepParts } from '../../scenarios/kept.ts';
import { printStory } from '../../scenarios/words/yaml.ts';
import { findMutant } from '../kit/mutant-search.ts';
import { mutants } from '../kit/mutants.ts';
import type { Lane } from './main.ts';

const SEEDS = 2_000;
const STEPS = 5;

export const lane: Lane = async (say) => {
  const kept = keepParts();
  const out = process.env['WINDFLEET_MUTANTS'];
  const figures: string[] = [];
  for (const [name, mutant] of Object.entries(mutants)) {
    const found = await findMutant(mutant, { seeds: SEEDS, kept, say: (line) => say(`${name}: ${line}`) });
    if (!found) throw new Error(`${name}: ${SEEDS} seeds do not find it`);
    const steps = found.story.timeline.length;
    if (steps > STEPS) throw new Error(`${name}: its story has ${steps} steps: ${JSON.stringify(found.story.timeline)}`);
    figures.push(`${name}: seed ${found.seed}, ${steps} of ${found.drawn.timeline.length} steps`);
    if (out === undefined) continue;
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, `${name}.yaml`), printStory({ ...found.story, about: `${mutant.about} Found by seed ${found.seed}.` }));
  }
  return figures;
};
