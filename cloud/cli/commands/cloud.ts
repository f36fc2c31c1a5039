/** `windfleet cloud`: services and console without a farm. */
import type { Command } from 'commander';
import type { Io } from '../print.ts';
import { openLog } from './run.ts';

export function addCloudCommand(program: Command, io: Io): void {
  program
    .command('cloud')
    .description('The embedded cloud and the console, without a farm.')
    .option('--print-env', 'only print what AWS’s clients need to talk to it: the address and the keys of the data folder')
    .option('--port <n>', 'of the console and the AWS-shaped API; 0 picks a free one (default: 7070)')
    .option('--mqtt-port <n>', 'of the broker; 0 picks a free one (default: 1883)')
    .option('--mqtts-port <n>', 'of the broker with certificates (default: 8883, or any when that is taken)')
    .option('--https-port <n>', 'of HTTPS with certificates (default: 8443, or any when that is taken)')
    .option('--data <folder>', 'what is kept (default: .windfleet)')
    .option('--strict-jobs', 'only the job transitions that AWS’s documents draw')
    .option('--active-jobs <n>', 'of one kind at once (default: 1000)')
    .option('--job-templates <n>', 'at most (default: 1000)')
    .option('--profile <name>', 'demo: kept in the data folder; memory: nothing kept (default: demo)')
    .addHelpText('after', '\nExamples:\n  windfleet cloud --port 0\n  eval "$(windfleet cloud --print-env)" && aws iot list-things')
    .action(async ({ printEnv = false, ...flags }: Record<string, unknown> & { printEnv?: boolean }) => {
      const { readUpOptions } = await import('../../config.ts');
      const { printEnvironment, runCloud } = await import('../../../scenarios/cloud.ts');
      const options = readUpOptions(flags, process.env, '.', 'cloud');
      if (printEnv) for (const line of printEnvironment(options)) io.out(line);
      else await runCloud(options, { signal: io.signal, out: io.out, log: await openLog() });
    });
}
