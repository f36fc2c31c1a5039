/**
 * A device without a body: the turbine's actor, the update's machine and steps, slots and outbox on a disk, as the assembly of a fleet puts
 * them together. Its canary passes after a while, and its model takes over at once.
 */
import type { KeyObject } from 'node:crypto';
import type { AnyActorRef } from 'xstate';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import type { Disk } from '../../actors/contracts/disk.ts';
import { modelId, type ThingName } from '../../actors/contracts/ids.ts';
import type { Engine, Inference, Prover } from '../../actors/contracts/inference.ts';
import type { DeviceJobs } from '../../actors/contracts/jobs.ts';
import { type Log, silentLog } from '../../actors/contracts/log.ts';
import { HOME_FLEET } from '../../actors/contracts/model.ts';
import { MODEL_BUCKET, type ObjectStore } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { startDevice } from '../../actors/fleet/device.ts';
import { openOutbox } from '../../actors/ota/outbox.ts';
import { installFirst, openSlots } from '../../actors/ota/slots.ts';
import { type Candidate, updateSteps, type UpdatePorts } from '../../actors/ota/steps.ts';

export interface LightPorts {
  readonly thing: ThingName;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly jobs: DeviceJobs;
  readonly objects: ObjectStore;
  readonly engine: Engine;
  readonly prover?: Prover;
  readonly trustedKeys: readonly KeyObject[];
  /** The package that it starts with. */
  readonly first: Uint8Array;
  readonly canaryMs?: Millis;
  readonly canary?: UpdatePorts['canary'];
  readonly machine?: string;
  readonly dateOf?: (at: Millis) => Millis;
  readonly log?: Log;
  /** Heard when a model judges from now on. */
  readonly judging?: (model: string, inference: Inference) => void;
  readonly stage?: (stage: string | null, state: string) => void;
}

export interface LightDevice {
  /** The model that judges. */
  readonly serving: Candidate;
  /** A power cut: nothing is said, and what was in memory is gone. */
  halt(): Promise<void>;
}

const ASK_AGAIN_MS = 10_000;

/** @throws what its disk throws, and Error when no slot holds a model that can be used: a turbine without protection */
export async function bootLightDevice(ports: LightPorts): Promise<LightDevice> {
  const { thing, clock, disk, jobs, objects, engine, trustedKeys, first, canaryMs = 15_000, log = silentLog } = ports;
  const slots = openSlots(disk, trustedKeys, log);
  const outbox = openOutbox(thing, disk, jobs, clock, log);
  let isOver = false;
  let actor: AnyActorRef | null = null;

  const installed = (await slots.read()) ?? ((await slots.committed()) === null ? await installFirst(slots, first, trustedKeys) : null);
  if (!installed) throw new Error(`${thing} has no model`);
  const { manifest, network, golden, files, record } = installed;
  const inference = await clock.until(clock.now(), engine.load(manifest, network, golden, files));
  let serving: Candidate = { id: modelId(manifest.name, manifest.version), digest: record.sha256, manifest, inference };
  ports.judging?.(serving.id, inference);

  const steps = updateSteps({
    thing,
    machine: ports.machine ?? 'desk-turbine',
    fleet: HOME_FLEET,
    buckets: [MODEL_BUCKET],
    channels: deskTurbine.channels,
    clock,
    dateOf: ports.dateOf ?? ((at) => clock.epoch + at),
    log,
    disk,
    slots,
    outbox,
    objects,
    jobs,
    engine,
    prover: ports.prover ?? null,
    trustedKeys,
    canary:
      ports.canary ??
      ((_, { signal }) =>
        new Promise((passed, failed) => {
          const timer = clock.setTimeout(() => passed({ decidedBy: 'live', windows: 3 }), canaryMs);
          signal.addEventListener('abort', () => {
            clock.clearTimeout(timer);
            failed(signal.reason);
          });
        })),
    activate(candidate) {
      if (isOver) throw new Error(`${thing} is off`);
      const old = serving;
      serving = candidate;
      ports.judging?.(candidate.id, candidate.inference);
      return old;
    },
    dismiss() {},
    groups: () => [],
  });

  let isAsking = false;
  let again = false;
  const ask = (): void => {
    if (isOver) return;
    again = isAsking;
    if (isAsking) return;
    isAsking = true;
    jobs.next(thing).then(
      (job) => {
        isAsking = false;
        if (isOver) return;
        if (again) ask();
        if (!job) return void steps.rest();
        actor?.send({ type: 'job.notify', job: { jobId: job.jobId, executionNumber: job.executionNumber, document: job.document } });
      },
      () => {
        clock.setTimeout(() => {
          isAsking = false;
          ask();
        }, ASK_AGAIN_MS);
      },
    );
  };

  actor = startDevice({
    thing,
    clock,
    steps,
    command() {},
    forgetVerdict() {},
    askNextJob: ask,
    changed: (state, _, update) => ports.stage?.(update, state),
    died(error) {
      throw error;
    },
  });
  await jobs.onNext(thing, () => {
    if (isOver) return;
    outbox.flush();
    ask();
  });
  outbox.flush();
  ask();

  return {
    get serving() {
      return serving;
    },
    async halt() {
      isOver = true;
      actor.stop();
      outbox.close();
      await steps.abandon();
      await serving.inference.close();
    },
  };
}
