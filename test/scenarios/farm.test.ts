import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryWorld } from '../kit/memory-world.ts';

const farm = suite('farm');

const alarmsOf = (world: Awaited<ReturnType<typeof memoryWorld>>) =>
  world.events.events.filter(({ kind, what }) => kind === 'alarm' && what['raised'] === true);

farm('raises no alarm in an hour in which nothing breaks', async () => {
  const world = await memoryWorld({ seed: 1 });

  await world.clock.run(3_600_000);

  assert.equal(alarmsOf(world), []);
  assert.ok(world.fleet.windows() > 3_500, `${world.fleet.windows()} windows`);
  assert.equal(
    world.view.turbines().map(({ state }) => state),
    new Array(5).fill('inferring.healthy'),
  );
  await world.close();
});

for (const fault of ['voltage-sag', 'bearing-wear', 'encoder-dropout', 'loose-mount']) {
  farm(`${fault} alarms on its own turbine within a minute, and on no other`, async () => {
    for (const seed of [21, 22, 23]) {
      const world = await memoryWorld({ seed });
      await world.clock.run(60_000);

      world.faults.inject('T-003', { fault, severity: 0.5, over: 0 });
      await world.clock.run(180_000);

      const raised = alarmsOf(world);
      assert.equal([...new Set(raised.map(({ of }) => of))], ['T-003'], `seed ${seed}`);
      assert.ok(raised[0].at <= 120_000, `seed ${seed}: raised at ${raised[0].at}`);
      assert.is(world.view.turbine('T-003')?.state, 'faulted.tripped');
      assert.is(world.view.turbine('T-003')?.alarm?.feature, raised[0].what['feature']);
      await world.close();
    }
  });
}

farm('a second run with the same seed has the same digest, and another seed another one', async () => {
  const digests: string[] = [];
  for (const seed of [5, 5, 6]) {
    const world = await memoryWorld({ seed });
    world.clock.setTimeout(() => world.faults.inject('T-001', { fault: 'brush-wear', severity: 0.7, over: 10_000 }), 30_000);
    world.clock.setTimeout(() => void world.deployments.deploy({ model: 'windturbine-anomaly@1.1.0', to: 'farm' }), 40_000);
    await world.clock.run(120_000);
    digests.push(world.events.digest());
    await world.close();
  }

  assert.is(digests[0], digests[1]);
  assert.is.not(digests[0], digests[2]);
});

farm('a trip is cleared by an operator and by nothing else', async () => {
  const world = await memoryWorld({ seed: 4 });
  await world.clock.run(60_000);
  world.faults.inject('T-001', { fault: 'loose-mount', severity: 0.8, over: 0 });
  await world.clock.run(180_000);
  assert.is(world.view.turbine('T-001')?.state, 'faulted.tripped');

  world.faults.clear('T-001');
  await world.command('T-001', { command: 'start' });
  await world.clock.run(240_000);
  assert.is(world.view.turbine('T-001')?.state, 'faulted.tripped');
  await world.command('T-001', { command: 'reset' });
  await world.clock.run(300_000);

  assert.is(world.view.turbine('T-001')?.state, 'inferring.healthy');
  assert.is(world.view.turbine('T-001')?.alarm, null);
  await world.close();
});

farm.run();
