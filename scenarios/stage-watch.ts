/** The probes of a story's world, at the ports that only what composes can reach. It composes. */
import type { KeyObject } from 'node:crypto';
import { FleetError } from '../actors/contracts/errors.ts';
import { type Lamp, lampOf as consoleLamp, type TurbineView } from '../actors/contracts/fleet-view.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import { type UpdatePorts, type UpdateSteps, updateSteps } from '../actors/ota/steps.ts';
import { verifyFiles } from '../actors/package/model-signature.ts';
import type { Files } from '../actors/package/tar.ts';
import type { VirtualClock } from '../twins/time/virtual-clock.ts';
import { downMoves } from './expect/model-moves.ts';
import { createWatch, type Watch } from './faulty/watch.ts';
import { grantKeyOf, type UpdateStep } from './witness.ts';
import type { World } from './world.ts';

export interface StageWatch {
  readonly probes: Watch;
  /** What makes the steps of updates, each told to the probes as it begins. @param make absent: the product's own */
  steps(make?: (ports: UpdatePorts) => UpdateSteps): (ports: UpdatePorts) => UpdateSteps;
  /** Asks what is known only at the end: what the twins have made, and which moves down have a grant. */
  finish(world: World): Promise<void>;
}

/** @param lampOf what the console shows; absent: the product's own */
export function openStageWatch(
  clock: VirtualClock,
  trustedKeys: readonly KeyObject[],
  lampOf: (turbine: TurbineView) => Lamp = consoleLamp,
): StageWatch {
  const probes = createWatch({ clock, lampOf, isTrusted: (files) => isSignedBy(files, trustedKeys) });
  return {
    probes,
    steps:
      (make = updateSteps) =>
      (ports) =>
        toldSteps(make(ports), (step) => probes.deed(ports.thing, step)),
    async finish(world) {
      const grants = new Map<string, boolean>();
      for (const { thing, to, at } of downMoves(world.events.events))
        grants.set(grantKeyOf(thing, to, at), await isGranted(world, thing, to, at));
      probes.know({ grants, energy: await world.energy() });
    },
  };
}

function toldSteps(steps: UpdateSteps, tell: (step: UpdateStep) => void): UpdateSteps {
  const told =
    <Given extends readonly unknown[], Result>(step: UpdateStep, run: (...given: Given) => Result) =>
    (...given: Given): Result => {
      tell(step);
      return run(...given);
    };
  const { accept, download, verify, unpack, load, canary, commit, rollback, report, rest, abandon } = steps;
  return {
    accept: told('accept', accept),
    download: told('download', download),
    verify: told('verify', verify),
    unpack: told('unpack', unpack),
    load: told('load', load),
    canary: told('canary', canary),
    commit: told('commit', commit),
    rollback: told('rollback', rollback),
    report: told('report', report),
    rest,
    abandon,
  };
}

function isSignedBy(files: Files, trustedKeys: readonly KeyObject[]): boolean {
  try {
    verifyFiles(files, trustedKeys);
    return true;
  } catch (error) {
    if (error instanceof FleetError) return false;
    throw error;
  }
}

/** Whether the catalogue held a grant for a device, or a group that it is in, at an instant. */
async function isGranted({ catalogue, registry, clock }: World, thing: ThingName, model: string, at: number): Promise<boolean> {
  const published = await catalogue.show(model);
  const whom = [thing, ...registry.groupsOf(thing)];
  const keys = await Promise.all(whom.map((name) => catalogue.granted(published, name, clock.epoch + at)));
  return keys.some((key) => key !== null);
}
