/** The services of a cloud over its ports, whether a farm runs beside them or not. It composes. */
import type { KeyObject } from 'node:crypto';
import { openRollouts } from '../actors/fleet/rollout/rollouts.ts';
import type { DevicePorts } from '../actors/assemble.ts';
import type { Broker, Bus } from '../actors/contracts/bus.ts';
import { CAPTURE_BUCKET } from '../actors/contracts/capture.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import type { Deployments } from '../actors/contracts/deployments.ts';
import type { Disk } from '../actors/contracts/disk.ts';
import type { FleetView } from '../actors/contracts/fleet-view.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { DocumentIndex } from '../actors/contracts/index.ts';
import type { Engine } from '../actors/contracts/inference.ts';
import type { DeviceJobs, Job, JobExecution, JobsControl, JobsDevice } from '../actors/contracts/jobs.ts';
import type { Log } from '../actors/contracts/log.ts';
import type { ObjectHead, ObjectStore } from '../actors/contracts/objects.ts';
import { type OperatorCommand, topics } from '../actors/contracts/telemetry.ts';
import type { UpdatePorts, UpdateSteps } from '../actors/ota/steps.ts';
import { createDeployments } from '../cloud/deployments.ts';
import { openFleetEvidence } from '../cloud/evidence.ts';
import { openFleetView } from '../cloud/fleet-view.ts';
import { ruleMaker } from '../cloud/ingest/rows.ts';
import { startIngest, type Ingest } from '../cloud/ingest/pipeline.ts';
import { serveJobs } from '../cloud/jobs/mqtt.ts';
import { type Catalogue, createCatalogue } from '../cloud/models/catalogue.ts';
import type { SigningKey } from '../cloud/models/keys.ts';
import { publishStarters } from '../cloud/models/starter.ts';
import { notifyingObjects } from '../cloud/objects/notify.ts';
import type { HeldStore } from '../cloud/objects/open.ts';
import type { PresignedUrls } from '../cloud/objects/presigned.ts';
import type { Registry } from '../cloud/things/ports.ts';
import { parseWindow } from '../cloud/rollouts/window.ts';
import { serveShadows } from '../cloud/things/shadow-mqtt.ts';
import type { ThingServices } from '../cloud/things/things.ts';
import { createRng } from '../twins/rng.ts';
import { rolloutModels, windMpsOf } from './rollout-ports.ts';
import { twinTrial } from './twin-trial.ts';
import type { RunLog } from './digest.ts';
import type { SerialFaults } from './faulty/serial.ts';
import type { KeptParts } from './kept.ts';
import { closePorts, openPorts, type Ports, type PortsSpec } from './ports.ts';

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

/** Services without a farm. @throws what their ports throw: StoreUnavailable, VerificationRefused, EnvironmentLacking */
export async function openCloud(spec: PortsSpec, tools: CloudTools): Promise<Cloud> {
  return cloudOver(await openPorts(spec, tools), tools, 'cloud');
}

/** @param seed of what is random in rollouts, as their reports name it */
export async function cloudOver(ports: Ports, { clock, log, events, decorate, kept }: CloudTools, seed: number | 'cloud'): Promise<Cloud> {
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

/** What the event log says of a job or an execution. */
function jobFacts(change: Job | JobExecution): Record<string, string | number> {
  if (!('thing' in change)) return { status: change.status };
  const { thing, status, executionNumber, versionNumber } = change;
  return { thing, status, executionNumber, versionNumber };
}
