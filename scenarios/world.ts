/**
 * The one place where a world is built: bodies, actors, ports, cloud. `up`, stories and tests call it.
 *
 * `memory` is the deterministic column of the ports. `demo` is what `npm start` runs: broker and console on loopback, jobs in
 * libsql, telemetry in DuckDB, objects and the devices' disks in the data folder.
 */
import { type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRollouts } from '../actors/fleet/rollout/rollouts.ts';
import { assembleFleet, type DevicePorts, type Fleet } from '../actors/assemble.ts';
import type { Broker, Bus } from '../actors/contracts/bus.ts';
import { CAPTURE_BUCKET, CAPTURE_PREFIX } from '../actors/contracts/capture.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import type { Deployments } from '../actors/contracts/deployments.ts';
import type { Disk } from '../actors/contracts/disk.ts';
import type { EnergyAccount } from '../actors/contracts/energy.ts';
import type { FaultInjector } from '../actors/contracts/faults.ts';
import type { FleetView } from '../actors/contracts/fleet-view.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { DocumentIndex, IndexChoice } from '../actors/contracts/index.ts';
import type { Engine, InferenceChoice } from '../actors/contracts/inference.ts';
import type { DeviceJobs, Job, JobExecution, JobsControl, JobsDevice } from '../actors/contracts/jobs.ts';
import type { Log } from '../actors/contracts/log.ts';
import { HOME_FLEET } from '../actors/contracts/model.ts';
import type { ShardUsage } from '../actors/contracts/shard.ts';
import type { FarmSite } from '../actors/contracts/site.ts';
import type { ObjectHead, ObjectStore } from '../actors/contracts/objects.ts';
import { type OperatorCommand, topics } from '../actors/contracts/telemetry.ts';
import { onnxEngine } from '../actors/inference/onnx.ts';
import type { UpdatePorts, UpdateSteps } from '../actors/ota/steps.ts';
import { childProver } from '../actors/inference/proof/prover.ts';
import { sharedEngine } from '../actors/inference/shared.ts';
import { embeddedBroker } from '../cloud/bus/embedded.ts';
import { policyAuthorizer } from '../cloud/bus/policies.ts';
import { memoryBroker } from '../cloud/bus/memory.ts';
import { createDeployments } from '../cloud/deployments.ts';
import { openFleetEvidence } from '../cloud/evidence.ts';
import { openFleetView } from '../cloud/fleet-view.ts';
import { elasticsearchIndex } from '../cloud/index/elasticsearch.ts';
import { memoryIndex } from '../cloud/index/memory.ts';
import { opensearchIndex } from '../cloud/index/opensearch.ts';
import { ruleMaker, type UserRule } from '../cloud/ingest/rows.ts';
import { startIngest, type Ingest } from '../cloud/ingest/pipeline.ts';
import type { IndexCredentials } from '../cloud/config.ts';
import { deviceJobs } from '../cloud/jobs/client.ts';
import { libsqlJobStore, memoryJobStore } from '../cloud/jobs/libsql-store.ts';
import { serveJobs } from '../cloud/jobs/mqtt.ts';
import type { Quotas } from '../cloud/jobs/limits.ts';
import { jobObjects } from '../cloud/jobs/objects.ts';
import { type JobService, openJobService } from '../cloud/jobs/service.ts';
import { type Catalogue, createCatalogue } from '../cloud/models/catalogue.ts';
import { generateKey, openKey, type SigningKey, trustedKeys } from '../cloud/models/keys.ts';
import { FIRST_MODELS, publishStarters } from '../cloud/models/starter.ts';
import { memoryObjects } from '../cloud/objects/memory.ts';
import { notifyingObjects } from '../cloud/objects/notify.ts';
import { type HeldStore, heldOnDisk, type ObjectsChoice, openS3 } from '../cloud/objects/open.ts';
import { type PresignedUrls, presignedUrls } from '../cloud/objects/presigned.ts';
import { memoryShelf, secretFolder } from '../cloud/things/authority.ts';
import { arnOf } from '../cloud/things/arns.ts';
import { jobTargets } from '../cloud/things/job-targets.ts';
import { libsqlDocuments } from '../cloud/things/libsql-documents.ts';
import type { Registry } from '../cloud/things/ports.ts';
import { parseWindow } from '../cloud/rollouts/window.ts';
import { serveShadows } from '../cloud/things/shadow-mqtt.ts';
import { openThings, type ThingServices } from '../cloud/things/things.ts';
import { fileDisk } from '../physical/disk.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { memoryDisk } from '../twins/disk.ts';
import { faultInjector } from '../twins/faults/injector.ts';
import { inventSite, placeTurbines } from '../twins/site.ts';
import { createRng } from '../twins/rng.ts';
import type { VirtualClock } from '../twins/time/virtual-clock.ts';
import { rolloutModels, windMpsOf } from './rollout-ports.ts';
import { twinTrial } from './twin-trial.ts';
import { type Bodies, type FleetGroup, openBodies } from './bodies.ts';
import type { RunLog } from './digest.ts';
import type { SerialFaults } from './faulty/serial.ts';
import { openSerials, type SerialSpec } from './serials.ts';
import type { KeptParts } from './kept.ts';
import { threadSeconds } from './shard/thread-time.ts';
import { openUsual } from './usual-port.ts';

const MQTTS_PORT = 8883;

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

export type PortsSpec =
  | {
      readonly kind: 'memory';
      /** What signs its packages; absent: one that nobody else knows. */
      readonly key?: SigningKey;
    }
  | {
      readonly kind: 'demo';
      readonly data: string;
      readonly host: string;
      readonly mqttPort: number;
      /** Absent: the usual one or, when that is taken, any. */
      readonly mqttsPort: number | undefined;
      /** Absent: files in the data folder. */
      readonly objects?: ObjectsChoice | undefined;
      /** Where documents go; absent: DuckDB in the data folder. */
      readonly index?: { readonly choice: IndexChoice; readonly credentials: IndexCredentials };
      /** Absent: as AWS's defaults have it. */
      readonly jobs?: { readonly strict: boolean; readonly quotas: Quotas };
      /** Of the user's own; absent: none. */
      readonly rules?: readonly UserRule[];
    };

/** The services, whether a farm runs beside them or not. */
export interface Cloud {
  readonly clock: Clock;
  readonly events: RunLog;
  readonly broker: Broker;
  readonly objects: ObjectStore;
  /** The same objects where this cloud holds them itself, for its S3 protocol; null where they lie elsewhere. */
  readonly held: HeldStore | null;
  readonly presigned: PresignedUrls;
  readonly catalogue: Catalogue;
  readonly things: ThingServices;
  readonly registry: Registry;
  readonly key: SigningKey;
  /** Whose packages are installed: its own first. */
  readonly trustedKeys: readonly KeyObject[];
  readonly jobs: JobsControl;
  readonly device: JobsDevice;
  readonly deployments: Deployments;
  readonly view: FleetView;
  readonly index: DocumentIndex;
  readonly ingest: Ingest;
  command(thing: ThingName, order: OperatorCommand): Promise<void>;
  inspect(thing: ThingName, on: boolean): Promise<void>;
  close(): Promise<void>;
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

export interface CloudTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: RunLog;
  /** Wraps ports before anyone uses them: stories inject their faults here. */
  readonly decorate?: Decorations;
  /** Shared with worlds before and after; absent: this one has its own. */
  readonly kept?: KeptParts | undefined;
}

export interface Decorations {
  readonly broker?: (broker: Broker) => Broker;
  readonly objects?: (objects: ObjectStore) => ObjectStore;
  /** What stands between one device and the rest, from a boot to the next. */
  readonly device?: (thing: ThingName, given: DeviceGiven) => Partial<DeviceGiven & Pick<DevicePorts, 'dateOf'>>;
  readonly serial?: SerialFaults;
  /** How a device hears of its jobs. */
  readonly jobs?: (jobs: DeviceJobs) => DeviceJobs;
  /** What an update does on a device; absent: what it is to do. */
  readonly steps?: (ports: UpdatePorts) => UpdateSteps;
}

export interface DeviceGiven {
  /** The connection that all devices share. */
  readonly bus: Bus;
  readonly objects: ObjectStore;
  readonly engine: Engine;
  readonly disk: Disk;
}

export interface WorldTools extends CloudTools {
  readonly clock: VirtualClock;
}

/** What differs between the columns of the port table. */
interface Ports {
  readonly broker: Broker;
  readonly jobs: JobService;
  readonly objects: ObjectStore;
  readonly held: HeldStore | null;
  readonly presigned: PresignedUrls;
  readonly index: DocumentIndex;
  readonly key: SigningKey;
  readonly trustedKeys: readonly KeyObject[];
  readonly things: ThingServices;
  readonly disk: (thing: ThingName) => Disk;
  /** Where ingestion keeps what is on its way; null: nothing outlives the process. */
  readonly ingestDisk: Disk | null;
  readonly rules: readonly UserRule[];
  /** Where rollouts are written down. */
  readonly rolloutDisk: Disk;
  /** Lets clients from outside in: the services stand. */
  readonly admit: () => void;
}

/** Services without a farm. @throws what their ports throw: StoreUnavailable, VerificationRefused, EnvironmentLacking */
export async function openCloud(spec: PortsSpec, tools: CloudTools): Promise<Cloud> {
  return cloudOver(
    spec.kind === 'memory' ? await memoryPorts(tools.clock, spec.key ?? generateKey()) : await demoPorts(spec, tools.clock, tools.log),
    tools,
    'cloud',
  );
}

async function cloudOver(ports: Ports, { clock, log, events, decorate, kept }: CloudTools, seed: number | 'cloud'): Promise<Cloud> {
  const { jobs, index, key, things } = ports;
  const broker = decorate?.broker?.(ports.broker) ?? ports.broker;
  const { registry } = things;
  const created = (head: ObjectHead) => ingest.objectCreated(ports.objects, head);
  const notifying = notifyingObjects(ports.objects, created);
  const objects = decorate?.objects?.(notifying) ?? notifying;
  const catalogue = createCatalogue(ports.objects, ports.trustedKeys);
  try {
    await ports.held?.objects.createBucket(CAPTURE_BUCKET); // a device may be the first to put something there
    await publishStarters(catalogue, key.privateKey, kept?.pack);
  } catch (error) {
    await closePorts(ports); // else its servers keep a failed process alive
    throw error;
  }

  serveJobs(broker, jobs, clock, log);
  serveShadows(broker, things.shadows, () => clock.epoch + clock.now(), log);
  jobs.onChange((change) => events.append({ at: clock.now(), kind: 'job', of: change.jobId, what: jobFacts(change) }));
  const cloudBus = broker.connect('windfleet-cloud');
  const view = await openFleetView({ bus: cloudBus, log, met: (thing) => registry.register(thing) });
  const ingest = await startIngest({
    bus: cloudBus,
    index,
    clock,
    log,
    disk: ports.ingestDisk,
    makers: ports.rules.map(ruleMaker),
    objects: ports.objects,
    thingOfDevice: things.edgeDevices.thingOf,
    captured: view.captured,
  });
  const standing = new Set<string>(); // alarms whose beginning has been told; their worst score may still grow
  view.onChange((event) => {
    if (event.kind !== 'alarm') return;
    const { id, thing, feature, model, clearedAt, at, score } = event.alarm;
    ingest.keep('alarms', [{ id, at, thing, feature, model, score, clearedAt: clearedAt ?? 0 }]);
    if (clearedAt === null && standing.has(id)) return;
    if (clearedAt === null) standing.add(id);
    else standing.delete(id);
    events.append({ at: clock.now(), kind: 'alarm', of: thing, what: { id, raised: clearedAt === null, feature, model } });
  });

  const rollouts = await openRollouts({
    clock,
    log,
    events,
    jobs,
    disk: ports.rolloutDisk,
    evidence: openFleetEvidence(view, clock, windMpsOf),
    bench: twinTrial((model) => catalogue.read(model), ports.trustedKeys, kept && { engine: kept.engine, known: kept.trials }),
    resolve: (targets) => registry.resolve(targets),
    ...rolloutModels(catalogue, key.privateKey, () => clock.epoch + clock.now()),
    chance: (text) => createRng(0).fork(text),
    seed: String(seed),
    parseWindow,
  });
  ports.admit();
  return {
    clock,
    events,
    broker,
    objects,
    held: ports.held && { ...ports.held, objects: notifyingObjects(ports.held.objects, created) },
    presigned: ports.presigned,
    catalogue,
    things,
    registry,
    key,
    trustedKeys: ports.trustedKeys,
    jobs,
    device: jobs.device,
    deployments: createDeployments(jobs, rollouts),
    view,
    index,
    ingest,
    command: (thing, order) => cloudBus.publish(topics.command(thing), JSON.stringify(order), { qos: 1 }),
    inspect: (thing, on) => cloudBus.publish(topics.inspect(thing), JSON.stringify({ inspect: on }), { qos: 1 }),
    async close() {
      rollouts.close();
      await ingest.close();
      await view.close();
      await closePorts(ports);
    },
  };
}

async function closePorts({ jobs, broker, things, index }: Ports): Promise<void> {
  await jobs.close();
  await broker.close();
  await things.close();
  await index.close();
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
  const ports =
    spec.ports.kind === 'memory' ? await memoryPorts(clock, spec.ports.key ?? generateKey()) : await demoPorts(spec.ports, clock, log);
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

const jobPorts = ({ registry, place }: ThingServices) => ({
  targets: jobTargets(registry),
  thingArn: (thing: ThingName) => arnOf(place, 'thing', thing),
});

async function memoryPorts(clock: Clock, key: SigningKey): Promise<Ports> {
  const disks = new Map<ThingName, Disk>();
  const things = await openThings({ disk: null, shelf: memoryShelf(), ...dated(clock, clock) });
  const now = () => clock.epoch + clock.now();
  const objects = memoryObjects(now);
  const presigned = presignedUrls({ now, keys: () => things.credentials.owner, region: things.place.region });
  return {
    broker: memoryBroker(),
    jobs: await openJobService({ clock, store: memoryJobStore(), objects: jobObjects(objects, presigned.presign), ...jobPorts(things) }),
    objects,
    held: { objects, parts: memoryObjects(now) },
    presigned,
    index: memoryIndex(),
    ingestDisk: null,
    rolloutDisk: memoryDisk(),
    rules: [],
    admit: () => {},
    key,
    trustedKeys: [key.publicKey],
    things,
    disk(thing) {
      const disk = disks.get(thing) ?? memoryDisk();
      disks.set(thing, disk);
      return disk;
    },
  };
}

async function demoPorts(
  {
    data,
    host,
    mqttPort,
    mqttsPort,
    objects: choice,
    index,
    jobs: jobRules,
    rules: userRules = [],
  }: Extract<WorldSpec['ports'], { kind: 'demo' }>,
  clock: Clock,
  log: Log,
): Promise<Ports> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const key = openKey(data);
  const things = await openThings({
    disk: libsqlDocuments(join(data, 'things.db')),
    shelf: secretFolder(join(data, 'keys')),
    ...dated(clock, wallClock()),
  });
  const { objects, held, presigned } = choice ? { ...(await openS3(choice.s3, wallNow)), held: null } : ownObjects(data, things);
  await adoptThings(things.registry, join(data, 'things.json'));
  const server = await things.authority.server([host]);
  const material = { key: server.privateKeyPem, cert: server.certificatePem + server.caPem, ca: server.caPem };
  const documents = await openIndex(data, index); // first: a broker would keep a process alive that fails here
  let admit = () => {};
  const broker = await openUsual(mqttsPort, MQTTS_PORT, log, (port) =>
    embeddedBroker({
      host,
      port: mqttPort,
      wall: wallClock(),
      log,
      tls: { port, material, authorizer: policyAuthorizer(things) },
      ready: new Promise((resolve) => {
        admit = resolve;
      }),
    }),
  ).catch(async (error: unknown) => {
    await documents.close();
    throw error;
  });
  return {
    broker,
    jobs: await openJobService({
      clock,
      store: libsqlJobStore(join(data, 'jobs.db')),
      objects: jobObjects(objects, presigned.presign),
      ...jobPorts(things),
      ...jobRules,
    }),
    objects,
    held,
    presigned,
    index: documents,
    ingestDisk: fileDisk(join(data, 'ingest')),
    rolloutDisk: fileDisk(data),
    rules: userRules,
    admit: () => admit(),
    key,
    trustedKeys: trustedKeys(data),
    things,
    disk: (thing) => fileDisk(join(data, 'devices', thing)),
  };
}

async function openIndex(data: string, index: Extract<WorldSpec['ports'], { kind: 'demo' }>['index']): Promise<DocumentIndex> {
  if (!index || index.choice.kind === 'duckdb') {
    const { duckdbIndex } = await import('../cloud/index/duckdb.ts'); // its library takes a fifth of a second, which no story has to give
    return duckdbIndex(join(data, 'telemetry.duckdb'));
  }
  const { kind, node, prefix } = index.choice;
  const options = { node, prefix, credentials: index.credentials, clock: wallClock() }; // a server has no other time
  return kind === 'elasticsearch' ? elasticsearchIndex(options) : opensearchIndex(options);
}

/** Clients date what they sign by the wall, at whatever speed a farm runs. */
const wallNow = () => {
  const wall = wallClock();
  return wall.epoch + wall.now();
};

function ownObjects(data: string, { credentials, place }: ThingServices) {
  const held = heldOnDisk(data);
  return { held, objects: held.objects, presigned: presignedUrls({ now: wallNow, keys: () => credentials.owner, region: place.region }) };
}

const dated = (clock: Clock, wall: Clock) => ({
  now: () => clock.epoch + clock.now(),
  wallNow: () => wall.epoch + wall.now(),
  entropy: (bytes: number) => randomBytes(bytes),
});

/** Things that a data folder of before there was a registry has in a file of names. */
async function adoptThings(registry: Registry, file: string): Promise<void> {
  if (!existsSync(file)) return;
  const names = JSON.parse(readFileSync(file, 'utf8')) as readonly ThingName[];
  await Promise.all(names.filter((name) => !registry.has(name)).map((name) => registry.create({ name })));
  rmSync(file);
}

/** What the event log says of a job or an execution. */
function jobFacts(change: Job | JobExecution): Record<string, string | number> {
  if (!('thing' in change)) return { status: change.status };
  const { thing, status, executionNumber, versionNumber } = change;
  return { thing, status, executionNumber, versionNumber };
}
