/**
 * A model's card, in Markdown: what it is for, what it learned from, how its training went, what it costs, how well it does, and what
 * it cannot see. Pure: the same facts give the same text.
 */
import type { ModelManifest } from '../../actors/contracts/model.ts';
import { constantsText } from './constants-text.ts';
import { countMacs, countParameters } from './network.ts';
import { type EvaluationFigures, evaluationSection } from './model-card-evaluation.ts';
import { table } from './model-card-table.ts';
import type { FoldedTraining } from './train-folds.ts';
import type { TrainPlan } from './train-plan.ts';

export interface ModelCardFacts {
  readonly manifest: ModelManifest;
  readonly plan: TrainPlan;
  readonly seed: number;
  readonly training: FoldedTraining;
  /** Windows that there were to train on, and to take thresholds from. */
  readonly windows: { readonly training: number; readonly heldOut: number };
  /** Size of the exported network. */
  readonly networkBytes: number;
  /** What `evaluate --json` says of it; absent: it has not been evaluated. */
  readonly evaluation?: EvaluationFigures;
}

export function modelCard(facts: ModelCardFacts): string {
  const sections = [
    head(facts),
    data(facts),
    network(facts),
    course(facts),
    thresholds(facts),
    evaluationSection(facts.evaluation),
    limits(facts),
  ];
  return `${sections.join('\n\n')}\n`;
}

function head({ manifest: { name, version, machine, signal } }: ModelCardFacts): string {
  return [
    `# ${name} ${version}`,
    '',
    `An autoencoder that knows how a healthy \`${machine}\` behaves. It rebuilds ${seconds(signal.window.samples / signal.rateHz)} of ${signal.features.length} features at ${signal.rateHz} Hz and compares; what it cannot rebuild is anomalous. It learned from normal operation alone and knows no faults by name: it says which feature is off, not why.`,
  ].join('\n');
}

function data({ manifest: { machine, signal, lineage }, windows }: ModelCardFacts): string {
  return [
    '## Data',
    '',
    table(
      ['', ''],
      [
        ['machine', `\`${machine}\``],
        ['source, SHA-256', `\`${lineage['source']}\``],
        ['windows to train on', String(windows.training)],
        ['windows held out', `${windows.heldOut}; they test each epoch and set the thresholds, and never train`],
        ['window', `${signal.window.samples} samples, a new one every ${signal.window.hop}`],
        ['pipeline', `\`${signal.pipeline}\``],
      ],
    ),
    '',
    table(
      ['feature', 'made from', 'by', 'mean', 'std'],
      signal.features.map(({ name, channels, op, parameters, mean, std }) => [
        name,
        channels.join(', '),
        [op, ...constantsText(parameters, figure)].join(', '),
        figure(mean),
        figure(std),
      ]),
    ),
  ].join('\n');
}

function network({ plan, seed, training, networkBytes, manifest }: ModelCardFacts): string {
  const rate = plan.schedule === 'cosine' ? `${plan.learningRate}, falling to 0 as a cosine` : String(plan.learningRate);
  const widths = training.network.layers.map((layer) =>
    layer.kind === 'dense' ? String(layer.outputs) : `${layer.output.channels}×${layer.output.height}×${layer.output.width}`,
  );
  return [
    '## Network and training',
    '',
    table(
      ['', ''],
      [
        ['kind', `\`${plan.network}\`: ${[training.network.input.join('×'), ...widths].join(' → ')}`],
        ['parameters', String(countParameters(training.network))],
        ['multiplications a window', String(countMacs(training.network))],
        ['size', `${networkBytes} bytes of ONNX, \`${manifest.network.sha256}\``],
        ['loss', 'mean squared error, Adam'],
        ['seed', String(seed)],
        [
          'epochs',
          `${training.history.length} of at most ${plan.epochs}, patience ${plan.patience}; the ${ordinal(training.best.epoch)} was the best and is kept`,
        ],
        ['batch', `${plan.batch} windows`],
        ['learning rate', rate],
        ...(plan.dropout > 0 ? [['dropout', String(plan.dropout)]] : []),
        ['golden samples', `the exported network answers them within ${manifest.golden.tolerance}`],
      ],
    ),
  ].join('\n');
}

function course({ training, plan, manifest }: ModelCardFacts): string {
  const { history, results, chosen } = training;
  const tests = chosen.fold === null ? 'held out' : `fold ${chosen.fold}`;
  return [
    '## Loss by epoch',
    '',
    '```text',
    `training  ${sparkline(history.map(({ trainingLoss }) => trainingLoss))}`,
    `${tests.padEnd(8)}  ${sparkline(history.map(({ heldOutLoss }) => heldOutLoss))}`,
    '```',
    '',
    table(
      ['epoch', 'training', tests],
      thinned(history, 12).map(({ epoch, trainingLoss, heldOutLoss }) => [String(epoch), trainingLoss.toFixed(5), heldOutLoss.toFixed(5)]),
    ),
    ...(plan.folds === null
      ? []
      : [
          '',
          plan.fold === null
            ? `The training windows were shuffled into ${plan.folds} folds. Of the networks below, that with the lowest loss on the held-out windows is the model.`
            : `The training windows were shuffled into ${plan.folds} folds, of which number ${plan.fold} was left out to test on.`,
          ...(manifest.signal.window.hop < manifest.signal.window.samples
            ? ['Neighbouring windows overlap, so a fold’s own test part holds much of what it trained on: its loss flatters.']
            : []),
          '',
          table(
            ['fold', 'best epoch', 'loss of its own test part', 'loss of the held-out windows', ''],
            results.map((result) => [
              String(result.fold),
              `${result.epoch} of ${result.epochs}`,
              result.loss.toFixed(5),
              result.heldOutLoss.toFixed(5),
              result.fold === chosen.fold ? 'the model' : '',
            ]),
          ),
        ]),
    ...(training.isFinished ? [] : ['', 'The training was ended before it was done: this is its best so far.']),
  ].join('\n');
}

function thresholds({ manifest }: ModelCardFacts): string {
  return [
    '## Thresholds',
    '',
    `Mean absolute errors in standard deviations of the feature, from the held-out windows. A window above one of them disagrees; ${manifest.persistence} in a row turn the verdict.`,
    '',
    table(
      ['feature', 'threshold'],
      manifest.thresholds.map(({ feature, mae }) => [feature, mae.toFixed(4)]),
    ),
  ].join('\n');
}

function limits({ manifest: { machine, signal, lineage } }: ModelCardFacts): string {
  const channels = [...new Set(signal.features.flatMap((feature) => feature.channels))];
  return [
    '## Limits',
    '',
    `- It sees ${channels.map((channel) => `\`${channel}\``).join(', ')} and nothing else: a fault that moves none of these does not exist for it.`,
    `- It knows the operation that its ${lineage['trainingWindows']} windows show. Weather, control or wear beyond them looks anomalous though it is not; another \`${machine}\` than those recorded may have other offsets.`,
    '- What was broken while it was recorded is normal to it.',
    `- It judges after ${seconds((signal.window.settle + signal.window.samples) / signal.rateHz)} of unbroken samples of a turning rotor, and says nothing before.`,
    '- Its verdict is a reason to look, not a diagnosis, and no protection system.',
  ].join('\n');
}

const BARS = '▁▂▃▄▅▆▇█';

/** A bar a value, at most 60 of them, by the logarithm: the lowest is the least. */
export function sparkline(values: readonly number[]): string {
  const logs = thinned(values, 60).map((value) => Math.log(Math.max(value, 1e-30)));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  return logs.map((x) => BARS[high > low ? Math.round(((x - low) / (high - low)) * (BARS.length - 1)) : 0]).join('');
}

/** At most `count` of them, the first and the last among them. */
function thinned<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, i) => values[Math.round((i * (values.length - 1)) / (count - 1))]);
}

const figure = (value: number) => String(Number(value.toPrecision(5)));
const seconds = (value: number) => `${figure(value)} s`;
const ordinal = (n: number) => `${n}${n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
