/** `windfleet up`: a farm, its cloud and its console in one process, until it is told to end. */
import type { Log } from '../actors/contracts/log.ts';
import type { ShardUsage } from '../actors/contracts/shard.ts';
import type { UpOptions } from '../cloud/config.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { paceClock } from '../twins/time/pacer.ts';
import { VirtualClock } from '../twins/time/virtual-clock.ts';
import type { FleetGroup } from './bodies.ts';
import { lockFolder } from './data-folder.ts';
import { createRunLog } from './digest.ts';
import { addressLines, type Doors, openDoors } from './doors.ts';
import { openWorld, type World } from './world.ts';

export interface UpTools {
  readonly signal: AbortSignal;
  /** To the standard output. */
  readonly out: (text: string) => void;
  readonly log: Log;
}

export interface UpSummary {
  readonly turbines: number;
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
  readonly windows: number;
  readonly verdicts: number;
  readonly alarms: number;
  readonly jobs: number;
  readonly digest: string;
  /** One for each thread that ran rows. */
  readonly workers: readonly ShardUsage[];
}

const HOST = '127.0.0.1';

/** Runs until `for` has passed or the signal aborts; everything is closed and flushed when it resolves. */
export async function runUp(options: UpOptions, fleet: readonly FleetGroup[], { signal, out, log }: UpTools): Promise<UpSummary> {
  const wall = wallClock();
  const inMemory = options.profile === 'memory';
  const clock = new VirtualClock(inMemory ? {} : { epoch: wall.epoch });
  const events = createRunLog({ keep: false });
  const lock = inMemory ? null : lockFolder(options.data);
  let world: World | null = null;
  let doors: Doors | null = null;
  let began = wall.now();
  try {
    const ports = inMemory
      ? ({ kind: 'memory' } as const)
      : ({
          kind: 'demo',
          data: options.data,
          host: HOST,
          mqttPort: options.mqttPort,
          mqttsPort: options.mqttsPort,
          objects: options.objects,
          rules: options.rules,
          jobs: { strict: options.strictJobs, quotas: options.jobQuotas },
          index: { choice: options.index, credentials: options.indexCredentials },
        } as const);
    const replays = options.replay === undefined ? [] : [options.replay];
    world = await openWorld(
      { seed: options.seed, fleet, replays, workers: options.workers, inference: options.inference, ports },
      { clock, log, events },
    );
    for (const thing of options.inspect) {
      world.fleet.inspect(thing, true, ({ from, to, event }) => log.info({ thing, from, to, event }, 'transition'));
    }
    if (lock) {
      const { faults, site } = world;
      doors = await openDoors(world.cloud, { host: HOST, port: options.port, httpsPort: options.httpsPort, log, wall, faults, site });
      lock.answersAt(doors.url);
      if (!options.json) greet(world, doors, out);
    }
    began = wall.now();
    await paceClock(clock, wall, { speed: options.speed, until: options.for ?? Infinity, signal });
    await clock.settle();
    return {
      turbines: world.things.length,
      simulatedSeconds: clock.now() / 1_000,
      wallSeconds: Math.round(wall.now() - began) / 1_000,
      windows: world.fleet.windows(),
      verdicts: events.count('verdict'),
      alarms: world.view.alarms().length,
      jobs: (await world.jobs.list()).length,
      digest: events.digest(),
      workers: await world.workers(),
    };
  } finally {
    await doors?.close();
    if (world) await world.close();
    lock?.unlock();
  }
}

function greet(world: World, doors: Doors, out: UpTools['out']): void {
  out(`windfleet: ${world.things.length} turbines (${world.things.slice(0, 5).join(', ')}${world.things.length > 5 ? ', …' : ''})`);
  for (const line of addressLines(world.cloud, doors)) out(line);
  out('Ctrl-C ends it.');
}
