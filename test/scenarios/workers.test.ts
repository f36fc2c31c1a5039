import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UsageError } from '../../actors/contracts/errors.ts';
import type { FleetGroup } from '../../scenarios/bodies.ts';
import { eventLine } from '../../scenarios/digest.ts';
import { machineNamed, windOf } from '../../twins/library/machines.ts';
import { parseWindSeries } from '../../twins/wind/series.ts';
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
  for (const count of [1, 2, 4]) runs.push(await play(count, [group(desk, 6)], eventful, 240_000));

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
    assert.ok(usage.reduce((sum, { windows }) => sum + windows, 0) * 16 >= one.verdicts.length);
  }
});

workers('1, 2 and 4 threads tell the same of 5-MW turbines in each other’s wakes beside desk turbines', async () => {
  const series = parseWindSeries('t,windMps,directionDeg\n0,9,270\n60,11,262\n240,8,280\n', 'wind.csv');
  const fleet = [{ ...group(nrel, 5), wind: { meanMps: 0, turbulenceIntensity: 0.1, series } }, group(desk, 2)];
  const story = (world: Told) => at(world, 50_000, () => world.faults.inject('T-002', { fault: 'yaw-misalignment', severity: 1, over: 0 }));
  const runs = [];
  for (const count of [1, 2, 4]) runs.push(await play(count, fleet, story, 180_000));

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

workers.run();
