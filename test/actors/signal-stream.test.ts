import { Session } from 'node:inspector/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { column, deskTurbine } from '../../actors/contracts/channels.ts';
import { openWindowSource } from '../../actors/signal/source.ts';
import { streamPipeline } from '../../actors/signal/stream.ts';
import { starter } from '../kit/packages.ts';

const stream = suite('stream signal');

const { channels } = deskTurbine;
const width = channels.length;
const signal = starter().manifest.signal;
const features = signal.features.length;

const columnOf = (name: string) => column(channels, name);
const quaternion = ['qx', 'qy', 'qz', 'qw'].map(columnOf);

/** Samples of a turning turbine whose nacelle sways, [n × channels]; another seed is another turbine. */
function turning(n: number, seed: number): Float64Array {
  const values = new Float64Array(n * width);
  for (let i = 0; i < n; i++) {
    const noise = (k: number) => Math.sin(seed * 91.7 + k * 37.3 + 12.9898 * i * i + i);
    const set = (name: string, x: number) => {
      values[i * width + columnOf(name)] = x;
    };
    set('rps', 2 + 0.3 * Math.sin(seed + i / 60) + 0.05 * noise(1));
    set('wind_speed_rps', 2.3 + 0.4 * Math.sin(seed + i / 80) + 0.1 * noise(2));
    set('voltage', 60 + 12 * Math.sin(seed + i / 70) + 5 * noise(3));
    for (const [k, axis] of ['ax', 'ay', 'az'].entries()) set(axis, 300 * noise(4 + k) + (axis === 'az' ? 16_000 : 0));
    set('gearboxtemp', 30 + 0.1 * noise(9));
    set('ambtemp', 22);
    turn(values, i, 0.02 * noise(7), 0.015 * noise(8), 0);
  }
  return values;
}

/** Sets the attitude of sample i: ZYX, rad. */
function turn(values: Float64Array, i: number, roll: number, pitch: number, yaw: number): void {
  const [cr, sr, cp, sp, cy, sy] = [roll, pitch, yaw].flatMap((angle) => [Math.cos(angle / 2), Math.sin(angle / 2)]);
  const q = [sr * cp * cy - cr * sp * sy, cr * sp * cy + sr * cp * sy, cr * cp * sy - sr * sp * cy, cr * cp * cy + sr * sp * sy];
  for (const [k, at] of quaternion.entries()) values[i * width + at] = q[k];
}

/** Turns the whole machine about the vertical by `headings[i]` rad: q ← (0, 0, sin, cos) ⊗ q. */
function headed(values: Float64Array, heading: (i: number) => number): Float64Array {
  const turned = values.slice();
  for (let i = 0; i < values.length / width; i++) {
    const [x, y, z, w] = quaternion.map((at) => values[i * width + at]);
    const s = Math.sin(heading(i) / 2);
    const c = Math.cos(heading(i) / 2);
    const q = [c * x - s * y, c * y + s * x, c * z + s * w, c * w - s * z];
    for (const [k, at] of quaternion.entries()) turned[i * width + at] = q[k];
  }
  return turned;
}

/** [n × features] of one row. */
function featuresOf(values: Float64Array, pipeline = streamPipeline(signal, channels, 1)): Float32Array {
  const n = values.length / width;
  const out = new Float32Array(n * features);
  for (let i = 0; i < n; i++) assert.ok(pipeline.push(0, values, i * width, out, i * features), `sample ${i}`);
  return out;
}

function nearly(got: Float32Array, wanted: Float32Array, what: string): void {
  for (let i = 0; i < wanted.length; i++)
    assert.ok(Math.abs(got[i] - wanted[i]) <= 1e-5 * Math.max(1, Math.abs(wanted[i])), `${what}: ${i}: ${got[i]}, not ${wanted[i]}`);
}

stream('is causal: another future changes nothing before it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 299 }), fc.nat(1_000), fc.nat(1_000), (now, seed, other) => {
      const one = turning(300, seed);
      const changed = one.slice();
      changed.set(turning(300, other + 2_000).subarray(now * width), now * width);

      const before = featuresOf(changed).subarray(0, now * features);

      assert.equal(before, featuresOf(one).subarray(0, now * features));
      assert.not.equal(featuresOf(changed), featuresOf(one));
    }),
    { numRuns: 30 },
  );
});

stream('starts anew after a break, as if nothing had been', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.nat(1_000), (n, seed) => {
      const pipeline = streamPipeline(signal, channels, 1);
      featuresOf(turning(n, seed + 1), pipeline);
      pipeline.reset(0);

      assert.equal(featuresOf(turning(100, seed), pipeline), featuresOf(turning(100, seed)));
    }),
    { numRuns: 30 },
  );
});

stream('a feature is the same to the bit whatever else is asked, and whichever rows come with it', () => {
  const rows = 3;
  const turbines = [turning(400, 1), turning(400, 2), turning(400, 3)];
  turbines[1].fill(0, 150 * width, 190 * width); // one stops for two seconds, and everything of it reads 0
  const values = new Float64Array(rows * width);
  const together = streamPipeline(signal, channels, rows);
  const alone = signal.features.map((feature) => streamPipeline({ ...signal, features: [feature] }, channels, rows));
  const [out, whole] = [new Float32Array(rows * features), new Uint8Array(rows)];
  const [own, ownWhole] = [new Float32Array(1), new Uint8Array(1)];

  for (let i = 0; i < 400; i++) {
    const present = [0, 1, 2].filter((row) => (i + row) % 7 !== 0);
    for (const [row, of] of turbines.entries()) values.set(of.subarray(i * width, (i + 1) * width), row * width);
    if (i === 300) for (const pipeline of [together, ...alone]) pipeline.reset(2);
    const samples = {
      values,
      count: present.length,
      rows: Int32Array.from(present),
      offsets: Int32Array.from(present, (row) => row * width),
    };
    together.pushAll(samples, out, whole);

    for (const [f, pipeline] of alone.entries())
      for (const [at, row] of present.entries()) {
        const single = { values, count: 1, rows: Int32Array.of(row), offsets: Int32Array.of(row * width) };
        pipeline.pushAll(single, own, ownWhole);
        assert.is(out[at * features + f], own[0], `sample ${i} of row ${row}: ${signal.features[f].name}`);
        assert.is(ownWhole[0], 1);
      }
  }
});

stream('begins its windows anew at a sample without a reading, and settles again', () => {
  const source = openWindowSource(signal, channels, 1);
  const fresh = openWindowSource(signal, channels, 1);
  const values = turning(1_000, 3);
  const gap = values.slice(0, width);
  gap[columnOf('voltage')] = Number.NaN;
  for (let i = 0; i < 250; i++) source.push(0, values, i * width);

  assert.is(source.push(0, gap, 0), null);

  const got = new Float32Array(features * signal.window.samples);
  const wanted = got.slice();
  let full = 0;
  for (let i = 250; i < 1_000; i++) {
    assert.is(source.begins(0), fresh.begins(0), `sample ${i}`);
    const whole = source.push(0, values, i * width);
    assert.is(whole, fresh.push(0, values, i * width), `sample ${i}`);
    if (!whole) continue;
    full++;
    source.take(0, got, 0);
    fresh.take(0, wanted, 0);
    assert.equal(got, wanted);
  }
  assert.is(full, Math.floor((750 - signal.window.settle) / signal.window.hop));
});

stream('holds no more after a million samples than after some thousands', async () => {
  const session = new Session();
  session.connect();
  const used = async () => {
    await session.post('HeapProfiler.collectGarbage');
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const source = openWindowSource(signal, channels, 1);
  const values = turning(1_000, 5);
  const window = new Float32Array(features * signal.window.samples);
  const run = (samples: number) => {
    for (let i = 0; i < samples; i++) if (source.push(0, values, (i % 1_000) * width)) source.take(0, window, 0);
  };
  run(20_000);
  const before = await used();

  run(1_000_000); // what the compiler keeps of it by then is a few hundred kilobytes

  const grown = (await used()) - before;
  session.disconnect();
  assert.ok(grown < 1_000_000, `${grown} B more; a byte a sample would be 1000000`);
});

stream('does not see where the nacelle points: drift, a jump, wraps at ±π and the other sign of the quaternion', () => {
  const heading = {
    drift: fc.double({ min: -0.05, max: 0.05, noNaN: true }),
    jump: fc.double({ min: -Math.PI, max: Math.PI, noNaN: true }),
  };
  fc.assert(
    fc.property(fc.nat(1_000), fc.record(heading), (seed, { drift, jump }) => {
      const still = turning(400, seed);
      const wanted = featuresOf(still);

      nearly(featuresOf(headed(still, (i) => drift * i)), wanted, 'drift'); // 0.05 rad a sample passes ±π several times
      nearly(featuresOf(headed(still, (i) => (i < 200 ? 0 : jump))), wanted, 'jump');
      const flipped = still.slice();
      for (let i = 0; i < 400; i += 3) for (const at of quaternion) flipped[i * width + at] *= -1;
      nearly(featuresOf(flipped), wanted, 'sign');
    }),
    { numRuns: 20 },
  );
});

stream('keeps its rows apart', () => {
  const both = streamPipeline(signal, channels, 2);
  const [one, other] = [turning(50, 1), turning(50, 2)];
  const out = new Float32Array(2 * features);
  const wanted = featuresOf(other);
  for (let i = 0; i < 50; i++) {
    both.push(0, one, i * width, out, 0);
    both.push(1, other, i * width, out, features);
    assert.equal(out.slice(features), wanted.slice(i * features, (i + 1) * features));
    if (i === 25) both.reset(0);
  }
});

stream('with a hop shorter than its windows several are under way', () => {
  const overlapping = { ...signal, window: { samples: 10, hop: 5, settle: 2 } };
  const source = openWindowSource(overlapping, channels, 1);
  const values = turning(30, 1);
  const window = new Float32Array(features * 10);
  const begins: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < 30; i++) {
    if (source.begins(0)) begins.push(i);
    if (!source.push(0, values, i * width)) continue;
    ends.push(i);
    source.take(0, window, 0);
  }

  assert.equal(ends, [11, 16, 21, 26]);
  assert.equal(begins, [2, 7, 12, 17, 22, 27]);
});

stream.run();
