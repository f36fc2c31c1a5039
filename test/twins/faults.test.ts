import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import { FaultRefused } from '../../actors/contracts/errors.ts';
import type { FaultOrder } from '../../actors/contracts/faults.ts';
import { twinBacking } from '../../twins/backing.ts';
import { severityAt } from '../../twins/faults/life.ts';
import { fixedPitchFaults } from '../../twins/faults/fixed-pitch.ts';
import { variableSpeedFaults } from '../../twins/faults/variable-speed.ts';
import { machineNamed, windOf } from '../../twins/library/machines.ts';
import { recordTwins } from '../../twins/record.ts';
import { createRng } from '../../twins/rng.ts';

const faults = suite('faults');

const MINUTES = 6;
const FROM_MS = 30_000;

/** Samples of one turbine, of which something breaks after half a minute. */
function samplesOf(machineName: string, order?: Partial<FaultOrder> & { fault: string }) {
  const machine = machineNamed(machineName);
  const backing = twinBacking({ things: ['A'], rng: createRng(3), machine, wind: windOf(machine) });
  const before = (now: number) => {
    if (now === FROM_MS && order) backing.faults.inject(0, { severity: 1, over: 0, ...order }, now);
  };
  const { values } = recordTwins(backing, { forMs: MINUTES * 60_000, epoch: 0, before }).turbines[0];
  return { values, channels: backing.channels };
}

const moments = (values: Float64Array, width: number, c: number) => {
  const first = ((FROM_MS + 5_000) / 50) * width;
  const all = values.subarray(first);
  const count = all.length / width;
  let mean = 0;
  for (let i = 0; i < count; i++) mean += all[i * width + c] / count;
  let square = 0;
  for (let i = 0; i < count; i++) square += (all[i * width + c] - mean) ** 2 / count;
  return { mean, std: Math.sqrt(square) };
};

for (const [machine, models] of [
  ['desk-turbine', fixedPitchFaults],
  ['nrel-5mw', variableSpeedFaults],
] as const) {
  const healthy = samplesOf(machine);
  const width = healthy.channels.length;

  for (const { name, moves, staysInRange } of models) {
    faults(`${name} of a ${machine} moves the channels that it names, at any severity, and no others`, () => {
      for (const severity of [0.3, 0.6, 1]) {
        const sick = samplesOf(machine, { fault: name, severity });
        for (const [c, channel] of healthy.channels.entries()) {
          const was = moments(healthy.values, width, c);
          const is = moments(sick.values, width, c);
          const said = `${channel.name} at ${severity}: ${was.mean} ± ${was.std} → ${is.mean} ± ${is.std}`;
          switch (moves[channel.name]) {
            case 'up':
              assert.ok(is.mean > was.mean, said);
              break;
            case 'down':
              assert.ok(is.mean < was.mean, said);
              break;
            case 'shakes':
              assert.ok(is.std > 1.02 * was.std, said);
              break;
            case 'follows':
              break;
            default:
              assert.ok(Math.abs(is.mean - was.mean) <= 0.2 * was.std + 1e-9 && Math.abs(is.std - was.std) <= 0.25 * was.std + 1e-9, said);
          }
          if (!staysInRange || !channel.range) continue;
          for (let i = c; i < sick.values.length; i += width)
            assert.ok(
              sick.values[i] >= channel.range[0] && sick.values[i] <= channel.range[1],
              `${channel.name} ${sick.values[i]} at ${severity}`,
            );
        }
      }
    });
  }

  faults(`with severity 0 a ${machine} is the same to the last bit, and its ranges hold while it is healthy`, () => {
    for (const { name } of models) assert.equal(samplesOf(machine, { fault: name, severity: 0 }).values, healthy.values, name);
    for (const [c, { name, range }] of healthy.channels.entries())
      for (let i = c; range && i < healthy.values.length; i += width)
        assert.ok(healthy.values[i] >= range[0] && healthy.values[i] <= range[1], `${name} ${healthy.values[i]}`);
  });

  faults(`six faults of a ${machine} at least pass any range check`, () => {
    assert.ok(models.filter(({ staysInRange }) => staysInRange).length >= 6);
  });

  faults(`faults of a ${machine} compose in the catalogue's order, whatever the order of injection`, () => {
    const run = (names: readonly string[]) => {
      const backing = twinBacking({
        things: ['A'],
        rng: createRng(3),
        machine: machineNamed(machine),
        wind: windOf(machineNamed(machine)),
      });
      for (const fault of names) backing.faults.inject(0, { fault, severity: 0.5, over: 0 }, 0);
      return { values: recordTwins(backing, { forMs: 20_000, epoch: 0 }).turbines[0].values, truth: backing.faults.truth(0) };
    };
    const names = ['sensor-noise', 'sensor-bias', 'generator-winding', 'icing', 'bearing-wear'];
    assert.equal(run(names), run(names.toReversed()));
    assert.equal(
      run(names).truth.map(({ fault, severity }) => [fault, severity]),
      names.toReversed().map((fault) => [fault, 0.5]),
    );
  });
}

faults('a worn bearing of a 5-MW turbine warms its gearbox by 5 to 15 K in the end, a failing cooling by more', () => {
  const names = ['bearing-wear', 'bearing-inner-race', 'gearbox-overheating'];
  const machine = machineNamed('nrel-5mw');
  const things = ['healthy', ...names];
  const backing = twinBacking({ things, rng: createRng(3), machine, wind: { meanMps: 13, turbulenceIntensity: 0 } });
  for (const [i, fault] of names.entries()) backing.faults.inject(i + 1, { fault, severity: 1, over: 0 }, 0);
  backing.advance(4 * 3_600_000);
  const block = createSampleBlock(backing.channels, things.length);
  backing.sample(block);

  const gearboxC = backing.channels.findIndex(({ name }) => name === 'gearboxC');
  const [healthy, outer, inner, hot] = things.map((_, row) => block.values[row * backing.channels.length + gearboxC]);

  for (const worn of [outer, inner]) assert.ok(worn - healthy >= 5 && worn - healthy <= 15, `${worn - healthy} K`);
  assert.ok(hot - healthy > 15, `${hot - healthy} K`);
});

faults('a cracked blade shakes a 5-MW turbine to the side in any of its winds, and at any severity', () => {
  const sideSide = (meanMps: number, severity: number) => {
    const backing = twinBacking({
      things: ['A'],
      rng: createRng(12),
      machine: machineNamed('nrel-5mw'),
      wind: { meanMps, turbulenceIntensity: 'B' },
    });
    backing.faults.inject(0, { fault: 'blade-crack', severity, over: 0 }, 0);
    const { values } = recordTwins(backing, { forMs: 120_000, epoch: 0 }).turbines[0];
    const width = backing.channels.length;
    return moments(
      values,
      width,
      backing.channels.findIndex(({ name }) => name === 'accSideSideMps2'),
    ).std;
  };
  for (const meanMps of [6.5, 15]) for (const severity of [0.1, 0.35, 1]) assert.ok(sideSide(meanMps, severity) > sideSide(meanMps, 0));
});

faults('has an onset, an end and a recovery', () => {
  const chance = createRng(1);
  const at = (order: Partial<FaultOrder>, age: number) => severityAt({ fault: 'icing', severity: 0.8, over: 1_000, ...order }, age, chance);
  assert.equal(
    [0, 500, 1_000, 9_000].map((age) => at({}, age)),
    [0, 0.4, 0.8, 0.8],
  );
  assert.is(at({ over: 0 }, 0), 0.8);
  assert.ok(at({ onset: 'wear' }, 500)! < 0.2 && at({ onset: 'wear' }, 1_000) === 0.8);
  assert.equal(
    [0, 499, 500, 999, 1_000].map((age) => at({ onset: 'periodic' }, age)),
    [0.8, 0.8, 0, 0, 0.8],
  );
  const bursts = Array.from({ length: 500 }, (_, i) => at({ onset: 'intermittent', over: 0 }, i * 5_000));
  assert.ok(bursts.every((s) => s === 0 || s === 0.8));
  assert.ok(Math.abs(bursts.filter((s) => s === 0.8).length / 500 - 0.4) < 0.08);
  assert.equal(
    [1_999, 2_000, 2_250, 2_499, 2_500].map((age) => at({ for: 2_000, recovery: 500 }, age)?.toFixed(3) ?? null),
    ['0.800', '0.800', '0.400', '0.002', null],
  );
  assert.is(at({ for: 2_000 }, 2_000), null);
});

faults('a sensor fault may name its channel, a fault of the body may not', () => {
  const sick = samplesOf('nrel-5mw', { fault: 'sensor-stuck', channel: 'gearboxC' });
  const healthy = samplesOf('nrel-5mw');
  const width = sick.channels.length;
  const gearbox = sick.channels.findIndex(({ name }) => name === 'gearboxC');
  const from = (FROM_MS / 50) * width;
  assert.is(new Set(Array.from({ length: 100 }, (_, i) => sick.values[from + i * width + gearbox])).size, 1);
  assert.is(moments(sick.values, width, 3).mean, moments(healthy.values, width, 3).mean);
  const backing = twinBacking({ things: ['A'], rng: createRng(1), wind: windOf(machineNamed('desk-turbine')) });
  const refuses = (order: Partial<FaultOrder> & { fault: string }, reason: RegExp) =>
    assert.throws(
      () => backing.faults.inject(0, { severity: 1, over: 0, ...order }, 0),
      (error: unknown) => error instanceof FaultRefused && reason.test(error.message),
    );
  refuses({ fault: 'sensor-bias', channel: 'rsp' }, /no channel rsp.*Did you mean rps/);
  refuses({ fault: 'icing', channel: 'rps' }, /takes no channel/);
  refuses({ fault: 'pitch-stuck' }, /a desk-turbine has no fault pitch-stuck/);
});

faults.run();
