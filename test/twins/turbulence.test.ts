import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fourier, logBands, meanSpectrum } from '../../twins/validity/spectrum.ts';
import { createRng } from '../../twins/rng.ts';
import { airDensity } from '../../twins/wind/air.ts';
import { createWindField } from '../../twins/wind/field.ts';
import { gustAmplitudeMps, gustMps, integralLengthM, turbulenceSigmaMps } from '../../twins/wind/iec.ts';
import { parseWindSeries } from '../../twins/wind/series.ts';
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

  const bins = logBands(0.005, 2, 40);
  const spectrum = meanSpectrum(series, DT, bins, kaimal);
  const decibels = bins.map(({ f }, i) => 10 * Math.log10(spectrum[i] / kaimal(f)));
  const rms = Math.sqrt(decibels.reduce((sum, db) => sum + db * db, 0) / decibels.length);
  assert.ok(rms <= 0.5, `${rms} dB rms`);

  const inertial = bins.flatMap(({ f }, i) => (f >= 0.2 ? [{ f, got: spectrum[i], wanted: kaimal(f) }] : []));
  const slope = (of: 'got' | 'wanted') => logSlope(inertial.map((point) => [point.f, point[of]]));
  assert.ok(Math.abs(slope('got') / slope('wanted') - 1) <= 0.03, `slope ${slope('got')}, not ${slope('wanted')}`);
});

wind('the transform behind the spectra is Fourier’s', () => {
  const n = 64;
  const x = Float64Array.from({ length: n }, (_, i) => ((i * 37) % 11) - 5);
  const [re, im] = [x.slice(), new Float64Array(n)];
  fourier(re, im);
  for (let k = 0; k < n; k++) {
    let [cos, sin] = [0, 0];
    for (let i = 0; i < n; i++) {
      cos += x[i] * Math.cos((2 * Math.PI * k * i) / n);
      sin -= x[i] * Math.sin((2 * Math.PI * k * i) / n);
    }
    assert.ok(Math.abs(re[k] - cos) < 1e-9 && Math.abs(im[k] - sin) < 1e-9);
  }
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
  const places = (...xs: number[]) => ({ xM: Float64Array.from(xs), yM: Float64Array.from(xs, (_, i) => 900 * i) });
  const alone = run(['B'], places(0));
  assert.equal(run(['B', 'C'], places(0, -3_000)), alone); // nor who stands before it
  assert.not.equal(run(['A', 'B'], places(0, 3_000)), alone); // but a place downwind has the farm's wind later

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

wind('a file’s wind without turbulence is the file’s, to the last bit, direction and all; with turbulence it is its mean', () => {
  const site = { hubHeightM: 90, diameterM: 126, lengthM: LENGTH };
  const series = parseWindSeries('t,windMps,directionDeg,temperatureC\n0,8,350,5\n600,11,20,8\n', 'w.csv');
  const run = (turbulenceIntensity: number) => {
    const field = createWindField(createRng(2), ['A'], { meanMps: 0, turbulenceIntensity, series }, site, DT);
    const now = new Float64Array(1);
    return Array.from({ length: 12_000 }, (_, step) => {
      field.advance(now, step);
      return { windMps: now[0], directionDeg: field.directionDeg, temperatureC: field.temperatureC };
    });
  };
  const calm = run(0);
  for (const step of [0, 777, 11_999]) assert.equal(calm[step], series.at(step * DT));
  const rough = run(0.1);
  const off = rough.map(({ windMps }, step) => windMps - calm[step].windMps);
  assert.ok(Math.abs(off.reduce((sum, x) => sum + x, 0) / off.length) < 0.7 && Math.max(...off) > 1);
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

function logSlope(points: readonly (readonly number[])[]): number {
  const xs = points.map(([x]) => Math.log(x));
  const ys = points.map(([, y]) => Math.log(y));
  const [mx, my] = [xs, ys].map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  return xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0) / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
}

wind.run();
