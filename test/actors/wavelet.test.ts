import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decompose, denoise } from '../../actors/signal/wavelet.ts';
import { packageRoot } from '../kit/package-root.ts';
import { hasPython, python } from '../kit/programs.ts';

const wavelet = suite('wavelet');
const golden = JSON.parse(readFileSync(join(packageRoot(), 'test/actors/denoise-db6.json'), 'utf8'));
const samples = (n: number) =>
  Float64Array.from({ length: n }, (_, i) => 2 + 0.5 * Math.sin(i / 15) + 0.3 * (((i * 7_919) % 1_000) / 1_000 - 0.5));

wavelet('denoises as PyWavelets does', () => {
  const got = denoise(samples(501), 0.05);

  assert.is(got.length, golden.denoised.length);
  for (const [i, wanted] of golden.denoised.entries()) assert.ok(Math.abs(got[i] - wanted) <= 1e-9, `${i}: ${got[i]}, not ${wanted}`);
  assert.equal(
    decompose(samples(501), 5).map(({ length }) => length),
    golden.coefficientLengths,
  );
  assert.equal(
    decompose(samples(500), 5).map(({ length }) => length),
    [26, 26, 41, 72, 133, 255],
  );
});

wavelet('without a threshold it gives back what it took, whatever the length', () => {
  for (const n of [2, 3, 11, 12, 13, 64, 499, 500, 501, 1_000]) {
    const got = denoise(samples(n), 0);
    for (const [i, x] of samples(n).entries()) assert.ok(Math.abs(got[i] - x) < 1e-9, `${i} of ${n}`);
    assert.is(got.length, n + (n % 2));
  }
});

if (hasPython('pywt', 'python3-pywt')) {
  wavelet('agrees with the PyWavelets of this machine at odd and even lengths', () => {
    const script = `
import json, math, pywt
out = []
for n in (33, 500, 501, 777):
    x = [2 + 0.5 * math.sin(i / 15) + 0.3 * (((i * 7919) % 1000) / 1000 - 0.5) for i in range(n)]
    levels = min(5, int(math.log2(n)))
    t = 0.05 * math.sqrt(2 * math.log2(n))
    coeffs = [pywt.threshold(c, t, 'soft') for c in pywt.wavedec(x, 'db6', mode='symmetric', level=levels)]
    out.append([n, list(pywt.waverec(coeffs, 'db6', mode='symmetric'))])
print(json.dumps(out))`;
    for (const [n, wanted] of JSON.parse(execFileSync(python, ['-W', 'ignore', '-c', script], { encoding: 'utf8' }))) {
      const got = denoise(samples(n), 0.05);
      assert.is(got.length, wanted.length);
      for (const [i, x] of wanted.entries()) assert.ok(Math.abs(got[i] - x) <= 1e-9, `${i} of ${n}: ${got[i]}, not ${x}`);
    }
  });
}

wavelet.run();
