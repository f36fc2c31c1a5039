/**
 * The bodies of a world and the shards that run them: twins in this thread, or their rows dealt round to threads of their own;
 * recordings always here.
 */
import { readFileSync } from 'node:fs';
import type { Body } from '../actors/assemble.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import type { EnergyAccount } from '../actors/contracts/energy.ts';
import { FileInvalid, reasonOf, UsageError } from '../actors/contracts/errors.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import { parseRecording } from '../actors/contracts/recording.ts';
import { localShard } from '../actors/dataplane/local.ts';
import { twinBacking } from '../twins/backing.ts';
import { sensedBy, sensedMachines } from '../twins/channels.ts';
import type { Breakable } from '../twins/faults/injector.ts';
import { type MeteredTwins, meteredTwins } from '../twins/energy-meter.ts';
import { faultLedger } from '../twins/faults/ledger.ts';
import { sampledThrough } from '../twins/faults/samples.ts';
import { layoutOf, type TwinMachine } from '../twins/library/machines.ts';
import { replayBacking } from '../twins/replay.ts';
import { createRng } from '../twins/rng.ts';
import type { WindSpec } from '../twins/wind/field.ts';
import type { Layout } from '../twins/wind/layout.ts';
import { packWind } from '../twins/wind/packed.ts';
import { openWorkerHost, type WorkerHost } from './shard/host.ts';

/** From an order to a simulated body until it is in force: as far as threads of rows may run ahead of the fleet. */
export const REACTION_MS = 500;

/** Twins of one machine that stand together. */
export interface FleetGroup {
  readonly twins: number;
  readonly machine: TwinMachine;
  readonly wind: WindSpec;
  /** Absent: as `layoutOf` has it. */
  readonly layout?: Layout;
}

export interface BodySpec {
  readonly seed: number;
  /** Threads that run the twins' rows; 1, as when absent, is this one. */
  readonly workers?: number | undefined;
  readonly fleet: readonly FleetGroup[];
  /** Recordings in the original's CSV, a turbine each turbine in them. */
  readonly replays: readonly string[];
  /** Whether what the twins make is held against the wind. */
  readonly isMetered?: boolean | undefined;
}

/** A group with its turbines' names and places. */
export interface NamedGroup extends FleetGroup {
  readonly things: readonly ThingName[];
}

export interface Bodies {
  readonly groups: readonly NamedGroup[];
  readonly bodies: readonly Body[];
  /** What can be broken; orders to break it go to the fleet. */
  readonly breakable: readonly Breakable[];
  /** Turbines that only play what was recorded. */
  readonly replayed: readonly ThingName[];
  /** The worker threads; none when the rows run in this one. */
  readonly workers: readonly WorkerHost[];
  /** Of twins that are metered; of others nothing is known. */
  energy(): Promise<ReadonlyMap<ThingName, EnergyAccount>>;
}

/** @throws FileInvalid for a recording that cannot be played here, UsageError for more workers than twins. */
export async function openBodies(spec: BodySpec, clock: Clock): Promise<Bodies> {
  const rng = createRng(spec.seed);
  const groups = nameGroups(spec.fleet);
  const named = groups.flatMap(({ things }) => things);
  const replays = spec.replays.map((file) => openReplay(file, named));
  const { workers = 1 } = spec;
  if (workers > 1 && workers > named.length)
    throw new UsageError(`${workers} workers for ${named.length} twins: each runs one at least`, {
      hint: replays.length > 0 ? 'recordings play in the fleet’s own thread' : `--workers ${Math.max(1, named.length)} at most`,
    });
  const { isMetered = false } = spec;
  const hosts = workers > 1 ? await openWorkers(workers, groups, spec.seed, isMetered) : [];
  const meters: MeteredTwins[] = [];
  const twins = groups.map((group, g): Body => {
    const { machine, things } = group;
    if (hosts.length > 0) {
      const { name, channels } = sensedBy(machine);
      const shards = hosts.map(({ links }) => links[g]).filter(({ rows }) => rows.length > 0);
      return { kind: 'twin', machine: name, channels, things, shards, reactionMs: REACTION_MS };
    }
    const twin = twinBacking({ ...group, rng });
    const meter = isMetered ? meteredTwins(twin, machine) : null;
    if (meter) meters.push(meter);
    const backing = sampledThrough(meter?.twins ?? twin, twin.faults, rng);
    return { ...backing, shards: [localShard(backing, { waits: true, faults: backing.breaking })], reactionMs: REACTION_MS };
  });
  return {
    groups,
    workers: hosts,
    bodies: [...twins, ...replays],
    breakable: groups.map(({ machine, things }) => faultLedger(machine, things, rng, () => clock.now() + REACTION_MS)),
    replayed: replays.flatMap(({ things }) => things),
    async energy() {
      const inThreads = await Promise.all(hosts.map(({ usage }) => usage()));
      return new Map([...inThreads.flatMap(({ energy }) => energy), ...meters.flatMap(({ accounts }) => accounts())]);
    },
  };
}

/** Rows are dealt round, over all groups. */
async function openWorkers(
  workers: number,
  groups: readonly NamedGroup[],
  seed: number,
  isMetered: boolean,
): Promise<readonly WorkerHost[]> {
  const before = groups.map((_, g) => groups.slice(0, g).reduce((sum, { things }) => sum + things.length, 0));
  const opening = Array.from({ length: workers }, (_, worker) =>
    openWorkerHost({
      name: `worker ${worker + 1} of ${workers}`,
      seed,
      isMetered,
      groups: groups.map(({ things, machine, wind, layout }, g) => ({
        things,
        machine,
        wind: packWind(wind),
        ...(layout ? { layout } : {}),
        rows: [...things.keys()].filter((row) => (before[g] + row) % workers === worker),
      })),
    }),
  );
  const opened = await Promise.allSettled(opening);
  const hosts = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.find((result) => result.status === 'rejected');
  if (!failed) return hosts;
  for (const host of hosts) await host.close();
  throw failed.reason;
}

/** T-001, T-002, … in the order of the groups. */
export function nameGroups(fleet: readonly FleetGroup[]): readonly NamedGroup[] {
  let named = 0;
  return fleet
    .filter(({ twins }) => twins > 0)
    .map((group) => {
      const { twins, machine, layout = layoutOf(machine, twins) } = group;
      const things = Array.from({ length: twins }, () => `T-${String(++named).padStart(3, '0')}`);
      return { ...group, things, ...(layout ? { layout } : {}) };
    });
}

function openReplay(file: string, named: readonly ThingName[]): Body {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: 'name a recording, as one of `windfleet data record`',
    });
  }
  const recording = parseRecording(text, file, sensedMachines());
  const taken = recording.turbines.find(({ thing }) => named.includes(thing));
  if (taken)
    throw new FileInvalid(`${file} holds a turbine ${taken.thing}, and so does the farm`, {
      hint: 'play it alone (--turbines 0), or rename its turbineId',
    });
  const backing = replayBacking(recording);
  return { ...backing, shards: [localShard(backing, { waits: true })], reactionMs: REACTION_MS };
}
