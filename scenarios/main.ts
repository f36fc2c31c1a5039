/** Stories by name or file, each on a world of its own in memory. */
import { join } from 'node:path';
import { UsageError } from '../actors/contracts/errors.ts';
import type { Log } from '../actors/contracts/log.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { paceClock } from '../twins/time/pacer.ts';
import { VirtualClock } from '../twins/time/virtual-clock.ts';
import { createRunLog } from './digest.ts';
import { addressLines, type Doors, openDoors } from './doors.ts';
import { explain, type ToldFailure, tellFailure } from './expect/failure.ts';
import { type LoadedStory, loadStory, storyName } from './load.ts';
import { type Played, playStory } from './run.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { openStage } from './stage.ts';
import { openUsual } from './usual-port.ts';

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
}

export interface StoryResult {
  readonly name: string;
  readonly seed: number;
  readonly passed: boolean;
  readonly digest: string;
  readonly failures: readonly ToldFailure[];
  /** Where it was written; null: nowhere. */
  readonly folder: string | null;
}

/**
 * Nothing is started before every story has been read and nothing is wrong with any.
 * @throws NotFound, FileInvalid, UsageError; a defect for a repetition with another digest
 */
export async function runStories(words: readonly string[], options: StoryOptions): Promise<StoryResult[]> {
  const { report, out } = options;
  const times = wholeNumber('--repeat', options.repeat ?? '1', 1);
  const seed = options.seed === undefined ? undefined : wholeNumber('--seed', options.seed, 0);
  const until = options.until === undefined ? undefined : instant(options.until);
  const loaded: LoadedStory[] = [];
  for (const word of words) loaded.push(await loadStory(word, seed));

  const results: StoryResult[] = [];
  for (const [s, story] of loaded.entries()) {
    const name = storyName(words[s]);
    for (let i = 0; i < times; i++) {
      if (options.signal?.aborted) return results;
      const parts = [...(loaded.length > 1 ? [name.replace(/\.\w+$/, '')] : []), ...(times > 1 ? [String(i + 1)] : [])];
      const folder = out === undefined ? null : join(out, ...parts);
      const { passed, digest, failures: found } = await playOnce(story, name, folder, until, options);
      const failures = found.map((failure) => tellFailure(failure, story, story.story.seed));
      report(`${passed ? 'passed' : 'FAILED'}  ${name}  seed ${story.story.seed}`);
      report(`digest: ${digest}`);
      for (const failure of failures) report(explain(failure));
      if (folder !== null) report(`written: ${folder}`);
      results.push({
        name,
        seed: story.story.seed,
        passed,
        digest,
        failures,
        folder,
      });
    }
    const digests = new Set(results.slice(-times).map(({ digest }) => digest));
    if (digests.size > 1) throw new Error(`${name}: ${times} runs with seed ${story.story.seed} gave ${digests.size} different digests`);
  }
  return results;
}

async function playOnce(
  loaded: LoadedStory,
  name: string,
  folder: string | null,
  until: Millis | undefined,
  { log, signal, speed, report, workers }: StoryOptions,
): Promise<Played> {
  const { story } = loaded;
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  const wall = wallClock();
  const began = wall.now();
  const written = folder === null ? null : openRunFolder(folder, story);
  if (written) events.onAppend((event) => written.append(event));
  try {
    const stage = await openStage(loaded, {
      clock,
      log,
      events,
      isRealTime: speed === 1,
      workers: workers === undefined ? undefined : wholeNumber('--workers', workers, 1),
    });
    let doors: Doors | null = null;
    try {
      if (speed !== undefined) {
        const { faults, site, cloud } = stage.world;
        doors = await openUsual(undefined, CONSOLE_PORT, log, (port) =>
          openDoors(cloud, { host: HOST, port, httpsPort: undefined, log, wall, faults, site }),
        );
        for (const line of [`watch ${name}; Ctrl-C ends it.`, ...addressLines(cloud, doors)]) report(line);
      }
      const ending = signal ?? new AbortController().signal;
      const played = await playStory(story, stage.stage, {
        ...(until === undefined ? {} : { until }),
        advance: (end) =>
          speed === undefined ? runFast(clock, end, ending) : paceClock(clock, wall, { speed, until: end, signal: ending }),
      });
      finish(written, played, { name, seed: story.seed, wallSeconds: (wall.now() - began) / 1_000 });
      return played;
    } finally {
      await doors?.close();
      await stage.close();
    }
  } catch (error) {
    written?.abandon();
    throw error;
  }
}

const HOST = '127.0.0.1';
const CONSOLE_PORT = 7070;
const SLICE_MS = 10_000; // of simulated time, between two looks at whether to end

async function runFast(clock: VirtualClock, end: Millis, signal: AbortSignal): Promise<void> {
  while (clock.now() < end && !signal.aborted) await clock.run(Math.min(end, clock.now() + SLICE_MS));
}

function finish(
  folder: RunFolder | null,
  { passed, digest, failures, facts }: Played,
  { name, seed, wallSeconds }: { readonly name: string; readonly seed: number; readonly wallSeconds: number },
): void {
  folder?.finish({
    name,
    seed,
    endMs: facts.end,
    digest,
    passed,
    failures: failures.map(({ wanted, got, at }) => ({ wanted, got, atMs: at })),
    wallSeconds,
    things: facts.things,
    steps: Object.fromEntries(facts.steps),
    targets: Object.fromEntries(facts.targets),
    jobs: Object.fromEntries(facts.jobs),
    messages: Object.fromEntries(facts.messages),
    energyJ: Object.fromEntries(facts.energyJ),
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
