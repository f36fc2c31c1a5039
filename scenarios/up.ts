/** `windfleet up`: a farm, its cloud and its console in one process, until it is told to end. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentLacking } from '../actors/contracts/errors.ts';
import type { Log } from '../actors/contracts/log.ts';
import { turbineChart } from '../actors/turbine/chart.ts';
import type { UpOptions } from '../cloud/config.ts';
import { type Console, openConsole } from '../cloud/console/server.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { paceClock } from '../twins/time/pacer.ts';
import { VirtualClock } from '../twins/time/virtual-clock.ts';
import { createRunLog } from './digest.ts';
import { type FleetGroup, openWorld, type World } from './world.ts';

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
}

const HOST = '127.0.0.1';

/** Runs until `for` has passed or the signal aborts; everything is closed and flushed when it resolves. */
export async function runUp(options: UpOptions, fleet: readonly FleetGroup[], { signal, out, log }: UpTools): Promise<UpSummary> {
  const wall = wallClock();
  const inMemory = options.profile === 'memory';
  const clock = new VirtualClock(inMemory ? {} : { epoch: wall.epoch });
  const events = createRunLog({ keep: false });
  const unlock = inMemory ? () => {} : lockFolder(options.data);
  let world: World | null = null;
  let console: Console | null = null;
  let began = wall.now();
  try {
    const ports = inMemory
      ? ({ kind: 'memory' } as const)
      : ({ kind: 'demo', data: options.data, host: HOST, mqttPort: options.mqttPort } as const);
    const replays = options.replay === undefined ? [] : [options.replay];
    world = await openWorld({ seed: options.seed, fleet, replays, inference: options.inference, ports }, { clock, log, events });
    for (const thing of options.inspect) {
      world.fleet.inspect(thing, true, ({ from, to, event }) => log.info({ thing, from, to, event }, 'transition'));
    }
    if (!inMemory) {
      console = await openConsole({ host: HOST, port: options.port, services: consoleServices(world), log, wall });
      world.presigned.serveAt(console.url);
      if (!options.json) greet(world, console, out);
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
    };
  } finally {
    await console?.close();
    if (world) await world.close();
    unlock();
  }
}

export const consoleServices = (world: World) => ({
  view: world.view,
  faults: world.faults,
  deployments: world.deployments,
  jobs: world.jobs,
  models: () => world.catalogue.list(),
  index: world.index,
  objects: world.objects,
  presigned: world.presigned,
  chart: turbineChart(),
  command: world.command,
  inspect: world.inspect,
  trustedKeys: [String(world.key.publicKey.export({ type: 'spki', format: 'pem' }))],
  site: world.site,
  mqttEndpoint: world.broker.address ? `${world.broker.address.host}:${world.broker.address.port}` : null,
});

function greet(world: World, console: Console, out: UpTools['out']): void {
  out(`windfleet: ${world.things.length} turbines (${world.things.slice(0, 5).join(', ')}${world.things.length > 5 ? ', …' : ''})`);
  out(`  console  ${console.url}`);
  if (world.broker.address) out(`  MQTT     ${world.broker.address.host}:${world.broker.address.port}`);
  out('Ctrl-C ends it.');
}

/** One farm a data folder. @throws EnvironmentLacking when another one runs in it. @returns unlocks. */
function lockFolder(data: string): () => void {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const file = join(data, 'farm.pid');
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (holder > 0 && holder !== process.pid && isFarm(holder)) {
    throw new EnvironmentLacking(`a farm (process ${holder}) uses the data folder ${data} already`, {
      hint: 'end it, or choose another folder with --data, and other ports with --port 0 --mqtt-port 0',
    });
  }
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

/** Whether that process lives and is one of ours: a number may have been given to another since. */
function isFarm(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, 'utf8').includes('main.js');
}
