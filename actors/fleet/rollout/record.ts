/** What a rollout leaves on the disk, a document each, replaced as a whole: after a power cut it goes on from the last one. */
import type { BenchResult, GateLook, RolloutPlan } from '../../contracts/deployments.ts';
import type { Disk } from '../../contracts/disk.ts';
import { StoreUnavailable } from '../../contracts/errors.ts';
import type { TurbineEvidence } from '../../contracts/evidence.ts';
import type { ModelId, ThingName } from '../../contracts/ids.ts';
import type { Millis } from '../../contracts/units.ts';
import type { ModelOrder } from '../../package/job-document.ts';
import type { RolloutStand } from './machine.ts';

export interface RolloutRecord {
  readonly schema: 'windfleet.rollout/v1';
  readonly id: string;
  readonly order: ModelOrder;
  readonly model: ModelId;
  readonly to: string;
  readonly createdAt: Millis;
  readonly plan: RolloutPlan;
  readonly seed: string;
  /** Whether there is a gate: more than one wave was wished for. */
  readonly isGated: boolean;
  /** What every turbine ran when it was made; missing: nobody knows. */
  readonly before: Readonly<Record<ThingName, ModelId>>;
  stand: RolloutStand;
  /** When it got there, epoch milliseconds. */
  since: Millis;
  waves: WaveRecord[];
  bench: BenchResult | null;
  hasBenched: boolean;
  /** Of everyone, before the wave that is under way. */
  baseline: Readonly<Record<ThingName, TurbineEvidence>>;
  /** When its job SUCCEEDED, by turbine. */
  updatedAt: Record<ThingName, Millis>;
  heal: HealRecord | null;
}

export interface WaveRecord {
  readonly things: readonly ThingName[];
  /** The budget has cut it off a wave of the plan: the rest follows without a gate. */
  readonly isPart: boolean;
  jobId: string | null;
  /** Whether its job has been made: one that is gone then was deleted. */
  isMade: boolean;
  startedAt: Millis | null;
  soaksFrom: Millis | null;
  gate: GateLook | null;
}

export interface HealRecord {
  readonly jobs: readonly { readonly jobId: string; readonly model: ModelId; readonly things: readonly ThingName[] }[];
  readonly left: readonly { readonly thing: ThingName; readonly reason: string }[];
}

export interface RolloutShelf {
  /** Durable when it resolves. @throws StoreUnavailable */
  save(record: RolloutRecord): Promise<void>;
  load(): Promise<readonly RolloutRecord[]>;
}

const FOLDER = 'rollouts';

export function openShelf(disk: Disk): RolloutShelf {
  return {
    async save(record) {
      const path = `${FOLDER}/${record.id}.json`;
      try {
        await disk.write(`${path}.tmp`, Buffer.from(JSON.stringify(record)));
        await disk.rename(`${path}.tmp`, path);
      } catch (error) {
        throw new StoreUnavailable(`the rollout ${record.id} could not be written down`, { cause: error });
      }
    },
    async load() {
      const records: RolloutRecord[] = [];
      for (const name of (await disk.list(FOLDER)).filter((file) => file.endsWith('.json'))) {
        const bytes = await disk.read(`${FOLDER}/${name}`);
        if (!bytes) continue;
        try {
          const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as RolloutRecord;
          if (record.schema !== 'windfleet.rollout/v1') throw new Error(`its schema is ${String(record.schema)}`);
          records.push(record);
        } catch (error) {
          throw new StoreUnavailable(`the rollout ${name} cannot be read`, {
            cause: error,
            hint: 'put the file back from a copy, or move it away',
          });
        }
      }
      return records.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },
  };
}
