import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { parseRecording, printRecordedSample, recordingHeader } from '../../actors/contracts/recording.ts';
import { recordingPrinter } from '../../cloud/studio/recording-text.ts';
import { twinBacking } from '../../twins/backing.ts';
import { sensedMachines } from '../../twins/channels.ts';
import { machineNamed, windOf } from '../../twins/library/machines.ts';
import { recordTicks, recordTwins } from '../../twins/record.ts';
import { replayBacking } from '../../twins/replay.ts';
import { createRng } from '../../twins/rng.ts';

const recording = suite('recording');

const farm = (name: string) => {
  const machine = machineNamed(name);
  return twinBacking({ things: ['A', 'B', 'C'], rng: createRng(8), machine, wind: windOf(machine) });
};

/** The lines of one sample of every turbine. */
function printing(...of: Parameters<typeof recordingPrinter>): (at: number, values: Float64Array) => Buffer {
  const printer = recordingPrinter(...of);
  return (at, values) => {
    printer.print(at, values);
    return Buffer.from(printer.take());
  };
}

recording('tick by tick it is the recording as a whole', () => {
  const whole = recordTwins(farm('desk-turbine'), { forMs: 10_000, epoch: 1_000 });
  let i = 0;
  for (const { now, block } of recordTicks(farm('desk-turbine'), { forMs: 10_000 })) {
    for (const [row, { at, values }] of whole.turbines.entries()) {
      assert.is(at[i], 1_000 + now);
      assert.equal(values.subarray(i * 20, i * 20 + 20), block.values.subarray(row * 20, row * 20 + 20));
    }
    i++;
  }
  assert.is(i, 200);
});

recording('its lines are those of the plain printer, for every machine', () => {
  for (const name of ['desk-turbine', 'nrel-5mw']) {
    const { channels, turbines } = recordTwins(farm(name), { forMs: 30_000, epoch: 1_700_000_000_000 });
    const width = channels.length;
    const print = printing(
      turbines.map(({ thing }) => thing),
      channels,
    );
    for (const [i, at] of turbines[0].at.entries()) {
      const values = Float64Array.from(turbines.flatMap((turbine) => [...turbine.values.subarray(i * width, (i + 1) * width)]));
      const plain = turbines.map(({ thing }, row) => `${printRecordedSample(thing, at, values, row * width, channels)}\n`).join('');
      assert.is(print(at, values).toString(), plain, `${name} sample ${i}`);
    }
  }
});

recording('of any machine of the library it is recognised by its columns, and plays back', () => {
  const { channels, turbines } = recordTwins(farm('nrel-5mw'), { forMs: 5_000, epoch: 0 });
  const lines = turbines.flatMap(({ thing, at, values }) =>
    Array.from(at, (t, i) => printRecordedSample(thing, t, values, i * channels.length, channels)),
  );
  const parsed = parseRecording([recordingHeader(channels), ...lines].join('\n'), 'r.csv', sensedMachines());
  assert.equal(parsed.turbines, turbines);
  const replay = replayBacking(parsed);
  assert.is(replay.machine, 'nrel-5mw');
  const block = createSampleBlock(replay.channels, 3);
  replay.advance(100);
  replay.sample(block);
  assert.equal(block.values.subarray(0, channels.length), turbines[0].values.subarray(channels.length, 2 * channels.length));
});

recording('a value off its channel’s grid, none, a negative zero and a huge one are printed as they are', () => {
  const print = printing(['A'], deskTurbine.channels);
  const rng = createRng(2);
  const odd = [Number.NaN, -0, 0, 0.005, -0.004, 1.005, -12.345, 1e12, -1e-9, 999_999_999.99, 4_294_967_295, 0.1 + 0.2, 255.5, -0.5];
  for (let i = 0; i < 2_000; i++) {
    const values = Float64Array.from({ length: 20 }, (_, c) => {
      const x = rng.uniform(i * 40 + c);
      return x < 0.3 ? odd[Math.floor(rng.uniform(i * 40 + 20 + c) * odd.length)] : Math.round(1e4 * (x - 0.6)) / (x < 0.6 ? 100 : 7);
    });
    assert.is(print(i * 50, values).toString(), `${printRecordedSample('A', i * 50, values, 0)}\n`);
  }
});

recording.run();
