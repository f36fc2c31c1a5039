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
const BESIDE = 10;
const HELD = 0.95; // of the bad ones
const HALTED = 0.02; // of the good ones

/** @throws Error when a bad model leaves the canary wave in more than 5 % of the seeds, or a good one is halted in more than 2 % */
export const lane: Lane = async (say) => {
  const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i);
  const file = process.env['WINDFLEET_GATE_TRIALS'];
  const known = file !== undefined && existsSync(file) ? readLines(file) : [];
  const texts: string[] = [];
  const wrong: string[] = [];
  for (const spoiled of [...BAD_MODELS, null]) {
    const name = spoiled ?? 'a good model';
    let played = 0;
    const lines = await gateSeries(spoiled, seeds, {
      known,
      isBeside: (seed) => seed % BESIDE === 0,
      found(line) {
        if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
        if (++played % 20 === 0) say(`${name}: ${played} more played`);
      },
    });
    texts.push(seriesText(name, lines));
    say(texts.at(-1)!);
    const held = lines.filter(isWanted).length;
    if (held < (spoiled === null ? 1 - HALTED : HELD) * SEEDS)
      wrong.push(
        texts.at(-1)!,
        ...lines.filter((line) => !isWanted(line)).map(({ seed, gate }) => `  seed ${seed}: ${gate.status}, ${gate.reason}`),
      );
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return texts;
};

const readLines = (file: string): readonly TrialLine[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((text) => text.endsWith('}')) // the last one may be torn
    .map((text) => JSON.parse(text) as TrialLine);
