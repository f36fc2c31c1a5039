import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UsageError } from '../../actors/contracts/errors.ts';
import type { FleetGroup } from '../../scenarios/bodies.ts';
import { eventLine } from '../../scenarios/digest.ts';
import { machineNamed, windOf } from '../../twins/library/machines.ts';
import { parseWindSeries } from '../../twins/wind/series.ts';
import { openWorkerHost } from '../../scenarios/shard/host.ts';
import { startTestAgent } from '../kit/agent.ts';
import { eventually, getJson, removeFolder, runCli, scratchFolder, startFarm } from '../kit/farm-process.ts';
import { memoryWorld } from '../kit/memory-world.ts';

const workers = suite('workers');

const desk = machineNamed('desk-turbine');
const nrel = machineNamed('nrel-5mw');
const group = (machine: typeof desk, twins: number): FleetGroup => ({ machine, twins, wind: windOf(machine) });

type Told = Awaited<ReturnType<typeof memoryWorld>>;

/** What a world did, to the last event and verdict. */
async function play(count: number, fleet: readonly FleetGroup[], story: (world: Told) => void, forMs: number) {
  const world = await memoryWorld({ fleet, seed: 9, workers: count });
  story(world);
  try {
    await world.clock.run(forMs);
    return {
      digest: world.events.digest(),
      lines: world.events.events.map(eventLine),
      turbines: world.view.turbines(),
      alarms: world.view.alarms(),
      verdicts: await world.index.latest('verdicts', { limit: 1_000_000 }),
      usage: await world.workers(),
    };
  } finally {
    await world.close();
  }
}

const at = (world: Told, ms: number, act: () => unknown) => world.clock.setTimeout(() => void act(), ms);

/** Faults that trip, an update, resets, orders and mending, on rows of every worker. */
function eventful(world: Told): void {
  at(world, 60_000, () => world.faults.inject('T-001', { fault: 'loose-mount', severity: 0.8, over: 0 }));
  at(world, 65_000, () => world.faults.inject('T-002', { fault: 'brush-wear', severity: 0.7, over: 10_000, for: 40_000 }));
  at(world, 70_000, () => world.command('T-003', { command: 'stop' }));
  at(world, 90_025, () => world.command('T-003', { command: 'start' }));
  at(world, 100_000, () => world.deployments.deploy({ model: 'windturbine-anomaly@1.1.0', to: 'farm' }));
  at(world, 130_000, () => world.inspect('T-004', true));
  at(world, 150_000, () => world.faults.clear('T-001'));
  at(world, 151_000, () => world.command('T-001', { command: 'reset' }));
  at(world, 170_000, () => world.command('T-005', { command: 'derate', fraction: 0.4 }));
}

workers('1, 2 and 4 threads tell the same of a story with faults, an update, trips and resets', async () => {
  const runs = [];
  for (const count of [1, 2, 4]) runs.push(await play(count, [group(desk, 6)], eventful, 200_000));

  const [one, ...others] = runs;
  for (const kind of ['"faulted.tripped"', '"SUCCEEDED"', '"raised":true', '"windturbine-anomaly@1.1.0"', '"operator.reset"'])
    assert.ok(
      one.lines.some((line) => line.includes(kind)),
      `the story has no ${kind}`,
    );
  for (const { digest, lines, turbines, alarms, verdicts } of others) {
    assert.equal(lines, one.lines);
    assert.is(digest, one.digest);
    assert.equal(turbines, one.turbines);
    assert.equal(alarms, one.alarms);
    assert.equal(verdicts, one.verdicts);
  }
  assert.equal(
    runs.map(({ usage }) => usage.map(({ rows }) => rows)),
    [[6], [3, 3], [2, 2, 1, 1]],
  );
  for (const { usage } of runs) {
    assert.ok(
      usage.every(({ cpuSeconds, windows }) => cpuSeconds > 0 && windows > 0),
      JSON.stringify(usage),
    );
    assert.is(usage.reduce((sum, { windows }) => sum + windows, 0) * 16, one.verdicts.length);
  }
});

workers('1, 2 and 4 threads tell the same of 5-MW turbines in each other’s wakes beside desk turbines', async () => {
  const series = parseWindSeries('t,windMps,directionDeg\n0,9,270\n60,11,262\n240,8,280\n', 'wind.csv');
  const fleet = [{ ...group(nrel, 5), wind: { meanMps: 0, turbulenceIntensity: 0.1, series } }, group(desk, 2)];
  const story = (world: Told) => at(world, 50_000, () => world.faults.inject('T-002', { fault: 'yaw-misalignment', severity: 1, over: 0 }));
  const runs = [];
  for (const count of [1, 2, 4]) runs.push(await play(count, fleet, story, 120_000));

  const [one, ...others] = runs;
  assert.ok(one.verdicts.length > 0);
  for (const { digest, turbines, verdicts } of others) {
    assert.is(digest, one.digest);
    assert.equal(turbines, one.turbines);
    assert.equal(verdicts, one.verdicts);
  }
});

workers('more threads than turbines are refused', async () => {
  await memoryWorld({ twins: 3, workers: 4 }).then(
    () => assert.unreachable(),
    (error: unknown) => {
      assert.instance(error, UsageError);
      assert.match((error as Error).message, '4 workers for 3 twins');
    },
  );
});

workers('another turbine changes no event of the others, whichever thread it runs in', async () => {
  const one = (world: Told) => {
    at(world, 40_000, () => world.faults.inject('T-002', { fault: 'loose-mount', severity: 0.8, over: 0 }));
    at(world, 10_000, () => world.things.includes('T-004') && world.command('T-004', { command: 'stop' }));
  };
  const alone = await play(2, [group(desk, 3)], one, 120_000);
  const accompanied = await play(2, [group(desk, 4)], one, 120_000);

  assert.ok(alone.lines.some((line) => line.includes('"of":"T-002"') && line.includes('faulted.tripped')));
  assert.equal(
    accompanied.lines.filter((line) => !line.includes('T-004')),
    alone.lines,
  );
});

workers('a model that only the fleet’s own thread can ask judges the rows of all threads', async () => {
  const { agent, key, close, folder } = await startTestAgent();
  try {
    const runs = [];
    for (const count of [1, 2]) {
      const world = await memoryWorld({ twins: 4, workers: count, inference: { kind: 'agent', socket: agent.socket }, key });
      await world.clock.run(60_000);
      runs.push({ lines: world.events.events.map(eventLine), verdicts: await world.index.latest('verdicts', { limit: 100_000 }) });
      await world.close();
    }
    assert.ok(runs[0].verdicts.length > 4 * 16);
    assert.equal(runs[1], runs[0]);
  } finally {
    close();
    await agent.close();
    removeFolder(folder);
  }
});

workers('a thread that fails ends the run with its name and its reason, and everything can be closed', async () => {
  const world = await memoryWorld({ twins: 4, workers: 2 });
  await world.clock.run(1_000);

  world.fleet.order('T-002', { ask: 'fault', order: { fault: 'nonsense', severity: 1, over: 0 } }); // past the door that would refuse it
  await world.clock.run(10_000).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match((error as Error).message, /^worker 2 of 2 has failed: .*nonsense/),
  );

  await world.close();
});

workers('a thread that cannot open its rows is told of, and no other stays', async () => {
  const broken = { things: ['T-001'], rows: [0], machine: { kind: 'fixed-pitch', name: 'none' }, wind: {} };
  await openWorkerHost({ name: 'worker 1 of 1', seed: 1, groups: [broken] }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match((error as Error).message, /^worker 1 of 1 has failed/),
  );
});

workers('Ctrl-C ends a farm with its threads', async () => {
  const data = scratchFolder();
  const farm = await startFarm(data, ['--turbines', '4', '--workers', '2', '--speed', '20x']);
  await eventually(
    () => getJson<{ state: string }[]>(`${farm.url}/api/turbines`),
    (turbines) => turbines.length === 4 && turbines.every(({ state }) => state.startsWith('inferring')),
  );
  assert.is(await farm.stop(), 130);
  removeFolder(data);
});

for (const [count, code, said] of [
  ['0', 3, '--workers'],
  ['1.5', 3, '--workers'],
  ['1000', 3, '--workers'],
  ['6', 2, '6 workers for 5 twins'],
] as const)
  workers(`up --workers ${count} is refused`, async () => {
    const refused = await runCli(['up', '--profile', 'memory', '--speed', 'max', '--for', '1s', '--workers', count]);
    assert.is(refused.code, code);
    assert.match(refused.err, said);
  });

workers.run();
