import { spawnSync } from 'node:child_process';
import { createWavelet } from '../../actors/signal/wavelet.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';
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

/** The denoising of one buffer of 501 samples × 6 features; baselines: PyWavelets a feature a call, and the plain loop. */
export async function bench(): Promise<Figure[]> {
  const buffers = Array.from({ length: 20 * FEATURES }, (_, b) =>
    Float64Array.from({ length: LENGTH }, (_, i) => 2 + 0.5 * Math.sin(i / 15 + b) + 0.3 * (((i * 7_919 + b * 104_729) % 1_000) / 1_000)),
  );
  const wavelet = createWavelet(LENGTH);
  const microseconds = (denoise: (values: Float64Array) => void, times: number) =>
    nanosecondsEach((n) => {
      for (let i = 0; i < n * FEATURES; i++) denoise(buffers[i % buffers.length]);
    }, times) / 1_000;
  const value = microseconds((values) => wavelet.denoise(values, 0, SIGMA), 2_000);
  const plain = microseconds((values) => plainDenoise(values, SIGMA), 200);
  const against = (name: string, us: number) => ({ name, value: us, ratio: us / value });
  const figure = { name: 'seed-db6', value, unit: `µs a ${LENGTH} × ${FEATURES} buffer` };
  const figures: Figure[] = [{ ...figure, baseline: against('plain TypeScript', plain) }];
  if (hasPython('pywt', 'python3-pywt')) {
    const { status, stdout, stderr } = spawnSync(python, ['-W', 'ignore', '-c', script], { encoding: 'utf8' });
    if (status !== 0 || !(Number(stdout) > 0)) throw new Error(`PyWavelets could not be measured: ${stderr}`);
    figures.unshift({ ...figure, baseline: against('PyWavelets, a call a feature', Number(stdout)) });
  }
  return figures;
}
