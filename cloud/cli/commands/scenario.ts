/** `windfleet scenario`: stories with faults and expectations, in virtual time. */
import type { Command } from 'commander';
import { type Io, printFacts } from '../print.ts';
import { openLog } from './run.ts';

export function addScenarioCommands(program: Command, io: Io): void {
  const scenario = program.command('scenario').description('Stories with faults and expectations, in virtual time.');
  scenario
    .command('list')
    .description('The stories of the library, one a line.')
    .option('--json')
    .addHelpText('after', '\nExamples:\n  windfleet scenario list\n  windfleet scenario list --json')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { stories } = await import('../../../scenarios/library.ts');
      const list = Object.entries(stories).map(([name, { about }]) => ({ name, about: about.replace(/\s+/g, ' ') }));
      printFacts(io, json, list, () => list.map(({ name, about }) => `${name}  ${about}`).join('\n'));
    });
  scenario
    .command('run')
    .description('Plays stories and holds them to their expectations; exits 99 when one fails.')
    .argument('<names...>', 'stories of the library')
    .option('--seed <n>', 'instead of the story’s own')
    .option('--repeat <n>', 'play it so often; the digests must be the same', '1')
    .option('--json')
    .addHelpText('after', '\nExamples:\n  windfleet scenario run bearing-wear\n  windfleet scenario run calm-day --seed 7 --repeat 2')
    .action(async (names: string[], flags: { seed?: string; repeat: string; json?: boolean }) => {
      const { runStories } = await import('../../../scenarios/main.ts');
      const results = await runStories(names, {
        seed: flags.seed,
        repeat: flags.repeat,
        log: await openLog(),
        report: flags.json ? () => {} : io.out,
      });
      if (flags.json) io.out(JSON.stringify(results));
      if (results.some(({ passed }) => !passed)) process.exitCode = 99;
    });
}
