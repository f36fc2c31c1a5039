/**
 * The bodies of a world and the shards that run them: twins in this thread, or their rows dealt round to threads of their own;
 * recordings always here.
 */
import { readFileSync } from 'node:fs';
import type { Body } from '../actors/assemble.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import { FileInvalid, reasonOf } from '../actors/contracts/errors.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import { parseRecording } from '../actors/contracts/recording.ts';
import { localShard } from '../actors/dataplane/local.ts';
import { twinBacking } from '../twins/backing.ts';
import { sensedMachines } from '../twins/channels.ts';
import type { Breakable } from '../twins/faults/injector.ts';
import { faultLedger } from '../twins/faults/ledger.ts';
import { layoutOf, type TwinMachine } from '../twins/library/machines.ts';
import { replayBacking } from '../twins/replay.ts';
import { createRng } from '../twins/rng.ts';
import type { WindSpec } from '../twins/wind/field.ts';
import type { Layout } from '../twins/wind/layout.ts';

/** From an order to a simulated body until it is in force: as far as threads of rows may run ahead of the fleet. */
export const REACTION_MS = 200;

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
  readonly fleet: readonly FleetGroup[];
  /** Recordings in the original's CSV, a turbine each turbine in them. */
  readonly replays: readonly string[];
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
}

/** @throws FileInvalid for a recording that cannot be played here. */
export function openBodies(spec: BodySpec, clock: Clock): Bodies {
  const rng = createRng(spec.seed);
  const groups = nameGroups(spec.fleet);
  const twins = groups.map((group): Body => {
    const backing = twinBacking({ ...group, rng });
    return { ...backing, shards: [localShard(backing, { waits: true, faults: backing.faults })], reactionMs: REACTION_MS };
  });
  const named = groups.flatMap(({ things }) => things);
  const replays = spec.replays.map((file) => openReplay(file, named));
  return {
    groups,
    bodies: [...twins, ...replays],
    breakable: groups.map(({ machine, things }) => faultLedger(machine, things, rng, () => clock.now() + REACTION_MS)),
    replayed: replays.flatMap(({ things }) => things),
  };
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
