/** Commands that run a farm or one turbine of it: up, edge. */
import type { Command } from 'commander';
import { UsageError } from '../../../actors/contracts/errors.ts';
import type { Log } from '../../../actors/contracts/log.ts';
import { type Io, printFacts } from '../print.ts';

export function addRunCommands(program: Command, io: Io): void {
  program
    .command('up')
    .description('The farm, the embedded cloud and the console in one process.')
    .option('--turbines <n>', 'virtual turbines (default: 5)')
    .option('--like <machine>', 'their kind: desk-turbine, nrel-5mw, or a machine file (default: desk-turbine)')
    .option('--wind-file <csv>', 'the farm’s mean wind: t,windMps[,directionDeg,temperatureC]')
    .option('--layout <where>', 'where they stand: a CSV with x,y in metres; or row:630, grid:880, random:700, with a spacing in metres')
    .option('--seed <n>', 'where chance begins (default: 1)')
    .option('--speed <x>', 'simulated time over wall time: 1x, 100x, max (default: 1x)')
    .option('--for <duration>', 'end after so much simulated time, with a summary')
    .option('--workers <n>', 'threads that run the turbines’ rows; the farm runs the same on any number (default: 1, this one)')
    .option('--profile <name>', 'demo: on loopback, kept in the data folder; memory: nothing kept, no ports (default: demo)')
    .option('--replay <file>', 'play a recording (CSV) instead of twins; with --turbines beside them')
    .option('--inspect <things>', 'print the transitions of these turbines’ actors')
    .option('--port <n>', 'of the console; 0 picks a free one (default: 7070)')
    .option('--mqtt-port <n>', 'of the broker; 0 picks a free one (default: 1883)')
    .option('--mqtts-port <n>', 'of the broker with certificates (default: 8883, or any when that is taken)')
    .option('--https-port <n>', 'of HTTPS with certificates (default: 8443, or any when that is taken)')
    .option('--data <folder>', 'what is kept (default: .windfleet)')
    .option('--strict-jobs', 'only the job transitions that AWS’s documents draw')
    .option('--active-jobs <n>', 'of one kind at once (default: 1000)')
    .option('--job-templates <n>', 'at most (default: 1000)')
    .option('--inference <engine>', 'who asks the models: onnx, or agent:<socket> (default: onnx)')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet up --turbines 12 --speed 10x\n  windfleet up --profile memory --speed max --for 10m --json',
    )
    .action(async (flags: Record<string, unknown>) => {
      const { readUpOptions } = await import('../../config.ts');
      const { runUp } = await import('../../../scenarios/up.ts');
      const { fleetOf } = await import('./fleet.ts');
      const { usageLine } = await import('../../../scenarios/shard/usage.ts');
      const options = readUpOptions(flags, process.env);
      const fleet = await fleetOf(options);
      const summary = await runUp(options, fleet, { signal: io.signal, out: io.out, log: await openLog() });
      if (options.for === undefined && !options.json) return;
      printFacts(io, options.json, summary, () =>
        [
          ...Object.entries({ ...summary, workers: summary.workers.length }).map(([name, value]) => `${name}: ${value}`),
          ...summary.workers.map(usageLine),
        ].join('\n'),
      );
    });

  addEdgeCommand(program, io);
}

function addEdgeCommand(program: Command, io: Io): void {
  program
    .command('edge')
    .description('One real turbine: reads its serial line and runs the same actor, model and reports as a twin.')
    .option('--thing <name>', 'what it is called; the configuration says so too')
    .option('--config <file>', 'what `windfleet things create` wrote: it connects with its certificate')
    .requiredOption('--serial <port>', 'its serial port')
    .option('--cloud <url>', 'the console of the cloud (default: the configuration’s, or http://127.0.0.1:7070)')
    .option('--data <folder>', 'what the device keeps (default: .windfleet-<thing>)')
    .option('--inference <engine>', 'who asks the model: onnx, or agent:<socket>', 'onnx')
    .option('--inject-noise', 'the original’s noise on the readings')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet edge --thing T-100 --serial /dev/ttyUSB0\n  windfleet edge --config t-100/edge.json --serial /dev/ttyUSB0',
    )
    .action(
      async (flags: {
        thing?: string;
        serial: string;
        config?: string;
        cloud?: string;
        data?: string;
        inference: string;
        injectNoise?: boolean;
      }) => {
        const { runEdge } = await import('../../../physical/edge.ts');
        const { readEdgeConfig } = await import('../../../physical/edge-config.ts');
        const { readInference } = await import('../../config.ts');
        const config = flags.config === undefined ? null : readEdgeConfig(flags.config);
        const thing = flags.thing ?? config?.thing;
        if (thing === undefined)
          throw new UsageError('edge wants --thing, or --config', {
            hint: 'windfleet things create NAME --out FOLDER writes FOLDER/edge.json',
          });
        if (config && thing !== config.thing) throw new UsageError(`--thing ${thing} is not ${config.thing}, the thing of ${flags.config}`);
        const cloud = flags.cloud ?? process.env['WINDFLEET_CLOUD'] ?? config?.cloud ?? 'http://127.0.0.1:7070';
        await runEdge(
          {
            thing,
            serial: flags.serial,
            cloud,
            data: flags.data ?? `.windfleet-${thing}`,
            injectNoise: flags.injectNoise ?? false,
            inference: readInference(flags.inference),
            ...(config ? { mtls: config } : {}),
          },
          { signal: io.signal, out: io.out, log: await openLog() },
        );
      },
    );
}

/**
 * The log of a process: structured lines on the standard error, from the level of WINDFLEET_LOG on.
 * @param usual when that is not set; a story's log holds what goes right, so that `warn` is enough. @throws UsageError
 */
export async function openLog(usual: 'info' | 'warn' = 'info'): Promise<Log> {
  const { pino } = await import('pino');
  const level = process.env['WINDFLEET_LOG'] ?? usual;
  const levels = [...Object.keys(pino.levels.values), 'silent'];
  if (!levels.includes(level))
    throw new UsageError(`WINDFLEET_LOG=${level} is no level of the log`, { hint: `one of ${levels.join(', ')}` });
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: true })) as unknown as Log;
}
