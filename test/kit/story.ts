/** Plays a story as `windfleet scenario run` does, in this process. */
import { silentLog } from '../../actors/contracts/log.ts';
import type { KeptParts } from '../../scenarios/kept.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { createRunLog } from '../../scenarios/digest.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import { prepareStory } from '../../scenarios/load.ts';
import { type Played, playStory, type Stage } from '../../scenarios/run.ts';
import { openStage, type StoryWorld } from '../../scenarios/stage.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

export interface PlayedStory extends Played {
  /** What was looked at before the world was closed. */
  readonly seen: unknown;
}

/** @param look at the world when the story has been played. @param seed instead of the story's own */
export async function playHere(
  story: Scenario,
  { seed = story.seed, until, workers, kept, look = () => null, stageOf = ({ stage }) => stage, isOver }: PlayHereOptions = {},
): Promise<PlayedStory> {
  const loaded = prepareStory({ story: { ...story, seed }, name: 'test', folder: null, place: (path) => `test:${path.join('.')}` });
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  const stage = await openStage(loaded, { clock, events, log: silentLog, isRealTime: false, workers, kept });
  try {
    const played = await playStory(loaded.story, stageOf(stage), {
      ...(until === undefined ? {} : { until }),
      async advance(end) {
        if (!isOver) return clock.run(end);
        while (clock.now() < end && !(await isOver(stage))) await clock.run(Math.min(end, clock.now() + SLICE_MS));
      },
    });
    return { ...played, seen: await look(stage) };
  } finally {
    await stage.close();
  }
}

const SLICE_MS = 10_000; // between two looks at whether it is over

export interface PlayHereOptions {
  readonly seed?: number;
  readonly until?: Millis;
  readonly workers?: number;
  readonly kept?: KeptParts | undefined;
  readonly look?: (stage: StoryWorld) => unknown;
  /** The stage as the story has it, with something else in a place. */
  readonly stageOf?: (world: StoryWorld) => Stage;
  /** Whether nothing that matters comes any more: the story ends there. */
  readonly isOver?: (stage: StoryWorld) => Promise<boolean>;
}

/** What failed, in words. */
export const failuresIn = ({ failures }: Played): string[] =>
  failures.map(({ wanted, got, at }) => `wanted ${wanted}; got ${got}; at ${at}`);
