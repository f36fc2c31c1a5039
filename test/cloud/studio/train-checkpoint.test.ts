import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid, UsageError } from '../../../actors/contracts/errors.ts';
import { parametersOf } from '../../../cloud/studio/network.ts';
import {
  CHECKPOINT,
  readCheckpoint,
  removeCheckpoint,
  type TrainSubject,
  writeCheckpoint,
} from '../../../cloud/studio/train-checkpoint.ts';
import { type FoldsState, trainFolds } from '../../../cloud/studio/train-folds.ts';
import { planTraining } from '../../../cloud/studio/train-plan.ts';
import { createRng } from '../../../twins/rng.ts';
import { removeFolder, scratchFolder } from '../../kit/farm-process.ts';
import { waves } from '../../kit/waves.ts';

const checkpoint = suite('checkpoint');

const folder = scratchFolder();
const plan = planTraining({ hidden: [12, 4, 12], batch: 20, epochs: 4, folds: 3 });
const subject: TrainSubject = { plan, seed: 5, data: 'waves' };

/** The state after so many of what `onState` hears. */
async function stateAfter(count: number): Promise<FoldsState> {
  const ending = new AbortController();
  let [heard, kept] = [0, null as FoldsState | null];
  await trainFolds(waves(), {
    rng: createRng(5),
    plan,
    signal: ending.signal,
    onState: (state) => {
      if (heard++ < count) kept = state;
      else ending.abort();
    },
  });
  return kept!;
}

checkpoint('goes on from its file to the bits of a training that never stopped, in any fold', async () => {
  const whole = (await trainFolds(waves(), { rng: createRng(5), plan }))!;
  assert.is(whole.results.length, 3);
  assert.is(whole.chosen.heldOutLoss, Math.min(...whole.results.map(({ heldOutLoss }) => heldOutLoss)));

  for (const count of [1, 4, 9, 10, 16]) {
    const state = await stateAfter(count);
    await writeCheckpoint(folder, subject, state);
    const resume = await readCheckpoint(folder, subject);
    assert.equal(resume, state);
    const resumed = (await trainFolds(waves(), { rng: createRng(5), plan, resume }))!;

    assert.equal(resumed.results, whole.results);
    assert.equal(resumed.chosen, whole.chosen);
    assert.equal(parametersOf(resumed.network), parametersOf(whole.network));
  }
});

checkpoint('of another training is refused with what differs', async () => {
  await writeCheckpoint(folder, subject, await stateAfter(2));
  const refused = (other: TrainSubject, reason: RegExp) =>
    readCheckpoint(folder, other).then(
      () => assert.unreachable(),
      (error: unknown) => assert.ok(error instanceof UsageError && reason.test(error.message), String(error)),
    );
  await refused({ ...subject, data: 'winds' }, /it learned from other windows/);
  await refused({ ...subject, seed: 6 }, /its seed was 5, not 6/);
  await refused(
    { ...subject, plan: { ...plan, epochs: 9, hidden: [8] } },
    /its hidden was \[12,4,12\], not \[8\]; its epochs was 4, not 9/,
  );
});

checkpoint('that is damaged or not there is said, wherever it was cut', async () => {
  await writeCheckpoint(folder, subject, await stateAfter(2));
  const path = join(folder, CHECKPOINT);
  const bytes = readFileSync(path);
  const flipped = Buffer.from(bytes);
  flipped[bytes.length - 100] ^= 1;
  for (const damaged of [
    ...[0, 5, 9, 40, bytes.length - 1].map((length) => bytes.subarray(0, length)),
    flipped,
    Buffer.concat([bytes, bytes]),
  ]) {
    writeFileSync(path, damaged);
    await readCheckpoint(folder, subject).then(
      () => assert.unreachable(),
      (error: unknown) => assert.ok(error instanceof FileInvalid && /is no whole checkpoint/.test(error.message), String(error)),
    );
  }
  await removeCheckpoint(folder);
  await readCheckpoint(folder, subject).then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(error instanceof FileInvalid && /nothing to resume/.test(error.message)),
  );
});

checkpoint.after(() => removeFolder(folder));

checkpoint.run();
