/** What the fleet and one worker say to each other beside the ring: orders, models, questions; and the ring's kinds of record. */
import type { MessagePort } from 'node:worker_threads';
import type { EnergyAccount } from '../../actors/contracts/energy.ts';
import type { ModelId, ThingName } from '../../actors/contracts/ids.ts';
import type { ModelSource } from '../../actors/contracts/inference.ts';
import type { ModelManifest } from '../../actors/contracts/model.ts';
import type { CanaryResult, RowChange, RowOrder } from '../../actors/contracts/shard.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { SharedMemory } from './ring.ts';

export const TICK_MS = 50;

/** A record's kind is its place here. */
export const RECORDS = [
  'turning',
  'still',
  'filled',
  'broken',
  'lost',
  'back',
  'judged',
  'rollUp',
  'sample',
  'failed',
  'tried',
  'swapped',
] as const;
export const CHANGES: readonly RowChange[] = RECORDS.slice(0, 6) as readonly RowChange[];
export const kindOf = (name: (typeof RECORDS)[number]): number => RECORDS.indexOf(name);

/** One group of twins, of which the worker has some rows. `Machine` and `Wind` are the twins'. */
export interface WorkerGroup<Machine, Wind> {
  readonly things: readonly ThingName[];
  readonly rows: readonly number[];
  readonly machine: Machine;
  readonly wind: Wind;
  readonly layout?: { readonly xM: Float64Array; readonly yM: Float64Array };
}

export interface WorkerStart<Machine, Wind> extends SharedMemory {
  readonly port: MessagePort;
  readonly seed: number;
  /** Whether what the twins make is held against the wind. */
  readonly isMetered: boolean;
  readonly groups: readonly WorkerGroup<Machine, Wind>[];
}

/** An order as it crosses: models by number, `row` among the worker's own. */
export type WireOrder =
  | Exclude<RowOrder, { ask: 'use' | 'replace' | 'try' }>
  | { readonly ask: 'use'; readonly row: number; readonly model: number | null }
  | { readonly ask: 'replace'; readonly row: number; readonly model: number }
  | { readonly ask: 'try'; readonly row: number; readonly trial: number; readonly model: number; readonly goldenAt: Millis };

export type ToWorker =
  | { readonly say: 'order'; readonly group: number; readonly at: Millis; readonly order: WireOrder }
  /** A model that orders may name from now on; without a source its windows are asked of the fleet's own thread. */
  | {
      readonly say: 'model';
      readonly model: number;
      readonly id: ModelId;
      readonly digest: string;
      readonly manifest: ModelManifest;
      readonly source: ModelSource | null;
    }
  | { readonly say: 'drop'; readonly model: number }
  | { readonly say: 'answer'; readonly question: number; readonly scores: Float32Array | null; readonly reason: string }
  | { readonly say: 'usage' }
  | { readonly say: 'close' };

export type FromWorker =
  | { readonly say: 'ready' }
  /** Belongs to the record of the same kind in the ring, in their order. */
  | { readonly say: 'failed'; readonly cause: string }
  | { readonly say: 'tried'; readonly result: CanaryResult | null; readonly reason: string }
  | { readonly say: 'predict'; readonly question: number; readonly model: number; readonly windows: Float32Array; readonly batch: number }
  | ({ readonly say: 'usage' } & WorkerUsage);

/** What a worker has done so far. */
export interface WorkerUsage {
  /** Processor time of its thread. */
  readonly cpuSeconds: number;
  /** Of its twins, when they are metered. */
  readonly energy: readonly (readonly [ThingName, EnergyAccount])[];
}
