/**
 * What the steps of an update do on one device. State of one update lives here between its steps; the machine gives the order.
 *
 * Nothing of a package is looked at before its digest and its signature have been checked, and the old model judges until
 * `activate`.
 */
import type { KeyObject } from 'node:crypto';
import type { Channel } from '../contracts/channels.ts';
import type { Clock } from '../contracts/clock.ts';
import type { Disk } from '../contracts/disk.ts';
import { JobRefused, ModelRejected, reasonOf } from '../contracts/errors.ts';
import { type ModelId, modelId, type ThingName } from '../contracts/ids.ts';
import type { Engine, Inference, Prover } from '../contracts/inference.ts';
import type { DeviceJobs } from '../contracts/jobs.ts';
import type { Log } from '../contracts/log.ts';
import type { ModelManifest } from '../contracts/model.ts';
import type { ObjectStore } from '../contracts/objects.ts';
import type { Millis } from '../contracts/units.ts';
import { sha256Hex } from '../package/digest.ts';
import { type ModelOrder, parseJobDocument } from '../package/job-document.ts';
import { type OpenedModel, openModel } from '../package/package.ts';
import { compareVersions } from '../package/version.ts';
import { download } from './download.ts';
import type { DeviceJob, Outcome } from './job.ts';
import type { Outbox } from './outbox.ts';
import type { Slots } from './slots.ts';

/** A model that this device has loaded, with the digest of the package that it came in. */
export interface Candidate {
  readonly id: ModelId;
  readonly digest: string;
  readonly manifest: ModelManifest;
  readonly inference: Inference;
}

export interface UpdatePorts {
  readonly thing: ThingName;
  /** The machine that the body is. */
  readonly machine: string;
  readonly channels: readonly Channel[];
  readonly clock: Clock;
  /** Epoch milliseconds of an instant, as the device's own clock has them. */
  readonly dateOf: (at: Millis) => Millis;
  readonly log: Log;
  readonly disk: Disk;
  readonly slots: Slots;
  readonly outbox: Outbox;
  readonly objects: ObjectStore;
  readonly jobs: DeviceJobs;
  readonly engine: Engine;
  /** Tries a network before the engine loads it; null for an engine that is elsewhere. */
  readonly prover: Prover | null;
  readonly trustedKeys: readonly KeyObject[];
  /** Both models judge the same windows. @throws ModelRejected. @returns which windows decided, in words */
  readonly canary: (
    candidate: Candidate,
    options: { readonly goldenAt: number; readonly signal: AbortSignal },
  ) => Promise<{ readonly decidedBy: string; readonly windows: number }>;
  /** From now on the candidate judges. @returns the model that judged before, to be closed. */
  readonly activate: (candidate: Candidate) => Candidate | null;
}

export interface UpdateSteps {
  accept(job: DeviceJob): Promise<'new' | 'applied'>;
  download(job: DeviceJob, signal: AbortSignal): Promise<void>;
  verify(job: DeviceJob): Promise<void>;
  load(job: DeviceJob): Promise<void>;
  canary(job: DeviceJob, signal: AbortSignal): Promise<void>;
  commit(job: DeviceJob): Promise<void>;
  rollback(job: DeviceJob): Promise<void>;
  report(job: DeviceJob, outcome: Outcome): Promise<void>;
  /** The device is gone, and its memory with it: a model that was being tried is let go. */
  abandon(): Promise<void>;
}

const STEP_MINUTES = 10;
const PROOF_MS = 500; // of simulated time, for what takes a process about that long
const GOLDEN_AFTER_MS = 420_000; // of standing still in the canary, before the step timer runs out

interface Update {
  readonly order: ModelOrder;
  bytes: Uint8Array | null;
  contents: OpenedModel | null;
  candidate: Candidate | null;
  decision: string;
}

export function updateSteps(ports: UpdatePorts): UpdateSteps {
  const { thing, clock, log, disk, slots, outbox, objects, jobs, engine, prover, trustedKeys } = ports;
  let update: Update | null = null;

  /** Says how far the update is. The network may be away: then nobody hears. @throws JobRefused when the job is no longer wanted. */
  const progress = async (job: DeviceJob, stage: string, more: Record<string, string> = {}) => {
    const statusDetails = { stage, ...more };
    try {
      await jobs.update(thing, job.jobId, {
        status: 'IN_PROGRESS',
        statusDetails,
        executionNumber: job.executionNumber,
        stepTimeoutInMinutes: STEP_MINUTES,
      });
    } catch (error) {
      if (error instanceof JobRefused) throw error;
      log.debug({ thing, jobId: job.jobId, stage, reason: reasonOf(error) }, 'progress could not be reported');
    }
  };

  const current = (): Update => {
    if (!update) throw new Error('no update has been accepted');
    return update;
  };

  return {
    async accept(job) {
      const committed = await slots.committed();
      if (committed?.jobId === job.jobId && committed.executionNumber === job.executionNumber) return 'applied';
      const order = parseJobDocument(job.document);
      const id = modelId(order.name, order.version);
      await progress(job, 'downloading', { model: id });
      if (committed) refuseOlder(order, committed.model);
      update = { order, bytes: null, contents: null, candidate: null, decision: '' };
      return 'new';
    },

    async download(job, signal) {
      const { order } = current();
      current().bytes = await download(objects, disk, order, {
        clock,
        signal,
        progress: (bytes, of) => progress(job, 'downloading', { bytes: String(bytes), of: String(of) }),
      });
    },

    async verify(job) {
      const { order, bytes } = current();
      const id = modelId(order.name, order.version);
      await progress(job, 'verifying');
      const digest = sha256Hex(bytes!);
      if (digest !== order.sha256) throw new ModelRejected(id, `sha256 differs: the job says ${order.sha256}, the package has ${digest}`);
      const contents = openModel(bytes!, { trustedKeys, now: ports.dateOf(clock.now()) });
      const { manifest } = contents;
      if (modelId(manifest.name, manifest.version) !== id)
        throw new ModelRejected(id, `the package holds ${manifest.name}@${manifest.version}`);
      const lacking = lackingChannels(manifest, ports.channels);
      if (lacking.length > 0) throw new ModelRejected(id, `it needs ${lacking.join(', ')}, which a ${ports.machine} does not sense`);
      if (manifest.machine !== ports.machine) throw new ModelRejected(id, `it is for ${manifest.machine}, this is a ${ports.machine}`);
      if (manifest.target !== 'any' && manifest.target !== process.arch)
        throw new ModelRejected(id, `it is compiled for ${manifest.target}, this is ${process.arch}`);
      const committed = await slots.committed();
      if (committed && manifest.sequence <= committed.sequence)
        throw new ModelRejected(id, `its sequence ${manifest.sequence} is not above the installed ${committed.sequence}`);
      current().contents = contents;
    },

    async load(job) {
      const { order, contents } = current();
      await progress(job, 'loading');
      const { manifest, network, golden, files } = contents!;
      if (prover) await clock.until(clock.now() + PROOF_MS, prover.prove(manifest, network, golden));
      // Whatever loading takes: in simulated time it takes none.
      const inference = await clock.until(clock.now(), engine.load(manifest, network, golden, files));
      current().candidate = { id: modelId(manifest.name, manifest.version), digest: order.sha256, manifest, inference };
    },

    async canary(job, signal) {
      await progress(job, 'canary');
      const { decidedBy, windows } = await ports.canary(current().candidate!, { goldenAt: clock.now() + GOLDEN_AFTER_MS, signal });
      current().decision = `canary decided by ${decidedBy}${decidedBy === 'golden' ? ' samples' : ` windows (${windows})`}`;
    },

    async commit(job) {
      const { bytes, candidate, order } = current();
      await progress(job, 'committing');
      const { jobId, executionNumber } = job;
      const slot = await slots.stage(bytes!);
      await slots.commit({
        slot,
        model: candidate!.id,
        sha256: order.sha256,
        sequence: candidate!.manifest.sequence,
        jobId,
        executionNumber,
      });
      const old = ports.activate(candidate!);
      current().candidate = null; // it is the device's now
      await old?.inference.close();
      await disk.remove('download');
    },

    async rollback() {
      await update?.candidate?.inference.close();
      update = null;
      await disk.remove('download');
    },

    async report(job, { status, reason }) {
      const info = status === 'SUCCEEDED' ? `Model deployed; ${update?.decision ?? 'it was applied before a restart'}` : reason;
      update = null;
      await outbox.enqueue({ jobId: job.jobId, executionNumber: job.executionNumber, status, statusDetails: { info: printable(info) } });
    },

    async abandon() {
      await update?.candidate?.inference.close();
      update = null;
    },
  };
}

/** @throws ModelRejected when the order does not lead up from what is committed. */
function refuseOlder(order: ModelOrder, committed: string): void {
  const id = modelId(order.name, order.version);
  const [name, version] = committed.split('@');
  if (order.name === name && compareVersions(order.version, version) <= 0)
    throw new ModelRejected(id, `it is not newer than the installed ${committed}`);
}

/** AWS IoT Jobs: a detail has 1 to 1024 characters and no control characters. */
const printable = (text: string) =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, 1_024) || 'no reason was given';

/** The channels that a model's features read and the body does not have, each once. */
const lackingChannels = ({ signal }: ModelManifest, channels: readonly Channel[]): string[] => [
  ...new Set(signal.features.flatMap((feature) => feature.channels).filter((name) => !channels.some((channel) => channel.name === name))),
];
