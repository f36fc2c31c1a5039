/** `windfleet data prepare`: from a recording of any size to windows and statistics. */
import { basename } from 'node:path';
import { deskTurbine } from '../../../actors/contracts/channels.ts';
import { FileInvalid, reasonOf, UsageError } from '../../../actors/contracts/errors.ts';
import type { GroundTruth } from '../../../actors/contracts/ground-truth.ts';
import type { SignalSpec } from '../../../actors/contracts/model.ts';
import { sensedBy, sensedMachines } from '../../../twins/channels.ts';
import { createRng } from '../../../twins/rng.ts';
import { constantsText } from '../../studio/constants-text.ts';
import { seedFeatures } from '../../studio/features.ts';
import { digestOf, inputOf, openPreparedFolder } from '../../studio/files.ts';
import { type Passes, type Preparation, streamPasses, type WindowTakers } from '../../studio/prepare.ts';
import { prepareCaptures } from '../../studio/prepare-captures.ts';
import { SEED_HOP, SEED_INPUT, seedPasses } from '../../studio/prepare-seed.ts';
import { openRecording } from '../../studio/read-recording.ts';
import { keptInMemory, type SampleSource } from '../../studio/samples.ts';
import type { HoldOut } from '../../studio/split.ts';
import { readTruth } from '../../studio/truth.ts';
import { chooseWindows } from '../../studio/windows.ts';
import { type Io, printFacts, table } from '../print.ts';
import { openProgress, type Progress } from '../progress.ts';
import { openMachine, readText } from './machine.ts';

export interface PrepareFlags {
  readonly out: string;
  readonly machine?: string;
  readonly pipeline: string;
  readonly stats: string;
  readonly holdOut: string;
  readonly windows: string;
  readonly seed: string;
  readonly thing?: string;
  /** A file; true: the one beside the recording; false: none. */
  readonly truth: string | boolean;
  readonly signal?: string;
  readonly json?: boolean;
}

const IN_MEMORY = 256 << 20; // bytes of samples: a larger recording is read once a pass
const HELD_OUT_SHARE = 1 / 3; // of the training windows

/** The preparation was ended from outside. */
class Ended extends Error {}

export async function prepareFile(file: string, flags: PrepareFlags, io: Io): Promise<void> {
  const [pipeline, statistics, holdOut] = [
    oneOf('--pipeline', flags.pipeline, ['stream', 'seed-db6']),
    oneOf('--stats', flags.stats, ['data', 'original']),
    oneOf('--hold-out', flags.holdOut, ['time', 'turbine']),
  ];
  if (statistics === 'original' && pipeline !== 'seed-db6')
    throw new UsageError('--stats original are those of the original’s features', { hint: 'with --pipeline seed-db6' });
  const most = whole('--windows', flags.windows, 20);
  const rng = createRng(whole('--seed', flags.seed, 0)).fork('windows');
  const truth = flags.truth === false ? null : await readTruth(file, typeof flags.truth === 'string' ? flags.truth : undefined);
  const own = flags.machine === undefined ? null : sensedBy(await openMachine(flags.machine));
  const known = [...sensedMachines(), ...(own ? [own] : [])];
  const wanted = own?.name ?? truth?.truth.machine;
  const opened = await openRecording(file, {
    machines: known,
    ...(wanted === undefined ? {} : { machine: wanted }),
    ...(flags.thing === undefined ? {} : { thing: flags.thing }),
  });

  const folder = await openPreparedFolder(flags.out);
  const progress = openProgress(io);
  try {
    const windows = {
      training: chooseWindows(folder.training, most, rng.fork('training')),
      heldOut: chooseWindows(folder.heldOut, Math.ceil(most * HELD_OUT_SHARE), rng.fork('held out')),
    };
    let machine: string;
    let signal: SignalSpec;
    let about: readonly string[];
    let facts: Record<string, unknown>;
    if (opened.format === 'captures') {
      const captured = await prepareCaptures(file, opened.captures, capturedSignal(flags), windows);
      const { model, things } = captured;
      signal = captured.signal;
      machine = wanted ?? deskTurbine.name;
      about = [`captures of ${model} on ${things.join(', ')}`];
      facts = { model, things };
    } else {
      const source = keptInMemory(opened.source, IN_MEMORY);
      machine = source.machine;
      const spec = {
        file,
        machine,
        channels: source.channels,
        things: source.things,
        faults: truth?.truth.faults ?? [],
        holdOut: holdOut as HoldOut,
        windows,
      };
      const passes = pipeline === 'stream' ? streamPasses(spec) : seedPasses(spec, statistics as 'data' | 'original');
      const preparation = await run(passes, source, progress, io);
      signal = preparation.signal;
      const told = tell(preparation, source, truth?.file ?? null);
      about = [...told.lines, ...source.notes()];
      facts = { ...told.facts, notes: source.notes() };
    }
    const digest = await digestOf(file);
    const parts = await folder.finish({
      machine,
      source: digest,
      input: inputOf(signal),
      signal,
      origin: originOf(file, truth?.truth ?? null),
    });
    progress.end();
    const chosen = (part: keyof WindowTakers) =>
      windows[part].offered > windows[part].taken ? `${windows[part].taken} of ${windows[part].offered}` : `${windows[part].taken}`;
    printFacts(
      io,
      flags.json ?? false,
      {
        folder: flags.out,
        file,
        format: opened.format,
        machine,
        source: digest,
        pipeline: signal.pipeline,
        input: inputOf(signal),
        training: { ...parts.training, offered: windows.training.offered },
        heldOut: { ...parts.heldOut, offered: windows.heldOut.offered },
        ...facts,
        features: signal.features,
      },
      () =>
        [
          `${flags.out}: ${chosen('training')} windows to train on, ${chosen('heldOut')} held out, of a ${machine} (${opened.format}, ${signal.pipeline}, ${inputOf(signal).join(' × ')})`,
          ...about.map((line) => `  ${line}`),
          table(
            ['  feature', 'mean', 'std', 'constants'],
            signal.features.map(({ name, mean, std, parameters }) => [
              `  ${name}`,
              mean.toPrecision(4),
              std.toPrecision(4),
              constantsText(parameters, (value) => String(Number(value.toPrecision(4)))).join(', '),
            ]),
          ),
        ].join('\n'),
    );
  } catch (error) {
    progress.end();
    await folder.discard();
    if (!(error instanceof Ended)) throw error;
    io.err('ended; nothing was prepared');
  }
}

const EVERY = 1 << 16; // samples between two looks at the clock

/** Lets each pass hear the source from its start. */
async function run(passes: Passes, source: SampleSource, progress: Progress, io: Io): Promise<Preparation> {
  let pass = passes.next();
  for (let number = 1; !pass.done; number++) {
    const { value: hear } = pass;
    let heard = 0;
    await source.read((row, at, values, offset) => {
      hear(row, at, values, offset);
      if (++heard % EVERY !== 0) return;
      if (io.signal.aborted) throw new Ended();
      progress.say(() => `reading ${basename(source.things[row])}, pass ${number}: ${heard} samples`);
    });
    await new Promise((rested) => setImmediate(rested)); // Ctrl-C is heard
    if (io.signal.aborted) throw new Ended();
    pass = passes.next();
  }
  return pass.value;
}

/** Of the recording, as far as its sidecar tells: what the model's lineage says of its data. */
const originOf = (file: string, truth: GroundTruth | null): Readonly<Record<string, string | number>> => ({
  recording: basename(file),
  ...(truth && Number.isFinite(truth.seed) ? { recordingSeed: truth.seed } : {}),
  ...(truth && typeof truth.from === 'string' && typeof truth.to === 'string' ? { recordedFrom: truth.from, recordedTo: truth.to } : {}),
  ...(truth ? { turbines: truth.things.length, recordedFaults: truth.faults.length } : {}),
});

/** What was found in a recording, for people and for programs. */
function tell({ survey }: Preparation, source: SampleSource, truthFile: string | null) {
  const sum = (of: 'samples' | 'usable' | 'faulted' | 'gaps') => survey.turbines.reduce((total, turbine) => total + turbine[of], 0);
  const still = survey.turbines.flatMap(({ usable, faulted }, row) => (usable + faulted === 0 ? [source.things[row]] : []));
  const span = source.boardClock
    ? `${Math.round((survey.to - survey.from) / 1_000)} s by the board’s clock`
    : `${new Date(survey.from).toISOString()} to ${new Date(survey.to).toISOString()}`;
  const lines = [
    `${sum('samples')} samples of ${survey.turbines.length} turbine${survey.turbines.length === 1 ? '' : 's'}, ${span}; ${sum('usable')} can be used`,
    ...(truthFile !== null ? [`${sum('faulted')} samples were left out: a fault was at work, says ${truthFile}`] : []),
    ...(still.length > 0 ? [`${few(still)} never ${still.length === 1 ? 'turns' : 'turn'}: left out`] : []),
    ...(sum('gaps') > 0 ? [`${sum('gaps')} gaps of more than half a second: no window spans one`] : []),
  ];
  const facts = {
    turbines: source.things.length,
    samples: sum('samples'),
    usable: sum('usable'),
    faulted: sum('faulted'),
    gaps: sum('gaps'),
    neverTurns: still,
    truth: truthFile,
  };
  return { lines, facts };
}

const few = (names: readonly string[]): string =>
  `${names.slice(0, 10).join(', ')}${names.length > 10 ? ` and ${names.length - 10} more` : ''}`;

/** Of the model whose inputs were captured: its manifest says, or it is the original's; null when nobody says. */
function capturedSignal({ signal, pipeline }: PrepareFlags): SignalSpec | null {
  if (signal === undefined)
    return pipeline === 'seed-db6'
      ? { pipeline, rateHz: 20, window: { samples: SEED_INPUT[1] * SEED_INPUT[2], hop: SEED_HOP, settle: 0 }, features: seedFeatures }
      : null;
  const text = readText(signal);
  try {
    const { signal: spec } = JSON.parse(text) as { signal?: SignalSpec };
    if (spec && spec.features.length > 0 && spec.window.samples > 0 && spec.rateHz > 0) return spec;
    throw new Error('it has no signal with features and a window');
  } catch (error) {
    throw new FileInvalid(`${signal} is no manifest of a model: ${reasonOf(error)}`, { cause: error });
  }
}

function oneOf(name: string, text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new UsageError(`${name} ${text} is none of ${choices.join(', ')}`);
}

function whole(name: string, text: string, min: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min) return value;
  throw new UsageError(`${name} ${text} is no whole number from ${min} on`);
}
