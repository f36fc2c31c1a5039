/** `windfleet bench`: every benchmark of the checkout, each with its baseline in the same run. */
import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { didYouMean, EnvironmentLacking, UsageError } from '../../../actors/contracts/errors.ts';
import { type Io, printFacts, table } from '../print.ts';

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: { readonly name: string; readonly value: number; readonly ratio: number };
}

interface Benchmark {
  bench(): Promise<Figure[]>;
  /** Runs when it is named only. */
  readonly isLong?: boolean;
}

export function addBenchCommand(program: Command, io: Io): void {
  program
    .command('bench')
    .description('The benchmarks: figure, unit, machine, and the ratio to a baseline in the same run.')
    .argument('[names...]', 'some of them')
    .option('--json')
    .addHelpText('after', '\nExamples:\n  windfleet bench\n  windfleet bench tick inference --json')
    .action(async (names: string[], { json = false }: { json?: boolean }) => {
      const folder = join(import.meta.dirname, '../../../test/bench');
      const known = readBenches(folder);
      for (const name of names)
        if (!known.includes(name))
          throw new UsageError(`no benchmark ${name}.${didYouMean(name, known)}`, { hint: `benchmarks: ${known.join(', ')}` });
      const figures: Figure[] = [];
      for (const name of names.length > 0 ? names : known) {
        const { bench, isLong } = (await import(join(folder, `${name}.bench.js`))) as Benchmark;
        if (isLong && names.length === 0) io.err(`${name}: takes long; run it by its name`);
        else figures.push(...(await bench()));
      }
      const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}`;
      const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
      const rows = figures.map(({ name, value, unit, baseline }) => [
        name,
        number(value),
        unit,
        baseline ? `${baseline.ratio.toFixed(2)}× ${baseline.name} (${number(baseline.value)})` : '',
      ]);
      printFacts(
        io,
        json,
        { machine, figures },
        () => `${machine}\n${table(['benchmark', 'figure', 'unit', 'against its baseline'], rows)}`,
      );
    });
}

function readBenches(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) => (file.endsWith('.bench.js') ? [file.slice(0, -'.bench.js'.length)] : []));
  } catch (error) {
    throw new EnvironmentLacking('the benchmarks are not in this installation', {
      cause: error,
      hint: 'run them in a checkout: npm run bench',
    });
  }
}
