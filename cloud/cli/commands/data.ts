/** Commands of recordings: `data record` and `data prepare`. */
import type { Command } from 'commander';
import type { Io } from '../print.ts';
import type { PrepareFlags } from './prepare.ts';
import type { RecordFlags } from './record.ts';

export function addDataCommands(program: Command, io: Io): void {
  const data = program.command('data').description('Recordings, and what is learned from.');
  data
    .command('record')
    .description(
      'Records twins into the original’s CSV (of another machine: its own channels) or Parquet, with ground truth beside it. Ctrl-C leaves a whole, shorter recording.',
    )
    .requiredOption('--out <file>', 'F.csv or F.parquet; the truth goes to F.truth.json')
    .option('--turbines <n>', 'how many (default: 1, or as many as the layout has)')
    .option('--for <duration>', 'how long', '10m')
    .option('--like <machine>', 'of the library, or a machine file (.yaml)', 'desk-turbine')
    .option('--seed <n>', 'where chance begins', '1')
    .option('--wind-file <csv>', 'the farm’s mean wind: t,windMps[,directionDeg,temperatureC]')
    .option('--layout <where>', 'where they stand: a CSV of x,y in metres, or a shape and a spacing, as grid:880')
    .option('--faults <names...>', 'break each turbine in turn')
    .option('--severity <s>', 'of the faults, 0 to 1', '0.5')
    .option('--at <duration>', 'when they begin (default: halfway)')
    .option('--over <duration>', 'from nothing to their severity in so long', '0s')
    .option('--onset <course>', 'ramp, wear, intermittent, or periodic (with --over as its period)', 'ramp')
    .option('--lasting <duration>', 'they end after so long (default: they stay)')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet data record --turbines 3 --for 1h --out farm.csv\n  windfleet data record --for 10m --faults bearing-wear --severity 0.8 --at 2m --over 5m --out worn.parquet',
    )
    .action(async (flags: RecordFlags) => {
      const { recordFile } = await import('./record.ts');
      await recordFile(flags, io);
    });
  data
    .command('prepare')
    .description(
      'A recording of any size → windows and statistics, as `train` wants them. Reads CSV of any machine (packed with gzip or not), Parquet of ours, logs of the serial line, log messages and captures as JSON-lines; known by content.',
    )
    .argument('<recording>', 'the file; what its F.truth.json calls faulted is left out')
    .requiredOption('--out <folder>', 'where they go')
    .option('--machine <name>', 'whose recording it is (default: as the sidecar or the columns say)')
    .option('--pipeline <name>', 'stream, or seed-db6: the original’s, for `train --network seed`', 'stream')
    .option('--stats <whose>', 'with seed-db6: data (this recording’s), or original', 'data')
    .option('--hold-out <what>', 'time: the last quarter of each turbine’s; turbine: every fourth one', 'time')
    .option('--windows <n>', 'at most so many to train on, a fair choice of all', '200000')
    .option('--seed <n>', 'of that choice', '1')
    .option('--thing <name>', 'the turbine of a log that names none (default: from the file’s name)')
    .option('--truth <file>', 'the sidecar (default: beside the recording, if there is one)')
    .option('--no-truth', 'do not look for a sidecar')
    .option('--signal <manifest>', 'with captures: of the model that was captured')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet data prepare farm.csv --out prepared\n  windfleet data prepare dataset_wind_turbine.csv.gz --pipeline seed-db6 --stats original --out seed',
    )
    .action(async (file: string, flags: PrepareFlags) => {
      const { prepareFile } = await import('./prepare.ts');
      await prepareFile(file, flags, io);
    });
}
