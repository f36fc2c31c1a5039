#!/usr/bin/env node
/** The command line: each command parses, calls and prints; what it needs is loaded when it is called. */
import '../../actors/inference/no-telemetry.ts';
import { Command, CommanderError } from 'commander';
import { UsageError } from '../../actors/contracts/errors.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addBenchCommand } from './commands/bench.ts';
import { addCloudCommand } from './commands/cloud.ts';
import { addDataCommands } from './commands/data.ts';
import { addDeadLetterCommands } from './commands/dead-letters.ts';
import { addEvaluateCommand } from './commands/evaluate.ts';
import { addFarmCommands } from './commands/farm.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addModelCommands } from './commands/model.ts';
import { addRolloutCommands } from './commands/rollouts.ts';
import { addRunCommands } from './commands/run.ts';
import { addScenarioCommands } from './commands/scenario.ts';
import { addThingsCommands } from './commands/things.ts';
import { addTrainCommand } from './commands/train.ts';
import { addTwinCommands } from './commands/twin.ts';
import { type Io, printError } from './print.ts';

const ending = new AbortController();
let endedBy: NodeJS.Signals | null = null;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (endedBy !== null) process.exit(name === 'SIGINT' ? 130 : 143); // asked twice: at once
    endedBy = name;
    ending.abort();
  });
}
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader has seen enough
  throw error;
});

const io: Io = {
  signal: ending.signal,
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  isTerminal: Boolean(process.stdout.isTTY) && process.env['CI'] === undefined,
};

const program = new Command('windfleet')
  .description('An actor-model fleet simulator and digital twin for machine learning at the edge.')
  .version('0.1.0')
  .showSuggestionAfterError()
  .enablePositionalOptions() // `model pack --version 1.0.0` is the model’s
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) });
addRunCommands(program, io);
addScenarioCommands(program, io);
addCloudCommand(program, io);
addDataCommands(program, io);
addFarmCommands(program, io);
addRolloutCommands(program, io);
addThingsCommands(program, io);
addModelCommands(program, io);
addKeysCommands(program, io);
addDeadLetterCommands(program, io);
addEvaluateCommand(program, io);
addTrainCommand(program, io);
addTwinCommands(program, io);
addAgentCommand(program, io);
addBenchCommand(program, io);

try {
  await program.parseAsync();
  if (endedBy !== null) process.exitCode = endedBy === 'SIGINT' ? 130 : 143;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else
    process.exitCode = printError(
      io,
      error instanceof TypeError && error.message.includes('Invalid URL')
        ? new UsageError('--cloud wants an address, as http://127.0.0.1:7070')
        : error,
    );
}
