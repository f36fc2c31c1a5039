/** Commands against a running farm: faults, deploy, jobs. */
import type { Command } from 'commander';
import type { Deployment } from '../../../actors/contracts/deployments.ts';
import { UsageError } from '../../../actors/contracts/errors.ts';
import type { ActiveFault, FaultKind } from '../../../actors/contracts/faults.ts';
import type { Job, JobExecution } from '../../../actors/contracts/jobs.ts';
import { parseDuration } from '../../../actors/contracts/units.ts';
import { openApi } from '../api.ts';
import { endLines, type PlanFlags, planLines, wishesOf } from '../rollout-text.ts';
import { type Io, printFacts, table } from '../print.ts';

const CLOUD = 'http://127.0.0.1:7070';

export interface Common {
  readonly cloud: string;
  readonly json?: boolean;
}

/** A command that asks a running farm. */
export const asking = (command: Command, examples: readonly string[]): Command =>
  command
    .option('--cloud <url>', 'the farm’s console', process.env['WINDFLEET_CLOUD'] ?? CLOUD)
    .option('--json')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  windfleet ${example}`).join('\n')}`);

export function addFarmCommands(program: Command, io: Io): void {
  const faults = program.command('faults').description('Faults in the bodies of a running farm.');
  asking(faults.command('list').description('The catalogue, and what is at work.'), ['faults list', 'faults list --json']).action(
    async ({ cloud, json = false }: Common) => {
      const { catalogue, active } = await openApi(cloud).get<{ catalogue: FaultKind[]; active: ActiveFault[] }>('/api/faults');
      const rows = catalogue.map(({ name, about }) => [
        name,
        active
          .filter(({ fault }) => fault === name)
          .map(({ thing }) => thing)
          .join(', ') || '-',
        about,
      ]);
      printFacts(io, json, { catalogue, active }, () => table(['fault', 'at work on', 'what it does'], rows));
    },
  );
  asking(
    faults
      .command('inject')
      .description('Breaks something.')
      .argument('<turbine>')
      .argument('<fault>')
      .option('--severity <s>', '0 to 1', '0.5')
      .option('--over <duration>', 'from nothing to its severity in so long')
      .option('--for <duration>', 'ends by itself after so long')
      .option('--recovery <duration>', 'and then fades for so long')
      .option('--onset <course>', 'ramp, wear, intermittent, or periodic (with --over as its period)')
      .option('--channel <name>', 'of a sensor-… fault'),
    ['faults inject T-002 voltage-sag', 'faults inject T-001 bearing-wear --severity 0.8 --over 2m --onset wear'],
  ).action(
    async (
      thing: string,
      fault: string,
      flags: Common & { severity: string; over?: string; for?: string; recovery?: string; onset?: string; channel?: string },
    ) => {
      const recovery = flags.recovery === undefined ? {} : { recoverySeconds: seconds('--recovery', flags.recovery) };
      const onset = flags.onset === undefined ? {} : { onset: flags.onset };
      const channel = flags.channel === undefined ? {} : { channel: flags.channel };
      const over = flags.over === undefined ? {} : { overSeconds: seconds('--over', flags.over) };
      const lasting = flags.for === undefined ? {} : { forSeconds: seconds('--for', flags.for) };
      const done = await openApi(flags.cloud).post(`/api/turbines/${encodeURIComponent(thing)}/faults`, {
        fault,
        severity: severityOf(flags.severity),
        ...over,
        ...lasting,
        ...recovery,
        ...onset,
        ...channel,
      });
      printFacts(io, flags.json ?? false, done, () => `${fault} is at work on ${thing}`);
    },
  );
  asking(faults.command('clear').description('Ends faults of a turbine.').argument('<turbine>').argument('[fault]'), [
    'faults clear T-002',
    'faults clear T-002 voltage-sag',
  ]).action(async (thing: string, fault: string | undefined, { cloud, json = false }: Common) => {
    const query = fault === undefined ? '' : `?fault=${encodeURIComponent(fault)}`;
    const done = await openApi(cloud).remove<{ cleared: number }>(`/api/turbines/${encodeURIComponent(thing)}/faults${query}`);
    printFacts(io, json, done, () => `${done.cleared} fault${done.cleared === 1 ? '' : 's'} of ${thing} ended`);
  });

  asking(
    program
      .command('deploy')
      .description('Brings a model to a group of turbines.')
      .argument('<model>', 'name@version or name@alias')
      .requiredOption('--to <group>', 'a turbine or a group; farm is every turbine')
      .option('--waves <sizes>', 'shares or counts that add up, as 10%,50%,100%; a gate stands between them')
      .option('--soak <duration>', 'how long a wave is watched at least')
      .option('--budget-kw <power>', 'turbines that are updated at once make no more together')
      .option('--window <when>', 'when a wave may begin, as "cron(0 2 * * ? *) for 2h and below 4 m/s"')
      .option('--plan <file>', 'waves, soak, budgetKw, budgetDevices, window, minWindows, longestWait in YAML or JSON')
      .option('--watch', 'until it has ended'),
    ['deploy windturbine-anomaly@1.1.0 --to farm --waves 10%,50%,100% --soak 2m --watch', 'deploy windturbine-anomaly@1.1.0 --to T-003'],
  ).action(async (model: string, { to, watch = false, cloud, json = false, ...plan }: DeployFlags) => {
    const api = openApi(cloud);
    let deployment = await api.post<Deployment>('/api/deployments', { model, to, ...wishesOf(plan) });
    const isStaged = (deployment.rollout?.waves.length ?? 0) > 1;
    if (!json && isStaged) for (const line of planLines(deployment)) io.out(line);
    if (watch) deployment = await follow(api, deployment, json ? () => {} : io.out, io.signal);
    printFacts(io, json, deployment, () =>
      [`${deployment.id}: ${deployment.status}`, ...(watch && isStaged ? endLines(deployment) : [])].join('\n'),
    );
    if (watch && !io.signal.aborted && deployment.status !== 'SUCCEEDED') process.exitCode = 7;
  });

  const jobs = program.command('jobs').description('Jobs and their executions.');
  asking(jobs.command('list').description('All jobs, the newest first.'), ['jobs list', 'jobs list --json']).action(
    async ({ cloud, json = false }: Common) => {
      const list = await openApi(cloud).get<(Job & { executions: JobExecution[] })[]>('/api/jobs');
      const rows = list.map((job) => [job.jobId, job.status, job.description, countsOf(job.counts)]);
      printFacts(io, json, list, () => (rows.length === 0 ? 'no jobs yet' : table(['job', 'status', 'what', 'executions'], rows)));
    },
  );
  asking(jobs.command('show').description('One job, an execution a line.').argument('<job>'), [
    'jobs show windturbine-anomaly-1-1-0-1',
    'jobs show windturbine-anomaly-1-1-0-1 --json',
  ]).action(async (id: string, { cloud, json = false }: Common) => {
    const job = await openApi(cloud).get<Job & { executions: JobExecution[] }>(`/api/jobs/${encodeURIComponent(id)}`);
    const rows = job.executions.map(({ thing, status, statusDetails }) => [
      thing,
      status,
      statusDetails['info'] ?? statusDetails['stage'] ?? '',
    ]);
    printFacts(io, json, job, () => `${job.jobId}: ${job.status}\n${table(['turbine', 'status', 'detail'], rows)}`);
  });
  asking(jobs.command('cancel').description('Cancels what has not started.').argument('<job>'), [
    'jobs cancel windturbine-anomaly-1-1-0-1',
    'jobs cancel windturbine-anomaly-1-1-0-1 --json',
  ]).action(async (id: string, { cloud, json = false }: Common) => {
    const done = await openApi(cloud).remove<Job>(`/api/jobs/${encodeURIComponent(id)}`);
    printFacts(io, json, done, () => `${done.jobId}: ${done.status} (${countsOf(done.counts)})`);
  });
}

type DeployFlags = Common & PlanFlags & { to: string; watch?: boolean };

/** Asks until every execution has ended, and says what changed. */
async function follow(
  api: ReturnType<typeof openApi>,
  deployment: Deployment,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<Deployment> {
  const said = new Map<string, string>();
  let current = deployment;
  for (;;) {
    for (const { thing, status, statusDetails } of current.executions) {
      const line = `${thing}  ${status}${status === 'IN_PROGRESS' && statusDetails['stage'] ? ` (${statusDetails['stage']})` : ''}${statusDetails['info'] ? `: ${statusDetails['info']}` : ''}`;
      if (said.get(thing) !== line) say(line);
      said.set(thing, line);
    }
    const { reason = '', isSettled = true } = current.rollout ?? {};
    const isOver = current.status !== 'IN_PROGRESS' && current.status !== 'PAUSED' && isSettled;
    if (reason !== '' && said.get('') !== reason && (current.rollout?.waves.length ?? 0) > 1) say(`${current.status}  ${reason}`);
    said.set('', reason);
    if (isOver || signal.aborted) return current;
    await import('node:timers/promises').then(({ setTimeout: wait }) => wait(500, undefined, { signal }).catch(() => {}));
    current = await api.get<Deployment>(`/api/deployments/${encodeURIComponent(deployment.id)}`);
  }
}

const countsOf = (counts: Job['counts']): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ');

function seconds(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new UsageError(`${name} ${text} is no duration`, { hint: 'as 90s, 8m, 2h' });
  return ms / 1_000;
}

function severityOf(text: string): number {
  const severity = Number(text);
  if (text.trim() !== '' && severity >= 0 && severity <= 1) return severity;
  throw new UsageError(`--severity ${text} is not within 0..1`);
}
