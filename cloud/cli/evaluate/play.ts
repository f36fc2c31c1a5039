/** The twins of an evaluation: a group's bodies, stepped from its first tick to its last, with what is planned for them. */
import { createSampleBlock } from '../../../actors/contracts/backing.ts';
import type { Rng } from '../../../actors/contracts/rng.ts';
import { twinBacking } from '../../../twins/backing.ts';
import { TWIN_STEP_MS, type TwinBacking } from '../../../twins/body.ts';
import { machineNamed, type TwinMachine } from '../../../twins/library/machines.ts';
import { createRng } from '../../../twins/rng.ts';
import { gridLayout } from '../../../twins/wind/layout.ts';
import type { PlayedTick } from '../../studio/evaluate/detector.ts';
import type { LabelledFleet, LabelledGroup } from '../../studio/evaluate/fleet.ts';
import type { Recorder } from '../../studio/evaluate/score.ts';

/** The chance of one seed of an evaluation, apart from every other use of that seed. */
export const evaluationChance = (seed: number): Rng => createRng(seed).fork('evaluation');

/** Channels and faults of a machine of the library. @throws ConfigInvalid */
export function evaluatedMachine(name: string): Pick<TwinBacking, 'channels'> & { readonly catalogue: TwinBacking['faults']['catalogue'] } {
  const { channels, faults } = twinBacking({
    things: ['X'],
    rng: createRng(0),
    machine: machineNamed(name),
    wind: { meanMps: 8, turbulenceIntensity: 0 },
  });
  return { channels, catalogue: faults.catalogue };
}

export function twinRecorder(machineName: string): Recorder {
  const machine = machineNamed(machineName);
  const { channels } = evaluatedMachine(machineName);
  return { channels, play: (fleet, group) => playGroup(machine, fleet, group) };
}

function* playGroup(machine: TwinMachine, fleet: LabelledFleet, group: LabelledGroup): Generator<PlayedTick> {
  const things = group.turbines.map(({ thing }) => thing);
  const diameterM = 2 * machine.parameters.rotorRadiusM;
  const backing = twinBacking({
    things,
    rng: evaluationChance(fleet.seed).fork(group.name),
    machine,
    wind: group.wind,
    ...(group.spacingDiameters === undefined ? {} : { layout: gridLayout(things.length, group.spacingDiameters * diameterM) }),
  });
  const block = createSampleBlock(backing.channels, things.length);
  let next = 0;
  for (let now = TWIN_STEP_MS; now <= fleet.durationMs; now += TWIN_STEP_MS) {
    for (; next < group.schedule.length && group.schedule[next].at < now; next++) {
      const { row, at, ...what } = group.schedule[next];
      if (what.do === 'fault') backing.faults.inject(row, what.order, at);
      else backing.command(row, what.command);
    }
    backing.advance(now);
    backing.sample(block);
    yield { now, block, windMps: backing.truth.windMps };
  }
}
