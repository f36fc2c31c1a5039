/** A world in memory on a clock of its own, as stories have it. */
import type { InferenceChoice } from '../../actors/contracts/inference.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import type { SigningKey } from '../../cloud/models/keys.ts';
import type { FleetGroup } from '../../scenarios/bodies.ts';
import { createRunLog } from '../../scenarios/digest.ts';
import { openWorld, type WorldTools } from '../../scenarios/world.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

export async function memoryWorld({
  seed = 1,
  twins = 5,
  inference = { kind: 'onnx' },
  key,
  decorate,
  fleet = [{ twins, machine: machineNamed('desk-turbine'), wind: defaultWind }],
  workers,
}: {
  seed?: number;
  /** Desk turbines; or `fleet`. */
  twins?: number;
  fleet?: readonly FleetGroup[];
  workers?: number;
  inference?: InferenceChoice;
  key?: SigningKey;
  decorate?: WorldTools['decorate'];
} = {}) {
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  return openWorld(
    {
      seed,
      fleet,
      replays: [],
      workers,
      inference,
      ports: { kind: 'memory', ...(key ? { key } : {}) },
    },
    { clock, log: silentLog, events, ...(decorate ? { decorate } : {}) },
  );
}
