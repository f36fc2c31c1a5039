/**
 * Lines of a recording, printed and read, a row of 23 columns each. The baselines are the obvious ways: every value by `toFixed`, the
 * cells by `join`; every line by `split`, its cells by `Number`.
 */
import { deskTurbine, printReading } from '../../actors/contracts/channels.ts';
import { parseHeader, printTime, recordingColumns, recordingHeader } from '../../actors/contracts/recording.ts';
import { fastRow } from '../../cloud/studio/read-csv.ts';
import { recordingPrinter } from '../../cloud/studio/recording-text.ts';
import { twinBacking } from '../../twins/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { recordTwins } from '../../twins/record.ts';
import { createRng } from '../../twins/rng.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';

export async function bench(): Promise<Figure[]> {
  const { channels } = deskTurbine;
  const width = channels.length;
  const things = ['T-001', 'T-002', 'T-003', 'T-004'];
  const { turbines } = recordTwins(twinBacking({ things, rng: createRng(1), wind: defaultWind }), {
    forMs: 60_000,
    epoch: 1_700_000_000_000,
  });
  const ticks = turbines[0].at.length;
  const blocks = Array.from({ length: ticks }, (_, i) =>
    Float64Array.from(turbines.flatMap(({ values }) => [...values.subarray(i * width, (i + 1) * width)])),
  );
  let written = 0; // so that nothing is left out as unused

  const printer = recordingPrinter(things, channels);
  const printing = nanosecondsEach((times) => {
    for (let n = 0; n < times; n++) {
      printer.print(turbines[0].at[n % ticks], blocks[n % ticks]);
      written += printer.take().length;
    }
  }, 1_200);
  const order = recordingColumns().map((name) => channels.findIndex((channel) => channel.name === name));
  const plainLine = (thing: string, at: number, values: Float64Array, offset: number) =>
    order.map((c, i) => (i < 2 ? thing : c < 0 ? printTime(at) : printReading(channels[c], values[offset + c]))).join(',');
  const plainPrinting = nanosecondsEach((times) => {
    for (let n = 0; n < times; n++) {
      const values = blocks[n % ticks];
      for (const [row, thing] of things.entries()) written += plainLine(thing, turbines[0].at[n % ticks], values, row * width).length + 1;
    }
  }, 1_200);

  const lines = blocks.flatMap((values, i) => things.map((thing, row) => plainLine(thing, turbines[0].at[i], values, row * width)));
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const sample = new Float64Array(width);
  const fast = fastRow(parseHeader(recordingHeader(), 'bench'), sample);
  let sum = 0;
  const reading = nanosecondsEach((times) => {
    for (let n = 0; n < times; n++) {
      for (let from = 0; from < bytes.length; ) {
        const end = bytes.indexOf(10, from);
        fast.parse(bytes, from, end);
        sum += sample[2] + fast.at;
        from = end + 1;
      }
    }
  }, 1);
  const plainReading = nanosecondsEach((times) => {
    for (let n = 0; n < times; n++) {
      for (const line of bytes.toString('utf8').split('\n')) {
        const cells = line.split(',');
        for (const [i, c] of order.entries()) if (c >= 0) sample[c] = Number(cells[i]);
        sum += sample[2] + Date.parse(cells[4]);
      }
    }
  }, 1);
  if (!(written > 0 && sum !== 0)) throw new Error('nothing was printed or read');
  const figure = (name: string, value: number, plain: number, baseline: string): Figure => ({
    name,
    value,
    unit: 'ns a row',
    baseline: { name: baseline, value: plain, ratio: plain / value },
  });
  return [
    figure('recording printed', printing / things.length, plainPrinting / things.length, 'toFixed and join'),
    figure('recording read', reading / lines.length, plainReading / lines.length, 'split and Number'),
  ];
}
