/** From samples to windows: what trains, what is held out, what is left out, and what is refused. */
import { createHash } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { FaultInterval } from '../../actors/contracts/ground-truth.ts';
import type { Recording } from '../../actors/contracts/recording.ts';
import { seedTrainingWindows } from '../../actors/signal/seed-series.ts';
import { readPrepared, writePrepared } from '../../cloud/studio/files.ts';
import { type Passes, prepare, streamPasses } from '../../cloud/studio/prepare.ts';
import { prepareCaptures } from '../../cloud/studio/prepare-captures.ts';
import { seedPasses } from '../../cloud/studio/prepare-seed.ts';
import { captureSource } from '../../cloud/studio/read-json-lines.ts';
import { hearRecording, type SampleHearer } from '../../cloud/studio/samples.ts';
import { createSurvey, type SplitOptions, splitSamples } from '../../cloud/studio/split.ts';
import { chooseWindows, memoryStore } from '../../cloud/studio/windows.ts';
import { twinBacking } from '../../twins/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { recordTwins } from '../../twins/record.ts';
import { createRng } from '../../twins/rng.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';

const data = suite('prepared data');

const folder = scratchFolder();
const { channels } = deskTurbine;
const width = channels.length;

const farm = (things: readonly string[], minutes: number, seed = 21): Recording =>
  recordTwins(twinBacking({ things, rng: createRng(seed), wind: defaultWind }), { forMs: minutes * 60_000, epoch: 0 });

/** Every turbine in turn, as a file has them. */
function hearInterleaved({ turbines }: Recording, hear: SampleHearer): void {
  for (let i = 0; i < turbines[0].at.length; i++)
    for (const [row, { at, values }] of turbines.entries()) hear(row, at[i], values, i * width);
}

function run(passes: Passes, drive: (hear: SampleHearer) => void) {
  let pass = passes.next();
  while (!pass.done) {
    drive(pass.value);
    pass = passes.next();
  }
  return pass.value;
}

const options = (recording: Recording, more: Partial<SplitOptions> = {}): SplitOptions => ({
  file: 'f.csv',
  channels,
  things: recording.turbines.map(({ thing }) => thing),
  faults: [],
  holdOut: 'time',
  turningOnly: true,
  ...more,
});

const choices = (most = Infinity) => {
  const stores = { training: memoryStore(), heldOut: memoryStore() };
  return {
    stores,
    windows: { training: chooseWindows(stores.training, most, createRng(1)), heldOut: chooseWindows(stores.heldOut, most, createRng(2)) },
  };
};

/** By row and part: the samples' indices, and those that begin anew. */
function parts(recording: Recording, split: SplitOptions) {
  const survey = createSurvey(split);
  hearRecording(recording, survey.hear);
  const heard: { row: number; part: string; i: number; anew: boolean }[] = [];
  const use = splitSamples(split, survey.finish(), (row, part, anew, _, offset) => heard.push({ row, part, i: offset / width, anew }));
  hearRecording(recording, use);
  return heard;
}

data('the parts share no sample, and a pipeline begins anew between them', () => {
  const recording = farm(['A', 'B'], 2);
  const heard = parts(recording, options(recording));
  for (const row of [0, 1]) {
    const own = heard.filter((sample) => sample.row === row);
    const border = own.findIndex(({ part }) => part === 'heldOut');
    assert.is(border, Math.floor(0.75 * own.length));
    assert.ok(own.slice(border).every(({ part }) => part === 'heldOut'));
    assert.equal(
      own.filter(({ anew }) => anew).map(({ i }) => i),
      [own[0].i, own[border].i],
    );
  }
  const byTurbine = parts(farm(['A', 'B', 'C', 'D', 'E'], 1), options(farm(['A', 'B', 'C', 'D', 'E'], 1), { holdOut: 'turbine' }));
  assert.equal(
    [...new Set(byTurbine.map(({ row, part }) => `${row} ${part}`))],
    ['0 training', '1 training', '2 training', '3 heldOut', '4 training'],
  );
});

data('no sample is used in which a fault was at work, and none of a rotor that stands still', () => {
  const recording = farm(['A', 'B'], 3);
  const faults: FaultInterval[] = [
    {
      thing: 'B',
      fault: 'icing',
      severity: 1,
      onset: 'ramp',
      overMs: 0,
      from: new Date(60_000).toISOString(),
      to: new Date(90_000).toISOString(),
    },
    { thing: 'A', fault: 'icing', severity: 1, onset: 'ramp', overMs: 0, from: new Date(150_000).toISOString(), to: null },
  ];
  const rotor = channels.findIndex(({ name }) => name === 'rps');
  for (let i = 1_000; i < 1_600; i++) recording.turbines[0].values[i * width + rotor] = 0;
  const heard = parts(recording, options(recording, { faults }));
  const used = (row: number, from: number, to: number) =>
    heard.filter((sample) => sample.row === row && sample.i >= from && sample.i < to).length;
  assert.is(used(1, 1_199, 1_800), 0); // sample i is of (i + 1) · 50 ms
  assert.is(used(1, 1_198, 1_199) + used(1, 1_800, 1_801), 2);
  assert.is(used(0, 2_999, 3_600), 0);
  assert.is(used(0, 1_199, 1_600), 0); // ten seconds still
  assert.is(used(0, 1_000, 1_199), 199);
  assert.ok(heard.find(({ row, i }) => row === 1 && i === 1_800)?.anew);
});

data('a gap begins anew; samples that are too far apart are refused', () => {
  const recording = farm(['A'], 1);
  const { at } = recording.turbines[0];
  for (let i = 600; i < at.length; i++) at[i] += 1_000;
  const heard = parts(recording, options(recording));
  assert.ok(heard.find(({ i }) => i === 600)?.anew);
  assert.is(heard.filter(({ anew }) => anew).length, 3);
  for (let i = 0; i < at.length; i++) at[i] = i * 200;
  assert.throws(() => parts(recording, options(recording)), /f.csv: its samples come 200 ms apart, and a window wants one each 50 ms/);
});

data('a stream of interleaved turbines gives the windows that the whole recording in memory does', () => {
  const recording = farm(['A', 'B'], 5);
  const whole = prepare(recording, deskTurbine.name, 'x');
  const { stores, windows } = choices();
  const { signal } = run(streamPasses({ ...options(recording), machine: deskTurbine.name, windows }), (hear) =>
    hearInterleaved(recording, hear),
  );
  const [streamed, inMemory] = [stores.training.all(), whole.training];
  const size = signal.features.length * signal.window.samples;
  assert.is(streamed.length, inMemory.length);
  const sorted = (all: Float32Array) =>
    Array.from({ length: all.length / size }, (_, w) => all.subarray(size * w, size * (w + 1))).sort((a, b) => a[0] - b[0]);
  for (const [w, window] of sorted(streamed).entries())
    for (const [k, x] of sorted(inMemory)[w].entries()) assert.ok(Math.abs(x - window[k]) < 1e-3, `window ${w}: ${x} against ${window[k]}`);
  for (const [f, feature] of signal.features.entries())
    assert.ok(Math.abs(feature.std / whole.signal.features[f].std - 1) < 1e-6, feature.name);
  for (const [f] of signal.features.entries()) {
    const column = streamed.filter((_, k) => Math.floor((k % size) / 100) === f);
    const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
    assert.ok(Math.abs(mean) < 0.25, `feature ${f} has mean ${mean}`); // of few windows: those that begin a part lean to what is usual
  }
});

data('says how many windows there are, and how much more it takes; names constant features and a rotor that never turns', () => {
  const refused = (recording: Recording): string => {
    try {
      prepare(recording, deskTurbine.name, 'x');
      return 'accepted';
    } catch (error) {
      return error instanceof FileInvalid ? `${error.message} | ${error.hint}` : `defect: ${error}`;
    }
  };
  assert.match(
    refused(farm(['A'], 1)),
    /holds \d windows of a turning rotor to train on and \d to hold out; it takes 20 and 5 at least \| record about \d+0 s more/,
  );
  const stuck = farm(['A'], 5);
  const voltage = channels.findIndex(({ name }) => name === 'voltage');
  for (let i = 0; i < stuck.turbines[0].at.length; i++) stuck.turbines[0].values[i * width + voltage] = 57;
  assert.match(refused(stuck), /channel voltage is constant: 57 throughout/);
  const still = farm(['A'], 5);
  const rotor = channels.findIndex(({ name }) => name === 'rps');
  for (let i = 0; i < still.turbines[0].at.length; i++) still.turbines[0].values[i * width + rotor] = 0;
  assert.match(refused(still), /no rotor ever turns/);
});

data('a choice of windows is fair, bounded and the same for a seed', () => {
  const chosen = (seed: number) => {
    const store = memoryStore();
    const choice = chooseWindows(store, 500, createRng(seed));
    for (let i = 0; i < 5_000; i++) choice.offer(Float32Array.of(i));
    assert.equal([choice.offered, choice.taken], [5_000, 500]);
    return Array.from(store.all());
  };
  const numbers = chosen(3);
  assert.equal(numbers, chosen(3));
  assert.not.equal(numbers, chosen(4));
  assert.is(new Set(numbers).size, 500);
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = numbers.filter((i) => Math.floor(i / 500) === tenth).length;
    assert.ok(share > 25 && share < 80, `${share} of tenth ${tenth}`); // 50 ± 4.5 σ
  }
});

data('seed-db6 is the original’s notebook: whole series, every tenth sample a window, 6 × 10 × 10, also with its own statistics', () => {
  const recording = farm(['A'], 3);
  const { values } = recording.turbines[0];
  const samples = values.length / width;
  for (const statistics of ['data', 'original'] as const) {
    const { stores, windows } = choices();
    const spec = { ...options(recording), machine: deskTurbine.name, windows };
    const { signal } = run(seedPasses(spec, statistics), (hear) => hearRecording(recording, hear));
    const border = Math.floor(0.75 * samples);
    assert.equal(stores.training.all(), seedTrainingWindows(signal, channels, values.subarray(0, border * width)));
    assert.equal(stores.heldOut.all(), seedTrainingWindows(signal, channels, values.subarray(border * width)));
    assert.is(windows.training.taken, Math.ceil((border - 100) / 10));
    assert.equal(signal.window, { samples: 100, hop: 20, settle: 0 });
    const rps = signal.features[4];
    if (statistics === 'original')
      assert.equal(
        [rps.name, rps.mean, rps.std, rps.parameters['sigma']],
        ['rps', 1.6106330201974879, 0.46953962260612736, 0.6198457502848073],
      );
    else {
      const raw = Array.from({ length: border }, (_, i) => values[i * width + 2]);
      const mean = raw.reduce((sum, x) => sum + x, 0) / border;
      const sigma = Math.sqrt(raw.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (border - 1));
      assert.ok(Math.abs(rps.parameters['sigma'] / sigma - 1) < 1e-9);
    }
  }
});

data('what was prepared is read back; a damaged folder is refused with every fault', async () => {
  const prepared = prepare(farm(['A'], 5), deskTurbine.name, 'ab');
  const path = join(folder, 'prepared');
  await writePrepared(path, prepared);
  assert.equal(await readPrepared(path), prepared);

  const facts = JSON.parse(readFileSync(join(path, 'prepared.json'), 'utf8'));
  const training = readFileSync(join(path, 'training.f32'));
  assert.is(facts.schema, 'windfleet.prepared/v1');
  assert.equal(facts.input, [prepared.signal.features.length, 100]);
  const refusal = () =>
    readPrepared(path).then(
      () => 'accepted',
      (error: unknown) => (error instanceof FileInvalid ? error.message : `defect: ${error}`),
    );
  const flipped = Buffer.from(training);
  flipped[1_000] ^= 1;
  writeFileSync(join(path, 'training.f32'), flipped);
  truncateSync(join(path, 'held-out.f32'), 12);
  assert.match(
    await refusal(),
    /training.f32 is not the one that was prepared: its SHA-256 differs\n.*held-out.f32 has 12 bytes, which is no whole number of windows of 1600 values/,
  );

  truncateSync(join(path, 'held-out.f32'), 0);
  assert.match(await refusal(), /held-out.f32 has 0 windows, and \d+ were prepared/);

  await writePrepared(path, prepared);
  training.writeFloatLE(Number.NaN, 40);
  writeFileSync(join(path, 'training.f32'), training);
  const sha256 = createHash('sha256').update(training).digest('hex');
  writeFileSync(join(path, 'prepared.json'), JSON.stringify({ ...facts, training: { ...facts.training, sha256 } }));
  assert.match(await refusal(), /training.f32: value 10 is no number/);

  const features = [{ ...facts.signal.features[0], std: 0 }];
  writeFileSync(
    join(path, 'prepared.json'),
    JSON.stringify({ ...facts, schema: 'v0', signal: { ...facts.signal, features }, heldOut: null }),
  );
  assert.match(await refusal(), /schema is "v0"[\s\S]*signal.features\[0\] must have[\s\S]*heldOut must have windows/);
  writeFileSync(join(path, 'prepared.json'), '{"schema":');
  assert.match(await refusal(), /prepared.json is no JSON/);
});

data('captured inputs become windows of their model; the original’s mean errors do not', async () => {
  const record = (values: readonly number[], shape: string, seconds: number, model = 'M') =>
    JSON.stringify({
      deviceFleetInputs: [
        {
          data: Buffer.from(Float32Array.from(values).buffer).toString('base64'),
          encoding: 'BASE64',
          observedContentType: `Tensor[FLOAT; ${shape}]`,
        },
      ],
      eventMetadata: {
        deviceId: 'edge-0',
        eventId: String(seconds),
        inferenceTime: new Date(seconds * 1_000).toISOString().slice(0, 19),
        modelName: model,
        modelVersion: '1.0',
      },
    });
  const { signal } = prepare(farm(['A'], 5), deskTurbine.name, 'x');
  const seed = { ...signal, pipeline: 'seed-db6' as const, features: signal.features.slice(0, 6) };
  const run = async (lines: readonly string[], spec: typeof seed | null = seed) => {
    const { stores, windows } = choices();
    const chunks = async function* () {
      yield Buffer.from(lines.join('\n'));
    };
    const about = await prepareCaptures('c.jsonl', captureSource('c.jsonl', chunks), spec, windows).catch((error: unknown) =>
      String(error),
    );
    return { about, training: stores.training.all(), heldOut: stores.heldOut.all() };
  };
  const window = (x: number) => Array.from({ length: 600 }, () => x);

  const { about, training, heldOut } = await run(Array.from({ length: 40 }, (_, i) => record(window(i), '1, 6, 10, 10', 10 * i)));
  assert.is(typeof about === 'object' && about.model, 'M@1.0');
  assert.equal([training.length / 600, heldOut.length / 600], [30, 10]);
  assert.equal([training[29 * 600], heldOut[0]], [29, 30]);

  assert.match(String((await run([record([1, 2, 3, 4, 5, 6], '6', 0)])).about), /holds the mean errors of 6 features/);
  assert.match(String((await run([record(window(1), '1, 6, 10, 10', 0)], null)).about), /1 of 1 × 6 × 10 × 10.*say which it was/);
  assert.match(
    String((await run([record(window(1), '6, 100', 0), record(window(1), '6, 100', 9, 'N')])).about),
    /several models: 1 of M@1.0, 1 of N@1.0/,
  );
  assert.match(
    String((await run([record(window(1), '6, 99', 0), '{"x":1}'])).about),
    /c.jsonl:1 has an input of 2400 bytes, and Tensor\[6, 99\] has 2376\nc.jsonl:2 is no record/,
  );
});

data.after(() => removeFolder(folder));

data.run();
