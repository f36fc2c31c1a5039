/** `windfleet data prepare` and `windfleet train`: from a recording to an unsigned model. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FileInvalid, reasonOf, UsageError } from '../../../actors/contracts/errors.ts';
import { deskTurbine } from '../../../actors/contracts/channels.ts';
import { parseRecording } from '../../../actors/contracts/recording.ts';
import { isVersion } from '../../../actors/package/version.ts';
import { createRng } from '../../../twins/rng.ts';
import { exportModel } from '../../studio/export.ts';
import { readPrepared, writeArtefacts, writePrepared } from '../../studio/files.ts';
import { prepare } from '../../studio/prepare.ts';
import { type Epoch, trainNetwork } from '../../studio/train.ts';
import type { Io } from '../print.ts';

const HIDDEN = [40, 10, 40];
const QUIET_SECONDS = 10; // between two lines where nobody watches

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

export async function prepareFile(file: string, folder: string, io: Io): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  const prepared = prepare(parseRecording(text, file), deskTurbine.name, sha256(text));
  await writePrepared(folder, prepared);
  const size = prepared.signal.features.length * prepared.signal.window.samples;
  io.out(`${folder}: ${prepared.training.length / size} windows to train on, ${prepared.heldOut.length / size} held out`);
  for (const { name, mean, std } of prepared.signal.features)
    io.out(`  ${name.padEnd(16)} mean ${mean.toPrecision(4)}  std ${std.toPrecision(4)}`);
}

export interface TrainFlags {
  readonly out: string;
  readonly epochs: string;
  readonly seed: string;
  readonly name: string;
  readonly modelVersion: string;
  readonly sequence: string;
}

export async function trainFolder(folder: string, flags: TrainFlags, io: Io): Promise<void> {
  const [epochs, seed, sequence] = [
    whole('--epochs', flags.epochs, 1),
    whole('--seed', flags.seed, 0),
    whole('--sequence', flags.sequence, 1),
  ];
  if (!isVersion(flags.modelVersion)) throw new UsageError(`--model-version ${flags.modelVersion} is no version, as 1.2.3`);
  const prepared = await readPrepared(folder);
  const began = process.hrtime.bigint();
  let saidAt = Number.NEGATIVE_INFINITY;
  const seconds = () => Number(process.hrtime.bigint() - began) / 1e9;
  const onEpoch = async ({ epoch, trainingLoss, heldOutLoss }: Epoch) => {
    const now = seconds();
    const line = `epoch ${epoch}/${epochs}  loss ${trainingLoss.toFixed(4)}  held out ${heldOutLoss.toFixed(4)}  ${Math.ceil((now / epoch) * (epochs - epoch))} s to go at most`;
    if (io.isTerminal) process.stderr.write(`\r${line}   `);
    else if (now - saidAt >= QUIET_SECONDS || epoch === epochs) {
      io.err(line);
      saidAt = now;
    }
    await new Promise((rested) => setImmediate(rested)); // Ctrl-C is heard between epochs; the best so far is kept
  };
  const trained = await trainNetwork(prepared, {
    rng: createRng(seed).fork('training'),
    epochs,
    hidden: HIDDEN,
    signal: io.signal,
    onEpoch,
  });
  if (io.isTerminal) process.stderr.write('\n');
  if (trained.history.length === 0) throw new UsageError('the training was ended before its first epoch');
  const artefacts = exportModel(prepared, trained, {
    name: flags.name,
    version: flags.modelVersion,
    sequence,
    fleet: 'windturbine-farm',
    lineage: { command: 'windfleet train', seed, hidden: HIDDEN.join('-') },
    digest: sha256,
  });
  await writeArtefacts(flags.out, artefacts);
  io.out(
    `${flags.out}: ${flags.name}@${flags.modelVersion} after ${trained.history.length} epochs, held-out loss ${Number(artefacts.manifest.lineage['heldOutLoss']).toFixed(4)}`,
  );
  for (const { feature, mae } of artefacts.manifest.thresholds) io.out(`  ${feature.padEnd(16)} threshold ${mae.toFixed(4)}`);
}

function whole(name: string, text: string, min: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min) return value;
  throw new UsageError(`${name} ${text} is no whole number from ${min} on`);
}
