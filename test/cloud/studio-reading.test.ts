/** What `data prepare` reads: any file's samples, or every fault by its place. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { parseHeader, parseRow, printRecordedSample, recordingColumns, recordingHeader } from '../../actors/contracts/recording.ts';
import { csvSource, fastRow } from '../../cloud/studio/read-csv.ts';
import { openRecording } from '../../cloud/studio/read-recording.ts';
import { boardTime, parseSerialLine } from '../../cloud/studio/read-serial.ts';
import { keptInMemory, type SampleSource } from '../../cloud/studio/samples.ts';
import { twinBacking } from '../../twins/backing.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { recordTwins } from '../../twins/record.ts';
import { createRng } from '../../twins/rng.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';

const reading = suite('reading recordings');

const folder = scratchFolder();
const START = Date.parse('2026-01-01T00:00:00Z');

const nrel = machineNamed('nrel-5mw');
const nrelTwin = () => twinBacking({ things: ['W'], rng: createRng(1), machine: nrel, wind: { meanMps: 9, turbulenceIntensity: 0.1 } });
const machines = [deskTurbine, { name: nrel.name, channels: nrelTwin().channels }];

const recorded = () =>
  recordTwins(twinBacking({ things: ['A', 'B'], rng: createRng(4), wind: { meanMps: 1.6, turbulenceIntensity: 0.15 } }), {
    forMs: 30_000,
    epoch: START,
  });

/** Rows of a healthy desk turbine. */
function rows(count: number): string[] {
  const { at, values } = recorded().turbines[0];
  return Array.from({ length: count }, (_, i) => printRecordedSample('A', at[i], values, i * 20));
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** [row, at, values …] of every sample, as text. */
async function samplesOf(source: SampleSource): Promise<string[]> {
  const all: string[] = [];
  await source.read((row, at, values, offset) => {
    all.push(`${source.things[row]} ${at} ${values.subarray(offset, offset + source.channels.length).join(' ')}`);
  });
  return all;
}

async function open(path: string, options: { machine?: string } = {}): Promise<SampleSource> {
  const opened = await openRecording(path, { machines, ...options });
  if (opened.format === 'captures') throw new Error('captures');
  return opened.source;
}

/** What is said of a file that cannot be used. */
async function refusal(path: string, options: { machine?: string } = {}): Promise<string> {
  try {
    await samplesOf(await open(path, options));
    return 'accepted';
  } catch (error) {
    return error instanceof FileInvalid ? error.message.replaceAll(`${folder}/`, '') : `defect: ${error}`;
  }
}

reading('reads its own CSV back, packed or not, with a byte order mark, CRLF, quotes and columns in another order', async () => {
  const lines = [recordingHeader(), ...rows(200)];
  const wanted = await samplesOf(await open(file('plain.csv', `${lines.join('\n')}\n`)));
  assert.is(wanted.length, 200);
  const { at, values } = recorded().turbines[0];
  assert.is(wanted[7], `A ${at[7]} ${values.subarray(140, 160).join(' ')}`);

  const order = recordingColumns().map((_, i) => (i * 7) % 23);
  const names = await samplesOf(await open(file('names.csv', lines.map((line) => line.replace('A,A', 'n 1,Turbine 1')).join('\n'))));
  assert.is(names[0], wanted[0].replace('A', 'Turbine-1'));
  const variants: Record<string, string | Uint8Array> = {
    'packed.csv.gz': gzipSync(lines.join('\n')),
    'packed-by-another-name.csv': gzipSync(lines.join('\n')),
    'mark.csv': `\uFEFF${lines.join('\r\n')}\r\n\r\n`,
    'quotes.csv': lines.map((line) => `"${line.replaceAll(',', '","')}"`).join('\n'),
    'order.csv': lines
      .map((line) => line.split(','))
      .map((cells) => order.map((i) => cells[i]).join(','))
      .join('\n'),
    'times.csv': lines.map((line) => line.replace(/T(\d\d:\d\d:\d\d\.\d{3})000\+00:00/, ' $1')).join('\n'),
    'blank.csv': lines
      .map((line) => line.replaceAll(',', ' , '))
      .join('\n')
      .replaceAll(' , ', ','),
  };
  for (const [name, text] of Object.entries(variants)) assert.equal(await samplesOf(await open(file(name, text))), wanted, name);
});

reading('reads another machine by its columns, and refuses it under a wrong name', async () => {
  const { channels } = nrelTwin();
  const { at, values } = recordTwins(nrelTwin(), { forMs: 5_000, epoch: START }).turbines[0];
  const lines = Array.from(at, (t, i) => printRecordedSample('W', t, values, i * channels.length, channels));
  const path = file('nrel.csv', [recordingHeader(channels), ...lines].join('\n'));
  const source = await open(path);
  assert.is(source.machine, 'nrel-5mw');
  assert.is((await samplesOf(source))[9], `W ${at[9]} ${values.subarray(9 * channels.length, 10 * channels.length).join(' ')}`);
  assert.match(await refusal(path, { machine: 'desk-turbine' }), /nrel.csv:1 has the columns of a nrel-5mw, not of a desk-turbine/);
  assert.match(await refusal(path, { machine: 'nrel-5wm' }), /not in the library. Did you mean nrel-5mw/);
});

reading('names every fault of a CSV by its line, and counts the rest', async () => {
  const [row] = rows(1);
  const header = recordingHeader();
  const cases: [string, string, RegExp | string][] = [
    ['short row', `${header}\n${row}\n${row.slice(0, row.lastIndexOf(','))}`, /^short row:3 has 22 columns, not 23$/],
    ['text', `${header}\n${row.replace(',386,', ',many,')}`, /^text:2 nanoFreemem: "many" is no number$/],
    [
      'not a number',
      `${header}\n${row.replace(',386,', ',NaN,')}\n${row.replace(',386,', ',-inf,')}`,
      /:2 nanoFreemem: "NaN".*\n.*:3 nanoFreemem: "-inf"/,
    ],
    ['infinite', `${header}\n${row.replace(',386,', ',1e999,')}`, /:2 nanoFreemem: "1e999" is no number/],
    ['missing column', `${header.replace(',voltage', '')}\n${row}`, /^missing column:1 has no column voltage$/],
    ['column twice', `${header},gas\n${row},1`, /:1 has the column gas twice/],
    ['unknown column', `${header},colour\n${row},1`, /:1 has a column colour that no such turbine has/],
    ['time', `${header}\n${rows(2).reverse().join('\n')}`, /^time:3 goes back in time for A$/],
    ['half a date', `${header}\n${row.replace(/2026-01-01T[^,]*/, '2026')}`, /:2 eventTime: "2026" is no date/],
    ['no date', `${header}\n${row.replace('2026-01-01', '2026-13-01')}`, /:2 eventTime: "2026-13-01T/],
    ['name', `${header}\n${row.replace('A,A', 'A,../A')}`, /:2 turbineId: "..\/A" is no name/],
    ['quote', `${header}\n${row.replace('A,A', '"A,A')}`, /:2 has a quote that does not end/],
    ['nothing', '', /^nothing:1 is empty$/],
    ['only a header', `${header}\n`, /^only a header:2 holds no sample$/],
    ['many', `${header}\n${'x\n'.repeat(50)}`, /many:21 has 1 columns, not 23\n… and 30 more$/],
    ['binary', Buffer.from([8, 1, 0, 0, 200]).toString('latin1'), /is no text/],
  ];
  for (const [name, text, message] of cases) assert.match(await refusal(file(name, text)), message, name);
  mkdirSync(join(folder, 'folder.csv'), { recursive: true });
  assert.match(await refusal(join(folder, 'folder.csv')), /^folder.csv is a folder$/);
  assert.match(await refusal(join(folder, 'gone.csv')), /gone.csv cannot be read/);
});

reading('refuses what is packed badly, or unpacks to more than any recording', async () => {
  const lines = [recordingHeader(), ...rows(200)].join('\n');
  const packed = gzipSync(lines);
  assert.match(await refusal(file('cut.csv.gz', packed.subarray(0, packed.length - 20))), /cut.csv.gz cannot be unpacked after \d+ bytes/);
  const bomb = gzipSync(`${recordingHeader()}\n${`${rows(1)[0]}\n`.repeat(200_000)}`);
  assert.match(await refusal(file('bomb.csv.gz', bomb)), /unpacks to more than 200 times its size/);
});

reading('a row read from its bytes is the row read from its text', () => {
  const shape = parseHeader(recordingHeader(), 'f');
  const plain = rows(1)[0].split(',');
  const cell = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(String),
    fc.integer().map(String),
    fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 6 })).map(([x, d]) => x.toFixed(d)),
    fc.constantFrom('', '-', '-0', '1.', '.5', '+1', '00012', '9007199254740993', '1e3', 'NaN', ' 1', '1 ', '"1"', '0x10', '1.2.3'),
  );
  let plainRows = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 22 }), cell), { maxLength: 4 }), (changes) => {
      const cells = [...plain];
      for (const [i, text] of changes) cells[i] = text;
      const line = cells.join(',');
      const [fastValues, values] = [new Float64Array(20), new Float64Array(20)];
      const fast = fastRow(shape, fastValues);
      const bytes = Buffer.from(`#${line}\n`);
      if (!fast.parse(bytes, 1, bytes.length - 1)) return;
      plainRows++;
      const { thing, at, wrong } = parseRow(line, shape, values, 0);
      assert.equal(wrong, [], line);
      assert.is(fast.thing, thing);
      assert.is(fast.at, at);
      for (const [k, value] of values.entries()) assert.ok(Object.is(fastValues[k], value), `${line}: ${fastValues[k]} against ${value}`);
    }),
    { numRuns: 2_000, seed: 5 },
  );
  assert.ok(plainRows > 500, `${plainRows}`);
});

reading('a file of any size is read in little memory, and a line without end is given up at once', async () => {
  const ROWS = 250_000; // 37 MB
  const body = rows(500);
  let pulled = 0;
  let peak = 0;
  const virtual = async function* () {
    yield Buffer.from(`${recordingHeader()}\n`);
    for (let sent = 0; sent < ROWS; sent += body.length) {
      const text = body
        .map((row, i) => row.replace(/2026-01-01T[\d:.]+/, `${new Date(START + (sent + i) * 50).toISOString().slice(0, -1)}000`))
        .join('\n');
      const bytes = Buffer.from(`${sent === 0 ? text.replace('386', 'NaN') : text}\n`);
      pulled += bytes.length;
      peak = Math.max(peak, process.memoryUsage().rss);
      yield bytes;
    }
  };
  const before = process.memoryUsage().rss;
  let heard = 0;
  const source = keptInMemory(csvSource('huge.csv', virtual, deskTurbine), 8 << 20);
  const message = await source
    .read(() => heard++)
    .then(
      () => 'accepted',
      (error: unknown) => (error as Error).message,
    );
  assert.is(message, 'huge.csv:2 nanoFreemem: "NaN" is no number'); // the early fault, after all of it was checked
  assert.is(heard, ROWS - 1);
  assert.ok(pulled > 34e6, `${pulled}`);
  assert.ok(peak - before < 100e6, `${(peak - before) / 1e6} MB more`);

  let endless = 0;
  const line = async function* () {
    yield Buffer.from(`${recordingHeader()}\n`);
    for (; endless < 10_000_000_000; endless += 65_536) yield Buffer.alloc(65_536, '7');
  };
  const given = await csvSource('line.csv', line, deskTurbine)
    .read(() => {})
    .catch((error: unknown) => (error as Error).message);
  assert.match(String(given), /^line.csv:2 is longer than 16384 bytes$/);
  assert.ok(endless < 1e6);
});

reading('what is larger than its memory is read again, to the same samples', async () => {
  const path = file('again.csv', [recordingHeader(), ...rows(300)].join('\n'));
  for (const bytes of [1 << 20, 1 << 10]) {
    const kept = keptInMemory(await open(path), bytes);
    const first = await samplesOf(kept);
    assert.is(first.length, 300);
    assert.equal(await samplesOf(kept), first);
    assert.equal(await samplesOf(kept), first);
  }
});

/** The firmware's line of each sample. */
const serialLines = (count: number, firstMillis = 0): string[] =>
  rows(count).map((row, i) => {
    const cells = row.split(',');
    return [(firstMillis + 50 * i) % 2 ** 32, cells[3], cells[5], cells[22], ...cells.slice(6, 22)].join(',');
  });

reading('reads the serial line’s log: cut lines and complaints are counted, its counter wraps, a restart is a gap', async () => {
  const lines = serialLines(400, 2 ** 32 - 5_000);
  lines[0] = lines[0].slice(30);
  lines[200] = `${lines[200].slice(0, 20)}${lines[201]}`;
  lines.splice(300, 0, 'Invalid Intialization. Please fix that and restart. Code: 2');
  lines.push(...serialLines(20, 700));
  const source = await open(file('turbine 7.log', `${lines.join('\n')}\n`));
  const times: number[] = [];
  await source.read((_, at) => times.push(at));
  assert.equal(source.things, ['turbine-7']);
  assert.is(times.length, 418);
  const gaps = times.flatMap((at, i) => (i > 0 && at - times[i - 1] !== 50 ? [at - times[i - 1]] : []));
  assert.equal(gaps, [100, 60_000]);
  assert.match(
    source.notes().join('\n'),
    /418 lines of 421 are samples; 2 were none \(at most 5 % may be\)[\s\S]*complained 1 times[\s\S]*anew 1 times/,
  );

  const garbled = serialLines(100).map((line, i) => (i % 10 === 3 ? line.slice(5, 30) : line));
  assert.match(await refusal(file('garbled.log', garbled.join('\n'))), /^garbled.log:4 is no line of the firmware[\s\S]*garbled.log:94/);
  const dead = 'Invalid Intialization. Please fix that and restart. Code: 1\n'.repeat(9);
  assert.match(await refusal(file('dead.log', dead)), /the firmware says 9 times that it cannot start, code 1/);
  assert.is(parseSerialLine('1,2,3'), null);
  const time = boardTime();
  assert.equal(
    [5, 10, 4].map((millis) => time(millis)),
    [5, 10, 60_010],
  );
});

reading('reads log messages, and names the faults of those that are none', async () => {
  const records = serialLines(110).map((line, i) => ({
    ts: new Date(START + 50 * i).toISOString().replace('Z', '+00:00'),
    data: line.split(','),
  }));
  const messages = Array.from({ length: 10 }, (_, m) =>
    JSON.stringify({ device_name: 'jetson-1', logs: records.slice(11 * m, 11 * m + 11) }),
  );
  const source = await open(file('logs.jsonl', messages.join('\n')));
  const samples = await samplesOf(source);
  assert.is(samples.length, 110);
  assert.match(samples[3], /^jetson-1 1767225600150 150 386 /);

  const bad = [
    messages[1],
    '{"logs":',
    JSON.stringify({
      logs: [
        { ts: 'soon', data: [] },
        { ts: records[0].ts, data: ['1'] },
      ],
    }),
    messages[0],
  ];
  const said = await refusal(file('bad.jsonl', bad.join('\n')));
  assert.match(
    said,
    /^bad.jsonl:2 is no JSON[\s\S]*bad.jsonl:3 logs\[0\] ts is no date\nbad.jsonl:3 logs\[1\] data is not 20 numbers\nbad.jsonl:4 logs\[0\] goes back/,
  );
});

reading.after(() => removeFolder(folder));

reading.run();
