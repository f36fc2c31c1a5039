/** Plays one random story, and says which invariants it breaks. It composes. */
import { silentLog } from '../../actors/contracts/log.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { createRunLog } from '../digest.ts';
import type { Scenario } from '../dsl.ts';
import type { KeptParts } from '../kept.ts';
import { prepareStory } from '../load.ts';
import { playStory } from '../run.ts';
import { openStage, type StageTools } from '../stage.ts';
import { pathText } from '../words/source.ts';
import { type Broken, DEFECT } from './search.ts';

export interface PlayerOptions {
  /** Shared by all stories: a network is proved, loaded and tried once. */
  readonly kept: KeptParts;
  /** Asked again and again; true ends a story before its end. */
  readonly isStopped: () => boolean;
  readonly instead?: StageTools['instead'];
}

const SLICE_MS = 10_000;

/** @returns what it breaks; null when it was stopped. @throws FileInvalid, EnvironmentLacking for a story that cannot be played */
export async function playRandom(story: Scenario, { kept, isStopped, instead }: PlayerOptions): Promise<readonly Broken[] | null> {
  const loaded = prepareStory({ story, name: story.about, folder: null, place: pathText });
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  const stage = await openStage(loaded, { clock, events, log: silentLog, isRealTime: false, kept, instead });
  let wasStopped = false;
  try {
    const { failures } = await playStory(story, stage.stage, {
      async advance(end) {
        while (clock.now() < end && !wasStopped) {
          await clock.run(Math.min(end, clock.now() + SLICE_MS));
          wasStopped = isStopped();
        }
      },
    });
    if (wasStopped) return null;
    return failures.map(({ expectation, wanted, got, at }) => ({ invariant: nameOf(expectation), wanted, got, at }));
  } catch (error) {
    const got = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [{ invariant: DEFECT, wanted: 'the story to be played to its end', got, at: clock.now() }];
  } finally {
    await stage.close();
  }
}

const nameOf = (expectation: Scenario['expect'][number]): string => (expectation.that === 'invariant' ? expectation.is : expectation.that);
