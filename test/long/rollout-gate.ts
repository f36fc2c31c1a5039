/**
 * Lane `rollout-gate`: six kinds of bad model and the good one on 200 seeds each, 40 desk turbines, 30 simulated minutes; beside it, on every
 * tenth seed, the same as a plain job with AWS's abort. With WINDFLEET_GATE_TRIALS=FILE each trial is a line of JSON there, and one that
 * is there is not played again: the lane goes on where it was ended.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { BAD_MODELS } from '../kit/rollout-gate.ts';
import { gateSeries, isWanted, seriesText, type TrialLine } from '../kit/gate-series.ts';
import type { Lane } from './main.ts';

const SEEDS = 200;
const FIRST_SEED = 5_000; // what the gate was made with are seeds below 1 000
const ROUND = 20; // seeds of every kind, and then the figures so far
const BESIDE = 10;
const LOST = 0.05; // of the bad ones
const HALTED = 0.02; // of the good ones

/** @throws Error when a bad model leaves the canary wave in more than 5 % of the seeds, or a good one is halted in more than 2 % */
export const lane: Lane = async (say) => {
  const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i);
  const file = process.env['WINDFLEET_GATE_TRIALS'];
  const known = file !== undefined && existsSync(file) ? readLines(file) : [];
  const trials = new Map<string | null, TrialLine[]>([...BAD_MODELS, null].map((spoiled) => [spoiled, []]));
  const texts = () => [...trials].map(([spoiled, lines]) => seriesText(spoiled ?? 'a good model', lines));
  for (let first = 0; first < SEEDS; first += ROUND) {
    for (const [spoiled, lines] of trials)
      lines.push(
        ...(await gateSeries(spoiled, seeds.slice(first, first + ROUND), {
          known,
          isBeside: (seed) => seed % BESIDE === 0,
          found(line) {
            if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
          },
        })),
      );
    for (const text of texts()) say(text);
  }
  const wrong = [...trials].flatMap(([spoiled, lines]) => {
    const missed = lines.filter((line) => !isWanted(line));
    const few = (spoiled === null ? HALTED : LOST) * SEEDS;
    return missed.length <= few ? [] : missed.map(({ seed, gate }) => `${spoiled ?? 'good'}, seed ${seed}: ${gate.status}, ${gate.reason}`);
  });
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return texts();
};

const readLines = (file: string): readonly TrialLine[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((text) => text.endsWith('}')) // the last one may be torn
    .map((text) => JSON.parse(text) as TrialLine);
