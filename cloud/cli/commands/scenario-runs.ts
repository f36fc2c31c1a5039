/** `windfleet scenario diff` and `fork`: what recorded runs tell beside each other. */
import type { Command } from 'commander';
import type { RunFigures } from '../../../scenarios/run-figures.ts';
import { type Io, printFacts, table } from '../print.ts';
import { openProgress } from '../progress.ts';
import { openLog } from './run.ts';

export function addRecordedRunCommands(scenario: Command, io: Io): void {
  scenario
    .command('diff')
    .description('The first event that differs between two runs that were written with --out; exits 99 when one does.')
    .argument('<run-a>', 'the folder of a run')
    .argument('<run-b>', 'the folder of another')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet scenario diff runs/before runs/after\n  windfleet scenario diff runs/before runs/after --json',
    )
    .action(async (folderA: string, folderB: string, { json = false }: { json?: boolean }) => {
      const { readRun } = await import('../../../scenarios/run-folder.ts');
      const { explainDifference, firstDifference } = await import('../../../scenarios/run-diff.ts');
      const [a, b] = [readRun(folderA), readRun(folderB)];
      const difference = firstDifference(a.events, b.events);
      const facts = { same: difference === null, digests: [a.summary.digest, b.summary.digest], difference };
      printFacts(io, json, facts, () => explainDifference(difference, a, b));
      if (difference) process.exitCode = 99;
    });
  scenario
    .command('fork')
    .description('Continues a run under another policy from an instant on, and compares: alarms, delay, exposure, energy.')
    .argument('<run>', 'the folder of a run, written with --out')
    .requiredOption('--at <instant>', 'from when on, as 20m')
    .option(
      '--set <policy>',
      'threshold=0.8 (a window is anomalous above it), model=NAME@VERSION (deployed then), plan=FILE (of later deployments)',
      (value: string, before: readonly string[]) => [...before, value],
      [] as readonly string[],
    )
    .option('--workers <n>', 'threads that run the twins’ rows')
    .option('--out <folder>', 'write the fork’s run there')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet scenario run bearing-wear --out runs/wear && windfleet scenario fork runs/wear --at 1m --set threshold=0.6\n  windfleet scenario fork runs/wear --at 2m --set model=windturbine-anomaly@1.1.0 --out runs/wear-1.1.0\n\nWithout --set the fork must have its parent’s digest; it exits 99 when it has not.',
    )
    .action(async (run: string, flags: ForkFlags) => {
      const { readForkPolicy } = await import('../../../scenarios/fork.ts');
      const { readWorkers } = await import('../../../scenarios/shard/usage.ts');
      const { forkRun } = await import('../../../scenarios/fork-run.ts');
      const policy = readForkPolicy(flags.at, flags.set);
      const progress = openProgress(io);
      const { parent, fork, isSame } = await forkRun(run, policy, {
        log: await openLog('warn'),
        workers: flags.workers === undefined ? undefined : readWorkers(flags.workers),
        folder: flags.out ?? null,
        signal: io.signal,
        progress: (text) => progress.say(text),
      }).finally(() => progress.end());
      printFacts(io, flags.json ?? false, { parent, fork, same: isSame }, () => comparison(parent, fork, isSame));
      if (flags.set.length === 0 && !isSame) process.exitCode = 99;
    });
}

interface ForkFlags {
  readonly at: string;
  readonly set: readonly string[];
  readonly workers?: string;
  readonly out?: string;
  readonly json?: boolean;
}

type Side = { readonly digest: string; readonly figures: RunFigures };

function comparison(parent: Side, fork: Side, isSame: boolean): string {
  const rows = (name: string, print: (figures: RunFigures) => string) => [name, print(parent.figures), print(fork.figures)];
  const models = [...new Set([parent, fork].flatMap(({ figures }) => Object.keys(figures.exposure)))].sort();
  const lines = table(
    ['', 'parent', 'fork'],
    [
      rows('alarms', ({ alarms }) => String(alarms)),
      rows('median delay of faults', ({ delayS }) => (delayS === null ? 'none found' : `${delayS.toFixed(1)} s`)),
      rows('faults without an alarm', ({ missed }) => String(missed)),
      ...models.map((model) => rows(`turbine-minutes on ${model}`, ({ exposure }) => (exposure[model] ?? 0).toFixed(1))),
      rows('energy', ({ energyJ }) => (energyJ === null ? 'not known' : `${(energyJ / 3.6e6).toFixed(3)} kWh`)),
      ['digest', `${parent.digest.slice(0, 12)}…`, `${fork.digest.slice(0, 12)}…`],
    ],
  );
  return `${lines}\ndigest: ${fork.digest}\n${isSame ? 'the same run, event by event' : 'other events than the parent’s, from the fork on'}`;
}
