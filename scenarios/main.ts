/** Stories by name, each on a world of its own in memory. */
import { didYouMean, UsageError } from '../actors/contracts/errors.ts';
import type { Log } from '../actors/contracts/log.ts';
import type { ShardUsage } from '../actors/contracts/shard.ts';
import { machineNamed } from '../twins/library/machines.ts';
import { VirtualClock } from '../twins/time/virtual-clock.ts';
import { createRunLog } from './digest.ts';
import { explain } from './expectations.ts';
import { stories } from './library.ts';
import { type Played, playStory } from './run.ts';
import { readWorkers, usageLine } from './shard/usage.ts';
import { openWorld } from './world.ts';

export interface StoryOptions {
  /** As the command line gives them. */
  readonly seed: string | undefined;
  readonly repeat: string;
  readonly workers: string;
  readonly log: Log;
  readonly report: (text: string) => void;
}

export interface StoryResult {
  readonly name: string;
  readonly seed: number;
  readonly passed: boolean;
  readonly digest: string;
  /** One for each thread that ran rows. */
  readonly workers: readonly ShardUsage[];
  readonly failures: readonly { readonly wanted: string; readonly got: string; readonly atMs: number }[];
}

/** @throws UsageError for a name that is no story, or a repetition with another digest. */
export async function runStories(
  names: readonly string[],
  { seed: given, repeat, workers: threads, log, report }: StoryOptions,
): Promise<StoryResult[]> {
  const known = Object.keys(stories);
  for (const name of names)
    if (!Object.hasOwn(stories, name))
      throw new UsageError(`no story ${name}.${didYouMean(name, known)}`, { hint: `stories: ${known.join(', ')}` });
  const times = wholeNumber('--repeat', repeat);
  const workers = readWorkers(threads);
  const results: StoryResult[] = [];

  for (const name of names) {
    const seed = given === undefined ? stories[name].seed : wholeNumber('--seed', given);
    for (let i = 0; i < times; i++) {
      const { passed, digest, failures, usage } = await playOnce(name, seed, workers, log);
      report(`${passed ? 'passed' : 'FAILED'}  ${name}  seed ${seed}`);
      report(`digest: ${digest}`);
      if (workers > 1) for (const [w, one] of usage.entries()) report(usageLine(one, w));
      for (const failure of failures) report(explain(failure));
      results.push({
        name,
        seed,
        passed,
        digest,
        workers: usage,
        failures: failures.map(({ wanted, got, at }) => ({ wanted, got, atMs: at })),
      });
    }
    const digests = new Set(results.filter((result) => result.name === name).map(({ digest }) => digest));
    if (digests.size > 1) throw new Error(`${name}: ${times} runs with seed ${seed} gave ${digests.size} different digests`);
  }
  return results;
}

async function playOnce(name: string, seed: number, workers: number, log: Log): Promise<Played & { usage: readonly ShardUsage[] }> {
  const story = stories[name];
  const clock = new VirtualClock();
  const fleet = story.fleet.map(({ twins, like }) => ({ twins, machine: machineNamed(like), wind: story.wind }));
  const world = await openWorld(
    { seed, fleet, replays: [], workers, ports: { kind: 'memory' } },
    { clock, log, events: createRunLog({ keep: true }) },
  );
  try {
    const played = await playStory(story, world);
    return { ...played, usage: await world.workers() };
  } finally {
    await world.close();
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text) && (Number(text) > 0 || name === '--seed')) return Number(text);
  throw new UsageError(`${name} ${text} is no whole number`);
}
