/** Forks a recorded run: plays it to its instant, holds that to the parent's events, goes on under the other policy, and compares. It composes. */
import { join } from 'node:path';
import { FileInvalid, UsageError } from '../actors/contracts/errors.ts';
import type { Log } from '../actors/contracts/log.ts';
import type { Judgement } from './expect/judge.ts';
import { type ForkPolicy, forkedStory } from './fork.ts';
import { prepareStory } from './load.ts';
import { playLoaded } from './play.ts';
import { explainDifference, firstDifference } from './run-diff.ts';
import { type RecordedRun, readRun, STORY_FILE } from './run-folder.ts';
import { figuresOf, type RunFigures } from './run-figures.ts';
import { readStory } from './words/story-file.ts';

export interface ForkTools {
  readonly log: Log;
  readonly workers?: number | undefined;
  /** Where the fork's run is written; null: nowhere. */
  readonly folder: string | null;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: (text: () => string) => void;
}

export interface Fork {
  readonly parent: { readonly digest: string; readonly figures: RunFigures };
  readonly fork: { readonly digest: string; readonly figures: RunFigures; readonly passed: boolean };
  readonly isSame: boolean;
}

/** @throws FileInvalid for what is no run, or one that this version plays otherwise; UsageError */
export async function forkRun(folder: string, policy: ForkPolicy, tools: ForkTools): Promise<Fork> {
  const parent = readRun(folder);
  if (parent.summary.endMs < policy.at)
    throw new UsageError(`the run ${folder} ended at ${parent.summary.endMs / 1_000} s, before --at`, {
      hint: 'fork it where it has been',
    });
  const source = await readStory(join(folder, STORY_FILE));
  const story = { ...forkedStory(source.story, policy), seed: parent.summary.seed };
  const loaded = prepareStory({ ...source, story });
  const { threshold, at } = policy;
  const played = await playLoaded(loaded, {
    name: parent.summary.name,
    log: tools.log,
    until: parent.summary.endMs,
    workers: tools.workers,
    folder: tools.folder,
    keepSeries: false,
    threshold: threshold === undefined ? undefined : { at, above: threshold },
    signal: tools.signal,
    report: () => {},
    progress: tools.progress && ((now, end, look) => tools.progress?.(() => howFar(now, end, look().judgements))),
  });
  assertSamePast(parent, played.facts.events, policy);
  return {
    parent: { digest: parent.summary.digest, figures: figuresOf(parent.events, parent.summary.endMs, energyOf(parent)) },
    fork: {
      digest: played.digest,
      figures: figuresOf(played.facts.events, played.facts.end, Object.fromEntries(played.facts.energyJ)),
      passed: played.passed,
    },
    isSame: played.digest === parent.summary.digest,
  };
}

/** Another version of windfleet, or another processor, may play a story otherwise: then nothing can be compared. */
function assertSamePast(parent: RecordedRun, events: RecordedRun['events'], { at }: ForkPolicy): void {
  const before = (all: RecordedRun['events']) => all.filter((event) => event.at < at);
  const past = { ...parent, events: before(parent.events) };
  const difference = firstDifference(past.events, before(events));
  if (difference === null) return;
  throw new FileInvalid(
    `${parent.folder} was played otherwise than it is here, before ${at / 1_000} s:\n${explainDifference(difference, past, { ...past, folder: 'here' })}`,
    { hint: 'play the story again with --out, with this version and on this machine' },
  );
}

const howFar = (now: number, end: number, judgements: readonly Judgement[]): string =>
  `${Math.round((100 * now) / end)} %, ${judgements.filter(({ outcome }) => outcome === 'open').length} expectations pending`;

const energyOf = ({ summary }: RecordedRun): Record<string, number> => (summary['energyJ'] ?? {}) as Record<string, number>;
