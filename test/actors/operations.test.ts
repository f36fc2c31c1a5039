import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { channelsTold, CURVE_POINTS, operations, type Parameters } from '../../actors/signal/operations.ts';
import { createStages } from '../../actors/signal/stages.ts';
import { createRng } from '../../twins/rng.ts';

const operation = suite('operations');

const RATE_HZ = 20;
const line = (x: number) => 4 * x - 1; // what is usual, in these tests
const points = (of: (x: number) => number) =>
  Object.fromEntries(
    Array.from(
      { length: CURVE_POINTS },
      (_, i) =>
        [
          [`x${i}`, i],
          [`y${i}`, of(i)],
        ] as const,
    ).flat(),
  );
const gated = { gate: 0.3, gateSeconds: 2 };

/** Feeds samples, one array of channels each. @returns the feature after each */
function feed(name: string, parameters: Parameters, samples: readonly (readonly number[])[]): number[] {
  const columns = [...samples[0].keys()];
  const stages = createStages(1);
  const column = stages.of(name, () => operations[name].open(parameters, columns, RATE_HZ, stages));
  const [rows, offsets] = [new Int32Array(1), new Int32Array(1)];
  return samples.map((x) => {
    stages.run({ values: Float64Array.from(x), count: 1, rows, offsets });
    return column[0];
  });
}

const times = (seconds: number, sample: (i: number) => readonly number[]) => Array.from({ length: seconds * RATE_HZ }, (_, i) => sample(i));

operation('curve is the share by which a reading is off its usual value, also between and beyond the points', () => {
  const curve = { seconds: 1, lagSeconds: 0, xLagSeconds: 0, floor: 0.5, ...gated, ...points(line) };
  for (const x of [0.6, 2.5, 5.75, 12])
    for (const off of [-0.4, 0, 0.25]) {
      const last = feed(
        'curve',
        curve,
        times(20, () => [line(x) * (1 + off), x, 1]),
      ).at(-1)!;
      assert.ok(Math.abs(last - off) < 1e-6, `at ${x}: ${last}, not ${off}`);
    }
  const belowFloor = feed(
    'curve',
    curve,
    times(20, () => [0.1, 0.3, 1]),
  ).at(-1)!;
  assert.ok(Math.abs(belowFloor - (0.1 - line(0.3)) / 0.5) < 1e-6); // relative to the floor, not to a value near 0
});

operation('a curve’s points need not be evenly spaced', () => {
  const xs = [0, 0.1, 0.2, 3, 3.5, 8, 9, 100];
  const ys = [1, 5, 2, 7, 7, 1, 4, 30];
  const uneven = Object.fromEntries(xs.flatMap((x, i) => [[`x${i}`, x] as const, [`y${i}`, ys[i]] as const]));
  const curve = { seconds: 0, lagSeconds: 0, xLagSeconds: 0, floor: 0.5, gate: 0.3, gateSeconds: 0, ...uneven };
  for (const x of [-5, 0, 0.05, 0.1, 0.15, 1, 3, 3.2, 3.5, 7.9, 8, 8.5, 50, 100, 150, 1e12]) {
    const i = Math.max(1, xs.findIndex((point) => x <= point) === -1 ? xs.length - 1 : xs.findIndex((point) => x <= point));
    const usual = ys[i - 1] + ((ys[i] - ys[i - 1]) * (x - xs[i - 1])) / (xs[i] - xs[i - 1]);
    assert.is(feed('curve', curve, [[2, x, 1]])[0], (2 - usual) / Math.max(usual, 0.5), `at ${x}`);
  }
  assert.ok(Number.isNaN(feed('curve', curve, [[2, Number.NaN, 1]])[0]));
});

operation('what is gated says nothing until the rotor has turned for so long, and at once nothing when it stops', () => {
  const curve = { seconds: 0, lagSeconds: 0, xLagSeconds: 0, floor: 0.5, ...gated, ...points(line) };
  const said = feed('curve', curve, [...times(3, () => [20, 2, 1]), ...times(1, () => [20, 2, 0]), ...times(3, () => [20, 2, 1])]);

  const off = (20 - line(2)) / line(2);
  assert.equal(said.slice(0, 39), new Array(39).fill(0));
  assert.ok(said.slice(39, 60).every((x) => Math.abs(x - off) < 1e-9));
  assert.equal(said.slice(60, 80), new Array(20).fill(0));
  assert.equal(said.slice(80, 119), new Array(39).fill(0));
  assert.ok(Math.abs(said[119] - off) < 1e-9);
});

operation('spread is ln of the standard deviation over the mean; a reading that stands still is at its end', () => {
  const rng = createRng(3);
  const spread = { seconds: 2, rmsSeconds: 60, floor: 1, usual: -2, ...gated };
  for (const share of [0.05, 0.2]) {
    const said = feed(
      'spread',
      spread,
      times(600, (i) => [50 * (1 + share * rng.normal(i)), 1]),
    );
    const settled = said.slice(said.length / 2);
    const mean = settled.reduce((sum, x) => sum + x, 0) / settled.length;
    assert.ok(Math.abs(mean - Math.log(share)) < 0.05, `${mean}, not ${Math.log(share)}`);
  }
  assert.ok(
    Math.abs(
      feed(
        'spread',
        spread,
        times(1_200, () => [50, 1]),
      ).at(-1)! - Math.log(0.005),
    ) < 1e-6,
  );
  assert.ok(
    Math.abs(
      feed(
        'spread',
        spread,
        times(30, () => [50, 0]),
      ).at(-1)! + 2,
    ) < 1e-9,
  );
});

operation('vibration-curve is ln of the rms over the usual rms, whatever the speed', () => {
  const rng = createRng(4);
  const speedOf = (i: number) => 3 + 2 * Math.sin(i / 200);
  const usualRms = (x: number) => 10 + 5 * x;
  const parameters = { seconds: 20, highPassSeconds: 0.05, lagSeconds: 0, speedSeconds: 0, ...gated, ...points(usualRms) };
  for (const times_ of [1, 3]) {
    // A one-pole high-pass of 0.05 s takes (e^-1)² 2 / (1 + e^-1) of white noise's power.
    const passed = Math.sqrt(2 * Math.exp(-2)) / Math.sqrt(1 + Math.exp(-1));
    const said = feed(
      'vibration-curve',
      parameters,
      times(300, (i) => [(times_ * usualRms(speedOf(i)) * rng.normal(i)) / passed, speedOf(i)]),
    );
    const settled = said.slice(said.length / 2);
    const mean = settled.reduce((sum, x) => sum + x, 0) / settled.length;
    assert.ok(Math.abs(mean - Math.log(times_)) < 0.06, `${mean}, not ${Math.log(times_)}`);
  }
});

operation('excess holds while the other reading is missing, and begins at what is usual', () => {
  const said = feed('excess', { seconds: 0, usual: 7.5 }, [
    [30, 0],
    [30, 21],
    [31, 0],
    [31, 21],
    [26, 21],
  ]);
  assert.equal(said, [7.5, 9, 9, 10, 5]);
});

operation('a missing reading gives none, and leaves no trace', () => {
  const curve = { seconds: 5, lagSeconds: 1, xLagSeconds: 1, floor: 0.5, ...gated, ...points(line) };
  const whole = times(10, (i) => [7 + Math.sin(i), 2, 1]);
  const holed = whole.flatMap((sample, i) => (i === 100 ? [[Number.NaN, 2, 1], sample] : [sample]));
  const [a, b] = [feed('curve', curve, whole), feed('curve', curve, holed)];
  assert.ok(Number.isNaN(b[100]));
  assert.ok(Math.abs(a.at(-1)! - b.at(-1)!) < 1e-12);
});

operation('tells of its channels, not of those that gate it', () => {
  const feature = (op: string, channels: string[]) => ({ name: 'f', op, channels, parameters: {}, mean: 0, std: 1 });
  assert.equal(channelsTold(feature('curve', ['voltage', 'rps', 'wind'])), ['voltage', 'rps']);
  assert.equal(channelsTold(feature('vibration-curve', ['ay', 'az', 'rps'])), ['ay', 'az']);
  assert.equal(channelsTold(feature('spread', ['voltage', 'rps'])), ['voltage']);
  assert.equal(channelsTold(feature('excess', ['warm', 'cold'])), ['warm', 'cold']);
  assert.equal(channelsTold(feature('yaw', ['qx', 'qy', 'qz', 'qw'])), ['qx', 'qy', 'qz', 'qw']);
});

operation.run();
