import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import type { Channel } from '../../actors/contracts/channels.ts';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import type { FaultKind } from '../../actors/contracts/faults.ts';
import type { Inference } from '../../actors/contracts/inference.ts';
import type { ModelManifest } from '../../actors/contracts/model.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { denoise } from '../../actors/signal/wavelet.ts';
import { announceRule } from '../../cloud/cli/evaluate/announce.ts';
import { evaluatedMachine, evaluationChance, twinRecorder } from '../../cloud/cli/evaluate/play.ts';
import { controlsOf } from '../../cloud/studio/evaluate/controls.ts';
import type { ControlKind, PlayedTick } from '../../cloud/studio/evaluate/detector.ts';
import { summarise } from '../../cloud/studio/evaluate/evaluation.ts';
import { evaluate, faultFigures, overallFigures } from '../../cloud/studio/evaluate/figures.ts';
import { type Episode, evaluationFleet, type LabelledFleet, type LabelledTurbine } from '../../cloud/studio/evaluate/fleet.ts';
import { operatingPoint } from '../../cloud/studio/evaluate/operating-point.ts';
import { originalRule, originalStatistics } from '../../cloud/studio/evaluate/original-rule.ts';
import { reportHtml } from '../../cloud/studio/evaluate/report.ts';
import { Label, type Recorder, type ScoredWindows, scoreFleet } from '../../cloud/studio/evaluate/score.ts';
import { drawPlot, escapeText } from '../../twins/validity/draw.ts';
import { starter } from '../kit/packages.ts';

const scoring = suite('evaluation');

/** A machine with two channels: `x` is what its model looks at, 0 when healthy and 10 under its only fault. */
const channels: readonly Channel[] = [
  { name: 'x', unit: '1', range: [-5, 5] },
  { name: 'speed', unit: '1/s', role: 'rotor-speed' },
];
const catalogue: readonly FaultKind[] = [
  { name: 'jam', about: 'x is 10', moves: { toy: { x: 'up' } } },
  { name: 'sensor-bias', about: 'speed is off', moves: { toy: { x: 'up' } } },
];
const SECOND = 1_000;
const DURATION = 300 * SECOND;

const manifest = {
  ...starter().manifest,
  machine: 'toy',
  persistence: 2,
  signal: {
    pipeline: 'stream',
    rateHz: 20,
    window: { samples: 100, hop: 100, settle: 0 },
    features: [
      { name: 'x', op: 'value', channels: ['x'], parameters: { seconds: 0 }, mean: 0, std: 1 },
      { name: 'speed', op: 'value', channels: ['speed'], parameters: { seconds: 0 }, mean: 1, std: 1 },
    ],
  },
} satisfies ModelManifest;

/** Scores are the mean of each feature over its window. */
const meanModel: Inference = {
  model: 'toy@1.0.0',
  predict: async (windows, batch, scores) => {
    for (let k = 0; k < 2 * batch; k++) scores[k] = windows.subarray(100 * k, 100 * (k + 1)).reduce((sum, x) => sum + x, 0) / 100;
  },
  close: async () => {},
};

const jam = (onsetMs: number, more: Partial<Episode> = {}): Episode => ({
  fault: 'jam',
  severity: 1,
  channel: null,
  onsetMs,
  overMs: 0,
  ...more,
});

function toyFleet(...episodes: (Episode | null)[]): LabelledFleet {
  const turbines = episodes.map((episode, i): LabelledTurbine => ({ thing: `T-${i}`, habit: 'plain', episode }));
  const wind = { meanMps: 8, turbulenceIntensity: 0, events: [] };
  return { seed: 1, machine: 'toy', durationMs: DURATION, groups: [{ name: 'g', kind: 'steady', wind, turbines, schedule: [] }] };
}

/** @param reading of a row at an instant: x and speed */
const toyRecorder = (reading: (row: number, now: number) => readonly [number, number]): Recorder => ({
  channels,
  *play(fleet, group): Generator<PlayedTick> {
    const rows = group.turbines.length;
    const block = createSampleBlock(channels, rows);
    const windMps = new Float64Array(rows).fill(8);
    for (let now = 50; now <= fleet.durationMs; now += 50) {
      for (let row = 0; row < rows; row++) block.values.set(reading(row, now), 2 * row);
      yield { now, block, windMps };
    }
  },
});

const score = (
  fleet: LabelledFleet,
  reading: (row: number, now: number) => readonly [number, number],
  controls: readonly ControlKind[] = [],
) => scoreFleet(fleet, { manifest, inference: meanModel, recorder: toyRecorder(reading), controls, announceRule });
const judged = (fleet: LabelledFleet, windows: ScoredWindows) => evaluate([{ fleet, windows }], 0, manifest.signal.features, catalogue, 5);
const whole = { hidden: [], heldOut: ['jam'] };

scoring('labels windows by the onset: before it, after it, and neither when they straddle it', async () => {
  const fleet = toyFleet(jam(102 * SECOND));
  const windows = await score(fleet, (_, now) => [now > 102 * SECOND ? 10 : 0, 1]);

  assert.is(windows.label.length, 60);
  assert.is(windows.label[19], Label.normal); // 95 to 100 s
  assert.is(windows.label[20], Label.straddling); // 100 to 105 s
  assert.is(windows.label[21], Label.faulty);
  assert.equal(Array.from(windows.endMs.subarray(19, 22)), [100_000, 105_000, 110_000]);
  const onTheGrid = await score(toyFleet(jam(100 * SECOND)), () => [0, 1]);
  assert.equal(Array.from(onTheGrid.label.subarray(19, 21)), [Label.normal, Label.faulty]); // it ends with the last healthy sample
});

scoring('the delay is from the onset to the announced verdict, by the fleet’s own persistence', async () => {
  const fleet = toyFleet(jam(100 * SECOND), null);
  const windows = await score(fleet, (row, now) => [row === 0 && now > 100 * SECOND ? 10 : 0, 1]);
  const figures = faultFigures(judged(fleet, windows), 'jam', 1);

  assert.is(figures.delayMedianS, 10); // the second window that disagrees
  assert.is(figures.aucPr, 1);
  assert.is(figures.recall, 1);
  assert.is(figures.attribution, 1);
  assert.is(figures.undetected, 0);
  assert.is(figures.falseAlarmsPerTurbineWeek, 0);
});

scoring('ramps are found too, but count in no delay', async () => {
  const fleet = toyFleet(jam(100 * SECOND, { overMs: 60 * SECOND }), null);
  const windows = await score(fleet, (row, now) => [row === 0 && now > 100 * SECOND ? 10 : 0, 1]);
  const figures = faultFigures(judged(fleet, windows), 'jam', 1);
  assert.is(figures.delayMedianS, null);
  assert.is(figures.undetected, 0);
});

scoring('an alarm that stood before the onset finds nothing; one that comes again does', async () => {
  const always = toyFleet(jam(100 * SECOND), null);
  const standing = judged(always, await score(always, (row) => [row === 0 ? 10 : 0, 1]));
  assert.is(faultFigures(standing, 'jam', 1).undetected, 1);
  assert.ok((faultFigures(standing, 'jam', 1).falseAlarmsPerTurbineWeek ?? 0) > 0);

  const again = judged(always, await score(always, (row, now) => [row === 0 && (now < 50 * SECOND || now > 200 * SECOND) ? 10 : 0, 1]));
  assert.is(faultFigures(again, 'jam', 1).delayMedianS, 110);
});

scoring('false alarms are turns of the announced verdict on normal turbines, a week of judged time', async () => {
  const fleet = toyFleet(null, null, jam(299 * SECOND));
  const blips = (row: number, now: number): readonly [number, number] => {
    if (row !== 0) return [0, 1];
    const second = now / SECOND;
    return [(second > 50 && second <= 55) || (second > 100 && second <= 120) || (second > 200 && second <= 220) ? 10 : 0, 1]; // one window alone is no alarm
  };
  const evaluated = judged(fleet, await score(fleet, blips));
  const { falseAlarmsPerTurbineWeek } = overallFigures(evaluated, whole);
  assert.is(falseAlarmsPerTurbineWeek, (2 * 7 * 24 * 3_600) / 600);
});

scoring('tells how far the thresholds are from one false alarm a week, and what they would find then', async () => {
  const fleet = toyFleet(null, jam(100 * SECOND), jam(100 * SECOND, { severity: 0.3 }));
  const evaluated = judged(
    fleet,
    await score(fleet, (row, now) => [now <= 100 * SECOND ? 0 : [now < 130 * SECOND ? 3 : 0, 10, 2][row], 1]),
  );
  const shown = evaluated.lives.filter(({ episode }) => episode !== null);
  const point = operatingPoint(evaluated, shown, announceRule, 2, 1);

  assert.ok(point && point.scale >= 3 && point.scale < 3 * 1.03);
  assert.is(point.falseAlarmsPerTurbineWeek, 0);
  assert.is(point.recallSevere, 1);
  assert.is(point.recallMild, 0);
  const loose = operatingPoint(evaluated, shown, announceRule, 2, 1e9);
  assert.ok(loose && loose.scale === 0.25 && loose.recallMild === 1);
});

scoring('a rotor that stands is not judged, and its windows begin anew', async () => {
  const fleet = toyFleet(null);
  const windows = await score(fleet, (_, now) => [0, now > 62 * SECOND && now <= 100 * SECOND ? 0 : 1]);
  const ends = Array.from(windows.endMs, (ms) => ms / SECOND);
  assert.ok(ends.includes(70)); // ten seconds of no turn are not yet a standstill
  assert.not(ends.some((s) => s > 70 && s < 105));
  assert.ok(ends.includes(105));
});

scoring('a detection is attributed by the channels that the fault moves; a sensor fault moves its own', async () => {
  const wrong = toyFleet(jam(100 * SECOND), null);
  const speedy = (row: number, now: number): readonly [number, number] => [0, row === 0 && now > 100 * SECOND ? 10 : 1];
  assert.is(faultFigures(judged(wrong, await score(wrong, speedy)), 'jam', 1).attribution, 0);

  const sensor = toyFleet(jam(100 * SECOND, { fault: 'sensor-bias', channel: 'speed' }), null);
  assert.is(faultFigures(judged(sensor, await score(sensor, speedy)), 'sensor-bias', 1).attribution, 1);
});

scoring('overall figures leave hidden faults out and keep the severities apart', async () => {
  const fleet = toyFleet(
    jam(100 * SECOND),
    jam(100 * SECOND, { severity: 0.3 }),
    jam(100 * SECOND, { fault: 'sensor-bias', channel: 'x' }),
    null,
  );
  const windows = await score(fleet, (row, now) => [row === 0 && now > 100 * SECOND ? 10 : 0, 1]);
  const evaluated = judged(fleet, windows);

  const all = overallFigures(evaluated, whole);
  assert.is(all.recallSevere, 0.5);
  assert.is(all.aucPrHeldOut, 1);
  assert.ok(Math.abs((all.aucPrMild ?? 0) - 0.1) < 1e-12);
  const without = overallFigures(evaluated, { hidden: [{ fault: 'sensor-bias', reason: 'for this test' }], heldOut: [] });
  assert.is(without.recallSevere, 1);
  assert.is(without.aucPrHeldOut, null);
});

scoring('a model that answers with no number is named, with seed and turbine', async () => {
  const broken: Inference = { ...meanModel, predict: async (_, batch, scores) => void scores.fill(Number.NaN, 0, 2 * batch) };
  await scoreFleet(toyFleet(null), { manifest, inference: broken, recorder: toyRecorder(() => [0, 1]), controls: [], announceRule }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(error instanceof ModelRejected && /no finite number on seed 1, T-0/.test(error.message)),
  );
});

scoring('the range check grades how far a reading leaves its range, within the window alone', async () => {
  const [check] = controlsOf(channels, manifest.signal.features, evaluationChance(1)).filter(({ name }) => name === 'rangeCheck');
  const control = check.open(channels, 1, 100, 'g');
  assert.ok(control);
  const push = (x: number, times: number) => {
    for (let i = 0; i < times; i++) control.push(0, Float64Array.of(x, 1), 0);
  };
  push(5, 100);
  assert.equal(control.score(0), { score: 0, worst: 0 });
  push(10, 1);
  assert.equal(control.score(0), { score: 1.5, worst: 0 }); // half a range beyond it
  push(0, 99);
  assert.is(control.score(0).score, 1.5);
  push(0, 1);
  assert.is(control.score(0).score, 0);
  push(Number.NaN, 100);
  assert.is(control.score(0).score, 0); // no reading is not a reading out of range
});

scoring('the original’s rule is |z| of the denoised window over its threshold, once its buffer is full', () => {
  const { channels: desk } = evaluatedMachine('desk-turbine');
  const rule = originalRule.open(desk, 1, 100, 'g');
  assert.ok(rule);
  const wave = (i: number) => 2 + 0.8 * Math.sin(i / 40) + 0.3 * Math.sin(i * 1.7);
  const at = (name: string) => desk.findIndex((channel) => channel.name === name);
  const row = new Float64Array(desk.length);
  row[at('qw')] = Math.cos(-0.05); // a heading of −0.1 rad, near the training mean
  row[at('qz')] = Math.sin(-0.05);
  row[at('rps')] = 2.3; // 1.6 when denoised
  row[at('voltage')] = 75;
  for (let i = 0; i < 700; i++) {
    if (i === 500) assert.is(rule.score(0).score, 0);
    row[at('wind_speed_rps')] = wave(i);
    rule.push(0, row, 0);
  }

  const { rawStd, mean, std, threshold } = originalStatistics[3];
  const clean = denoise(
    Float64Array.from({ length: 501 }, (_, i) => wave(199 + i)),
    rawStd,
  );
  const wanted = clean.slice(-110, -10).reduce((sum, x) => sum + Math.abs((x - mean) / std), 0) / 100 / threshold;
  assert.equal(rule.score(0).worst, 3);
  assert.ok(Math.abs(rule.score(0).score - wanted) < 1e-9, `${rule.score(0).score}, not ${wanted}`);
  assert.is(originalRule.open(evaluatedMachine('nrel-5mw').channels, 1, 100, 'g'), null); // no attitude, no rule
});

/** A real seed, cut down to one group and twelve minutes. */
async function realSeed() {
  const { manifest: real, network, golden } = starter();
  const { channels: desk, catalogue: faults } = evaluatedMachine('desk-turbine');
  const chance = evaluationChance(21);
  const complete = evaluationFleet(21, chance, 'desk-turbine', faults);
  const fleet = { ...complete, durationMs: 16 * 60 * SECOND, groups: complete.groups.slice(0, 1) };
  const inference = await onnxEngine().load(real, network, golden);
  const controls = controlsOf(desk, real.signal.features, chance.fork('control'));
  const windows = await scoreFleet(fleet, { manifest: real, inference, recorder: twinRecorder('desk-turbine'), controls, announceRule });
  await inference.close();
  return { manifest: real, catalogue: faults, channels: desk, controls, seeds: [{ fleet, windows }], seedsAsked: 1, announceRule };
}

scoring('twins, package and controls together: the same seed gives the same windows, and the report stands alone', async () => {
  const [one, two] = [await realSeed(), await realSeed()];
  assert.equal(one.seeds[0].windows, two.seeds[0].windows);

  const evidence = summarise(one);
  const { evaluation } = evidence;
  assert.equal(Object.keys(evaluation.controls), ['originalRule', 'random', 'constant', 'rangeCheck']);
  assert.ok(Math.abs((evaluation.controls['constant'].aucPrSevere ?? 0) - 0.1) < 1e-9);
  assert.ok(Math.abs((evaluation.controls['random'].aucPrSevere ?? 0) - 0.1) < 0.05);
  assert.ok((evaluation.overall.aucPrSevere ?? 0) > 0.4);
  assert.ok(evaluation.normalTurbineHours > 1);
  assert.is(
    evaluation.calibration.reduce((sum, bin) => sum + bin.windows, 0),
    one.seeds[0].windows.label.filter((label) => label === Label.normal).length,
  );
  const json: unknown = JSON.parse(JSON.stringify(evaluation));
  assert.equal(json, evaluation); // nothing that JSON cannot hold

  const html = reportHtml(evidence, { plot: drawPlot, text: escapeText });
  assert.not.match(html, /(src|href)=|https?:\/\/|@import|NaN|undefined/);
  for (const part of [
    'Precision over recall',
    'Faults by severity',
    'Delay of step faults',
    'What it cannot see',
    'Calibration by wind',
    'originalRule',
    'mass-imbalance',
  ])
    assert.match(html, part);
});

scoring('says when the lineage names a seed of the evaluation, and reports on no seed at all', async () => {
  const { manifest: real } = starter();
  const { channels: desk, catalogue: faults } = evaluatedMachine('desk-turbine');
  const empty = summarise({
    manifest: real,
    catalogue: faults,
    channels: desk,
    controls: controlsOf(desk, real.signal.features, evaluationChance(0)),
    seeds: [],
    seedsAsked: 3,
    announceRule,
  });
  assert.equal(empty.evaluation.seeds, []);
  assert.is(empty.evaluation.overall.care, null);
  assert.not.match(reportHtml(empty, { plot: drawPlot, text: escapeText }), /NaN|undefined/);

  const fleet = toyFleet(jam(100 * SECOND), null);
  const desked = { ...fleet, machine: 'desk-turbine', seed: 12 };
  const windows = await score(fleet, () => [0, 1]);
  const named = (lineage: ModelManifest['lineage']) =>
    summarise({
      manifest: { ...manifest, machine: 'desk-turbine', lineage },
      catalogue,
      channels,
      controls: [],
      seedsAsked: 1,
      announceRule,
      seeds: [{ fleet: desked, windows }],
    }).evaluation.overlap;
  assert.equal(named({ seed: 12 }), [12]);
  assert.equal(named({ tuningSeeds: '1-40' }), [12]);
  assert.equal(named({ seed: 13, turbines: 12 }), []);
});

scoring.run();
