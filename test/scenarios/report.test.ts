import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EnvironmentLacking, UsageError } from '../../actors/contracts/errors.ts';
import { parseReportOption, writeReports } from '../../scenarios/report/files.ts';
import { junitXml } from '../../scenarios/report/junit.ts';
import { progressLine } from '../../scenarios/report/live.ts';
import { type PlayedStory, reportPage } from '../../scenarios/report/page.ts';
import { recordSeries } from '../../scenarios/report/series.ts';
import { type ReportedEvent, reportJsonSchema, StoryReport } from '../../scenarios/report/story-report.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { drawPlot, escapeText } from '../../twins/validity/draw.ts';
import { packageRoot } from '../kit/package-root.ts';
import { has } from '../kit/programs.ts';

const reports = suite('reports of stories');
const folder = mkdtempSync(join(tmpdir(), 'windfleet-report-'));
reports.after(() => rmSync(folder, { recursive: true }));
const drawing = { plot: drawPlot, text: escapeText };

const event = (at: number, kind: string, of: string, what: ReportedEvent['what']): ReportedEvent => ({ at, kind, of, what });

const story = (more: Partial<StoryReport> = {}): StoryReport => ({
  schema: 'windfleet.report/v1',
  name: 'bearing-wear',
  about: 'A bearing wears.',
  seed: 7,
  passed: false,
  broke: null,
  digest: 'ab'.repeat(32),
  vectorFeatures: 'avx2',
  command: 'windfleet scenario run bearing-wear --seed 7',
  startedAt: '2026-11-25T04:00:00.123Z',
  wallSeconds: 1.25,
  durationMs: 480_000,
  endMs: 480_000,
  things: ['T-001', 'T-002'].map((name) => ({ name, machine: 'desk-turbine', body: 'twins', tags: [] })),
  steps: [{ label: 'wear', at: 60_000, what: 'fault bearing-wear', on: ['T-002'] }],
  faults: [
    {
      step: 'wear',
      fault: 'bearing-wear',
      of: 'T-002',
      phases: [
        { phase: 'active', at: 60_000 },
        { phase: 'recovered', at: 240_000 },
      ],
    },
  ],
  alarms: [{ thing: 'T-002', feature: 'vibration', at: 71_000, clearedAt: null }],
  jobs: [],
  expectations: [
    { expectation: 'expect[0]: alarm', passed: true, where: 'a.yaml:9', wanted: 'an alarm', got: 'one', at: null, nearby: [], look: null },
    {
      expectation: 'expect[1]: state of T-002 is "idle" & <still>',
      passed: false,
      where: 'a.yaml:10',
      wanted: 'T-002 idle by 2m',
      got: 'faulted.tripped',
      at: 120_000,
      nearby: [event(119_000, 'state', 'T-002', { from: 'inferring.suspect', to: 'faulted.tripped', cause: 'patience' })],
      look: 'windfleet scenario run bearing-wear --seed 7 --until 2m5s',
    },
  ],
  counts: { events: 3, windows: 190, verdicts: 2 },
  workers: [],
  ...more,
});

const played = (report: StoryReport): PlayedStory => ({
  report,
  events: [
    event(0, 'state', 'T-001', { from: null, to: 'idle', cause: 'start' }),
    event(5_000, 'state', 'T-001', { from: 'idle', to: 'inferring.healthy', cause: 'window.filled' }),
    event(0, 'state', 'T-002', { from: null, to: 'inferring.healthy', cause: 'start' }),
    event(119_000, 'state', 'T-002', { from: 'inferring.suspect', to: 'faulted.tripped', cause: 'patience' }),
  ],
  series: [
    { thing: 'T-001', quantity: 'score', unit: '', at: [0, 240_000, 480_000], value: [0.3, 0.4, 0.35] },
    { thing: 'T-002', quantity: 'score', unit: '', at: [0, 240_000, 480_000], value: [0.3, 4, 5] },
  ],
});

const hostile = '<&"\'>\u0000\u0001\uD800]]>\u202E\n\t|--><script>alert(1)</script>';

if (has('xmllint', 'libxml2-utils'))
  reports('JUnit’s XML is valid by the strict schema, whatever the names and texts are', () => {
    const broken = story({ broke: hostile, name: 'x', about: hostile });
    const odd = story({
      expectations: story().expectations.map((e) => ({
        ...e,
        expectation: hostile,
        wanted: hostile,
        got: hostile,
        where: hostile,
        look: hostile,
      })),
    });
    const file = join(folder, 'junit.xml');
    writeFileSync(file, junitXml([story(), broken, odd, story({ expectations: [] })]));
    const schema = join(packageRoot(import.meta.dirname), 'test/scenarios/junit.xsd');
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', schema, file], { stdio: 'pipe' });
    const wrong = readFileSync(file, 'utf8').replace(' hostname="localhost"', '');
    writeFileSync(file, wrong);
    assert.is.not(spawnSync('xmllint', ['--noout', '--schema', schema, file]).status, 0, 'the schema lets everything pass');
  });

reports('JUnit tells wanted, got, where, when, what was around and where to look', () => {
  const xml = junitXml([story()]);
  for (const told of [
    'tests="2" failures="1" errors="0"',
    'a.yaml:10',
    'wanted: T-002 idle by 2m',
    'first wrong at 2m',
    '1m59s  state  T-002',
    '--until 2m5s',
    'ab'.repeat(32),
  ])
    assert.ok(xml.includes(told), told);
});

reports('the published schema is what the code makes, passes reports and refuses others', () => {
  const published = readFileSync(join(packageRoot(import.meta.dirname), 'scenarios/report/report.schema.json'), 'utf8');
  assert.equal(JSON.parse(published), JSON.parse(JSON.stringify(reportJsonSchema())), 'run node dist/scenarios/report/main.js');
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const valid = ajv.compile(JSON.parse(published) as object);
  assert.ok(valid([story(), story({ broke: 'x' })]), JSON.stringify(valid.errors));
  for (const wrong of [{ digest: 'ab' }, { seed: -1 }, { name: '' }, { startedAt: 'today' }, { extra: 1 }, { expectations: [{}] }])
    assert.not.ok(valid([{ ...story(), ...wrong }]), JSON.stringify(wrong));
  assert.equal(StoryReport.parse(story()), story());
});

reports('the page stands alone, escapes everything and says what failed', () => {
  const page = reportPage([played(story({ about: hostile, name: hostile }))], drawing);
  assert.not.match(page, /<script|https?:\/\/(?!www\.w3\.org)/);
  assert.not.ok(page.includes('\u0000'));
  for (const told of ['first wrong at 2m', 'T-002 idle by 2m', '--until 2m5s', 'ab'.repeat(32), 'faulted.tripped', '<svg'])
    assert.ok(page.includes(told), told);
});

reports('a page of many large stories stays below 2 MB and leaves no story out', () => {
  const things = Array.from({ length: 100 }, (_, i) => `T-${i}`);
  const long = (i: number): PlayedStory => ({
    report: story({ name: `story-${i}`, things: things.map((name) => ({ name, machine: 'desk-turbine', body: 'twins', tags: [] })) }),
    events: Array.from({ length: 5_000 }, (_, n) =>
      event(96 * n, 'state', things[n % 100], { from: 'idle', to: n % 2 ? 'spinning' : 'inferring.healthy', cause: 'x'.repeat(80) }),
    ),
    series: things.flatMap((thing) =>
      ['score', 'wind', 'rotor speed'].map((quantity) => ({
        thing,
        quantity,
        unit: 'rpm',
        at: Array.from({ length: 240 }, (_, k) => k * 2_000),
        value: Array.from({ length: 240 }, (_, k) => Math.sin(k)),
      })),
    ),
  });
  const page = reportPage(
    Array.from({ length: 60 }, (_, i) => long(i)),
    drawing,
  );
  assert.ok(Buffer.byteLength(page) <= 2_000_000, `${Buffer.byteLength(page)} bytes`);
  for (let i = 0; i < 60; i++) assert.ok(page.includes(`id="s${i}"`), `story ${i} is missing`);
});

reports('an empty run, a run of 0 ms and a story without turbines can be told', () => {
  const nothing = story({ things: [], steps: [], faults: [], alarms: [], expectations: [], durationMs: 0, endMs: 0 });
  const page = reportPage([{ report: nothing, events: [], series: [] }], drawing);
  assert.not.match(page, /NaN|Infinity/);
  assert.match(reportPage([], drawing), /0 stories/);
});

reports('--report names formats and files, and every wrong part is an error that says so', () => {
  assert.equal(parseReportOption('junit=a.xml,html=b=c.html'), [
    { format: 'junit', file: 'a.xml' },
    { format: 'html', file: 'b=c.html' },
  ]);
  for (const [text, says] of [
    ['junits=a', /Did you mean junit\?/],
    ['json', /into which file|no format/],
    ['json=', /into which file/],
    ['json=a,html=./a', /twice/],
    ['', /no format/],
  ] as const)
    assert.throws(
      () => parseReportOption(text),
      (error: unknown) => error instanceof UsageError && says.test(error.message),
      text,
    );
});

reports('reports are written whole, into folders that are made, and a place that cannot be written is named', () => {
  const into = join(folder, 'deep/er');
  writeReports(
    [
      { format: 'json', file: join(into, 'r.json') },
      { format: 'html', file: join(into, 'r.html') },
    ],
    [played(story())],
    drawing,
  );
  assert.equal(JSON.parse(readFileSync(join(into, 'r.json'), 'utf8')), [story()]);
  assert.equal(readdirSync(into).sort(), ['r.html', 'r.json']);
  assert.throws(
    () => writeReports([{ format: 'json', file: join(into, 'r.json', 'x') }], [played(story())], drawing),
    (error: unknown) => error instanceof EnvironmentLacking && /json report/.test(error.message),
  );
});

reports('series are means of stretches, whatever is heard beside them', async () => {
  const broker = memoryBroker();
  const bus = broker.connect('listener');
  const recorder = await recordSeries(bus, {
    epoch: 1_000_000,
    end: 240_000,
    things: ['T-001'],
    channels: [{ channel: 'rps', quantity: 'rotor speed', unit: 'rps' }],
  });
  const device = broker.connect('device');
  const say = (topic: string, payload: unknown) =>
    device.publish(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1 });
  await say('windfleet/T-001/telemetry', { at: 1_000_100, every: 1_000, channels: { rps: [2, 2, 2, 20] } });
  await say('windfleet/T-001/telemetry', { at: 1_000_900, every: 1_000, channels: { rps: [4, 4, 4, 20] } });
  await say('windfleet/T-001/telemetry', { at: 1_239_999, every: 1_000, channels: { rps: [7, 7, 7, 20] } });
  await say('windfleet/T-001/telemetry', { at: 5, every: 1_000, channels: { rps: [99, 99, 99, 20] } });
  await say('windfleet/T-001/telemetry', 'garbage');
  await say('windfleet/T-002/telemetry', { at: 1_000_900, every: 1_000, channels: { rps: [50, 4, 4, 20] } });
  await new Promise((rested) => setImmediate(rested));
  const [rotor] = recorder.series();
  assert.equal([rotor.thing, rotor.quantity, rotor.value], ['T-001', 'rotor speed', [3, 7]]);
  await recorder.close();
  await broker.close();
});

reports('a line of progress tells time, factor, faults and expectations', () => {
  const line = progressLine({
    name: 'calm-day',
    now: 750_400,
    end: 1_200_000,
    factor: 340.4,
    faults: ['a on T-001', 'b on T-002', 'c on T-003', 'd on T-004'],
    pending: 1,
    met: 2,
    failed: 0,
  });
  assert.is(line, 'calm-day  12m30s of 20m  340x  expectations: 2 met, 1 pending  faults: a on T-001, b on T-002, c on T-003 and 1 more');
});

reports.run();
