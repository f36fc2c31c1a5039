/** The one place where a world is built: bodies and actors beside a cloud. `up`, stories and tests call it. */
import { assembleFleet, type Fleet } from '../actors/assemble.ts';
import { CAPTURE_BUCKET, CAPTURE_PREFIX } from '../actors/contracts/capture.ts';
import type { EnergyAccount } from '../actors/contracts/energy.ts';
import type { FaultInjector } from '../actors/contracts/faults.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Engine, InferenceChoice } from '../actors/contracts/inference.ts';
import { HOME_FLEET } from '../actors/contracts/model.ts';
import type { ShardUsage } from '../actors/contracts/shard.ts';
import type { FarmSite } from '../actors/contracts/site.ts';
import { onnxEngine } from '../actors/inference/onnx.ts';
import { childProver } from '../actors/inference/proof/prover.ts';
import { sharedEngine } from '../actors/inference/shared.ts';
import { deviceJobs } from '../cloud/jobs/client.ts';
import { FIRST_MODELS } from '../cloud/models/starter.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { faultInjector } from '../twins/faults/injector.ts';
import { inventSite, placeTurbines } from '../twins/site.ts';
import { createRng } from '../twins/rng.ts';
import type { VirtualClock } from '../twins/time/virtual-clock.ts';
import { type Bodies, type FleetGroup, openBodies } from './bodies.ts';
import { openSerials, type SerialSpec } from './serials.ts';
import type { KeptParts } from './kept.ts';
import { threadSeconds } from './shard/thread-time.ts';
import { openPorts, type PortsSpec } from './ports.ts';
import { type Cloud, cloudOver, type CloudTools } from './services.ts';

export interface WorldSpec {
  readonly seed: number;
  /** Twins by kind; all are called T-001, T-002, … in this order. */
  readonly fleet: readonly FleetGroup[];
  /** Recordings in the original's CSV, a turbine each turbine in them. */
  readonly replays: readonly string[];
  /** Threads that run the twins' rows; 1, as when absent, is this one. */
  readonly workers?: number | undefined;
  /** Turbines behind the serial driver. */
  readonly serials?: readonly SerialSpec[];
  /** Who asks the models; absent: ONNX Runtime in this process. */
  readonly inference?: InferenceChoice;
  /** Whether what the twins make is held against the wind. */
  readonly isMetered?: boolean;
  readonly ports: PortsSpec;
}

export interface World extends Omit<Cloud, 'things' | 'device'> {
  readonly things: readonly ThingName[];
  readonly cloud: Cloud;
  readonly clock: VirtualClock;
  readonly fleet: Fleet;
  readonly faults: FaultInjector;
  /** What each worker has done; without any, what this thread has. */
  workers(): Promise<readonly ShardUsage[]>;
  /** What twins that are metered have made, by turbine. */
  energy(): Promise<ReadonlyMap<ThingName, EnergyAccount>>;
  /** As `faults`, without a word in the event log: for who keeps it by itself. */
  readonly bodies: FaultInjector;
  /** Where the twins stand. */
  site(): Promise<FarmSite>;
}

export interface WorldTools extends CloudTools {
  readonly clock: VirtualClock;
}

export async function openWorld(spec: WorldSpec, tools: WorldTools): Promise<World> {
  const opened = await openBodies(spec, tools.clock);
  return worldOver(opened, spec, tools).catch(async (error: unknown) => {
    for (const worker of opened.workers) await worker.close();
    throw error;
  });
}

async function worldOver(opened: Bodies, spec: WorldSpec, tools: WorldTools): Promise<World> {
  const { clock, log, events, decorate = {} } = tools;
  const { breakable, replayed, groups, workers } = opened;
  const began = threadSeconds(() => 0);
  const serials = await openSerials(spec.serials ?? [], { seed: spec.seed, clock, log, faults: decorate.serial });
  const bodies = [...opened.bodies, ...serials.bodies];
  const ports = await openPorts(spec.ports, tools);
  const cloud = await cloudOver(ports, tools, spec.seed);
  const { broker, objects, catalogue, registry } = cloud;

  for (const { things } of bodies) for (const thing of things) registry.register(thing);
  const deviceBus = broker.connect('windfleet-devices');
  const injector = faultInjector([...breakable, ...serials.breakable], [...replayed, ...serials.unbreakable]);
  const engine = sharedEngine(await openEngine(spec.inference ?? { kind: 'onnx' }, tools.kept));
  const broken: FaultInjector = {
    ...injector,
    inject(thing, order) {
      injector.inject(thing, order);
      fleet.order(thing, { ask: 'fault', order });
    },
    clear(thing, fault) {
      fleet.order(thing, { ask: 'clearFault', fault });
      return injector.clear(thing, fault);
    },
  };
  const faults: FaultInjector = {
    ...broken,
    inject(thing, order) {
      broken.inject(thing, order);
      events.append({
        at: clock.now(),
        kind: 'fault',
        of: thing,
        what: { fault: order.fault, severity: order.severity, overMs: order.over, forMs: order.for ?? null, phase: 'injected' },
      });
    },
    clear(thing, fault) {
      const ended = broken.clear(thing, fault);
      events.append({ at: clock.now(), kind: 'fault', of: thing, what: { fault: fault ?? 'all', phase: 'cleared', ended } });
      return ended;
    },
  };
  const fleet = await assembleFleet(bodies, {
    clock,
    log,
    events,
    bus: deviceBus,
    jobs: deviceJobs(deviceBus, clock),
    objects,
    engine,
    prover: spec.inference?.kind === 'agent' ? null : (tools.kept?.prover ?? childProver()),
    disk: ports.disk,
    device(thing) {
      const own = decorate.device?.(thing, { bus: deviceBus, objects, engine, disk: ports.disk(thing) }) ?? {};
      if (!own.bus) return own;
      const jobs = deviceJobs(own.bus, clock);
      return { ...own, jobs: decorate.jobs?.(jobs) ?? jobs };
    },
    steps: decorate.steps,
    trustedKeys: cloud.trustedKeys,
    fleet: HOME_FLEET,
    groups: (thing) => registry.groupsOf(thing).flatMap((group) => [group, ...registry.ancestorsOf(group)]),
    captures: { bucket: CAPTURE_BUCKET, prefix: CAPTURE_PREFIX },
    async firstModel(machine) {
      const first = FIRST_MODELS.get(machine);
      return first === undefined ? null : catalogue.read(first);
    },
  }).catch(async (error: unknown) => {
    await cloud.close(); // else its servers keep a failed process alive
    throw error;
  });

  return {
    ...cloud,
    things: fleet.things,
    cloud,
    clock,
    fleet,
    faults,
    bodies: broken,
    energy: opened.energy,
    async site() {
      const site = await inventSite(createRng(spec.seed));
      return { ...site, turbines: groups.flatMap(({ machine, things, layout }) => placeTurbines(site, machine.name, things, layout)) };
    },
    async workers() {
      if (workers.length > 0)
        return Promise.all(
          workers.map(async ({ rows, links, usage }) => ({ rows, windows: fleet.windows(links), cpuSeconds: (await usage()).cpuSeconds })),
        );
      const cpuSeconds = threadSeconds(() => 0) - began;
      return [{ rows: fleet.things.length, windows: fleet.windows(), cpuSeconds: Math.round(cpuSeconds * 1e3) / 1e3 }];
    },
    async close() {
      await fleet.close();
      for (const worker of workers) await worker.close();
      await cloud.close();
    },
  };
}

/** gRPC is loaded only where it is wanted. */
async function openEngine(choice: InferenceChoice, kept: KeptParts | undefined): Promise<Engine> {
  if (choice.kind === 'onnx') return kept?.engine ?? onnxEngine({ arch: process.arch });
  const { agentEngine } = await import('../physical/agent/client.ts');
  const wall = wallClock();
  return agentEngine(choice.socket, () => wall.epoch + wall.now());
}
