import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Deployment } from '../../actors/contracts/deployments.ts';
import { JobRefused } from '../../actors/contracts/errors.ts';
import { spoiledModel } from '../../scenarios/faulty/models.ts';
import { GOOD, modelsOf, publishSpoiled, roll, rolloutWorld, settled } from '../kit/rollout-world.ts';

const rollout = suite('rollout of a fleet');

const OLD = 'windturbine-anomaly@1.0.0';
const wavesOf = ({ rollout: of }: Deployment) => of!.waves.map(({ things, status }) => `${things.length} ${status}`);
const isRefused = (error: unknown) => error instanceof JobRefused && error.reason === 'InvalidStateTransition';

rollout('a good model goes wave by wave past the gate, and back again when it is told to', async () => {
  const world = await rolloutWorld();
  const begun = await roll(world, GOOD);
  assert.equal(wavesOf(begun), ['4 PENDING', '16 PENDING']);

  const done = await settled(world, begun.id, 1_400_000);
  assert.is(done.status, 'SUCCEEDED', done.rollout!.reason);
  assert.equal(wavesOf(done), ['4 DONE', '16 DONE']);
  assert.is(done.counts.SUCCEEDED, 20);
  assert.is(done.rollout!.waves[0].gate!.decision, 'promote');
  assert.ok(done.rollout!.bench!.newRecall >= 0.8 && done.rollout!.bench!.faults > 10);
  assert.equal(new Set(modelsOf(world)), new Set([GOOD]));
  assert.equal(
    world.events.events.filter(({ kind }) => kind === 'rollout').map(({ of, what }) => `${of} ${what['status']} ${what['wave'] ?? ''}`),
    [`${begun.id} IN_PROGRESS 1`, `${begun.id} IN_PROGRESS 2`, `${begun.id} SUCCEEDED `],
  );

  await world.deployments.rollback(begun.id);
  const back = await settled(world, begun.id, world.clock.now() + 120_000);
  assert.is(back.status, 'ROLLED_BACK');
  assert.is(back.rollout!.heal!.back.length, 20);
  assert.equal(new Set(modelsOf(world)), new Set([OLD]));
  for (const what of ['pause', 'resume', 'rollback', 'cancel'] as const)
    assert.ok(await world.deployments[what](begun.id).then(() => false, isRefused), what);
  await world.close();
});

rollout('a deaf model is found on twins: no turbine takes it', async () => {
  const world = await rolloutWorld();
  const bad = await publishSpoiled(world, (contents) => spoiledModel(contents, 'model-deaf', 0.5));

  const done = await settled(world, (await roll(world, bad)).id, 300_000);

  assert.is(done.status, 'HALTED');
  assert.match(done.rollout!.reason, /on twins it finds 0 % of \d+ known faults, the old model \d+ %/);
  assert.is(done.rollout!.exposureMinutes, 0);
  assert.is((await world.jobs.list()).length, 0);
  await world.close();
});

rollout('a model that cries more is halted in the canary wave, and what was updated goes back', async () => {
  const world = await rolloutWorld();
  const bad = await publishSpoiled(world, (contents) => spoiledModel(contents, 'model-trigger-happy', 0.5));

  const done = await settled(world, (await roll(world, bad)).id, 900_000);

  assert.is(done.status, 'HALTED', done.rollout!.reason);
  assert.equal(wavesOf(done)[1], '16 PENDING');
  assert.ok(done.rollout!.exposureMinutes < 4 * 6, String(done.rollout!.exposureMinutes));
  const { waiting, left } = done.rollout!.heal ?? { waiting: [], left: [] };
  const healed = new Set([...waiting, ...left.map(({ thing }) => thing)]);
  for (const [i, model] of modelsOf(world).entries()) if (!healed.has(world.things[i])) assert.is(model, OLD);
  await world.close();
});

rollout('a paused one begins no wave; an aborted one leaves what is updated', async () => {
  const world = await rolloutWorld();
  const { id } = await roll(world, GOOD);
  await world.clock.run(200_000);
  assert.is((await world.deployments.pause(id)).status, 'PAUSED');
  await world.clock.run(800_000);
  const paused = await world.deployments.show(id);
  assert.equal([paused.status, paused.counts.SUCCEEDED, wavesOf(paused)[1]], ['PAUSED', 4, '16 PENDING']);

  await world.deployments.resume(id);
  assert.is((await settled(world, id, 900_000)).counts.SUCCEEDED, 20);

  const again = await roll(world, GOOD, { waves: [1, 20] });
  const aborted = await world.deployments.cancel(again.id);
  assert.is(aborted.status, 'CANCELED');
  assert.ok(aborted.counts.CANCELED >= 19, 'whoever has begun may end');
  await world.clock.run(world.clock.now() + 60_000);
  assert.is((await world.deployments.show(again.id)).counts.SUCCEEDED, 0);
  await world.close();
});

rollout('a wave waits for its window and its wind, and says for what', async () => {
  const world = await rolloutWorld({ twins: 4 });
  const night = await roll(world, GOOD, { window: 'cron(5 0 * * ? *) for 10m' }); // the clock begins at midnight
  assert.match(night.rollout!.reason, /waits for its window: it opens at 2026-01-01T00:05:00.000Z/);
  const storm = await roll(world, GOOD, { window: 'above 30 m/s' });
  assert.match(storm.rollout!.reason, /the wind is \d\.\d m\/s, not above 30 m\/s/);
  await world.clock.run(290_000);
  assert.is((await world.jobs.list()).length, 0);
  await world.clock.run(400_000);
  assert.is((await world.deployments.show(night.id)).status, 'SUCCEEDED');
  assert.is((await world.deployments.show(storm.id)).status, 'IN_PROGRESS');
  await world.close();
});

rollout('a budget of devices cuts a wave into parts that follow each other', async () => {
  const world = await rolloutWorld({ twins: 5 });
  const { id } = await roll(world, GOOD, { budgetDevices: 2 });
  const done = await settled(world, id, 400_000);
  assert.is(done.status, 'SUCCEEDED', done.rollout!.reason);
  assert.equal(wavesOf(done), ['2 DONE', '2 DONE', '1 DONE']);
  const busy = new Set<string>();
  let most = 0;
  for (const { kind, what } of world.events.events) {
    if (kind !== 'job' || typeof what['thing'] !== 'string') continue;
    if (what['status'] === 'IN_PROGRESS') busy.add(what['thing']);
    else busy.delete(what['thing']);
    most = Math.max(most, busy.size);
  }
  assert.is(most, 2);
  await world.close();
});

rollout.run();
