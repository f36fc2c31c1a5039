/** A process to be killed: a farm of one turbine whose object store stops after the first chunk of a package, and says so. */
import { silentLog } from '../../actors/contracts/log.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { createRunLog } from '../../scenarios/digest.ts';
import { openWorld } from '../../scenarios/world.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { freePort } from './free-port.ts';
import { paceClock } from '../../twins/time/pacer.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const stopping = (objects: ObjectStore): ObjectStore => ({
  ...objects,
  async *get(bucket, key, options) {
    let chunks = 0;
    for await (const chunk of objects.get(bucket, key, options)) {
      if (++chunks > 1) {
        process.stdout.write('one chunk is on disk\n');
        await new Promise(() => {});
      }
      yield chunk;
    }
  },
});

const wall = wallClock();
const clock = new VirtualClock({ epoch: wall.epoch });
const ports = { kind: 'demo', data: process.argv[2], host: '127.0.0.1', mqttPort: await freePort(), mqttsPort: await freePort() } as const;
const world = await openWorld(
  { seed: 1, fleet: [{ twins: 1, machine: machineNamed('desk-turbine'), wind: defaultWind }], replays: [], ports },
  { clock, log: silentLog, events: createRunLog({ keep: false }), decorate: { objects: stopping } },
);
await world.deployments.deploy({ model: 'windturbine-anomaly@1.1.0', to: 'farm' });
await paceClock(clock, wall, { speed: 1, until: Infinity, signal: new AbortController().signal });
