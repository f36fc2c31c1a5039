import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../twins/rng.ts';
import { airDensity } from '../../twins/wind/air.ts';
import { createWindField } from '../../twins/wind/field.ts';
import { gustAmplitudeMps, gustMps, integralLengthM, turbulenceSigmaMps } from '../../twins/wind/iec.ts';
import { createTurbulence } from '../../twins/wind/turbulence.ts';
import { temperate, weatherAt } from '../../twins/wind/weather.ts';

const wind = suite('wind');

// 12 m/s, class B, hub at 90 m: the summary that TurbSim writes for the NREL 5-MW baseline (OpenFAST r-test, 90m_12mps_twr.sum).
const MEAN = 12;
const SIGMA = 2.044;
const LENGTH = 340.2;
const DT = 0.05;
const kaimal = (f: number) => (4 * SIGMA ** 2 * (LENGTH / MEAN)) / (1 + (6 * f * LENGTH) / MEAN) ** (5 / 3);

wind('IEC’s classes give the published figures', () => {
  assert.ok(Math.abs(turbulenceSigmaMps(12, 'B') - SIGMA) < 5e-4);
  assert.ok(Math.abs(integralLengthM(90) - LENGTH) < 1e-9);
  // Class IB, D 126 m, hub 90 m at 11.4 m/s: σ₁ 1.9810, V_gust 5.0287, least 10.052, most 15.121 at 5.25 s.
  const sigmaMps = turbulenceSigmaMps(11.4, 'B');
  const amplitude = gustAmplitudeMps({ hubMps: 11.4, sigmaMps, diameterM: 126, hubHeightM: 90 });
  assert.ok(Math.abs(sigmaMps - 1.981) < 5e-5);
  assert.ok(Math.abs(amplitude - 5.0287) < 5e-5);
  const course = Array.from({ length: 1_051 }, (_, i) => 11.4 + gustMps(amplitude, i / 100));
  assert.ok(Math.abs(Math.min(...course) - 10.052) < 1e-3);
  assert.ok(Math.abs(course[525] - 15.121) < 1e-3);
  assert.is(Math.max(...course), course[525]);
});

wind('turbulence over an ensemble has the spread and the spectrum of Kaimal', () => {
  const members = 24;
  const samples = 1 << 18; // 3.6 h
  const turbulence = createTurbulence({
    streams: Array.from({ length: members }, (_, i) => createRng(100 + i).fork('wind')),
    meanMps: MEAN,
    lengthM: LENGTH,
    dt: DT,
  });
  const series = Array.from({ length: members }, () => new Float64Array(samples));
  const now = new Float64Array(members);
  for (let step = 0; step < samples; step++) {
    turbulence.advance(now, step, 0, members);
    for (let m = 0; m < members; m++) series[m][step] = SIGMA * now[m];
  }

  const variance = series.reduce((sum, x) => sum + x.reduce((s, v) => s + v * v, 0), 0) / members / samples;
  assert.ok(Math.abs(Math.sqrt(variance) / SIGMA - 1) <= 0.03, `σ ${Math.sqrt(variance)}`);

  const bins = logBins(0.005, 2, 40);
  const spectrum = meanSpectrum(series, bins);
  const decibels = bins.map(({ f }, i) => 10 * Math.log10(spectrum[i] / kaimal(f)));
  const rms = Math.sqrt(decibels.reduce((sum, db) => sum + db * db, 0) / decibels.length);
  assert.ok(rms <= 0.5, `${rms} dB rms`);

  const inertial = bins.flatMap(({ f }, i) => (f >= 0.2 ? [{ f, got: spectrum[i], wanted: kaimal(f) }] : []));
  const slope = (of: 'got' | 'wanted') => logSlope(inertial.map((point) => [point.f, point[of]]));
  assert.ok(Math.abs(slope('got') / slope('wanted') - 1) <= 0.03, `slope ${slope('got')}, not ${slope('wanted')}`);
});

wind('turns with its file and its gust, and a turbine’s wind does not know who else stands there', () => {
  const site = { hubHeightM: 90, diameterM: 126, lengthM: LENGTH };
  const run = (labels: string[], layout?: { xM: Float64Array; yM: Float64Array }) => {
    const field = createWindField(
      createRng(1),
      labels,
      { meanMps: 11.4, turbulenceIntensity: 'B', events: [{ kind: 'gust', at: 60_000 }] },
      { ...site, ...(layout ? { layout } : {}) },
      DT,
    );
    const now = new Float64Array(labels.length);
    return Array.from({ length: 2_400 }, (_, step) => {
      field.advance(now, step);
      return now[labels.indexOf('B')];
    });
  };
  assert.equal(run(['A', 'B', 'C']), run(['B']));
  const calm = createWindField(
    createRng(1),
    ['B'],
    { meanMps: 11.4, turbulenceIntensity: 0, events: [{ kind: 'ramp', at: 10_000, over: 10_000, toMps: 6 }] },
    site,
    DT,
  );
  const now = new Float64Array(1);
  for (let step = 0; step < 1_000; step++) calm.advance(now, step);
  assert.ok(Math.abs(now[0] - 6) < 1e-9);
});

wind('the air is as dense as physics says, and the weather has days and seasons', () => {
  assert.ok(Math.abs(airDensity(15) - 1.225) < 2e-3); // ISA sea level, dry
  assert.ok(airDensity(30, 101_325, 1) < airDensity(30, 101_325, 0)); // vapour is lighter
  const chance = createRng(5).fork('weather');
  const meanC = (from: number) =>
    Array.from({ length: 24 }, (_, h) => weatherAt(temperate, chance, from * 86_400 + h * 3_600).temperatureC).reduce((a, b) => a + b) / 24;
  const winter = [10, 14, 18, 22, 26].reduce((sum, day) => sum + meanC(day) / 5, 0);
  const summer = [190, 194, 198, 202, 206].reduce((sum, day) => sum + meanC(day) / 5, 0);
  assert.ok(summer - winter > 10, `${summer} in summer, ${winter} in winter`);
  const { humidity, pressurePa } = weatherAt(temperate, chance, 40 * 86_400);
  assert.ok(humidity > 0 && humidity <= 1 && pressurePa > 95_000 && pressurePa < 106_000);
});

/** Bands between `from` and `to`, equally wide in the logarithm. */
function logBins(from: number, to: number, count: number) {
  const ratio = (to / from) ** (1 / count);
  return Array.from({ length: count }, (_, i) => ({ low: from * ratio ** i, high: from * ratio ** (i + 1), f: from * ratio ** (i + 0.5) }));
}

/** One-sided density by bands, mean over the series and over segments of 2¹⁵ samples with a Hann window. */
function meanSpectrum(series: readonly Float64Array[], bins: readonly { low: number; high: number }[]): number[] {
  const n = 1 << 15;
  const hann = Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
  const norm = hann.reduce((sum, w) => sum + w * w, 0) / DT;
  const power = new Float64Array(n / 2);
  let segments = 0;
  for (const x of series) {
    for (let from = 0; from + n <= x.length; from += n) {
      const re = Float64Array.from({ length: n }, (_, i) => x[from + i] * hann[i]);
      const im = new Float64Array(n);
      fft(re, im);
      for (let k = 0; k < n / 2; k++) power[k] += (2 * (re[k] ** 2 + im[k] ** 2)) / norm;
      segments++;
    }
  }
  return bins.map(({ low, high }) => {
    let [sum, count] = [0, 0];
    for (let k = 1; k < n / 2; k++) {
      const f = k / (n * DT);
      if (f < low || f >= high) continue;
      sum += (power[k] * kaimal(Math.sqrt(low * high))) / kaimal(f); // a steep spectrum within one band
      count++;
    }
    return sum / count / segments;
  });
}

/** In place, radix 2. */
function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size <<= 1) {
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < size / 2; k++) {
        const angle = (-2 * Math.PI * k) / size;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const [a, b] = [start + k, start + k + size / 2];
        const [tr, ti] = [c * re[b] - s * im[b], c * im[b] + s * re[b]];
        [re[b], im[b], re[a], im[a]] = [re[a] - tr, im[a] - ti, re[a] + tr, im[a] + ti];
      }
    }
  }
}

function logSlope(points: readonly (readonly number[])[]): number {
  const xs = points.map(([x]) => Math.log(x));
  const ys = points.map(([, y]) => Math.log(y));
  const [mx, my] = [xs, ys].map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  return xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0) / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
}

wind.run();
