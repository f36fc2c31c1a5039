/** Plays a story as `windfleet scenario run` does, in this process. */
import { silentLog } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { createRunLog } from '../../scenarios/digest.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import { prepareStory } from '../../scenarios/load.ts';
import { type Played, playStory } from '../../scenarios/run.ts';
import { openStage, type StoryWorld } from '../../scenarios/stage.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

export interface PlayedStory extends Played {
  /** What was looked at before the world was closed. */
  readonly seen: unknown;
}

/** @param look at the world when the story has been played. @param seed instead of the story's own */
export async function playHere(
  story: Scenario,
  { seed = story.seed, until, workers, look = () => null }: PlayHereOptions = {},
): Promise<PlayedStory> {
  const loaded = prepareStory({ story: { ...story, seed }, name: 'test', folder: null, place: (path) => `test:${path.join('.')}` });
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  const stage = await openStage(loaded, { clock, events, log: silentLog, isRealTime: false, workers });
  try {
    const played = await playStory(loaded.story, stage.stage, {
      ...(until === undefined ? {} : { until }),
      advance: (end) => clock.run(end),
    });
    return { ...played, seen: await look(stage) };
  } finally {
    await stage.close();
  }
}

export interface PlayHereOptions {
  readonly seed?: number;
  readonly until?: Millis;
  readonly workers?: number;
  readonly look?: (stage: StoryWorld) => unknown;
}

/** What failed, in words. */
export const failuresIn = ({ failures }: Played): string[] =>
  failures.map(({ wanted, got, at }) => `wanted ${wanted}; got ${got}; at ${at}`);
