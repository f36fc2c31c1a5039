/**
 * What the steps of an update do on one device. State of one update lives here between its steps; the machine gives the order, and the
 * journal on the disk says after a restart where it goes on.
 *
 * Nothing of a package is looked at before its digest and its signature have been checked; what is loaded is what was read back from the
 * slot; and the old model judges until the new one takes over.
 */
import type { Clock } from '../contracts/clock.ts';
import type { Disk } from '../contracts/disk.ts';
import { JobRefused, ModelRejected, reasonOf } from '../contracts/errors.ts';
import { type ModelId, modelId } from '../contracts/ids.ts';
import type { Engine, Inference, Prover } from '../contracts/inference.ts';
import type { DeviceJobs } from '../contracts/jobs.ts';
import type { Log } from '../contracts/log.ts';
import type { ModelManifest } from '../contracts/model.ts';
import type { Millis } from '../contracts/units.ts';
import { sha256Hex } from '../package/digest.ts';
import type { ModelOrder } from '../package/job-document.ts';
import { type OpenedModel, openModel } from '../package/package.ts';
import { type AdmissionPorts, createAdmission } from './admission.ts';
import { stepDeadline } from './deadlines.ts';
import { download } from './download.ts';
import type { DeviceJob, Found, Outcome, Stage } from './job.ts';
import { type JournalEntry, openJournal } from './journal.ts';
import type { Outbox } from './outbox.ts';
import { withPulse } from './pulse.ts';
import { RefusedBefore } from './refusal.ts';
import { contentsDigest, type Installed, type Slots } from './slots.ts';

/** A model that this device has loaded, with the digest of the package that it came in. */
export interface Candidate {
  readonly id: ModelId;
  readonly digest: string;
  readonly manifest: ModelManifest;
  readonly inference: Inference;
}

export interface UpdatePorts extends AdmissionPorts {
  readonly clock: Clock;
  /** Epoch milliseconds of an instant, as the device's own clock has them. */
  readonly dateOf: (at: Millis) => Millis;
  readonly log: Log;
  readonly disk: Disk;
  readonly slots: Slots;
  readonly outbox: Outbox;
  readonly jobs: DeviceJobs;
  readonly engine: Engine;
  /** Tries a network before the engine loads it; null for an engine that is elsewhere. */
  readonly prover: Prover | null;
  /** Both models judge the same windows. @throws ModelRejected. @returns which windows decided, in words */
  readonly canary: (
    candidate: Candidate,
    options: { readonly goldenAt: number; readonly signal: AbortSignal },
  ) => Promise<{ readonly decidedBy: string; readonly windows: number }>;
  /**
   * The candidate takes over from the model that judges, without a window lost between them: resolves when it has.
   * @returns the model that judged before, to be closed.
   */
  readonly activate: (candidate: Candidate) => Candidate | null | Promise<Candidate | null>;
  /** The candidate, which may have passed its canary, will not take over: nothing asks it any more. */
  readonly dismiss: () => void;
}

export interface UpdateSteps {
  accept(job: DeviceJob, signal?: AbortSignal): Promise<Found>;
  download(job: DeviceJob, signal: AbortSignal): Promise<void>;
  verify(job: DeviceJob, signal?: AbortSignal): Promise<void>;
  unpack(job: DeviceJob, signal?: AbortSignal): Promise<void>;
  load(job: DeviceJob, signal?: AbortSignal): Promise<void>;
  canary(job: DeviceJob, signal: AbortSignal): Promise<void>;
  commit(job: DeviceJob): Promise<void>;
  rollback(job: DeviceJob, outcome: Outcome): Promise<void>;
  report(job: DeviceJob, outcome: Outcome): Promise<void>;
  /** No job is to be done: what an update of before a restart has left on the disk goes. */
  rest(): Promise<void>;
  /** The device is gone, and its memory with it: a model that was being tried is let go. */
  abandon(): Promise<void>;
}

const STEP_MINUTES = 10;
const STEP_MS = STEP_MINUTES * 60_000;
const PROOF_MS = 500; // of simulated time, for what takes a process about that long
const GOLDEN_BEFORE_MS = 60_000; // the end of the canary, when it still stands still

interface Update {
  order: ModelOrder;
  bytes: Uint8Array | null;
  contents: OpenedModel | null;
  unpacked: JournalEntry['unpacked'];
  candidate: Candidate | null;
  /** It goes down, with leave. */
  isGranted: boolean;
  decision: string;
  /** What the job service was told last, to be told again by the pulse. */
  details: Record<string, string>;
  /** When the job service ends the job, as far as it has said; infinity else. Instant of the clock. */
  readonly endsAt: Millis;
}

export function updateSteps(ports: UpdatePorts): UpdateSteps {
  const { thing, clock, log, disk, slots, outbox, objects, jobs, engine, prover, trustedKeys } = ports;
  const now = () => ports.dateOf(clock.now());
  const journal = openJournal(disk, log);
  const admission = createAdmission(ports, now);
  let update: Update | null = null;
  let isBusy = false; // from acceptance to report
  let resting: Promise<void> = Promise.resolve();

  /** Says how far the update is. The network may be away: then nobody hears. @throws JobRefused when the job is no longer wanted. */
  const progress = async (job: DeviceJob, stage: Stage, more: Record<string, string> = {}) => {
    const statusDetails = { stage, ...more };
    if (update) update.details = statusDetails;
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
  const idOf = ({ order }: Update): ModelId => modelId(order.name, order.version);

  /** Enters a step in the journal, tells of it, and runs it within its deadline. */
  const step = async (
    job: DeviceJob,
    stage: Stage,
    signal: AbortSignal | undefined,
    run: (ends: AbortSignal, deadline: Millis) => Promise<void>,
  ) => {
    const of = current();
    const known = await journal.read();
    const left = stepDeadline(stage, known && isOf(known, job) && known.stage === stage ? known.deadline - now() : null);
    const deadline = Math.min(clock.now() + left, of.endsAt);
    await journal.write({ ...keyOf(job), stage, deadline: now() + left, unpacked: of.unpacked, refusal: null });
    await progress(job, stage);
    const pulse = () => progress(job, stage, of.details);
    await withPulse({ clock, deadline, pulse, step: stage, model: idOf(of), ...(signal ? { signal } : {}) }, (ends) => run(ends, deadline));
  };

  /** The job as it is told now. @throws JobRefused when it is another one's turn, ModelRejected when it brings another package by now */
  const askAgain = async (job: DeviceJob): Promise<ModelOrder> => {
    const of = current();
    const told = await jobs.next(thing).catch((error: unknown) => {
      if (error instanceof JobRefused) throw error;
      return undefined; // nobody answers: what is known stands
    });
    if (told === undefined) return of.order;
    if (!told || !isOf(told, job)) throw new JobRefused('InvalidStateTransition', `job ${job.jobId} has been withdrawn`);
    const order = admission.readOrder(told.document);
    if (order.sha256 !== of.order.sha256)
      throw new ModelRejected(idOf(of), 'the job names another package than it did before', undefined, 'job.malformed');
    of.order = order;
    return order;
  };

  /** When the service ends the job, once its step timer has been wound: what is left then and is less, is the job's own limit. */
  const askLimit = async (job: DeviceJob): Promise<Millis> => {
    const told = await jobs.next(thing).catch(() => null);
    const seconds = told && isOf(told, job) ? told.secondsLeft : undefined;
    return seconds !== undefined && seconds * 1_000 < STEP_MS - REPORT_MS ? clock.now() + seconds * 1_000 - REPORT_MS : Infinity;
  };

  /** The package that the journal says is unpacked, when it still is; null: the update begins anew. */
  const readUnpacked = async (entry: JournalEntry, order: ModelOrder, committed: Installed | null) => {
    if (!entry.unpacked || entry.unpacked.slot === committed?.slot) return null;
    try {
      const opened = await slots.readBack(entry.unpacked.slot, entry.unpacked.contents);
      return { opened, isGranted: await admission.admit(order, opened.manifest, committed) };
    } catch (error) {
      log.warn(
        { thing, jobId: entry.jobId, reason: reasonOf(error) },
        'what was unpacked before a restart cannot be used: it is fetched again',
      );
      return null;
    }
  };

  return {
    async accept(job) {
      isBusy = true;
      await resting;
      const committed = await slots.committed();
      if (committed && isOf(committed, job)) return 'applied';
      if (await outbox.holds(job.jobId, job.executionNumber)) {
        isBusy = false;
        await tidy(job, clearAway);
        return 'reported';
      }
      const entry = await journal.read();
      const before = entry && isOf(entry, job) ? entry : null;
      if (before?.refusal) throw new RefusedBefore(before.refusal);
      const order = admission.readOrder(job.document);
      // Tried again, since the report of the attempt that brought it came too late; or sent back to what it has: an update that was called off
      // before it was committed, or a second heal.
      if (committed?.sha256 === order.sha256 && (committed.jobId === job.jobId || order.grantKey !== undefined)) return 'applied';
      const id = modelId(order.name, order.version);
      await progress(job, before?.stage ?? 'downloading', { model: id });
      admission.refuseOlder(order, committed);
      const endsAt = await askLimit(job);
      update = {
        order,
        bytes: null,
        contents: null,
        unpacked: null,
        candidate: null,
        isGranted: false,
        decision: '',
        details: {},
        endsAt,
      };
      const found = before && (await readUnpacked(before, order, committed));
      if (!found) return 'new';
      update.contents = found.opened;
      update.isGranted = found.isGranted;
      update.unpacked = before.unpacked;
      return 'unpacked';
    },

    download: (job, signal) =>
      step(job, 'downloading', signal, async (ends) => {
        current().bytes = await download(objects, disk, current().order, {
          clock,
          signal: ends,
          progress: (bytes, of) => progress(job, 'downloading', { bytes: String(bytes), of: String(of) }),
          askAgain: () => askAgain(job),
        });
      }),

    verify: (job, signal) =>
      step(job, 'verifying', signal, async () => {
        const { order, bytes } = current();
        const digest = sha256Hex(bytes!);
        if (digest !== order.sha256)
          throw new ModelRejected(
            idOf(current()),
            `sha256 differs: the job says ${order.sha256}, the package has ${digest}`,
            undefined,
            'download.digest',
          );
        const contents = openModel(bytes!, { trustedKeys, now: now() });
        current().isGranted = await admission.admit(order, contents.manifest, await slots.committed());
        current().contents = contents;
      }),

    unpack: (job, signal) =>
      step(job, 'unpacking', signal, async (ends) => {
        const of = current();
        const { files } = of.contents!;
        const contents = contentsDigest(files);
        const slot = await slots.unpack(files, ends);
        of.contents = await slots.readBack(slot, contents); // from here on what the slot holds counts, not what was downloaded
        of.unpacked = { slot, contents };
        of.bytes = null;
      }),

    load: (job, signal) =>
      step(job, 'loading', signal, async () => {
        const { order, contents } = current();
        const { manifest, network, golden, files } = contents!;
        if (prover) await clock.until(clock.now() + PROOF_MS, prover.prove(manifest, network, golden));
        // Whatever loading takes: in simulated time it takes none.
        const inference = await clock.until(clock.now(), engine.load(manifest, network, golden, files));
        if (!update) return inference.close(); // given up meanwhile
        update.candidate = { id: modelId(manifest.name, manifest.version), digest: order.sha256, manifest, inference };
      }),

    canary: (job, signal) =>
      step(job, 'canary', signal, async (ends, deadline) => {
        // The model that it has is what it is to be rid of: that one is no judge. It has judged here before, and its golden samples held.
        if (current().isGranted) {
          current().decision = 'it goes back with a signed grant, canary decided by golden samples';
          return;
        }
        const { decidedBy, windows } = await ports.canary(current().candidate!, { goldenAt: deadline - GOLDEN_BEFORE_MS, signal: ends });
        current().decision = `canary decided by ${decidedBy}${decidedBy === 'golden' ? ' samples' : ` windows (${windows})`}`;
      }),

    async commit(job) {
      const { candidate, order, unpacked, contents } = current();
      await journal.write({ ...keyOf(job), stage: 'committing', deadline: now() + STEP_MS, unpacked, refusal: null });
      await progress(job, 'committing');
      // Once the pointer stands there is no way back: nothing below may end in a refusal.
      const { slot, contents: digest } = unpacked!;
      const { sequence } = contents!.manifest;
      const installed = { slot, model: candidate!.id, sha256: order.sha256, contents: digest, sequence, ...keyOf(job) };
      await slots.commit(installed).catch(async (error: unknown) => {
        const standing = await slots.committed(); // the name may be there, and only its folder not have been synced
        if (!standing || !isOf(standing, job)) throw error;
      });
      const old = await ports.activate(candidate!);
      if (update) update.candidate = null; // it is the device's now
      await tidy(job, async () => old?.inference.close());
    },

    async rollback(job, outcome) {
      const candidate = update?.candidate;
      update = null;
      if (candidate) ports.dismiss();
      await candidate?.inference.close();
      if (outcome.status !== 'FAILED') return;
      const { code, stage, reason } = outcome;
      await tidy(job, () =>
        journal.write({ ...keyOf(job), stage, deadline: now(), unpacked: null, refusal: { code, stage, reason: printable(reason) } }),
      );
      await tidy(job, () => disk.remove('download'));
    },

    async report(job, outcome) {
      const decision = update?.decision || 'it was applied before a restart';
      update = null;
      const statusDetails: Record<string, string> =
        outcome.status === 'SUCCEEDED'
          ? { info: printable(`Model deployed; ${decision}`) }
          : { info: printable(outcome.reason), code: outcome.code, stage: outcome.stage, reason: printable(outcome.reason) };
      isBusy = false;
      await outbox.enqueue({ ...keyOf(job), status: outcome.status, statusDetails });
      await tidy(job, clearAway);
    },

    rest() {
      // One after the other: an update waits for all of them, lest one that is slow takes away what it has begun to download.
      const tidied = () =>
        clearAway().catch((error: unknown) => log.warn({ thing, reason: reasonOf(error) }, 'the disk could not be tidied up'));
      if (!isBusy) resting = resting.then(tidied);
      return resting;
    },

    async abandon() {
      const candidate = update?.candidate;
      update = null;
      await candidate?.inference.close();
    },
  };

  /** Each only when it is there: a device that rests writes nothing. */
  async function clearAway(): Promise<void> {
    if (await journal.read()) await journal.clear();
    if ((await disk.list('download')).length > 0) await disk.remove('download');
    for (const file of await disk.list('outbox')) if (file.endsWith('.tmp')) await disk.remove(`outbox/${file}`);
  }

  /** What a failing disk keeps from being tidied up is overwritten by the next update; it is no reason to undo anything. */
  async function tidy({ jobId }: DeviceJob, run: () => Promise<void>): Promise<void> {
    await run().catch((error: unknown) => log.warn({ thing, jobId, reason: reasonOf(error) }, 'an update could not be tidied up after'));
  }
}

const REPORT_MS = 5_000; // before the job's own end, so that the report is in time

const keyOf = ({ jobId, executionNumber }: DeviceJob) => ({ jobId, executionNumber });
const isOf = (one: { readonly jobId: string | null; readonly executionNumber: number | null }, job: DeviceJob): boolean =>
  one.jobId === job.jobId && one.executionNumber === job.executionNumber;

/** AWS IoT Jobs: a detail has 1 to 1024 characters and no control characters. */
const printable = (text: string) =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, 1_024) || 'no reason was given';
