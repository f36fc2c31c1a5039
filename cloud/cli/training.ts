/** What `windfleet train` does: reads what was prepared, trains with progress and checkpoints, and writes the model with its card. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../actors/contracts/clock.ts';
import { didYouMean, UsageError } from '../../actors/contracts/errors.ts';
import { isVersion } from '../../actors/package/version.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { createRng } from '../../twins/rng.ts';
import { exportModel } from '../studio/export.ts';
import { readPrepared, writeArtefacts } from '../studio/files.ts';
import { modelCard } from '../studio/model-card.ts';
import { countMacs, countParameters } from '../studio/network.ts';
import { type NetworkKind, networkKinds } from '../studio/network-kinds.ts';
import type { Prepared } from '../studio/prepare.ts';
import { CHECKPOINT, readCheckpoint, removeCheckpoint, type TrainSubject, writeCheckpoint } from '../studio/train-checkpoint.ts';
import { checkWindows } from '../studio/train-data.ts';
import { type FoldedTraining, type FoldsState, trainFolds } from '../studio/train-folds.ts';
import { planTraining, type TrainPlan } from '../studio/train-plan.ts';
import { threadCrew } from '../studio/train-threads.ts';
import { type Io, printFacts } from './print.ts';
import { softwareOf } from './software.ts';
import { followTraining } from './training-progress.ts';

export interface TrainFlags {
  readonly out: string;
  readonly network: string;
  readonly hidden?: string;
  readonly epochs?: string;
  readonly patience?: string;
  readonly batch?: string;
  readonly learningRate?: string;
  readonly folds?: string;
  readonly fold?: string;
  readonly seed: string;
  readonly falseAlarms: string;
  readonly persistence: string;
  readonly workers?: string;
  readonly resume?: boolean;
  readonly name: string;
  readonly modelVersion: string;
  readonly sequence: string;
  readonly cloud?: string;
  readonly json?: boolean;
}

const FLEET = 'windturbine-farm';
const CHECKPOINT_MS = 1_000;
const MOST_WORKERS = 16; // a mini-batch has no more slices than this by default

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

export async function trainFolder(folder: string, flags: TrainFlags, io: Io): Promise<void> {
  const plan = planOf(flags);
  const [seed, sequence] = [whole('--seed', flags.seed, 0), whole('--sequence', flags.sequence, 1)];
  const workers = flags.workers === undefined ? Math.min(MOST_WORKERS, availableParallelism()) : whole('--workers', flags.workers, 1, 64);
  const alarmRate = { persistence: whole('--persistence', flags.persistence, 1, 100), alarmsPerWeek: Number(flags.falseAlarms) };
  if (!(alarmRate.alarmsPerWeek > 0 && alarmRate.alarmsPerWeek <= 1_000))
    throw new UsageError(`--false-alarms ${flags.falseAlarms} is no number above 0, and 1000 at most`);
  const version = flags.modelVersion;
  if (!isVersion(version)) throw new UsageError(`--model-version ${version} is no version, as 1.2.3`);
  if (flags.resume !== true && existsSync(join(flags.out, CHECKPOINT)))
    throw new UsageError(`${flags.out} holds a training that did not come to its end`, {
      hint: `go on with it by --resume, or remove ${join(flags.out, CHECKPOINT)} to begin anew`,
    });
  const prepared = await readPrepared(folder);
  checkWindows(prepared);
  const subject: TrainSubject = { plan, seed, data: digestOf(prepared) };
  const resume = flags.resume === true ? await readCheckpoint(flags.out, subject) : null;
  const wall = wallClock();
  const windows = countWindows(prepared);
  const id = sha256(`${JSON.stringify(subject)} ${wall.epoch} ${process.pid}`).slice(0, 12);
  const model = `${flags.name}@${version}`;
  const progress = followTraining(io, { plan, windows, wall, cloud: flags.cloud, facts: { id, model, machine: prepared.machine }, resume });
  const keeper = keepCheckpoints(flags.out, subject, wall);
  let training: FoldedTraining | null;
  try {
    training = await trainFolds(prepared, {
      rng: createRng(seed).fork('training'),
      plan,
      signal: io.signal,
      openCrew: threadCrew(workers),
      ...(resume ? { resume } : {}),
      onBatch: progress.onBatch,
      onEpoch: progress.onEpoch,
      onState: keeper.keep,
    });
    if (!training?.isFinished) await keeper.flush();
  } catch (error) {
    await progress.end('failed');
    throw error;
  }
  await progress.end(training?.isFinished ? 'done' : 'stopped');
  const goOn = 'go on with the same command and --resume';
  if (training === null) {
    io.err(`ended before its first epoch: there is no model yet; ${goOn}`);
    return;
  }
  const artefacts = exportModel(prepared, training, {
    name: flags.name,
    version,
    sequence,
    fleet: FLEET,
    lineage: { ...lineageOf(plan, seed), windows: subject.data, bestEpoch: training.best.epoch, ...softwareOf() },
    alarmRate,
    digest: sha256,
  });
  await writeArtefacts(flags.out, artefacts);
  const networkBytes = artefacts.network.length;
  const card = modelCard({ manifest: artefacts.manifest, plan, seed, training, windows, networkBytes });
  await writeFile(join(flags.out, 'MODEL_CARD.md'), card);
  if (training.isFinished) await removeCheckpoint(flags.out);
  else io.err(`ended at epoch ${training.history.length}: its best so far is exported; ${goOn}`);

  const { best, chosen, results, history, network } = training;
  const thresholds = artefacts.manifest.thresholds;
  const facts = {
    out: flags.out,
    model,
    network: plan.network,
    parameters: countParameters(network),
    macs: countMacs(network),
    networkBytes,
    windows,
    isFinished: training.isFinished,
    epochs: history.length,
    best: { epoch: best.epoch, fold: chosen.fold, loss: best.loss, heldOutLoss: chosen.heldOutLoss },
    folds: plan.folds === null ? [] : results,
    thresholds,
    seconds: Math.round(wall.now() / 100) / 10,
  };
  printFacts(io, flags.json ?? false, facts, () =>
    [
      `${flags.out}: ${model} after ${history.length} epochs in ${facts.seconds} s, held-out loss ${chosen.heldOutLoss.toFixed(4)} in epoch ${best.epoch}`,
      ...facts.folds.map(
        ({ fold, loss, heldOutLoss }) =>
          `  fold ${fold}: loss ${loss.toFixed(4)} of its own test part, ${heldOutLoss.toFixed(4)} of the held-out windows${fold === chosen.fold ? '; this is the model' : ''}`,
      ),
      ...thresholds.map(({ feature, mae }) => `  ${feature.padEnd(16)} threshold ${mae.toFixed(4)}`),
    ].join('\n'),
  );
}

/** Writes the newest state, but for epochs of milliseconds not each of them: a power cut costs no more than a second. */
function keepCheckpoints(folder: string, subject: TrainSubject, wall: Pick<Clock, 'now'>) {
  let [writtenAt, newest] = [Number.NEGATIVE_INFINITY, null as FoldsState | null];
  const flush = async () => {
    if (newest === null) return;
    const state = newest;
    newest = null;
    await writeCheckpoint(folder, subject, state);
    writtenAt = wall.now();
  };
  return {
    async keep(state: FoldsState) {
      newest = state;
      if (wall.now() - writtenAt >= CHECKPOINT_MS) await flush();
    },
    flush,
  };
}

function planOf(flags: TrainFlags): TrainPlan {
  const kind = flags.network as NetworkKind;
  if (!networkKinds.includes(kind))
    throw new UsageError(`there is no network ${kind}.${didYouMean(kind, networkKinds)}`, { hint: `networks: ${networkKinds.join(', ')}` });
  const { hidden, learningRate, folds, fold } = flags;
  const number = (name: 'epochs' | 'patience' | 'batch' | 'folds' | 'fold', min: number) =>
    flags[name] === undefined ? {} : { [name]: whole(`--${name}`, flags[name], min) };
  return planTraining({
    network: kind,
    ...number('epochs', 1),
    ...number('patience', 1),
    ...number('batch', 1),
    ...(folds !== undefined && fold === undefined ? { fold: null } : {}), // the one of the seed is of its own six
    ...number('folds', 2),
    ...number('fold', 0),
    ...(hidden === undefined ? {} : { hidden: hidden.split(',').map((width) => whole('--hidden', width.trim(), 1)) }),
    ...(learningRate === undefined ? {} : { learningRate: /^[\d.eE+-]+$/.test(learningRate) ? Number(learningRate) : Number.NaN }),
  });
}

const lineageOf = ({ network, hidden, batch, learningRate, folds, fold }: TrainPlan, seed: number) => ({
  command: 'windfleet train',
  seed,
  architecture: network,
  batch,
  learningRate,
  ...(network === 'dense' ? { hidden: hidden.join('-') } : {}),
  ...(folds === null ? {} : { folds }),
  ...(fold === null ? {} : { fold }),
});

function countWindows({ signal, training, heldOut }: Prepared) {
  const size = signal.features.length * signal.window.samples;
  return { training: training.length / size, heldOut: heldOut.length / size };
}

function digestOf({ source, signal, training, heldOut }: Prepared): string {
  const hash = createHash('sha256').update(JSON.stringify({ source, signal }));
  for (const { buffer, byteOffset, byteLength } of [training, heldOut]) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}

function whole(name: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `${name} ${text} is no whole number ${max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `within ${min}..${max}`}`,
  );
}
