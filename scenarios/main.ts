/** Stories by name, each on a world of its own in memory. */
import { didYouMean, UsageError } from '../actors/contracts/errors.ts';
import type { Log } from '../actors/contracts/log.ts';
import { createRng } from '../twins/rng.ts';
import { VirtualClock } from '../twins/time/virtual-clock.ts';
import { createRunLog } from './digest.ts';
import { explain, tellFailure } from './expect/failure.ts';
import { stories } from './library.ts';
import { loadStory } from './load.ts';
import { type Played, playStory } from './run.ts';
import { openWorld } from './world.ts';

export interface StoryOptions {
  /** As the command line gives them. */
  readonly seed: string | undefined;
  readonly repeat: string;
  readonly log: Log;
  readonly report: (text: string) => void;
}

export interface StoryResult {
  readonly name: string;
  readonly seed: number;
  readonly passed: boolean;
  readonly digest: string;
  readonly failures: readonly { readonly wanted: string; readonly got: string; readonly atMs: number }[];
}

/** @throws UsageError for a name that is no story, or a repetition with another digest. */
export async function runStories(names: readonly string[], { seed: given, repeat, log, report }: StoryOptions): Promise<StoryResult[]> {
  const known = Object.keys(stories);
  for (const name of names)
    if (!Object.hasOwn(stories, name))
      throw new UsageError(`no story ${name}.${didYouMean(name, known)}`, { hint: `stories: ${known.join(', ')}` });
  const times = wholeNumber('--repeat', repeat);
  const results: StoryResult[] = [];

  for (const name of names) {
    const source = await loadStory(name);
    const seed = given === undefined ? stories[name].seed : wholeNumber('--seed', given);
    for (let i = 0; i < times; i++) {
      const { passed, digest, failures } = await playOnce(name, seed, log);
      report(`${passed ? 'passed' : 'FAILED'}  ${name}  seed ${seed}`);
      report(`digest: ${digest}`);
      for (const failure of failures) report(explain(tellFailure(failure, source, seed)));
      results.push({ name, seed, passed, digest, failures: failures.map(({ wanted, got, at }) => ({ wanted, got, atMs: at })) });
    }
    const digests = new Set(results.filter((result) => result.name === name).map(({ digest }) => digest));
    if (digests.size > 1) throw new Error(`${name}: ${times} runs with seed ${seed} gave ${digests.size} different digests`);
  }
  return results;
}

async function playOnce(name: string, seed: number, log: Log): Promise<Played> {
  const loaded = await loadStory(name, seed);
  const clock = new VirtualClock();
  const fleet = loaded.groups.map(({ things, machine, wind, layout }) => ({
    twins: things.length,
    machine,
    wind,
    ...(layout ? { layout } : {}),
  }));
  const world = await openWorld(
    { seed, fleet, replays: [], ports: { kind: 'memory' } },
    { clock, log, events: createRunLog({ keep: true }) },
  );
  try {
    return await playStory(loaded.story, { ...world, things: loaded.things, rng: createRng(seed) });
  } finally {
    await world.close();
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text) && (Number(text) > 0 || name === '--seed')) return Number(text);
  throw new UsageError(`${name} ${text} is no whole number`);
}
