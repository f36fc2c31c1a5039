import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Deployment, ModelStanding } from '../../actors/contracts/deployments.ts';
import { eventually, getJson, removeFolder, runCli, scratchFolder, startFarm } from '../kit/farm-process.ts';

const restart = suite('a rollout and kill -9');

restart('killed while a wave is watched, it goes on with that wave, and comes to its end once', async () => {
  const data = scratchFolder();
  const flags = ['--turbines', '4', '--speed', '100x'];
  const first = await startFarm(data, flags);
  const plan = ['--waves', '1,2', '--soak', '30s', '--json', '--cloud', first.url];
  const { out, err } = await runCli(['deploy', 'windturbine-anomaly@1.1.0', '--to', 'farm', ...plan]);
  const { id, rollout } = JSON.parse(out || err) as Deployment;
  const shown = (url: string) => getJson<Deployment>(`${url}/api/deployments/${id}`);
  const before = await eventually(
    () => shown(first.url),
    (one) => one.rollout!.waves[0].status === 'SOAKING',
  );
  assert.is(await first.stop('SIGKILL'), null);

  const second = await startFarm(data, flags);
  const after = await shown(second.url);
  assert.equal(
    [after.status, after.rollout!.waves.map(({ things }) => things)],
    ['IN_PROGRESS', before.rollout!.waves.map(({ things }) => things)],
  );
  const [canary] = before.rollout!.waves[0].things;
  const standing = () => getJson<ModelStanding>(`${second.url}/api/things/${canary}`);
  assert.is((await standing()).installed.job, before.rollout!.waves[0].jobId);
  assert.equal(after.rollout!.onProbation, [canary]);
  const done = await eventually(
    () => shown(second.url),
    ({ rollout: one }) => one!.isSettled,
  );
  assert.is(done.status, 'SUCCEEDED', done.rollout!.reason);
  assert.equal([done.counts.SUCCEEDED, done.rollout!.waves.length], [2, rollout!.waves.length]);
  assert.is((await standing()).accepted!.by, 'gate');
  const { out: text } = await runCli(['things', 'show', canary, '--cloud', second.url]);
  assert.match(
    text,
    /installed {2}windturbine-anomaly@1\.1\.0 since \S+ by \S+-w1\n {2}accepted {3}windturbine-anomaly@1\.1\.0 since \S+ by its rollout’s gate/,
  );
  assert.is((await getJson<object[]>(`${second.url}/api/jobs`)).length, 2, 'one job a wave');
  await second.stop();
  removeFolder(data);
});

restart.run();
