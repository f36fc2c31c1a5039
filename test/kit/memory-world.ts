/** A world in memory on a clock of its own, as stories have it. */
import type { InferenceChoice } from '../../actors/contracts/inference.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import type { SigningKey } from '../../cloud/models/keys.ts';
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
}: {
  seed?: number;
  twins?: number;
  inference?: InferenceChoice;
  key?: SigningKey;
  decorate?: WorldTools['decorate'];
} = {}) {
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  return openWorld(
    {
      seed,
      fleet: [{ twins, machine: machineNamed('desk-turbine'), wind: defaultWind }],
      replays: [],
      inference,
      ports: { kind: 'memory', ...(key ? { key } : {}) },
    },
    { clock, log: silentLog, events, ...(decorate ? { decorate } : {}) },
  );
}
