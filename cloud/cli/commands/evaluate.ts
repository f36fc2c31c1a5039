/** `windfleet evaluate`: how well a model finds faults, on seeded and labelled fleets, beside four controls. */
import { availableParallelism } from 'node:os';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ConfigInvalid, FileInvalid, reasonOf, UsageError } from '../../../actors/contracts/errors.ts';
import { modelId } from '../../../actors/contracts/ids.ts';
import type { ModelContents } from '../../../actors/package/package.ts';
import { type Io, printFacts } from '../print.ts';

export interface EvaluateFlags {
  readonly seeds: string;
  readonly report?: string;
  readonly card?: string;
  readonly json?: boolean;
  readonly workers?: string;
  readonly data: string;
}

const SEEDS_MAX = 200;
const WORKERS_MAX = 64;
const QUIET_SECONDS = 10; // between two lines where nobody watches

export function addEvaluateCommand(program: Command, io: Io): void {
  program
    .command('evaluate')
    .description('How well a model finds faults: seeded, labelled fleets, every fault at two severities, beside four controls.')
    .argument('<model>', 'name@version of the data folder or a starter, a package (.tar.gz), or a folder as `train` leaves it')
    .option('--seeds <a-b>', `fleets to play, ${SEEDS_MAX} at most`, '1-3')
    .option('--report <html>', 'curves, delays, heat map and calibration in one file')
    .option('--card <md>', 'the model’s card: its figures of detection become these')
    .option('--workers <n>', 'threads (default: one a core)')
    .option('--data <folder>', 'whose models, and whose key is trusted', '.windfleet')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet evaluate windturbine-anomaly@1.1.0 --seeds 1-20 --report detector.html\n  windfleet evaluate trained --seeds 1000-1099 --json',
    )
    .action((model: string, flags: EvaluateFlags) => evaluateModel(model, flags, io));
}

async function evaluateModel(model: string, flags: EvaluateFlags, io: Io): Promise<void> {
  const seeds = parseSeeds(flags.seeds);
  const workers = parseWorkers(flags.workers);
  if (flags.report !== undefined) checkWritable(flags.report);
  const { evaluationPlace, withEvaluation } = await import('../../studio/model-card-evaluation.ts');
  const card = flags.card === undefined ? null : readText(flags.card);
  if (card !== null) evaluationPlace(card);
  const [{ readModel }, { evaluationText }] = await Promise.all([import('../evaluate/model-source.ts'), import('../evaluate/text.ts')]);
  const evidence = await playSeeds(await readModel(model, flags.data), seeds, workers, io);
  if (flags.report !== undefined) {
    const [{ reportHtml }, { drawPlot, escapeText }] = await Promise.all([
      import('../../studio/evaluate/report.ts'),
      import('../../../twins/validity/draw.ts'),
    ]);
    writeWhole(flags.report, reportHtml(evidence, { plot: drawPlot, text: escapeText }));
  }
  if (flags.card !== undefined && card !== null) writeWhole(flags.card, withEvaluation(card, evidence.evaluation));
  printFacts(io, flags.json === true, evidence.evaluation, () => evaluationText(evidence.evaluation));
}

/** Plays the fleets of these seeds and scores them with the model; ended early, the figures are of the seeds that are complete. */
export async function playSeeds({ manifest, network, golden }: ModelContents, seeds: readonly number[], workers: number, io: Io) {
  const [{ scoreSeeds }, { seedsText }, { evaluatedMachine, evaluationChance }, { announceRule }] = await Promise.all([
    import('../evaluate/crew.ts'),
    import('../evaluate/text.ts'),
    import('../evaluate/play.ts'),
    import('../evaluate/announce.ts'),
  ]);
  const [{ evaluationFleet, protocolOf }, { controlsOf }, { summarise }, { openWindowSource }, { onnxEngine }] = await Promise.all([
    import('../../studio/evaluate/fleet.ts'),
    import('../../studio/evaluate/controls.ts'),
    import('../../studio/evaluate/evaluation.ts'),
    import('../../../actors/signal/source.ts'),
    import('../../../actors/inference/onnx.ts'),
  ]);

  const id = modelId(manifest.name, manifest.version);
  protocolOf(manifest.machine);
  const { channels, catalogue } = evaluatedMachine(manifest.machine);
  if (manifest.signal.rateHz !== RATE_HZ)
    throw new ConfigInvalid(`${id} wants ${manifest.signal.rateHz} samples a second; the twins give ${RATE_HZ}`);
  openWindowSource(manifest.signal, channels, 1); // refuses what the machine lacks before anything is played
  await (await onnxEngine({ arch: process.arch }).load(manifest, network, golden)).close();

  const scored = await scoreSeeds({
    model: id,
    job: { manifest, network, golden },
    seeds,
    workers,
    signal: io.signal,
    onProgress: progress(io, seeds.length),
  });
  if (io.isTerminal) process.stderr.write('\n');
  if (scored.length < seeds.length)
    io.err(
      `ended early: ${scored.length} of ${seeds.length} seeds are complete (${seedsText(scored.map(({ seed }) => seed))}); the figures are theirs alone`,
    );
  return summarise({
    seedsAsked: seeds.length,
    announceRule,
    manifest,
    catalogue,
    channels,
    controls: controlsOf(channels, manifest.signal.features, evaluationChance(0)),
    seeds: scored.map((windows) => ({
      windows,
      fleet: evaluationFleet(windows.seed, evaluationChance(windows.seed), manifest.machine, catalogue),
    })),
  });
}

const RATE_HZ = 20;

/** A line that is rewritten where a person watches, else one in ten seconds. */
function progress(io: Io, seeds: number): (share: number, done: number) => void {
  const began = process.hrtime.bigint();
  let saidAt = Number.NEGATIVE_INFINITY;
  return (share, done) => {
    const now = Number(process.hrtime.bigint() - began) / 1e9;
    const line = `${done}/${seeds} seeds  ${Math.round(100 * share)} %  ${share > 0 ? Math.ceil((now / share) * (1 - share)) : '–'} s to go`;
    if (io.isTerminal) process.stderr.write(`\r${line}   `);
    else if (now - saidAt >= QUIET_SECONDS) {
      io.err(line);
      saidAt = now;
    }
  };
}

/** `A-B` or `A`. @throws UsageError */
export function parseSeeds(text: string): number[] {
  const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text.trim());
  if (!match) throw new UsageError(`--seeds ${text} is no range of seeds`, { hint: 'as 1-20, or one seed: 7' });
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (to < from) throw new UsageError(`--seeds ${text} ends before it begins`, { hint: `--seeds ${to}-${from}` });
  if (to - from >= SEEDS_MAX)
    throw new UsageError(`--seeds ${text} are ${to - from + 1} fleets; ${SEEDS_MAX} at most`, {
      hint: `--seeds ${from}-${from + SEEDS_MAX - 1}`,
    });
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function parseWorkers(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  const workers = Number(text);
  if (/^\d{1,3}$/.test(text) && workers >= 1 && workers <= WORKERS_MAX) return workers;
  throw new UsageError(`--workers ${text} is no whole number within 1..${WORKERS_MAX}`);
}

/** Before the minutes of the run, not after them. @throws FileInvalid */
function checkWritable(file: string): void {
  try {
    closeSync(openSync(`${file}.part`, 'w'));
    rmSync(`${file}.part`);
  } catch (error) {
    throw new FileInvalid(`--report ${file} cannot be written: ${reasonOf(error)}`, {
      cause: error,
      hint: 'name a file in a folder that is there',
    });
  }
}

/** @throws FileInvalid */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileInvalid(`--card ${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** Whole, or not there. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
