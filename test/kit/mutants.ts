/**
 * Planted bugs: the ones that the original has, each alone, put where the composition lets something else stand in the place of the
 * product's own. Random stories must find each of them.
 */
import type { TurbineView } from '../../actors/contracts/fleet-view.ts';
import { type ModelId, modelId } from '../../actors/contracts/ids.ts';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import { lampOf } from '../../actors/contracts/fleet-view.ts';
import { type Candidate, type UpdatePorts, type UpdateSteps, updateSteps } from '../../actors/ota/steps.ts';
import { download } from '../../actors/ota/download.ts';
import { contentsDigest, type Slot } from '../../actors/ota/slots.ts';
import { type ModelOrder, parseJobDocument } from '../../actors/package/job-document.ts';
import { parseGolden, parseManifest } from '../../actors/package/manifest.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import { type Files, unpackTar } from '../../actors/package/tar.ts';
import type { Invariant } from '../../scenarios/dsl.ts';
import type { StageTools } from '../../scenarios/stage.ts';

export interface Mutant {
  /** The bug, as the original's list of defects has it. */
  readonly about: string;
  /** What it breaks. */
  readonly breaks: Invariant;
  readonly instead: NonNullable<StageTools['instead']>;
}

export const mutants: Readonly<Record<string, Mutant>> = {
  'success-before-load': {
    about: 'SUCCEEDED is reported once the package is there, before the model has been loaded.',
    breaks: 'success-after-answer',
    instead: {
      steps(ports) {
        const steps = updateSteps(ports);
        return {
          ...steps,
          async download(job, signal) {
            await steps.download(job, signal);
            const { jobId, executionNumber } = job;
            await ports.outbox.enqueue({ jobId, executionNumber, status: 'SUCCEEDED', statusDetails: { info: 'Model deployed' } });
          },
        };
      },
    },
  },

  'float-versions': {
    about: 'Versions are compared as floating-point numbers: 1.10 is less than 1.9.',
    breaks: 'down-only-by-grant',
    instead: {
      steps(ports) {
        let order: ModelOrder | null = null;
        const committed: UpdatePorts['slots']['committed'] = async () => {
          const record = await ports.slots.committed();
          if (!record || !order || !record.model.startsWith(`${order.name}@`)) return record;
          const isNewer = Number.parseFloat(order.version) > Number.parseFloat(record.model.slice(order.name.length + 1));
          return { ...record, model: modelId(order.name, isNewer ? '0.0.0' : '999.0.0') };
        };
        const steps = updateSteps({ ...ports, slots: { ...ports.slots, committed } });
        return {
          ...steps,
          accept(job, signal) {
            order = parseJobDocument(job.document);
            return steps.accept(job, signal);
          },
        };
      },
    },
  },

  'swallowed-load-error': {
    about: 'A model that cannot be loaded is logged, and the update goes on.',
    breaks: 'success-after-answer',
    instead: {
      steps(ports) {
        const steps = updateSteps(ports);
        let hasFailed = false;
        const unlessFailed =
          <Given extends readonly unknown[]>(run: (...given: Given) => Promise<void>) =>
          async (...given: Given): Promise<void> => {
            if (!hasFailed) await run(...given);
          };
        return {
          ...steps,
          async load(job, signal) {
            hasFailed = false;
            await steps.load(job, signal).catch(() => {
              hasFailed = true;
            });
          },
          canary: unlessFailed(steps.canary),
          commit: unlessFailed(steps.commit),
        };
      },
    },
  },

  'unsafe-unpack': {
    about: 'A package is unpacked and loaded without a look at its signature.',
    breaks: 'only-trusted-packages',
    instead: { steps: trustingSteps },
  },

  'lost-job': {
    about: 'A job in progress is not asked for after a restart: it waits for its timer.',
    breaks: 'every-job-ends',
    instead: {
      jobs: (jobs) => ({
        ...jobs,
        async next(thing) {
          const job = await jobs.next(thing);
          return job?.status === 'QUEUED' ? job : null;
        },
      }),
    },
  },

  'swapped-lamps': {
    about: 'The lamps of two features are exchanged.',
    breaks: 'feature-named-alike',
    instead: { lampOf: swappedLampOf },
  },
};

/** An update as short as the original's: digest and signature are not looked at; all else is as it should be. */
function trustingSteps(ports: UpdatePorts): UpdateSteps {
  const { objects, disk, clock, engine, slots, outbox } = ports;
  let order: ModelOrder | null = null;
  let files: Files = new Map();
  let bytes: Uint8Array | null = null;
  let slot: Slot | null = null;
  let candidate: Candidate | null = null;
  const sound = updateSteps(ports);
  const letGo = async () => {
    if (candidate) ports.dismiss();
    await candidate?.inference.close();
    candidate = null;
    await disk.remove('download');
  };
  return {
    async accept(job, signal) {
      order = parseJobDocument(job.document);
      return sound.accept(job, signal);
    },
    async download(_, signal) {
      bytes = await download(objects, disk, order!, { clock, signal, progress: async () => {}, askAgain: async () => order! });
    },
    async verify() {},
    async unpack(_, signal) {
      files = unpackTar(bytes!);
      slot = await slots.unpack(files, signal);
    },
    async load() {
      const manifest = parseManifest(files.get('manifest.json')!);
      if (manifest.machine !== ports.machine) throw new ModelRejected(modelId(manifest.name, manifest.version), 'another machine');
      const golden = parseGolden(files.get(manifest.golden.file)!);
      const inference = await clock.until(clock.now(), engine.load(manifest, files.get(manifest.network.file)!, golden, files));
      candidate = { id: modelId(manifest.name, manifest.version) as ModelId, digest: order!.sha256, manifest, inference };
    },
    async canary(_, signal) {
      await ports.canary(candidate!, { goldenAt: clock.now() + 420_000, signal });
    },
    async commit({ jobId, executionNumber }) {
      const { id, manifest } = candidate!;
      const [sha256, contents] = [sha256Hex(bytes!), contentsDigest(files)];
      await slots.commit({ slot: slot!, model: id, sha256, contents, sequence: manifest.sequence, jobId, executionNumber });
      const old = await ports.activate(candidate!);
      candidate = null;
      await old?.inference.close();
      await disk.remove('download');
    },
    rollback: letGo,
    report: ({ jobId, executionNumber }, { status }) => outbox.enqueue({ jobId, executionNumber, status, statusDetails: { info: 'done' } }),
    rest: sound.rest,
    async abandon() {
      await candidate?.inference.close();
      candidate = null;
    },
  };
}

/** Every feature's light is its neighbour's. */
function swappedLampOf(turbine: TurbineView) {
  const lamp = lampOf(turbine);
  const names = Object.keys(turbine.verdict?.scores ?? {});
  const place = lamp.feature === null ? -1 : names.indexOf(lamp.feature);
  return place < 0 ? lamp : { ...lamp, feature: names[place ^ 1] ?? names[0] };
}
