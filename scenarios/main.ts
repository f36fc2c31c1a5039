/** Stories by name or file, one after the other, and their reports. */
import { join } from 'node:path';
import { reasonOf, UsageError } from '../actors/contracts/errors.ts';
import type { Log } from '../actors/contracts/log.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import { type Capabilities, capabilitiesOf } from './capabilities.ts';
import { explain, type ToldFailure, tellFailure } from './expect/failure.ts';
import type { Judgement } from './expect/judge.ts';
import { type LoadedStory, loadStory, storyName } from './load.ts';
import { type PlayedRun, playLoaded } from './play.ts';
import { vectorFeatures } from './processor.ts';
import { progressLine } from './report/live.ts';
import type { PlayedStory } from './report/page.ts';
import type { Glance } from './run.ts';
import { readWorkers, usageLine } from './shard/usage.ts';
import { brokenReport, storyReport } from './report/story.ts';

export interface StoryOptions {
  /** As the command line gives them. */
  readonly seed?: string | undefined;
  readonly repeat?: string | undefined;
  readonly until?: string | undefined;
  /** Simulated over wall time; absent: as fast as it goes, and no console. */
  readonly speed?: number | 'max' | undefined;
  /** Threads that run the twins' rows. */
  readonly workers?: string | undefined;
  /** Where the run is written; of several stories, or runs, a folder each in it. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log: Log;
  readonly report: (text: string) => void;
  /** A line of how far a story is; `text` is asked for only when it is shown. */
  readonly progress?: (text: () => string) => void;
  /** Told of each story as a report once it has been played, or has broken off: also when a later one breaks. */
  readonly told?: (story: PlayedStory) => void;
}

export interface StoryResult {
  readonly name: string;
  readonly seed: number;
  readonly passed: boolean;
  readonly digest: string;
  /** Of the processor: digests are the same where these are. */
  readonly vectorFeatures: string;
  readonly failures: readonly ToldFailure[];
  readonly workers: PlayedRun['workers'];
  /** Why it cannot be played on other bodies. */
  readonly capabilities: Capabilities;
  /** Where it was written; null: nowhere. */
  readonly folder: string | null;
}

/**
 * Nothing is started before every story has been read and nothing is wrong with any.
 * @throws NotFound, FileInvalid, UsageError; a defect for a repetition with another digest
 */
export async function runStories(words: readonly string[], options: StoryOptions): Promise<StoryResult[]> {
  const { report, out, signal } = options;
  const times = wholeNumber('--repeat', options.repeat ?? '1', 1);
  const seed = options.seed === undefined ? undefined : wholeNumber('--seed', options.seed, 0);
  const until = options.until === undefined ? undefined : instant(options.until);
  const workers = options.workers === undefined ? undefined : readWorkers(options.workers);
  const loaded: LoadedStory[] = [];
  for (const word of words) loaded.push(await loadStory(word, seed));

  const results: StoryResult[] = [];
  for (const [s, story] of loaded.entries()) {
    const name = storyName(words[s]);
    for (let i = 0; i < times; i++) {
      if (signal?.aborted) return results;
      const parts = [...(loaded.length > 1 ? [name.replace(/\.\w+$/, '')] : []), ...(times > 1 ? [String(i + 1)] : [])];
      const folder = out === undefined ? null : join(out, ...parts);
      const { passed, digest, failures: found, workers: usage } = await playTold(story, name, { folder, until, workers }, options);
      const failures = found.map((failure) => tellFailure(failure, story, story.story.seed));
      report(`${signal?.aborted ? 'broken off' : passed ? 'passed' : 'FAILED'}  ${name}  seed ${story.story.seed}`);
      report(`digest: ${digest}`);
      if (usage.length > 1) for (const [w, one] of usage.entries()) report(usageLine(one, w));
      for (const failure of failures) report(explain(failure));
      if (folder !== null) report(`written: ${folder}`);
      results.push({
        name,
        seed: story.story.seed,
        passed,
        digest,
        vectorFeatures: vectorFeatures(process.arch),
        failures,
        workers: usage,
        capabilities: capabilitiesOf(story.story, story.vocabulary),
        folder,
      });
    }
    const digests = new Set(results.slice(-times).map(({ digest }) => digest));
    if (digests.size > 1) throw new Error(`${name}: ${times} runs with seed ${story.story.seed} gave ${digests.size} different digests`);
  }
  return results;
}

/** Plays a story and tells its report, also of one that breaks off. */
async function playTold(
  story: LoadedStory,
  name: string,
  { folder, until, workers }: { readonly folder: string | null; readonly until: Millis | undefined; readonly workers: number | undefined },
  { log, signal, speed, report, progress, told }: StoryOptions,
): Promise<PlayedRun> {
  const began = new Date();
  const seconds = () => (Date.now() - began.getTime()) / 1_000;
  const about = {
    name,
    source: story,
    vectorFeatures: vectorFeatures(process.arch),
    command: `windfleet scenario run ${story.name} --seed ${story.story.seed}`,
    startedAt: began.toISOString(),
  };
  try {
    const played = await playLoaded(story, {
      name,
      log,
      until,
      speed,
      workers,
      folder,
      keepSeries: told !== undefined,
      signal,
      report,
      progress: progress && ((now, end, look) => progress(() => lineOf(name, now, end, look(), seconds()))),
    });
    told?.({ report: storyReport({ ...about, ...played }), events: plain(played), series: played.series });
    return played;
  } catch (error) {
    told?.({ report: brokenReport({ ...about, broke: reasonOf(error), wallSeconds: seconds() }), events: [], series: [] });
    throw error;
  }
}

const plain = ({ facts }: PlayedRun): PlayedStory['events'] => facts.events.map((event) => ({ ...event, what: { ...event.what } }));

function lineOf(name: string, now: Millis, end: Millis, { judgements, faults }: Glance, seconds: number): string {
  const count = (wanted: Judgement['outcome']) => judgements.filter(({ outcome }) => outcome === wanted).length;
  return progressLine({
    name,
    now,
    end,
    factor: now / 1_000 / Math.max(0.001, seconds),
    faults,
    pending: count('open'),
    met: count('met'),
    failed: count('failed'),
  });
}

function wholeNumber(name: string, text: string, least: number): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${name} ${text} is no whole number${least > 0 ? ` from ${least} on` : ''}`);
}

function instant(text: string): Millis {
  const at = parseDuration(text);
  if (at === null || at <= 0) throw new UsageError(`--until ${text} is no instant of a story`, { hint: 'as 47m12s, from its start' });
  return at;
}
