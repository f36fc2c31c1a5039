/** What a search and the threads that play its stories say to each other. */
import type { Scenario } from '../../dsl.ts';
import type { Broken } from '../search.ts';

export interface PlayerStart {
  /** An Int32; other than 0, what is played ends early. */
  readonly stop: SharedArrayBuffer;
}

export type ToPlayer = { readonly say: 'play'; readonly story: Scenario } | { readonly say: 'close' };

/** `broken` is null for a story that was stopped; `error` of one that cannot be played at all. */
export interface FromPlayer {
  readonly broken: readonly Broken[] | null;
  readonly error: unknown;
}
