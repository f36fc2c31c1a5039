import { type Backing, createSampleBlock } from '../../actors/contracts/backing.ts';
import { topicMatches } from '../../actors/contracts/bus.ts';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { rollUpWriter } from '../../actors/roll-up-text.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { TelemetryMessage } from '../../cloud/ingest/messages.ts';
import { meansReader } from '../../cloud/telemetry-door.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import { prepareStory } from '../../scenarios/load.ts';
import { playLoaded } from '../../scenarios/play.ts';
import { pathText } from '../../scenarios/words/source.ts';
import { twinBacking } from '../../twins/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { createRng } from '../../twins/rng.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';
import { memoryWorld } from '../kit/memory-world.ts';

const TWINS = 100;
const WARM_MS = 60_000;
const FOR_MS = 120_000;

/**
 * A whole farm in memory at full speed, in processor time; the baseline is its bodies alone, with nobody who reads them. Then its hot
 * messages, and an hour of it as a story with an update: on the wall's clock, and in processor time, which a busy machine changes less.
 */
export async function bench(): Promise<Figure[]> {
  return [await wholeWorld(), rollUpAtTheDoor(), await messageInMemory(), ...(await hourOfTurbines())];
}

/** Inference of every window, jobs, ingestion and the default telemetry, as `windfleet scenario run` plays them. */
const HOUR: Scenario = {
  about: 'An hour of a hundred turbines, with a new model for all of them.',
  seed: 1,
  duration: '1h',
  fleet: [{ twins: TWINS, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [{ at: '5m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' }],
  expect: [{ that: 'job', of: 'new', is: 'SUCCEEDED', within: '15m' }],
};

async function hourOfTurbines(): Promise<Figure[]> {
  const played = [];
  for (const workers of [1, 2]) {
    const loaded = prepareStory({ story: HOUR, name: 'hour', folder: null, place: pathText });
    const tools = { name: 'hour', log: silentLog, workers, folder: null, keepSeries: false, report: () => {} };
    const hour = await timed(() => playLoaded(loaded, tools));
    if (!hour.result.passed) throw new Error('the hour has not met its expectation');
    played.push({ workers, ...hour });
  }
  if (played[0].result.digest !== played[1].result.digest) throw new Error('two workers have told another story than one thread');
  const bodies = await timed(async () => runBodies(openBodies(), 0, 3_600_000));
  return played.flatMap(({ workers, wallSeconds, cpuSeconds }) => {
    const name = `hour of ${TWINS} turbines, ${workers === 1 ? 'one thread' : `${workers} workers`}`;
    const against = (whole: number, alone: number) => ({ name: 'bodies alone', value: alone, ratio: alone / whole });
    return [
      { name, value: wallSeconds, unit: 's', baseline: against(wallSeconds, bodies.wallSeconds) },
      { name: `${name}, processor time`, value: cpuSeconds, unit: 's', baseline: against(cpuSeconds, bodies.cpuSeconds) },
    ];
  });
}

async function timed<Result>(work: () => Promise<Result>) {
  let result: Result | null = null;
  const began = process.hrtime.bigint();
  const microseconds = await cpuMicroseconds(async () => {
    result = await work();
  });
  return { result: result!, wallSeconds: Number(process.hrtime.bigint() - began) / 1e9, cpuSeconds: microseconds / 1e6 };
}

function openBodies(): Backing {
  const things = Array.from({ length: TWINS }, (_, i) => `T-${i}`);
  return twinBacking({ things, rng: createRng(1), wind: defaultWind });
}

function runBodies(backing: Backing, from: number, to: number): void {
  const block = createSampleBlock(backing.channels, TWINS);
  for (let now = from + 50; now <= to; now += 50) {
    backing.advance(now);
    backing.sample(block);
  }
}

async function wholeWorld(): Promise<Figure> {
  const world = await memoryWorld({ twins: TWINS });
  await world.clock.run(WARM_MS);
  const whole = await cpuMicroseconds(() => world.clock.run(WARM_MS + FOR_MS));
  await world.close();

  const backing = openBodies();
  runBodies(backing, 0, WARM_MS);
  const bodies = await cpuMicroseconds(async () => runBodies(backing, WARM_MS, WARM_MS + FOR_MS));

  const ticks = (TWINS * FOR_MS) / 50;
  return {
    name: 'world',
    value: whole / ticks,
    unit: 'µs a turbine and tick',
    baseline: { name: 'bodies alone', value: bodies / ticks, ratio: bodies / whole },
  };
}

async function cpuMicroseconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function rollUpAtTheDoor(): Figure {
  const rng = createRng(1);
  const values = Float64Array.from({ length: 80 }, (_, i) => (i % 4 === 3 ? 20 : Math.round(1e4 * rng.normal(i)) / 1e2));
  const payload = rollUpWriter().write(1_767_225_600_050, deskTurbine.channels, { spanMs: 1_000, values, offset: 0 });
  const read = meansReader();
  const quick = nanosecondsEach((times) => {
    for (let i = 0; i < times; i++) read(payload);
  }, 20_000);
  const slow = nanosecondsEach((times) => {
    for (let i = 0; i < times; i++) {
      const { channels } = TelemetryMessage.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
      Object.fromEntries(Object.entries(channels).map(([name, [mean]]) => [name, mean]));
    }
  }, 2_000);
  return {
    name: 'roll-up at the door',
    value: quick,
    unit: 'ns a message',
    baseline: { name: 'JSON and schema', value: slow, ratio: slow / quick },
  };
}

async function messageInMemory(): Promise<Figure> {
  const broker = memoryBroker();
  const devices = broker.connect('devices');
  const cloud = broker.connect('cloud');
  const filters = Array.from({ length: TWINS }, (_, i) => [
    `windfleet/T-${i}/command`,
    `windfleet/T-${i}/inspect`,
    ...['get/+', 'start-next/+', '+/get/+', '+/update/+', 'notify-next'].map((rest) => `$aws/things/T-${i}/jobs/${rest}`),
  ]).flat();
  for (const filter of filters) await devices.subscribe(filter, () => {});
  let heard = 0;
  for (const kind of ['state', 'verdict', 'telemetry']) await cloud.subscribe(`windfleet/+/${kind}`, () => heard++);

  const payload = Buffer.alloc(1_000);
  const MESSAGES = 20_000;
  const began = process.hrtime.bigint();
  for (let i = 0; i < MESSAGES; i++) await cloud.publish(`windfleet/T-${i % TWINS}/telemetry`, payload);
  const each = Number(process.hrtime.bigint() - began) / MESSAGES;
  if (heard < MESSAGES - TWINS) throw new Error(`${heard} of ${MESSAGES} messages have been heard`);
  await broker.close();

  const every = nanosecondsEach((times) => {
    for (let i = 0; i < times; i++) for (const filter of filters) if (topicMatches(filter, `windfleet/T-${i % TWINS}/telemetry`)) heard++;
  }, 50);
  return {
    name: 'message in memory',
    value: each,
    unit: 'ns',
    baseline: { name: 'matching every filter', value: every, ratio: every / each },
  };
}
