/**
 * `windfleet data record`: twins into a CSV or a Parquet file, a row a sample, and the truth about them into a sidecar.
 *
 * It streams: memory does not grow with the length. Ctrl-C ends it early and leaves a whole, shorter recording; anything that fails
 * leaves none.
 */
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Channel } from '../../../actors/contracts/channels.ts';
import { ConfigInvalid, didYouMean, UsageError } from '../../../actors/contracts/errors.ts';
import type { FaultInjector, FaultOnset, FaultOrder } from '../../../actors/contracts/faults.ts';
import type { FaultInterval, GroundTruth } from '../../../actors/contracts/ground-truth.ts';
import type { ThingName } from '../../../actors/contracts/ids.ts';
import { recordingHeader } from '../../../actors/contracts/recording.ts';
import { type Millis, parseDuration } from '../../../actors/contracts/units.ts';
import { twinBacking } from '../../../twins/backing.ts';
import type { TwinBacking } from '../../../twins/body.ts';
import { faultInjector } from '../../../twins/faults/injector.ts';
import { layoutOf, windOf } from '../../../twins/library/machines.ts';
import { recordTicks } from '../../../twins/record.ts';
import { createRng } from '../../../twins/rng.ts';
import { VirtualClock } from '../../../twins/time/virtual-clock.ts';
import type { WindSpec } from '../../../twins/wind/field.ts';
import { parseWindSeries } from '../../../twins/wind/series.ts';
import { recordingPrinter } from '../../studio/recording-text.ts';
import { writeTruth } from '../../studio/truth.ts';
import { openWhole, type WholeFile } from '../../studio/whole-file.ts';
import { type Io, printFacts } from '../print.ts';
import { openProgress, type Progress } from '../progress.ts';
import { openLayout } from './fleet.ts';
import { openMachine, readText } from './machine.ts';

export interface RecordFlags {
  readonly out: string;
  readonly turbines?: string;
  readonly for: string;
  readonly seed: string;
  readonly like: string;
  readonly windFile?: string;
  readonly layout?: string;
  readonly faults?: readonly string[];
  readonly severity: string;
  readonly over: string;
  readonly at?: string;
  readonly lasting?: string;
  readonly onset: string;
  readonly json?: boolean;
}

const STEP_MS = 50;
const CHUNK_BYTES = 1 << 18; // between two writes
const ONSETS: readonly string[] = ['ramp', 'wear', 'intermittent', 'periodic'] satisfies FaultOnset[];

export async function recordFile(flags: RecordFlags, io: Io): Promise<void> {
  const forMs = duration('--for', flags.for, 1_000);
  const seed = wholeNumber('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER);
  const asParquet = /\.parquet$/i.test(flags.out);
  if (!asParquet && !/\.csv$/i.test(flags.out))
    throw new UsageError(`--out ${flags.out} ends neither in .csv nor in .parquet`, { hint: 'as farm.csv' });
  const { backing, wind } = await openTwins(flags, seed);
  const { epoch } = new VirtualClock();
  const plan = planFaults(flags, backing, forMs);
  const injector = faultInjector([backing]);

  const file = await openWhole(flags.out);
  const progress = openProgress(io);
  try {
    const samples = await writeSamples(backing, { forMs, epoch, plan, injector, file, progress, io });
    const endMs = epoch + samples * STEP_MS;
    if (samples === 0) throw new UsageError('the recording was ended before its first sample');
    const whole = asParquet ? await packParquet(file, backing.channels, progress) : file.part;
    const truth = {
      schema: 'windfleet.truth/v1' as const,
      machine: backing.machine,
      seed,
      things: backing.things,
      from: iso(epoch + STEP_MS),
      to: iso(endMs),
      wind,
      faults: plan.faults
        .filter(() => epoch + plan.atMs <= endMs)
        .map(({ thing, order }) => intervalOf(thing, order, backing, epoch + plan.atMs, endMs)),
    };
    const truthFile = await writeTruth(flags.out, truth); // first: never a recording with the truth of one before it
    await file.keep(whole);
    progress.end();
    const facts = {
      file: flags.out,
      truth: truthFile,
      machine: backing.machine,
      turbines: backing.things.length,
      samples: samples * backing.things.length,
      seconds: (samples * STEP_MS) / 1_000,
      faults: truth.faults,
    };
    printFacts(
      io,
      flags.json ?? false,
      facts,
      () =>
        `${flags.out}: ${facts.samples} samples of ${facts.turbines} turbine${facts.turbines === 1 ? '' : 's'}${io.signal.aborted ? `, ended after ${facts.seconds} s of ${forMs / 1_000}` : ''}; the truth about them in ${truthFile}`,
    );
  } catch (error) {
    progress.end();
    await file.discard();
    throw error;
  }
}

async function openTwins(flags: RecordFlags, seed: number): Promise<{ backing: TwinBacking; wind: GroundTruth['wind'] }> {
  const machine = await openMachine(flags.like);
  const asked = flags.turbines === undefined ? null : wholeNumber('--turbines', flags.turbines, 1, 10_000);
  const layout = flags.layout === undefined ? null : openLayout(flags.layout, asked ?? 1, seed);
  const turbines = asked ?? layout?.xM.length ?? 1;
  if (layout && layout.xM.length !== turbines)
    throw new UsageError(`${flags.layout} has places for ${layout.xM.length} turbines, and --turbines says ${turbines}`, {
      hint: `--turbines ${layout.xM.length}`,
    });
  const series = flags.windFile === undefined ? null : parseWindSeries(readText(flags.windFile), flags.windFile);
  const wind: WindSpec = { ...windOf(machine), ...(series ? { series } : {}) };
  const places = layout ?? layoutOf(machine, turbines);
  const things = Array.from({ length: turbines }, (_, i) => `T-${String(i + 1).padStart(3, '0')}`);
  return {
    backing: twinBacking({ things, rng: createRng(seed), machine, wind, ...(places ? { layout: places } : {}) }),
    wind: {
      ...(flags.windFile === undefined ? { meanMps: wind.meanMps } : { file: basename(flags.windFile) }),
      turbulenceIntensity: wind.turbulenceIntensity,
      ...(flags.layout === undefined ? {} : { layout: basename(flags.layout) }),
    },
  };
}

interface FaultPlan {
  /** Since the recording began; a whole step. */
  readonly atMs: Millis;
  readonly faults: readonly { readonly thing: ThingName; readonly order: FaultOrder }[];
}

/** Fault i breaks turbine i, and again from the first on. */
function planFaults(flags: RecordFlags, backing: TwinBacking, forMs: Millis): FaultPlan {
  const names = backing.faults.catalogue.map(({ name }) => name);
  for (const fault of flags.faults ?? [])
    if (!names.includes(fault))
      throw new ConfigInvalid(`a ${backing.machine} has no fault ${fault}.${didYouMean(fault, names)}`, {
        hint: `faults: ${names.join(', ')}`,
      });
  const severity = Number(flags.severity);
  if (flags.severity.trim() === '' || !(severity >= 0 && severity <= 1))
    throw new UsageError(`--severity ${flags.severity} is not within 0..1`);
  if (!ONSETS.includes(flags.onset)) throw new UsageError(`--onset ${flags.onset} is none of ${ONSETS.join(', ')}`);
  const atMs = Math.max(STEP_MS, Math.floor((flags.at === undefined ? forMs / 2 : duration('--at', flags.at, 0)) / STEP_MS) * STEP_MS);
  if (atMs > forMs) throw new UsageError(`--at ${flags.at} is after the end of the recording (--for ${flags.for})`);
  const order = {
    severity,
    over: duration('--over', flags.over, 0),
    onset: flags.onset as FaultOnset,
    ...(flags.lasting === undefined ? {} : { for: duration('--lasting', flags.lasting, STEP_MS) }),
  };
  return {
    atMs,
    faults: (flags.faults ?? []).map((fault, i) => ({ thing: backing.things[i % backing.things.length], order: { ...order, fault } })),
  };
}

/** @returns the Parquet file beside its place. */
async function packParquet(file: WholeFile, channels: readonly Channel[], progress: Progress): Promise<string> {
  const { csvToParquet } = await import('../../studio/parquet.ts');
  progress.say(() => 'packing it as Parquet');
  await file.flush();
  const packed = `${file.part}.parquet`;
  await csvToParquet(file.part, packed, channels).catch(async (error: unknown) => {
    await rm(packed, { force: true });
    throw error;
  });
  return packed;
}

/** @returns samples a turbine. */
async function writeSamples(
  backing: TwinBacking,
  {
    forMs,
    epoch,
    plan,
    injector,
    file,
    progress,
    io,
  }: {
    readonly forMs: Millis;
    readonly epoch: Millis;
    readonly plan: FaultPlan;
    readonly injector: FaultInjector;
    readonly file: WholeFile;
    readonly progress: Progress;
    readonly io: Io;
  },
): Promise<number> {
  const printer = recordingPrinter(backing.things, backing.channels);
  const before = (now: Millis) => {
    if (now === plan.atMs) for (const { thing, order } of plan.faults) injector.inject(thing, order);
  };
  let samples = 0;
  await file.write(`${recordingHeader(backing.channels)}\n`);
  for (const { now, block } of recordTicks(backing, { forMs, before })) {
    printer.print(epoch + now, block.values);
    samples++;
    if (printer.waiting < CHUNK_BYTES) continue;
    await file.write(printer.take());
    await new Promise((rested) => setImmediate(rested)); // Ctrl-C is heard
    if (io.signal.aborted) return samples;
    progress.say(() => {
      const rate = samples / progress.seconds();
      return `${Math.round((100 * now) / forMs)} %  ${Math.round(rate * backing.things.length)} rows/s  ${Math.ceil((forMs / STEP_MS - samples) / rate)} s to go`;
    });
  }
  await file.write(printer.take());
  return samples;
}

function intervalOf(thing: ThingName, order: FaultOrder, backing: TwinBacking, fromMs: Millis, endMs: Millis): FaultInterval {
  const { fault, severity, onset = 'ramp', over } = order;
  const moves = backing.faults.catalogue.find(({ name }) => name === fault)?.moves?.[backing.machine] ?? {};
  const channel = fault.startsWith('sensor-') ? { channel: order.channel ?? Object.keys(moves)[0] } : {};
  const toMs = order.for === undefined ? Infinity : fromMs + order.for + (order.recovery ?? 0);
  return { thing, fault, severity, onset, overMs: over, ...channel, from: iso(fromMs), to: toMs > endMs ? null : iso(toMs) };
}

const iso = (at: Millis): string => new Date(at).toISOString();

function duration(name: string, text: string, min: Millis): Millis {
  const ms = parseDuration(text);
  if (ms !== null && ms >= min) return ms;
  throw new UsageError(`${name} ${text} is no duration${min > 0 ? ` of ${min} ms or more` : ''}`, { hint: 'as 90s, 10m, 2h' });
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`${name} ${text} is no whole number within ${min}..${max}`);
}
