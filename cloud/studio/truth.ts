/** The sidecar of a recording: what was at work on which turbine, and of which file that holds. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import { createFileFaults } from '../../actors/contracts/file-faults.ts';
import { type FaultInterval, type GroundTruth, truthFileOf } from '../../actors/contracts/ground-truth.ts';
import { openWhole } from './whole-file.ts';

const HINT = 'name the right one with --truth, or go without (--no-truth): then windows of faulted turbines pass for normal';

/**
 * @param named the sidecar; absent: the one beside the recording, if there is any
 * @returns null when there is none. @throws FileInvalid when it cannot be read, or is of another recording
 */
export async function readTruth(recording: string, named?: string): Promise<{ readonly file: string; readonly truth: GroundTruth } | null> {
  const file = named ?? truthFileOf(recording);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error, hint: HINT });
  }
  let truth: GroundTruth;
  try {
    truth = JSON.parse(text);
  } catch (error) {
    throw new FileInvalid(`${file} is no JSON: ${reasonOf(error)}`, { cause: error, hint: HINT });
  }
  const faults = createFileFaults();
  const want = (holds: boolean, what: string) => holds || faults.add(`${file} ${what}`);
  want(truth?.schema === 'windfleet.truth/v1', `is no ground truth: its schema is ${JSON.stringify(truth?.schema)}`);
  want(typeof truth?.machine === 'string', 'names no machine');
  want(Array.isArray(truth?.things) && Array.isArray(truth?.recordings), 'must have things and recordings');
  want(Array.isArray(truth?.faults), 'must have faults');
  for (const [i, interval] of (Array.isArray(truth?.faults) ? truth.faults : []).entries())
    want(isInterval(interval, truth), `faults[${i}] must have a thing of its things, a fault, and instants from and to`);
  if (faults.count === 0 && named === undefined) {
    const stem = (name: string) => basename(name).replace(/\.gz$/i, '');
    want(
      truth.recordings.some((name) => stem(name) === stem(recording)),
      `tells of ${truth.recordings.join(', ')}, not of ${basename(recording)}`,
    );
  }
  faults.refuse(HINT);
  return { file, truth };
}

const isInterval = (interval: FaultInterval | null, { things }: GroundTruth): boolean =>
  typeof interval?.fault === 'string' &&
  Array.isArray(things) &&
  things.includes(interval.thing) &&
  !Number.isNaN(Date.parse(interval.from)) &&
  (interval.to === null || !Number.isNaN(Date.parse(interval.to)));

/** Beside the recording; another recording of the same run (its Parquet, say) shares it. @returns its path. @throws EnvironmentLacking */
export async function writeTruth(recording: string, truth: Omit<GroundTruth, 'recordings'>): Promise<string> {
  const file = truthFileOf(recording);
  const before = await readFile(file, 'utf8')
    .then((text) => JSON.parse(text) as GroundTruth)
    .catch(() => null); // none, or none of ours: it is written anew
  const { recordings: told = [], ...same } = before ?? { recordings: [] };
  const { schema, ...facts } = truth;
  const others = JSON.stringify(same) === JSON.stringify(truth) ? told.filter((name) => name !== basename(recording)) : [];
  const whole = await openWhole(file);
  await whole.write(`${JSON.stringify({ schema, recordings: [...others, basename(recording)], ...facts }, null, 2)}\n`);
  await whole.keep();
  return file;
}
