import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import { type Channel, deskTurbine } from '../../actors/contracts/channels.ts';
import { FileInvalid, ModelRejected } from '../../actors/contracts/errors.ts';
import type { Inference } from '../../actors/contracts/inference.ts';
import type { FeatureSpec, ModelManifest, SignalSpec } from '../../actors/contracts/model.ts';
import type { LoadedModel } from '../../actors/contracts/shard.ts';
import { createHistory } from '../../actors/dataplane/history.ts';
import { localShard } from '../../actors/dataplane/local.ts';
import { openDataPlane, type PlaneListener } from '../../actors/dataplane/plane.ts';
import { createLane } from '../../actors/dataplane/score.ts';
import { storedScores } from '../../actors/dataplane/stored.ts';
import { parseManifest } from '../../actors/package/manifest.ts';
import { pitch, roll, yaw } from '../../actors/signal/euler.ts';
import { fitSeed, seedServingWindows, seedTrainingWindows } from '../../actors/signal/seed-series.ts';
import { openWindowSource } from '../../actors/signal/source.ts';
import { twinBacking } from '../../twins/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { createRng } from '../../twins/rng.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { plainDenoise } from '../bench/plain-wavelet.ts';
import { starter } from '../kit/packages.ts';

const seed = suite('seed-db6 signal');

const { channels } = deskTurbine;
const width = channels.length;

// The statistics arrays of the original: σ of the raw features, mean and standard deviation of the denoised ones.
const RAW_STD = [0.016420936223837328, 0.016334995704541194, 1.8099483201980124, 0.390586993510686, 0.6198457502848073, 26.381718657769373];
const MEAN = [
  -0.007964888641109898, 0.0011708225976491218, -0.10684876812419516, 2.1539819710169525, 1.6106330201974879, 47.79383123678855,
];
const STD = [0.00749032366908536, 0.0042807694729227255, 0.48142986104607144, 0.354319324916855, 0.46953962260612736, 15.94323947766873];
const attitude = ['qx', 'qy', 'qz', 'qw'];
const features: readonly FeatureSpec[] = [
  ...['roll', 'pitch', 'yaw'].map((op) => ({ name: op, op, channels: attitude })),
  ...['wind_speed_rps', 'rps', 'voltage'].map((name) => ({ name, op: 'value', channels: [name] })),
].map((feature, f) => ({ ...feature, parameters: { sigma: RAW_STD[f] }, mean: MEAN[f], std: STD[f] }));
const signal = (hop: number): SignalSpec => ({
  pipeline: 'seed-db6',
  rateHz: 20,
  window: { samples: 100, hop, settle: 0 },
  features,
});
const SIZE = 600;

/** The desk twin's samples, [n × channels]. */
function recorded(n: number, name = 'T-1'): Float64Array {
  const backing = twinBacking({ things: [name], rng: createRng(7), wind: defaultWind });
  const block = createSampleBlock(backing.channels, 1);
  const values = new Float64Array(n * width);
  for (let i = 0; i < n; i++) {
    backing.advance(60_000 + (i + 1) * 50);
    backing.sample(block);
    values.set(block.values, i * width);
  }
  return values;
}

/** Six columns of a recording, as the original's preprocessing has them. */
function rawFeatures(values: Float64Array): Float64Array[] {
  const n = values.length / width;
  const at = (name: string) => channels.findIndex((channel) => channel.name === name);
  const q = attitude.map(at);
  const angles = [roll, pitch, yaw].map((angle) =>
    Float64Array.from({ length: n }, (_, i) => {
      const [x, y, z, w] = q.map((c) => values[i * width + c]);
      return angle(x, y, z, w);
    }),
  );
  return [
    ...angles,
    ...['wind_speed_rps', 'rps', 'voltage'].map((name) => Float64Array.from({ length: n }, (_, i) => values[i * width + at(name)])),
  ];
}

/** The window that the original serves after its sample `end` − 1: 501 denoised together, the last 110 rows, of them the first 100; by the plain loop. */
function reference(raw: readonly Float64Array[], end: number): Float32Array {
  const window = new Float32Array(SIZE);
  for (const [f, column] of raw.entries()) {
    const kept = plainDenoise(column.slice(end - 501, end), RAW_STD[f]).slice(-110);
    for (let t = 0; t < 100; t++) window[f * 100 + t] = (kept[t] - MEAN[f]) / STD[f];
  }
  return window;
}

function nearly(got: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  assert.is(got.length, wanted.length, what);
  for (let i = 0; i < wanted.length; i++) assert.ok(Math.abs(got[i] - wanted[i]) <= 1e-6, `${what}: ${i}: ${got[i]}, not ${wanted[i]}`);
}

/** A model that answers `score` of a window for each feature and keeps the windows it was asked. */
function fakeModel(spec: SignalSpec, name: string, score = (_: Float32Array) => 0.5): LoadedModel & { readonly asked: Float32Array[] } {
  const asked: Float32Array[] = [];
  const count = spec.features.length;
  const inference: Inference = {
    model: `${name}@1.0.0`,
    async predict(windows, batch, scores) {
      const size = windows.length / batch;
      for (let b = 0; b < batch; b++) {
        const window = windows.slice(b * size, (b + 1) * size);
        asked.push(window);
        scores.fill(score(window), b * count, (b + 1) * count);
      }
    },
    async close() {},
  };
  const manifest: ModelManifest = { ...starter().manifest, name, version: '1.0.0', signal: spec };
  return { id: `${name}@1.0.0`, digest: name, manifest, inference, asked };
}

seed('through the lane a row gets the windows of the original, first on sample 501 and then every hop', async () => {
  const values = [recorded(640, 'T-1'), recorded(640, 'T-2')];
  const raw = values.map(rawFeatures);
  const model = fakeModel(signal(20), 'seed');
  const lane = createLane(model.manifest, { channels, rows: 2 });
  const judged: [row: number, at: number][] = [];
  const listener = {
    scored: (row: number, at: number) => judged.push([row, at]),
    failed: (_: number, cause: string) => assert.unreachable(cause),
  };
  lane.join(0, model.inference, listener);

  for (let i = 0; i < 640; i++) {
    if (i === 30) lane.join(1, model.inference, listener); // the second turbine starts to turn later
    for (let row = 0; row < (i < 30 ? 1 : 2); row++) lane.push(row, values[row], i * width);
    lane.gather(i);
    for (const { answered, apply } of lane.ask()) {
      await answered;
      apply();
    }
  }

  const due = (from: number) => [0, 20, 40, 60, 80, 100, 120].map((more) => from + 500 + more).filter((at) => at < 640);
  assert.equal(
    judged,
    [...due(0).map((at) => [0, at]), ...due(30).map((at) => [1, at])].sort(([, a], [, b]) => a - b),
  );
  for (const [i, [row, at]] of judged.entries()) nearly(model.asked[i], reference(raw[row], at + 1), `row ${row} at ${at}`);
});

seed('slides by one sample as the original, wherever the ring wraps', () => {
  const values = recorded(1_100);
  const raw = rawFeatures(values);
  const source = openWindowSource(signal(1), channels, 1);
  const window = new Float32Array(SIZE + 3);
  for (let i = 0; i < 1_100; i++) {
    assert.is(source.push(0, values, i * width), i >= 500);
    if (i < 500) continue;
    source.take(0, window, 3);
    if (i % 37 === 0 || i === 500 || i > 1_095) nearly(window.subarray(3), reference(raw, i + 1), `sample ${i}`);
  }
});

seed('any series: the source and the whole buffer agree', () => {
  const one: readonly Channel[] = [{ name: 'x', unit: '1' }];
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 492 }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      fc.nat(1_000),
      (hop, samples, sigma, s) => {
        const length = Math.min(samples, hop);
        const spec: SignalSpec = {
          pipeline: 'seed-db6',
          rateHz: 20,
          window: { samples, hop: length, settle: 0 },
          features: [{ name: 'x', op: 'value', channels: ['x'], parameters: { sigma }, mean: 0.1, std: 2 }],
        };
        const values = Float64Array.from({ length: 700 }, (_, i) => 2 * Math.sin(s + i / 9) + Math.sin(s + 12.9898 * i * i));

        const got = seedServingWindows(spec, one, values);

        const wanted: number[] = [];
        for (let end = 501; end <= 700; end += length) {
          const denoised = plainDenoise(values.slice(end - 501, end), sigma);
          for (let t = 492 - samples; t < 492; t++) wanted.push((denoised[t] - 0.1) / 2);
        }
        nearly(got, wanted, `${samples} by ${length}`);
      },
    ),
    { numRuns: 25 },
  );
});

seed('begins anew at a sample without a reading, and where a row is broken', () => {
  const values = recorded(1_200);
  const gap = values.slice(0, width);
  gap[channels.findIndex(({ name }) => name === 'qz')] = Number.NaN;
  const source = openWindowSource(signal(10), channels, 1);
  const fullAt = (from: number, n: number) =>
    Array.from({ length: n }, (_, i) => (source.push(0, values, (from + i) * width) ? i + 1 : 0)).filter((at) => at > 0);

  assert.equal(fullAt(0, 400), []);
  assert.is(source.push(0, gap, 0), null);
  assert.equal(fullAt(0, 501), [501]);
  source.break(0);
  assert.equal(fullAt(300, 501), [501]);
  const window = new Float32Array(SIZE);
  source.take(0, window, 0);
  nearly(window, reference(rawFeatures(values), 801), 'after a break');
  source.release(0);
  assert.equal(fullAt(0, 501), [501]);
});

seed('a channel that it does not read may be without a reading', () => {
  const values = recorded(501);
  for (let i = 0; i < 501; i++) values[i * width + channels.findIndex(({ name }) => name === 'gas')] = Number.NaN;
  assert.is(seedServingWindows(signal(1), channels, values).length, SIZE);
});

seed('knows which sample its next window begins with, and can be made to begin with the next', () => {
  const values = recorded(900);
  const source = openWindowSource(signal(50), channels, 1);
  const window = new Float32Array(SIZE);
  const begins: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < 900; i++) {
    if (i === 733) source.align(0);
    if (source.begins(0)) begins.push(i);
    if (!source.push(0, values, i * width)) continue;
    ends.push(i - source.lag);
    source.take(0, window, 0);
  }

  assert.equal(ends, [491, 541, 591, 641, 691, 832, 882]);
  assert.equal(begins.slice(0, 7), [392, 442, 492, 542, 592, 642, 692]);
  assert.equal(begins.slice(7), [733, 783, 833, 883]);
});

seed('cuts a whole file as the notebook does', () => {
  const values = recorded(1_234);
  const raw = rawFeatures(values);

  const got = seedTrainingWindows(signal(20), channels, values);

  const starts: number[] = [];
  for (let i = 0; i < 1_234 - 100; i += 10) starts.push(i);
  assert.is(got.length, starts.length * SIZE);
  const denoised = raw.map((column, f) => plainDenoise(column, RAW_STD[f]));
  for (const [w, start] of starts.entries()) {
    const wanted = denoised.flatMap((column, f) => [...column.slice(start, start + 100)].map((x) => (x - MEAN[f]) / STD[f]));
    nearly(got.subarray(w * SIZE, (w + 1) * SIZE), wanted, `window ${w}`);
  }
  // The window that would just fit is left out, and with it the only one of a file of 100.
  const windowsOf = (n: number) => seedTrainingWindows(signal(20), channels, values.subarray(0, n * width)).length / SIZE;
  assert.equal([0, 1, 99, 100, 101, 110, 111, 120].map(windowsOf), [0, 0, 0, 0, 1, 1, 2, 2]);
});

seed('a reading that is missing is 0 in a training window, and what it reaches too', () => {
  const values = recorded(1_500);
  values[700 * width + channels.findIndex(({ name }) => name === 'rps')] = Number.NaN;

  const got = seedTrainingWindows(signal(20), channels, values);

  const rps = (w: number, t: number) => got[w * SIZE + 4 * 100 + t];
  assert.ok(got.every(Number.isFinite));
  assert.is(rps(70, 0), 0);
  assert.is.not(rps(0, 0), 0);
  assert.is.not(got[70 * SIZE + 5 * 100], 0); // the other features lost nothing
});

seed('takes its statistics as pandas does: over n − 1, σ before and the rest after denoising', () => {
  const values = recorded(2_001);
  const raw = rawFeatures(values);
  const std = (xs: ArrayLike<number>) => {
    const all = Array.from(xs);
    const m = all.reduce((sum, x) => sum + x, 0) / all.length;
    return Math.sqrt(all.reduce((sum, x) => sum + (x - m) ** 2, 0) / (all.length - 1));
  };

  const fitted = fitSeed(signal(20), channels, values);

  for (const [f, feature] of fitted.entries()) {
    assert.ok(Math.abs(feature.parameters['sigma'] / std(raw[f]) - 1) < 1e-9, feature.name);
    const denoised = plainDenoise(raw[f], feature.parameters['sigma']).subarray(0, 2_001);
    assert.ok(Math.abs(feature.std - std(denoised)) <= 1e-9 * feature.std + 1e-12, feature.name);
  }
  assert.throws(
    () => fitSeed(signal(20), channels, values.subarray(0, width)),
    (error: unknown) => error instanceof FileInvalid,
  );
});

seed('a constant feature has no spread, and no source opens with that', () => {
  const values = recorded(600);
  for (let i = 0; i < 600; i++) values[i * width + channels.findIndex(({ name }) => name === 'voltage')] = 0;
  const fitted = fitSeed(signal(20), channels, values);
  assert.is(fitted[5].std, 0);
  assert.throws(() => openWindowSource({ ...signal(20), features: fitted }, channels, 1), /voltage: std 0 is not above 0/);
});

seed('says what of a package it cannot serve', () => {
  const open = (change: Partial<SignalSpec>, feature: Partial<FeatureSpec> = {}) =>
    openWindowSource({ ...signal(20), features: [{ ...features[0], ...feature }], ...change }, channels, 1);
  const refused = (change: Partial<SignalSpec>, feature: Partial<FeatureSpec>, why: RegExp) =>
    assert.throws(
      () => open(change, feature),
      (error: unknown) => error instanceof ModelRejected && why.test(error.message),
    );
  const window = { samples: 100, hop: 20, settle: 0 };
  refused({ window: { ...window, samples: 493 } }, {}, /493 samples do not fit .* 492 at most/);
  refused({ window: { ...window, settle: 200 } }, {}, /settle 200.*must be 0/);
  refused({}, { op: 'vibration' }, /no operation vibration in pipeline seed-db6/);
  refused({}, { op: '__proto__' }, /no operation __proto__/);
  refused({}, { channels: ['qx', 'qy', 'qz', 'q'] }, /no channel q$/);
  refused({}, { channels: ['qx'] }, /roll takes 4 channels, not 1/);
  refused({}, { parameters: {} }, /constant sigma is missing/);
  refused({}, { parameters: { sigma: -1 } }, /sigma -1 is below 0/);
  refused({ pipeline: 'fourier' as SignalSpec['pipeline'] }, {}, /pipeline fourier is not one that this device has/);
  assert.throws(() => openWindowSource(signal(20), channels, 1).take(0, new Float32Array(SIZE), 0), /no full window/);
});

seed('the manifest of a package carries it, and names what is wrong', () => {
  const { manifest } = starter();
  const thresholds = features.map(({ name }) => ({ feature: name, mae: 1 }));
  const bytes = (spec: SignalSpec) => new TextEncoder().encode(JSON.stringify({ ...manifest, signal: spec, thresholds }));

  assert.equal(parseManifest(bytes(signal(20))).signal, signal(20));

  const wrong = { ...signal(20), window: { samples: 100, hop: 20, settle: 5 }, features: features.map((f) => ({ ...f, parameters: {} })) };
  assert.throws(
    () => parseManifest(bytes(wrong)),
    (error: unknown) =>
      error instanceof ModelRejected && /settle/.test(error.message) && /features\[5\]\.parameters\.sigma/.test(error.message),
  );
});

/** A farm of one desk twin on virtual time, its plane ticking. */
function openFarm() {
  const clock = new VirtualClock();
  const backing = twinBacking({ things: ['T-1'], rng: createRng(3), wind: defaultWind });
  const judged: [model: string, at: number][] = [];
  const nothing = () => {};
  const listener: PlaneListener = {
    changed: nothing,
    rollUp: nothing,
    sample: nothing,
    judged: (_, verdict) => judged.push([verdict.model, verdict.at]),
    failed: (_, cause) => assert.unreachable(cause),
  };
  const plane = openDataPlane([localShard(backing, { waits: true })], { clock, listener, rows: 1, reactionMs: 0 });
  const tick = () => {
    clock.setTimeout(tick, 50);
    return plane.tick(clock.now());
  };
  clock.setTimeout(tick, 50);
  return { clock, plane, judged };
}

for (const [from, to] of [
  ['stream', 'seed-db6'],
  ['seed-db6', 'stream'],
] as const) {
  seed(`a ${to} challenger replaces a ${from} champion, and neither loses a window`, async () => {
    const { clock, plane, judged } = openFarm();
    const specs = { stream: starter().manifest.signal, 'seed-db6': signal(20) };
    const champion = fakeModel(specs[from], 'champion');
    const challenger = fakeModel(specs[to], 'challenger');
    plane.use(0, champion);
    await clock.run(60_000);

    const trial = plane.tryOut(0, challenger, { goldenAt: 600_000, signal: new AbortController().signal });
    const [result] = await Promise.all([trial, clock.run(120_000)]);
    plane.use(0, challenger);
    await clock.run(180_000);

    assert.is(result.decidedBy, 'live');
    assert.ok(result.windows >= 3);
    const steps = judged.slice(1).map(([model, at], i) => (model === judged[i][0] ? (at - judged[i][1]) / 50 : 0));
    const hops = { champion: specs[from].window.hop, challenger: specs[to].window.hop };
    for (const [i, step] of steps.entries()) {
      const name = judged[i + 1][0] === 'champion@1.0.0' ? 'champion' : 'challenger';
      if (step > 0) assert.is(step, hops[name], `${name} at ${judged[i + 1][1]}`);
    }
    assert.equal(new Set(judged.map(([model]) => model)), new Set(['champion@1.0.0', 'challenger@1.0.0']));
  });

  seed(`a canary of ${to} beside ${from} pairs the windows that hold the same samples`, async () => {
    // Models that read the time off their windows, and call every second window anomalous: paired one off they would never agree.
    const time = { name: 'time', op: 'value', channels: ['arduino_timestamp'], mean: 0, std: 1 };
    const window = { samples: 100, hop: 100, settle: 0 };
    const specs: Record<SignalSpec['pipeline'], SignalSpec> = {
      stream: { pipeline: 'stream', rateHz: 20, window, features: [{ ...time, parameters: { seconds: 0 } }] },
      'seed-db6': { pipeline: 'seed-db6', rateHz: 20, window, features: [{ ...time, parameters: { sigma: 0 } }] },
    };
    let first = Number.NaN;
    const everySecond = ([begin]: Float32Array) => {
      if (Number.isNaN(first)) first = begin;
      return Math.round((begin - first) / 5_000) % 2 === 0 ? 0.5 : 2;
    };
    const { clock, plane } = openFarm();
    plane.use(0, fakeModel(specs[from], 'champion', everySecond));
    await clock.run(63_000);

    const trial = plane.tryOut(0, fakeModel(specs[to], 'challenger', everySecond), {
      goldenAt: 600_000,
      signal: new AbortController().signal,
    });
    const [result] = await Promise.all([trial, clock.run(160_000)]);

    assert.equal(result, { decidedBy: 'live', windows: 3 });
  });

  seed(`a canary of ${to} beside ${from} on stored samples leaves out what only one of them could see`, async () => {
    const values = recorded(1_200);
    const history = createHistory(1, width, 1_200);
    for (let i = 0; i < 1_200; i++) history.add(0, values, i * width);
    const specs = { stream: starter().manifest.signal, 'seed-db6': signal(100) };

    const pairs = await storedScores(
      history,
      0,
      channels,
      fakeModel(specs[from], 'champion'),
      fakeModel(specs[to], 'challenger', () => 0.25),
    );

    assert.equal(pairs, new Array(7).fill({ champion: 0.5, challenger: 0.25 }));
  });
}

seed.run();
