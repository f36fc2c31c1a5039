import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import { column, printReading } from '../../actors/contracts/channels.ts';
import { FaultRefused, FileInvalid } from '../../actors/contracts/errors.ts';
import { parseRecording, printRecordedSample, recordingHeader } from '../../actors/contracts/recording.ts';
import { twinBacking } from '../../twins/backing.ts';
import { fixedPitchFaults } from '../../twins/faults/fixed-pitch.ts';
import { faultInjector } from '../../twins/faults/injector.ts';
import { defaultWind, deskTurbineParameters } from '../../twins/library/desk-turbine.ts';
import { recordTwins } from '../../twins/record.ts';
import { replayBacking } from '../../twins/replay.ts';
import { createRng } from '../../twins/rng.ts';
import { torqueCoefficient } from '../../twins/turbine/fixed-pitch/rotor.ts';

const twins = suite('twins');

const farm = (things: readonly string[], seed = 1) => twinBacking({ things, rng: createRng(seed), wind: defaultWind });
const samplesOf = (backing: ReturnType<typeof farm>, row: number, seconds: number, before?: (now: number) => void) =>
  recordTwins(backing, { forMs: seconds * 1_000, epoch: 0, ...(before ? { before } : {}) }).turbines[row].values;
twins('a rotor never takes more from the wind than Betz allows, and none at run-away', () => {
  for (let lambda = 0; lambda < 12; lambda += 0.05) assert.ok(lambda * torqueCoefficient(deskTurbineParameters, lambda) <= 16 / 27);
  assert.ok(Math.abs(torqueCoefficient(deskTurbineParameters, deskTurbineParameters.runawayTipSpeedRatio)) < 1e-12);
});

twins('more wind turns the rotor faster, and a steady one turns steadily', () => {
  let before = 0;
  for (const meanMps of [1.2, 1.5, 1.8, 2.2]) {
    const backing = twinBacking({ things: ['A'], rng: createRng(1), wind: { meanMps, turbulenceIntensity: 0 } });
    backing.advance(60_000);
    const omega = backing.truth.rotorRadPerS[0];
    backing.advance(90_000);
    assert.ok(Math.abs(backing.truth.rotorRadPerS[0] - omega) < 1e-3);
    assert.ok(omega > before);
    before = omega;
  }
});

twins('a turbine’s samples depend on the seed and its name, not on its neighbours or their faults', () => {
  const alone = samplesOf(farm(['B']), 0, 60);
  const crowd = farm(['A', 'B', 'C']);
  const injector = faultInjector([crowd]);
  const among = samplesOf(crowd, 1, 60, (now) => {
    if (now === 20_000) for (const { name } of fixedPitchFaults) injector.inject('A', { fault: name, severity: 1, over: 0 });
  });
  assert.equal(among, alone);
  assert.not.equal(samplesOf(farm(['B'], 2), 0, 60), alone);
});

for (const { name } of fixedPitchFaults) {
  twins(`${name} shows in the samples of its turbine, grows with its ramp, and goes when it is cleared`, () => {
    const sick = farm(['A']);
    const injector = faultInjector([sick]);
    const healthy = samplesOf(farm(['A']), 0, 120);
    const samples = samplesOf(sick, 0, 120, (now) => {
      if (now === 10_000) injector.inject('A', { fault: name, severity: 1, over: 5_000, for: 90_000 });
    });
    const differs = (from: number, to: number) => samples.slice(from * 400, to * 400).some((x, i) => x !== healthy[from * 400 + i]);
    assert.not(differs(0, 9));
    assert.ok(differs(10, 100));
    assert.equal(injector.active(), []);
  });
}

twins('says which fault or turbine it does not know', () => {
  const injector = faultInjector([farm(['T-001'])], ['T-100']);
  const order = { fault: 'icing', severity: 0.5, over: 0 };
  const refuses = (work: () => unknown, reason: RegExp) =>
    assert.throws(work, (error: unknown) => error instanceof FaultRefused && reason.test(error.message));
  refuses(() => injector.inject('T-002', order), /no turbine T-002.*Did you mean T-001/);
  refuses(() => injector.inject('T-100', order), /is no twin/);
  refuses(() => injector.inject('T-001', { ...order, fault: 'bearing-ware' }), /Did you mean bearing-wear/);
  refuses(() => injector.inject('T-001', { ...order, severity: 1.5 }), /severity/);
});

twins('prints what the firmware prints: its resolution, zeros before the first climate reading, a counter that wraps', () => {
  const backing = farm(['A']);
  const block = createSampleBlock(backing.channels, 1);
  const read = (name: string) => block.values[column(backing.channels, name)];
  backing.advance(5_000);
  backing.sample(block);
  assert.equal(['ambtemp', 'humidity', 'pressure', 'gas'].map(read), [0, 0, 0, 0]);
  backing.advance(30_000);
  backing.sample(block);
  assert.ok(read('pressure') > 900);
  assert.is(Math.abs(read('az') - 16_384) < 2_000, true);
  for (const [c, channel] of backing.channels.entries())
    assert.is(Number(printReading(channel, block.values[c])), block.values[c], channel.name);
  assert.is((read('rps') * 16) % 1 < 0.2 || (read('rps') * 16) % 1 > 0.8, true); // sixteenths, at two decimals
});

twins('a recording plays back to the same samples', () => {
  const recording = recordTwins(farm(['A', 'B']), { forMs: 20_000, epoch: 1_700_000_000_000 });
  const rows = recording.turbines.flatMap(({ thing, at, values }) =>
    Array.from(at, (t, i) => printRecordedSample(thing, t, values, i * 20)),
  );
  const parsed = parseRecording([recordingHeader(), ...rows, ''].join('\n'), 'r.csv');
  assert.equal(parsed.turbines, recording.turbines);

  const replay = replayBacking(parsed);
  const block = createSampleBlock(replay.channels, 2);
  for (let i = 0; i < 800; i++) {
    replay.advance((i + 1) * 50);
    replay.sample(block);
    const at = (i % 400) * 20; // and again from the start
    assert.equal(block.values.slice(20), recording.turbines[1].values.slice(at, at + 20), `sample ${i}`);
    assert.is(block.quality[0], 0);
  }
});

twins('names what is wrong with a recording, by file and line', () => {
  const row = printRecordedSample('A', 0, new Float64Array(20), 0);
  const faults = (lines: readonly string[]) => {
    try {
      parseRecording(lines.join('\n'), 'r.csv');
      return 'accepted';
    } catch (error) {
      return error instanceof FileInvalid ? error.message : `defect: ${error}`;
    }
  };
  assert.match(faults([recordingHeader().replace('voltage', 'volts'), row]), /r.csv:1 has no column voltage\nr.csv:1 has a column volts/);
  assert.match(faults([recordingHeader(), row, `${row},1`]), 'r.csv:3 has 24 columns, not 23');
  assert.match(faults([recordingHeader(), row.replace(/,0\.00$/, ',fast')]), 'r.csv:2 wind_speed_rps: "fast" is no number');
  assert.match(faults([recordingHeader(), row.replace('1970-01-01', 'yesterday')]), /r.csv:2 eventTime/);
  assert.match(faults([recordingHeader()]), /holds no sample/);
  assert.match(faults(['']), /r.csv:1 has no column nanoId/);
  assert.match(faults([recordingHeader(), ...new Array(50).fill('x')]), /and 30 more/);
});

twins.run();
