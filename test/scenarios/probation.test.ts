import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModelId } from '../../actors/contracts/ids.ts';
import { spoiledModel } from '../../scenarios/faulty/models.ts';
import { GOOD, publishSpoiled, roll, rolloutWorld, settled } from '../kit/rollout-world.ts';

const probation = suite('probation after SUCCEEDED');

const OLD: ModelId = 'windturbine-anomaly@1.0.0';
const CAME = { installed: { model: OLD, at: null, job: null }, accepted: { model: OLD, at: null, by: null } };

probation(
  'a wave’s models are installed with their jobs, and accepted when the gate lets it pass; the last wave’s by what it judges',
  async () => {
    const world = await rolloutWorld();
    const standing = (thing: string) => world.deployments.standing(thing)!;
    assert.equal(standing('T-001'), CAME);
    const { id, rollout } = await roll(world, GOOD);
    const [[canary], [last]] = rollout!.waves.map(({ things }) => things);

    await world.clock.run(240_000);
    const watched = await world.deployments.show(id);
    assert.equal([watched.rollout!.accepted.length, watched.rollout!.onProbation.length], [0, 4]);
    assert.is(standing(canary).installed.model, GOOD);
    assert.is(standing(canary).installed.job, `${id}-w1`);
    assert.equal(standing(canary).accepted, CAME.accepted);
    assert.equal(standing(last), CAME);

    const done = await settled(world, id, 1_400_000);
    assert.is(done.status, 'SUCCEEDED', done.rollout!.reason);
    assert.equal([done.rollout!.accepted.length, done.rollout!.onProbation.length], [4, 16], 'the last wave has only been told of');
    assert.is(standing(canary).accepted!.by, 'gate');

    await world.clock.run(world.clock.now() + 150_000);
    const later = (await world.deployments.show(id)).rollout!;
    assert.equal([later.accepted.length, later.onProbation.length], [20, 0]);
    assert.is(standing(last).accepted!.by, 'turbine');
    assert.ok(standing(last).accepted!.at! >= standing(last).installed.at! + 60_000);
    await world.close();
  },
);

probation('what alarms, is halted or comes by a job that stands alone is not accepted by being installed', async () => {
  const world = await rolloutWorld({ twins: 3 });
  const bad = await publishSpoiled(world, (contents) => spoiledModel(contents, 'model-trigger-happy', 0.15));
  const { name, version, bucket, key, sha256 } = await world.catalogue.show(bad);
  const document = {
    type: 'new_model',
    model_name: name,
    model_version: version,
    model_package_bucket: bucket,
    model_package_key: key,
    sha256,
  };
  await world.jobs.create({ jobId: 'alone', targets: ['T-001'], things: ['T-001'], document });

  await world.clock.run(200_000);
  const early = world.deployments.standing('T-001')!;
  assert.equal([early.installed.model, early.installed.job, early.accepted?.model], [bad, 'alone', OLD]);
  assert.equal(world.deployments.standing('T-002'), CAME);
  assert.is(world.deployments.standing('T-009'), null);
  await world.close();
});

probation.run();
