/** `windfleet train`: from what `data prepare` made to an unsigned model. */
import type { Command } from 'commander';
import type { Io } from '../print.ts';

const NETWORKS = `
Networks:
  dense  tanh layers around a bottleneck; 10 000 windows × 20 epochs take seconds to a minute
  conv   strided convolutions over time and back, for windows whose length divides; minutes
  seed   the original’s: 83 782 parameters, 17.3 million multiplications a window, 200 epochs of batches of 256, the fourth of
         six folds left out. Its 200 epochs take days: two cores do some 70 windows a second, so 20 hours for every 25 000
         windows. Ctrl-C keeps its best so far, and --resume goes on.

--folds K trains K times, each time with another part of the training windows to test on, and keeps the network that does best
on the held-out windows, which no fold has seen.

Examples:
  windfleet train prepared --out trained
  windfleet train prepared --out trained --network conv --epochs 40 --seed 7 && windfleet model pack trained`;

export function addTrainCommand(program: Command, io: Io): void {
  program
    .command('train')
    .description('An autoencoder with thresholds from windows it never saw; Ctrl-C keeps the best so far.')
    .argument('<folder>', 'what `data prepare` made')
    .requiredOption('--out <folder>', 'the unsigned model, its card, and while it trains its checkpoint')
    .option('--network <kind>', 'dense, conv or seed', 'dense')
    .option('--hidden <widths>', 'inner layers of a dense network (default: 16,2,16)')
    .option('--epochs <n>', 'at most (default: 20, of seed 200)')
    .option('--patience <n>', 'epochs without a better loss before it stops (default: 8, of seed none)')
    .option('--batch <n>', 'windows of a mini-batch (default: 64, of seed 256)')
    .option('--learning-rate <x>', 'of Adam (default: 0.002 falling as a cosine, of seed 0.0001)')
    .option('--folds <k>', 'K-fold cross-validation (default: none, of seed 6)')
    .option('--fold <i>', 'only this one is left out, from 0 on (default: all in turn, of seed 3)')
    .option('--seed <n>', 'where chance begins', '1')
    .option('--false-alarms <n>', 'a week of a healthy turbine, for which the thresholds are set', '0.25')
    .option('--persistence <n>', 'windows in a row that an alarm takes', '2')
    .option('--workers <n>', 'threads that compute; the network does not depend on it (default: one a core)')
    .option('--resume', 'go on where it was stopped')
    .option('--name <name>', 'of the model', 'windturbine-anomaly')
    .option('--model-version <version>', 'of the model', '2.0.0')
    .option('--sequence <n>', 'above that of every version before', '3')
    .option('--cloud <url>', 'a console that shows how it goes (default: WINDFLEET_CLOUD, if set)', process.env['WINDFLEET_CLOUD'])
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', NETWORKS)
    .action(async (folder: string, flags: import('../training.ts').TrainFlags) => {
      const { trainFolder } = await import('../training.ts');
      await trainFolder(folder, flags, io);
    });
}
