/** A world in memory on a clock of its own, as stories have it. */
import { silentLog } from '../../actors/contracts/log.ts';
import { createRunLog } from '../../scenarios/digest.ts';
import { openWorld, type WorldTools } from '../../scenarios/world.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

export async function memoryWorld({
  seed = 1,
  twins = 5,
  decorate,
}: {
  seed?: number;
  twins?: number;
  decorate?: WorldTools['decorate'];
} = {}) {
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  return openWorld(
    { seed, fleet: [{ twins, machine: machineNamed('desk-turbine'), wind: defaultWind }], replays: [], ports: { kind: 'memory' } },
    { clock, log: silentLog, events, ...(decorate ? { decorate } : {}) },
  );
}
