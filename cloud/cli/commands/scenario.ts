/** `windfleet scenario`: stories with faults and expectations, in virtual time. */
import type { Command } from 'commander';
import type { PlayedStory } from '../../../scenarios/report/page.ts';
import { type Io, printFacts, table } from '../print.ts';
import { openProgress } from '../progress.ts';
import { addFuzzCommand } from './scenario-fuzz.ts';
import { addRecordedRunCommands } from './scenario-runs.ts';
import { openLog } from './run.ts';

const VALIDATE_HELP = `
Examples:
  windfleet scenario validate my-story.yaml
  windfleet scenario validate --json stories/*.yaml

A story:
  # yaml-language-server: $schema=scenario.schema.json
  about: A bearing wears; the turbine must say so within two minutes.
  seed: 7
  duration: 5m
  fleet:
    - { twins: 5, like: desk-turbine }
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 }
  timeline:
    - { at: 1m, fault: bearing-wear, on: T-002, severity: 0.6, id: wear }
  expect:
    - { that: alarm, on: wear, after: wear, within: 2m }
    - { that: noAlarm, butOn: wear }`;

export function addScenarioCommands(program: Command, io: Io): void {
  const scenario = program.command('scenario').description('Stories with faults and expectations, in virtual time.');
  scenario
    .command('list')
    .description('The stories of the library, one a line.')
    .option('--capabilities', 'on which bodies each can be played, and why not on others')
    .option('--json')
    .addHelpText('after', '\nExamples:\n  windfleet scenario list\n  windfleet scenario list --capabilities --json')
    .action(async ({ json = false, capabilities = false }: { json?: boolean; capabilities?: boolean }) => {
      if (capabilities) {
        const { listCapabilities } = await import('./scenario-capabilities.ts');
        return listCapabilities(io, json);
      }
      const { stories } = await import('../../../scenarios/library.ts');
      const list = Object.entries(stories).map(([name, { about, duration, seed }]) => ({
        name,
        about: about.replace(/\s+/g, ' ').trim(),
        duration,
        seed,
      }));
      printFacts(io, json, list, () => list.map(({ name, about }) => `${name}  ${about}`).join('\n'));
    });
  scenario
    .command('validate')
    .description('Whether stories can be played: names every fault by file, line and column, and starts nothing; exits 3 when one cannot.')
    .argument('<files...>', 'story files (.yaml, .yml, .json, .js, .mjs), names of the library, or - for the standard input')
    .option('--json')
    .addHelpText('after', VALIDATE_HELP)
    .action(async (files: string[], { json = false }: { json?: boolean }) => {
      const { validateStories } = await import('./scenario-validate.ts');
      const code = await validateStories(files, { json, io });
      if (code !== 0) process.exitCode = code;
    });
  scenario
    .command('schema')
    .description('The JSON Schema of a story, for editors and other tools.')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet scenario schema > scenario.schema.json\n  # yaml-language-server: $schema=scenario.schema.json   as the first line of a story',
    )
    .action(async () => {
      const { storyJsonSchema } = await import('../../../scenarios/words/schema.ts');
      io.out(JSON.stringify(storyJsonSchema(), null, 2));
    });
  scenario
    .command('faults')
    .description('The faults of stories that are not of a machine’s body: their attributes, and around which bodies they can be injected.')
    .option('--json')
    .addHelpText('after', '\nExamples:\n  windfleet scenario faults\n  windfleet scenario faults --json')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { worldFaults } = await import('../../../scenarios/faults.ts');
      const { faultRows } = await import('./scenario-faults.ts');
      printFacts(io, json, worldFaults, () => table(['fault', 'acts on', 'attributes', 'not on', 'about'], faultRows(worldFaults)));
    });
  scenario
    .command('run')
    .description('Plays stories and holds them to their expectations; exits 99 when one fails.')
    .argument('<stories...>', 'names of the library, or files (.yaml, .yml, .json, .js, .mjs)')
    .option('--seed <n>', 'instead of the story’s own')
    .option('--repeat <n>', 'play it so often; the digests must be the same', '1')
    .option('--until <instant>', 'end there, as 47m12s, and judge what was to be by then')
    .option(
      '--speed <x>',
      'simulated time over wall time: 1x, 100x, max; the console is served to watch it (default: as fast as it goes, no console)',
    )
    .option('--workers <n>', 'threads that run the twins’ rows; the run is the same on any number (default: 1, this one)')
    .option('--out <folder>', 'write the run there: event log, story, summary')
    .option('--report <files>', 'junit=FILE,json=FILE,html=FILE, or some of them')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet scenario run bearing-wear\n  windfleet scenario run my-story.yaml --seed 7 --repeat 2 --out runs/mine\n  windfleet scenario run gust-front --speed 10x\n  windfleet scenario run bearing-wear calm-day --report junit=report.xml,html=report.html',
    )
    .action(async (words: string[], flags: RunFlags) => {
      const { runStories } = await import('../../../scenarios/main.ts');
      const { readSpeed } = await import('../../config.ts');
      const { parseReportOption, writeReports } = await import('../../../scenarios/report/files.ts');
      const reports = flags.report === undefined ? null : parseReportOption(flags.report);
      const progress = openProgress(io);
      const told: PlayedStory[] = [];
      try {
        const results = await runStories(words, {
          ...flags,
          speed: flags.speed === undefined ? undefined : readSpeed(flags.speed),
          signal: io.signal,
          log: await openLog('warn'),
          report: (text) => {
            progress.end();
            if (!flags.json) io.out(text);
          },
          progress: (text) => progress.say(text),
          ...(reports ? { told: (story) => told.push(story) } : {}),
        });
        progress.end();
        if (flags.json) io.out(JSON.stringify(results));
        if (results.some(({ passed }) => !passed)) process.exitCode = 99;
      } finally {
        progress.end();
        if (reports) {
          const { drawPlot, escapeText } = await import('../../../twins/validity/draw.ts');
          writeReports(reports, told, { plot: drawPlot, text: escapeText });
          for (const { format, file } of reports) io.err(`${format} report: ${file}`);
        }
      }
    });
  addFuzzCommand(scenario, io);
  addRecordedRunCommands(scenario, io);
}

interface RunFlags {
  readonly seed?: string;
  readonly repeat: string;
  readonly until?: string;
  readonly speed?: string;
  readonly workers?: string;
  readonly out?: string;
  readonly report?: string;
  readonly json?: boolean;
}
