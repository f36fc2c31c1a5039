import { spawnSync } from 'node:child_process';
import type { SignalSpec } from '../../actors/contracts/model.ts';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { openWindowSource } from '../../actors/signal/source.ts';
import { streamPipeline } from '../../actors/signal/stream.ts';
import { createWavelet } from '../../actors/signal/wavelet.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';
import { starter } from '../kit/packages.ts';
import { hasPython, python } from '../kit/programs.ts';
import { plainDenoise } from './plain-wavelet.ts';

const LENGTH = 501;
const FEATURES = 6;
const SIGMA = 0.05;

/** Microseconds a buffer in one Python process: a feature a call, as the original does it; the median of fifteen rounds. */
const script = `
import math, random, statistics, time
import numpy, pywt
rng = random.Random(1)
buffers = [numpy.array([[2 + 0.5 * math.sin(i / 15 + f) + 0.3 * rng.random() for i in range(${LENGTH})] for f in range(${FEATURES})]) for _ in range(20)]
def denoise(x, sigma):
    levels = min(5, int(math.log2(len(x))))
    threshold = sigma * math.sqrt(2 * math.log2(len(x)))
    coefficients = [pywt.threshold(c, value=threshold, mode='soft') for c in pywt.wavedec(x, 'db6', mode='symmetric', level=levels)]
    return pywt.waverec(coefficients, 'db6', mode='symmetric')
def all_of(times):
    for t in range(times):
        for x in buffers[t % len(buffers)]:
            denoise(x, ${SIGMA})
all_of(20)
rounds = []
for _ in range(15):
    began = time.perf_counter()
    all_of(40)
    rounds.append((time.perf_counter() - began) / 40)
print(statistics.median(rounds) * 1e6)`;

/** The original's six features as channels of a machine of their own, so that nothing is measured but the pipeline. */
const channels = ['roll', 'pitch', 'yaw', 'wind_speed_rps', 'rps', 'voltage'].map((name) => ({ name, unit: '1' }));
const signal: SignalSpec = {
  pipeline: 'seed-db6',
  rateHz: 20,
  window: { samples: 100, hop: 1, settle: 0 },
  features: channels.map(({ name }) => ({ name, op: 'value', channels: [name], parameters: { sigma: SIGMA }, mean: 2, std: 1 })),
};

/**
 * The denoising of a whole buffer of 501 samples × 6 features, and the way from a new sample to its window: buffer, denoising of what the
 * window reads, normalising, cutting. The baselines denoise the whole buffer: PyWavelets a feature a call, and the plain loop.
 */
export async function bench(): Promise<Figure[]> {
  const x = (i: number, b: number) => 2 + 0.5 * Math.sin(i / 15 + b) + 0.3 * (((i * 7_919 + b * 104_729) % 1_000) / 1_000);
  const buffers = Array.from({ length: 20 * FEATURES }, (_, b) => Float64Array.from({ length: LENGTH }, (_, i) => x(i, b)));
  const microseconds = (denoise: (values: Float64Array) => void, times: number) =>
    nanosecondsEach((n) => {
      for (let i = 0; i < n * FEATURES; i++) denoise(buffers[i % buffers.length]);
    }, times) / 1_000;

  const wavelet = createWavelet(LENGTH);
  const whole = microseconds((values) => wavelet.denoise(values, 0, SIGMA), 2_000);
  const plain = microseconds((values) => plainDenoise(values, SIGMA), 300);

  const source = openWindowSource(signal, channels, 1);
  const samples = Float64Array.from({ length: 10_000 * FEATURES }, (_, i) => x(Math.floor(i / FEATURES), i % FEATURES));
  const window = new Float32Array(FEATURES * signal.window.samples);
  let at = 0;
  const windows = nanosecondsEach((n) => {
    for (let full = 0; full < n; at = (at + 1) % 10_000) {
      if (!source.push(0, samples, at * FEATURES)) continue;
      source.take(0, window, 0);
      full++;
    }
  }, 2_000);

  const figure = (name: string, us: number, unit: string, baseline: string, baselineUs: number) => ({
    name,
    value: us,
    unit,
    baseline: { name: baseline, value: baselineUs, ratio: baselineUs / us },
  });
  const figures = (baseline: string, us: number): Figure[] => [
    figure('seed-db6', whole, `µs a ${LENGTH} × ${FEATURES} buffer`, baseline, us),
    figure('seed-db6 window', windows / 1_000, 'µs a sample and its window', baseline, us),
  ];
  const outside = hasPython('pywt', 'python3-pywt') ? figures('PyWavelets, a call a feature', measurePyWavelets()) : [];
  return [...outside, ...figures('plain TypeScript', plain), stream()];
}

/** The starter model's features of a farm's samples; the baseline makes each by itself, and what several need as often. */
function stream(): Figure {
  const rows = 50;
  const { signal: of } = starter().manifest;
  const { channels: all } = deskTurbine;
  const size = rows * all.length;
  const ticks = Array.from({ length: 200 }, (_, tick) => Float64Array.from({ length: size }, (_, i) => 2 + Math.sin(0.1 * tick + i)));
  const samples = {
    values: ticks[0],
    count: rows,
    rows: Int32Array.from({ length: rows }, (_, row) => row),
    offsets: Int32Array.from({ length: rows }, (_, row) => row * all.length),
  };
  const [out, whole] = [new Float32Array(rows * of.features.length), new Uint8Array(rows)];
  const measure = (pipelines: ReturnType<typeof streamPipeline>[]) => {
    let tick = 0;
    return (
      nanosecondsEach((times) => {
        for (let t = 0; t < times; t++, tick++) {
          samples.values = ticks[tick % ticks.length];
          for (const pipeline of pipelines) pipeline.pushAll(samples, out, whole);
        }
      }, 3_000) / rows
    );
  };
  const together = measure([streamPipeline(of, all, rows)]);
  const apart = measure(of.features.map((feature) => streamPipeline({ ...of, features: [feature] }, all, rows)));
  return {
    name: 'stream',
    value: together,
    unit: 'ns a turbine and sample',
    baseline: { name: 'a feature by itself', value: apart, ratio: apart / together },
  };
}

/** Microseconds a buffer. */
function measurePyWavelets(): number {
  const { status, stdout, stderr } = spawnSync(python, ['-W', 'ignore', '-c', script], { encoding: 'utf8' });
  if (status !== 0 || !(Number(stdout) > 0)) throw new Error(`PyWavelets could not be measured: ${stderr}`);
  return Number(stdout);
}
