/** `windfleet data prepare`: from a recording to windows and statistics. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { deskTurbine } from '../../../actors/contracts/channels.ts';
import { FileInvalid, reasonOf } from '../../../actors/contracts/errors.ts';
import { parseRecording } from '../../../actors/contracts/recording.ts';
import { writePrepared } from '../../studio/files.ts';
import { prepare } from '../../studio/prepare.ts';
import type { Io } from '../print.ts';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

export interface PrepareFlags {
  readonly out: string;
}

export async function prepareFile(file: string, { out: folder }: PrepareFlags, io: Io): Promise<void> {
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
