/**
 * Rows of one body and the thread that runs them. Orders go in with the instant from which they are in force, reports come out by
 * tick: so it makes no difference to what is said which rows run where, and a thread may run ahead of the fleet by as long as an
 * order takes.
 */
import type { TurbineCommand } from './backing.ts';
import type { FaultOrder } from './faults.ts';
import type { ModelId } from './ids.ts';
import type { Inference } from './inference.ts';
import type { ModelManifest } from './model.ts';
import type { Millis } from './units.ts';

/** A model that a device has loaded. */
export interface LoadedModel {
  readonly id: ModelId;
  /** Hex SHA-256 of its package: turbines with the same digest share a lane. */
  readonly digest: string;
  readonly manifest: ModelManifest;
  readonly inference: Inference;
}

/** What decided a canary, and on how many windows. */
export interface CanaryResult {
  readonly decidedBy: 'live' | 'stored' | 'golden';
  readonly windows: number;
}

/** What is asked of a row. */
export type RowOrder = { readonly row: number } & (
  | { readonly ask: 'command'; readonly command: TurbineCommand }
  /** The model that judges from the next sample on; null for none. The row's verdict starts anew. */
  | { readonly ask: 'use'; readonly model: LoadedModel | null }
  /**
   * Another model takes over: the one there is judges until the other's first window has its scores, so that no window is judged twice or not
   * at all. On a row that does not turn, at once. `swapped` tells when.
   */
  | { readonly ask: 'replace'; readonly model: LoadedModel }
  /** Forget the standing verdict. */
  | { readonly ask: 'forget' }
  /** Whether its samples are told. */
  | { readonly ask: 'observe'; readonly on: boolean }
  /** Try a challenger; `trial` tells its answer from others. One that has passed goes on in its windows until it takes over or the trial is ended. */
  | { readonly ask: 'try'; readonly trial: number; readonly model: LoadedModel; readonly goldenAt: Millis }
  | { readonly ask: 'endTrial'; readonly trial: number }
  /** Whether its device is on. Off, it tells nothing; it forgets its model, its windows and all that it knew. */
  | { readonly ask: 'power'; readonly on: boolean }
  | BodyOrder
);

/** Breaks or mends the row's body. */
export type BodyOrder =
  | { readonly ask: 'fault'; readonly order: FaultOrder }
  /** One fault or, when none is named, all of them. */
  | { readonly ask: 'clearFault'; readonly fault: string | undefined };

/** What a row tells of one tick. */
export type RowReport = { readonly row: number } & (
  | { readonly tell: RowChange }
  /** Its model does not answer. */
  | { readonly tell: 'failed'; readonly model: LoadedModel; readonly cause: string }
  /** A window was judged that was full at `at`. `announced` is the standing verdict, `turned` whether this window turned it over. */
  | {
      readonly tell: 'judged';
      readonly model: LoadedModel;
      readonly at: Millis;
      /** [features], error over threshold; finite. */
      readonly scores: Float32Array;
      readonly announced: boolean;
      readonly turned: boolean;
    }
  /** A span of its samples by channel. @see RollUp */
  | { readonly tell: 'rollUp'; readonly rollUp: RollUp }
  /** One sample, [channels]; only of rows that are observed. */
  | { readonly tell: 'sample'; readonly values: Float64Array }
  /** The model that was to take over judges from now on; the row's verdict starts anew. */
  | { readonly tell: 'swapped'; readonly model: LoadedModel }
  /** The end of a trial: its result, or why the challenger is refused. */
  | { readonly tell: 'tried'; readonly trial: number; readonly result: CanaryResult | null; readonly reason: string }
);

/** `filled`: the first whole window since the last break. */
export type RowChange = 'turning' | 'still' | 'filled' | 'broken' | 'lost' | 'back';

export interface RollUp {
  readonly spanMs: Millis;
  /** [channels × 4] from `offset` on: mean, least, greatest, and how many readings there were; of a channel without one the count is 0. */
  readonly values: Float64Array;
  readonly offset: number;
}

/** What a shard has done so far. */
export interface ShardUsage {
  readonly rows: number;
  /** Windows judged, as far as the fleet has heard. */
  readonly windows: number;
  /** Processor time of its thread. */
  readonly cpuSeconds: number;
}

/** A shard as the fleet holds it. Rows are the body's. */
export interface ShardLink {
  readonly rows: readonly number[];
  /** In force from the first tick after `at`. Calls come in the order of `at`. */
  order(at: Millis, order: RowOrder): void;
  /** It may run up to `horizon` from now on: no order before it will come any more. Returns at once. */
  allow(horizon: Millis): void;
  /** Adds what its rows told up to `now`, when they have got there. @throws Error (a defect) when its thread has ended. */
  take(now: Millis, into: RowReport[]): void | Promise<void>;
  close(): Promise<void>;
}
