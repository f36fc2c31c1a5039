/** `windfleet scenario fuzz`: random stories that must keep what holds in every story. */
import type { Command } from 'commander';
import { type Io, printFacts } from '../print.ts';
import { openProgress } from '../progress.ts';

const HELP = `
Examples:
  windfleet scenario fuzz --seeds 500
  windfleet scenario fuzz icing-night --seeds 1000 --budget 10m --out found --json

Each seed is one story: faults, updates and commands at random, then quiet. What it breaks of
the invariants is made as small as it can be and written as INVARIANT-SEED.yaml, a story that
fails by itself. Exits 99 when something was found.`;

export function addFuzzCommand(scenario: Command, io: Io): void {
  scenario
    .command('fuzz')
    .description('Plays random stories under invariants, and makes those that break one small.')
    .argument('[story]', 'a story of the library, or a file: its fleet, wind and length (default: a small farm of desk turbines)')
    .requiredOption('--seeds <n>', 'how many stories')
    .option('--first <seed>', 'of the first of them', '1')
    .option('--budget <time>', 'end after so long, as 10m')
    .option('--out <folder>', 'write the stories that fail there', 'fuzz')
    .option('--json')
    .addHelpText('after', HELP)
    .action(async (story: string | undefined, { json = false, ...flags }: FuzzFlags) => {
      const { explainFuzz, fuzzStories } = await import('../../../scenarios/fuzz/main.ts');
      const progress = openProgress(io);
      const result = await fuzzStories(story ?? null, {
        ...flags,
        signal: io.signal,
        progress: (text) => progress.say(text),
        report: (text) => {
          progress.end();
          io.err(text);
        },
      }).finally(() => progress.end());
      printFacts(io, json, result, () => explainFuzz(result));
      if (result.failures.length > 0) process.exitCode = 99;
    });
}

interface FuzzFlags {
  readonly seeds: string;
  readonly first: string;
  readonly budget?: string;
  readonly out: string;
  readonly json?: boolean;
}
