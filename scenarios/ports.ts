/**
 * The ports of a cloud, by column: `memory` is the deterministic one. `demo` is what `npm start` runs: the broker on loopback, jobs in
 * libsql, telemetry in DuckDB, objects and the devices' disks in the data folder. It composes.
 */
import { type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Broker } from '../actors/contracts/bus.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import type { Disk } from '../actors/contracts/disk.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { DocumentIndex, IndexChoice } from '../actors/contracts/index.ts';
import type { Log } from '../actors/contracts/log.ts';
import type { ObjectStore } from '../actors/contracts/objects.ts';
import { embeddedBroker } from '../cloud/bus/embedded.ts';
import { policyAuthorizer } from '../cloud/bus/policies.ts';
import { memoryBroker } from '../cloud/bus/memory.ts';
import { elasticsearchIndex } from '../cloud/index/elasticsearch.ts';
import { memoryIndex } from '../cloud/index/memory.ts';
import { opensearchIndex } from '../cloud/index/opensearch.ts';
import type { UserRule } from '../cloud/ingest/rows.ts';
import type { IndexCredentials } from '../cloud/config.ts';
import { libsqlJobStore, memoryJobStore } from '../cloud/jobs/libsql-store.ts';
import type { Quotas } from '../cloud/jobs/limits.ts';
import { jobObjects } from '../cloud/jobs/objects.ts';
import { type JobService, openJobService } from '../cloud/jobs/service.ts';
import { generateKey, openKey, type SigningKey, trustedKeys } from '../cloud/models/keys.ts';
import { memoryObjects } from '../cloud/objects/memory.ts';
import { type HeldStore, heldOnDisk, type ObjectsChoice, openS3 } from '../cloud/objects/open.ts';
import { type PresignedUrls, presignedUrls } from '../cloud/objects/presigned.ts';
import { memoryShelf, secretFolder } from '../cloud/things/authority.ts';
import { arnOf } from '../cloud/things/arns.ts';
import { jobTargets } from '../cloud/things/job-targets.ts';
import { libsqlDocuments } from '../cloud/things/libsql-documents.ts';
import type { Registry } from '../cloud/things/ports.ts';
import { openThings, type ThingServices } from '../cloud/things/things.ts';
import { fileDisk } from '../physical/disk.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { memoryDisk } from '../twins/disk.ts';
import { openUsual } from './usual-port.ts';

const MQTTS_PORT = 8883;

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

type DemoSpec = Extract<PortsSpec, { kind: 'demo' }>;

/** What differs between the columns of the port table. */
export interface Ports {
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

/** One column of the port table. @throws what they throw: StoreUnavailable, VerificationRefused, EnvironmentLacking */
export async function openPorts(spec: PortsSpec, { clock, log }: { readonly clock: Clock; readonly log: Log }): Promise<Ports> {
  return spec.kind === 'memory' ? memoryPorts(clock, spec.key ?? generateKey()) : demoPorts(spec, clock, log);
}

export async function closePorts({ jobs, broker, things, index }: Ports): Promise<void> {
  await jobs.close();
  await broker.close();
  await things.close();
  await index.close();
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
  { data, host, mqttPort, mqttsPort, objects: choice, index, jobs: jobRules, rules: userRules = [] }: DemoSpec,
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

async function openIndex(data: string, index: DemoSpec['index']): Promise<DocumentIndex> {
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
