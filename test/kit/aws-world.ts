/** A cloud in memory behind a console, on a clock that only the test moves: what AWS's clients are pointed at. */
import { silentLog } from '../../actors/contracts/log.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { createRunLog } from '../../scenarios/digest.ts';
import { type Doors, openDoors } from '../../scenarios/doors.ts';
import { type Cloud, openCloud } from '../../scenarios/services.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import type { Key } from './aws-client.ts';
import { freePort } from './free-port.ts';

export interface AwsWorld {
  readonly cloud: Cloud;
  readonly clock: VirtualClock;
  readonly doors: Doors;
  readonly url: string;
  readonly owner: Key;
  /** So many milliseconds pass for the service. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export async function openAwsWorld(): Promise<AwsWorld> {
  const wall = wallClock();
  const clock = new VirtualClock({ epoch: wall.epoch });
  const cloud = await openCloud({ kind: 'memory' }, { clock, log: silentLog, events: createRunLog({ keep: false }) });
  const doors = await openDoors(cloud, {
    host: '127.0.0.1',
    port: await freePort(),
    httpsPort: await freePort(),
    log: silentLog,
    wall,
    faults: null,
    site: null,
  });
  return {
    cloud,
    clock,
    doors,
    url: doors.url,
    owner: cloud.things.credentials.owner,
    pass: (ms) => clock.run(clock.now() + ms),
    async close() {
      await doors.close();
      await cloud.close();
    },
  };
}
