/** `windfleet rollouts`: what is being brought to the fleet, and how it is stopped. */
import type { Command } from 'commander';
import type { Deployment } from '../../../actors/contracts/deployments.ts';
import { openApi } from '../api.ts';
import { type Io, printFacts, table } from '../print.ts';
import { endLines, planLines } from '../rollout-text.ts';
import { asking, type Common } from './farm.ts';

const ORDERS = [
  { name: 'pause', about: 'No wave begins until it is resumed; the gate goes on watching.' },
  { name: 'resume', about: 'Goes on where it was paused.' },
  { name: 'abort', about: 'Ends it: what is not updated stays as it is, and so does what is.' },
  { name: 'rollback', about: 'Sends every turbine that it has updated back to what it had.' },
] as const;

export function addRolloutCommands(program: Command, io: Io): void {
  const rollouts = program.command('rollouts').description('Models on their way to the fleet, wave by wave.');
  asking(rollouts.command('list').description('All of them, the newest first.'), ['rollouts list', 'rollouts list --json']).action(
    async ({ cloud, json = false }: Common) => {
      const list = await openApi(cloud).get<Deployment[]>('/api/deployments');
      const rows = list.map(({ id, status, model, to, rollout }) => [id, status, model, to, wavesOf(rollout), rollout?.reason ?? '']);
      printFacts(io, json, list, () =>
        rows.length === 0 ? 'no rollouts yet' : table(['rollout', 'status', 'model', 'to', 'waves', 'why'], rows),
      );
    },
  );
  asking(rollouts.command('show').description('One, with its waves, its gate and its exposure.').argument('<rollout>'), [
    'rollouts show windturbine-anomaly-1-1-0-1',
    'rollouts show windturbine-anomaly-1-1-0-1 --json',
  ]).action(async (id: string, { cloud, json = false }: Common) => {
    const found = await openApi(cloud).get<Deployment>(`/api/deployments/${encodeURIComponent(id)}`);
    printFacts(io, json, found, () => textOf(found));
  });
  for (const { name, about } of ORDERS)
    asking(rollouts.command(name).description(about).argument('<rollout>'), [
      `rollouts ${name} windturbine-anomaly-1-1-0-1`,
      `rollouts ${name} windturbine-anomaly-1-1-0-1 --json`,
    ]).action(async (id: string, { cloud, json = false }: Common) => {
      const done = await openApi(cloud).post<Deployment>(`/api/deployments/${encodeURIComponent(id)}/${name}`, {});
      printFacts(io, json, done, () => `${done.id}: ${done.status}`);
    });
}

const textOf = (found: Deployment): string =>
  [...(found.rollout ? planLines(found) : [`${found.id}: ${found.model} to ${found.to}`]), `  ${found.status}`, ...endLines(found)].join(
    '\n',
  );

const wavesOf = (rollout: Deployment['rollout']): string =>
  rollout ? `${rollout.waves.filter(({ status }) => status === 'DONE').length}/${rollout.waves.length}` : '-';
