import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid, UsageError } from '../../../actors/contracts/errors.ts';
import { parametersOf } from '../../../cloud/studio/network.ts';
import type { Prepared } from '../../../cloud/studio/prepare.ts';
import { type Trained, type TrainState, trainNetwork } from '../../../cloud/studio/train.ts';
import { foldSplit } from '../../../cloud/studio/train-data.ts';
import { planTraining } from '../../../cloud/studio/train-plan.ts';
import { threadCrew } from '../../../cloud/studio/train-threads.ts';
import { createRng } from '../../../twins/rng.ts';
import { waves } from '../../kit/waves.ts';

const train = suite('train');

const small = { hidden: [12, 4, 12], batch: 40, epochs: 4, patience: 8 } as const;
const bits = ({ network }: Trained) => Buffer.from(parametersOf(network).buffer).toString('hex');

train('one, two and three threads, and none, make the same network bit for bit', async () => {
  const prepared = waves();
  const networks = [];
  for (const openCrew of [undefined, threadCrew(1), threadCrew(2), threadCrew(3)])
    networks.push(bits(await trainNetwork(prepared, { rng: createRng(1), ...small, ...(openCrew ? { openCrew } : {}) })));

  for (const network of networks.slice(1)) assert.is(network, networks[0]);
  assert.is.not(bits(await trainNetwork(prepared, { rng: createRng(2), ...small })), networks[0]);
});

for (const network of ['dense', 'conv'] as const) {
  train(`a ${network} network learns what the windows have in common`, async () => {
    const { history, best } = await trainNetwork(waves(), { rng: createRng(3), network, epochs: 12, batch: 16, learningRate: 1e-2 });

    assert.ok(best.loss < 0.5 * history[0].heldOutLoss, `${history[0].heldOutLoss} → ${best.loss}`);
    assert.is(best.loss, Math.min(...history.map(({ heldOutLoss }) => heldOutLoss)));
  });
}

train('the loss of the original’s network falls, dropout and folds as in the original', async () => {
  const prepared = waves({ windows: 24, heldOut: 5, features: 6, samples: 100 });
  const rng = createRng(4);
  const { history } = await trainNetwork(prepared, {
    rng,
    network: 'seed',
    epochs: 3,
    batch: 4,
    learningRate: 1e-3,
    split: foldSplit(24, 6, 3, rng.fork('folds')),
    openCrew: threadCrew(2),
  });

  assert.is(history.length, 3);
  assert.ok(history[2].trainingLoss < 0.95 * history[0].trainingLoss, JSON.stringify(history));
  assert.ok(history[2].heldOutLoss < history[0].heldOutLoss);
});

train('is stopped anywhere and goes on to the same bits', async () => {
  const prepared = waves();
  const whole = await trainNetwork(prepared, { rng: createRng(5), ...small });
  for (const [stopEpoch, stopBatch] of [
    [1, 1],
    [2, 3],
    [3, 2],
  ]) {
    const ending = new AbortController();
    let state: TrainState | null = null;
    const first = await trainNetwork(prepared, {
      rng: createRng(5),
      ...small,
      signal: ending.signal,
      onBatch: (epoch, done) => {
        if (epoch === stopEpoch && done === stopBatch) ending.abort();
      },
      onState: (now) => {
        state = now;
      },
    });
    assert.ok(first.history.length < whole.history.length);
    assert.is(state!.epoch, stopEpoch - 1);
    assert.is(state!.batch, stopBatch);

    const second = await trainNetwork(prepared, { rng: createRng(5), ...small, resume: state!, openCrew: threadCrew(2) });

    assert.equal(second.history, whole.history);
    assert.is(bits(second), bits(whole));
  }
});

train('stops early when nothing gets better, and keeps the best', async () => {
  const prepared = waves({ windows: 20, heldOut: 12 });
  const noise = createRng(9);
  const overfit = { ...prepared, training: prepared.training.map((_, i) => noise.normal(i)) };
  const { history, best } = await trainNetwork(overfit, {
    rng: createRng(6),
    hidden: [40],
    batch: 4,
    epochs: 200,
    patience: 3,
    learningRate: 1e-2,
  });

  assert.ok(history.length < 200);
  assert.is(history.length, best.epoch + 3);
});

train('a stopped thread crew answers at once, even within an epoch of the original’s network', async () => {
  const prepared = waves({ windows: 512, heldOut: 5, features: 6, samples: 100 }); // a minute an epoch
  const ending = new AbortController();
  let state: TrainState | null = null;
  const training = trainNetwork(prepared, {
    rng: createRng(7),
    network: 'seed',
    signal: ending.signal,
    openCrew: threadCrew(2),
    onState: (now) => {
      state = now;
    },
  });
  setImmediate(() => ending.abort());
  const { history } = await training;

  assert.is(history.length, 0);
  assert.is(state!.batch, 0);
});

train('windows that cannot train are refused by name', async () => {
  const refused = async (prepared: Prepared, reason: RegExp) => {
    await trainNetwork(prepared, { rng: createRng(1), ...small }).then(
      () => assert.unreachable(String(reason)),
      (error: unknown) => assert.ok(error instanceof FileInvalid && reason.test(error.message), String(error)),
    );
  };
  const good = waves();
  const changed = (change: (windows: Float32Array) => void) => {
    const training = good.training.slice();
    change(training);
    return { ...good, training };
  };
  await refused({ ...good, training: good.training.slice(0, 19 * 40) }, /19 training windows; training wants 20/);
  await refused({ ...good, heldOut: good.heldOut.slice(0, 4 * 40) }, /4 held-out windows/);
  await refused({ ...good, training: good.training.slice(0, -1) }, /no whole number of windows of 2 features × 20 samples/);
  await refused(
    changed((windows) => {
      windows[3 * 40 + 25] = Number.NaN;
    }),
    /training window 3: f1 is NaN at sample 5/,
  );
  await refused(
    changed((windows) => {
      for (let i = 0; i < windows.length; i++) if (i % 40 >= 20) windows[i] = 0.5;
    }),
    /^f1 never changes/,
  );
});

train('plans that cannot be are refused with what is wrong', () => {
  for (const [change, reason] of [
    [{ epochs: 0 }, /0 epochs/],
    [{ batch: 1.5 }, /batch of 1.5/],
    [{ learningRate: Number.NaN }, /learning rate of NaN/],
    [{ hidden: [40, 0] }, /40,0/],
    [{ network: 'conv', hidden: [4] }, /a conv network has its own layers/],
    [{ folds: 1 }, /1 folds/],
    [{ folds: 3, fold: 3 }, /fold 3/],
  ] as const)
    assert.throws(
      () => planTraining(change),
      (error: unknown) => error instanceof UsageError && reason.test(error.message),
      String(reason),
    );
  const { learningRate, batch, epochs, dropout, folds, fold } = planTraining({ network: 'seed' });
  assert.equal(
    { learningRate, batch, epochs, dropout, folds, fold },
    { learningRate: 1e-4, batch: 256, epochs: 200, dropout: 0.001, folds: 6, fold: 3 },
  );
});

train('a training that has lost its way is said, not exported', async () => {
  const prepared = waves();
  let state: TrainState | null = null;
  const onState = (now: TrainState) => {
    state = now;
  };
  await trainNetwork(prepared, { rng: createRng(1), ...small, epochs: 1, onState });
  state!.parameters[5] = Number.NaN; // what too high a learning rate comes to

  await trainNetwork(prepared, { rng: createRng(1), ...small, resume: state! }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(error instanceof UsageError && /the loss of epoch 2 is NaN/.test(error.message), String(error)),
  );
});

train('every window is in one fold’s test part, and in the training part of the others', () => {
  const parts = Array.from({ length: 4 }, (_, fold) => foldSplit(10, 4, fold, createRng(3)));
  assert.equal(
    parts.flatMap(({ checks }) => [...checks]).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  for (const { trains, checks } of parts)
    assert.equal(
      [...trains, ...checks].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  assert.throws(() => foldSplit(7, 4, 0, createRng(1)), /7 training windows are too few for 4 folds/);
});

train.run();
