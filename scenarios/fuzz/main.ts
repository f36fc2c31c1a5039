/** `windfleet scenario fuzz`: random stories under all invariants, and the small ones that break them, as files. */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { EnvironmentLacking, FleetError, reasonOf, UsageError } from '../../actors/contracts/errors.ts';
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { createRng } from '../../twins/rng.ts';
import { clockTime } from '../expect/clock-time.ts';
import type { Scenario } from '../dsl.ts';
import { type LoadedStory, loadStory, prepareStory } from '../load.ts';
import { pathText } from '../words/source.ts';
import { printStory } from '../words/yaml.ts';
import { drawStory } from './draw.ts';
import { paletteOf, smallFarm } from './palette.ts';
import { type Finding, firstLine, type SearchProgress, searchStories } from './search.ts';
import { openPlayers } from './worker/pool.ts';

export interface FuzzOptions {
  /** As the command line gives them. */
  readonly seeds: string;
  readonly first?: string | undefined;
  readonly budget?: string | undefined;
  /** Where stories that fail are written. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  /** A line of how far it is; `text` is asked for only when it is shown. */
  readonly progress?: (text: () => string) => void;
  /** Told of each story that was written. */
  readonly report?: (text: string) => void;
}

export interface FuzzResult {
  /** The story whose fleet was played; null: the small farm. */
  readonly name: string | null;
  readonly first: number;
  readonly seeds: number;
  readonly played: number;
  /** Why it ended before all seeds were played, or all stories small; null: it did not. */
  readonly stopped: 'budget' | 'signal' | null;
  readonly wallSeconds: number;
  readonly failures: readonly FuzzFailure[];
}

export interface FuzzFailure {
  readonly invariant: string;
  readonly seed: number;
  readonly otherSeeds: readonly number[];
  readonly wanted: string;
  readonly got: string;
  readonly atMs: Millis;
  readonly file: string;
  /** Of its timeline, as it was drawn and as it was written. */
  readonly drawnSteps: number;
  readonly steps: number;
  readonly isSmallest: boolean;
}

const SEEDS_MAX = 100_000_000;
const SEED_MAX = 2 ** 31;
const LANES_MAX = 8;
const TRIES = 300;

/** @param word a story of the library or a file, whose fleet, wind and length are played; null: a small farm. @throws NotFound, FileInvalid, UsageError, EnvironmentLacking */
export async function fuzzStories(word: string | null, options: FuzzOptions): Promise<FuzzResult> {
  const { out, signal, progress, report } = options;
  const seeds = wholeNumber('--seeds', options.seeds, 1, SEEDS_MAX);
  const first = wholeNumber('--first', options.first ?? '1', 0, SEED_MAX);
  const budget = options.budget === undefined ? Number.POSITIVE_INFINITY : budgetOf(options.budget);
  const loaded = word === null ? null : await loadStory(word);
  refuseReal(loaded);
  const base = loaded && withWholePaths(loaded);
  const palette = paletteOf(base, (loaded ?? prepareStory(sourceOf(smallFarm))).vocabulary);
  const made = openFolder(out);

  const wall = wallClock();
  const began = wall.now();
  const seconds = () => (wall.now() - began) / 1_000;
  const lanes = Math.max(1, Math.min(LANES_MAX, availableParallelism(), seeds));
  const players = openPlayers(lanes);
  let stopped: FuzzResult['stopped'] = null;
  const stop = (why: 'budget' | 'signal') => {
    stopped ??= why;
    players.stop();
  };
  const isStopped = () => {
    if (signal?.aborted) stop('signal');
    if (seconds() * 1_000 >= budget) stop('budget');
    return stopped !== null;
  };
  const onAbort = () => stop('signal');
  signal?.addEventListener('abort', onAbort, { once: true });
  const alarm = Number.isFinite(budget) ? wall.setTimeout(() => stop('budget'), budget) : 0;
  const fileOf = ({ invariant, seed }: Finding) => join(out, `${invariant}-${seed}.yaml`);
  try {
    const { played, findings } = await searchStories({
      first,
      seeds,
      lanes,
      tries: TRIES,
      draw: (seed) => drawStory(seed, palette, createRng(seed)),
      play: (story) => players.play(story),
      isPlayable,
      isStopped,
      found: (finding) => {
        writeStory(fileOf(finding), finding, word);
        if (finding.isSmallest) report?.(`found    ${fileOf(finding)}: ${firstLine(finding.broken.got)}`);
      },
      progress: (soFar) => progress?.(() => lineOf(soFar, { first, seeds, seconds: seconds() })),
    });
    const failures = findings.map((finding): FuzzFailure => {
      const { invariant, seed, otherSeeds, broken, drawn, story, isSmallest } = finding;
      const { wanted, got, at: atMs } = broken;
      const steps = { drawnSteps: drawn.timeline.length, steps: story.timeline.length };
      return { invariant, seed, otherSeeds, wanted, got, atMs, file: fileOf(finding), ...steps, isSmallest };
    });
    return { name: word, first, seeds, played, stopped, wallSeconds: seconds(), failures };
  } finally {
    wall.clearTimeout(alarm);
    signal?.removeEventListener('abort', onAbort);
    await players.close();
    if (made && readdirSync(out).length === 0) rmSync(made, { recursive: true });
  }
}

/** What was found, for a person. */
export function explainFuzz({ first, played, seeds, stopped, wallSeconds, failures }: FuzzResult): string {
  const why = stopped === 'budget' ? ': the budget is spent' : stopped === 'signal' ? ': broken off' : '';
  const count = played < seeds ? `${played} of ${seeds} seeds` : `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}`;
  const range = played > 0 ? ` (${first} to ${first + played - 1})` : '';
  const rate = wallSeconds > 0 ? `, ${Math.round((60 * played) / wallSeconds)} a minute` : '';
  const lines = failures.flatMap(({ invariant, seed, otherSeeds, wanted, got, atMs, file, steps, drawnSteps, isSmallest }) => [
    `FAILED  ${invariant}  seed ${seed}${otherSeeds.length > 0 ? `, and ${otherSeeds.length} more: ${otherSeeds.slice(0, 10).join(', ')}` : ''}`,
    `    wanted ${wanted}`,
    `    got    ${firstLine(got)}`,
    `    at     ${clockTime(atMs)}`,
    `    story  ${file}, ${steps} of ${drawnSteps} steps${isSmallest ? '' : ', not as small as it can be'}`,
    `    look   windfleet scenario run ${file}`,
  ]);
  const verdict = failures.length > 0 ? `${failures.length} broken` : played > 0 ? 'every invariant held' : 'nothing was judged';
  return [...lines, `played ${count}${range}${why}, in ${wallSeconds.toFixed(1)} s${rate}: ${verdict}`].join('\n');
}

function lineOf(
  { played, findings, shrinking }: SearchProgress,
  { first, seeds, seconds }: { readonly first: number; readonly seeds: number; readonly seconds: number },
): string {
  const rate = seconds > 0 ? Math.round((60 * played) / seconds) : 0;
  const broken = findings.map(({ invariant, seed }) => `${invariant} (seed ${seed})`);
  return [
    `seed ${first + played} of ${first} to ${first + seeds - 1}`,
    `${rate} a minute`,
    broken.length === 0 ? 'every invariant held' : `broken: ${broken.join(', ')}`,
    ...(shrinking === null ? [] : [`making the story of ${shrinking} small`]),
  ].join('  ');
}

/** Aside, and then renamed: what was found before is whole whatever happens. @throws EnvironmentLacking */
function writeStory(file: string, { invariant, seed, story, broken, isSmallest }: Finding, word: string | null): void {
  const { wanted, got, at } = broken;
  const about = [
    `${invariant} is broken: wanted ${wanted.replace(`${invariant}: `, '')}; got ${firstLine(got)}, at ${clockTime(at)}.`,
    `Seed ${seed} of windfleet scenario fuzz${word === null ? '' : ` ${word}`} --first ${seed} --seeds 1${isSmallest ? '' : ', not yet made small'}.`,
    `Play it: windfleet scenario run ${file}`,
  ].join('\n');
  const text = printStory({ ...story, about: about.slice(0, ABOUT_MAX) });
  try {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

const ABOUT_MAX = 2_000; // letters, as the words of a story have it

/** @returns the first folder that had to be made; undefined: it is there. @throws EnvironmentLacking */
function openFolder(out: string): string | undefined {
  try {
    const made = makeFolder(resolve(out));
    accessSync(out, constants.W_OK | constants.X_OK);
    return made;
  } catch (error) {
    throw cannotWrite(out, error);
  }
}

/** Level by level: Node's own way never ends where a folder can be neither made nor found, as in /proc. */
function makeFolder(folder: string): string | undefined {
  if (existsSync(folder)) return undefined;
  const first = makeFolder(dirname(folder));
  mkdirSync(folder);
  return first ?? folder;
}

const cannotWrite = (path: string, cause: unknown) =>
  new EnvironmentLacking(`stories that fail cannot be written to ${path}: ${reasonOf(cause)}`, {
    cause,
    hint: 'name another folder with --out, or make room on the disk',
  });

/** Random faults are for bodies that nobody stands beside. */
function refuseReal(loaded: LoadedStory | null): void {
  const real = loaded?.serials.find(({ port }) => port !== 'emulated');
  if (real)
    throw new UsageError(`${real.thing} is at the real port ${real.port}: random stories are played with simulated bodies`, {
      hint: 'emulate the turbine: `serial: emulated`',
    });
}

/** The files beside a story are named in full, since what is made of it lies elsewhere. */
function withWholePaths({ story, folder }: LoadedStory): Scenario {
  const whole = (file: string) => (isAbsolute(file) || folder === null ? file : resolve(folder, file));
  const { wind } = story;
  return {
    ...story,
    fleet: story.fleet.map((entry) => {
      if ('replay' in entry) return { ...entry, replay: whole(entry.replay) };
      if (!('twins' in entry)) return entry;
      const layout = entry.layout === undefined || /^\w+:\d/.test(entry.layout) ? entry.layout : whole(entry.layout);
      return { ...entry, like: /\.ya?ml$/i.test(entry.like) ? whole(entry.like) : entry.like, ...(layout === undefined ? {} : { layout }) };
    }),
    ...(wind?.file === undefined ? {} : { wind: { ...wind, file: whole(wind.file) } }),
  };
}

const sourceOf = (story: Scenario) => ({ story, name: 'random', folder: null, place: pathText });

function isPlayable(story: Scenario): boolean {
  try {
    prepareStory(sourceOf(story));
    return true;
  } catch (error) {
    if (error instanceof FleetError) return false;
    throw error;
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new UsageError(`${name} ${text} is no whole number from ${least} to ${most}`);
}

function budgetOf(text: string): Millis {
  const budget = parseDuration(text);
  if (budget === null || budget <= 0) throw new UsageError(`--budget ${text} is no time`, { hint: 'as 10m or 90s' });
  return budget;
}
