/** Rollouts as text, and plans as the command line and files have them. */
import type { Deployment, GateLook } from '../../actors/contracts/deployments.ts';
import { UsageError } from '../../actors/contracts/errors.ts';
import { parseDuration } from '../../actors/contracts/units.ts';
import { planFaults } from '../../actors/fleet/rollout/plan.ts';
import { readPlanFile } from '../rollouts/plan-file.ts';
import { parseWindow } from '../rollouts/window.ts';

export interface PlanFlags {
  readonly waves?: string;
  readonly soak?: string;
  readonly budgetKw?: string;
  readonly window?: string;
  readonly plan?: string;
}

/** As `/api/deployments` takes them. @throws UsageError, FileInvalid */
export function wishesOf({ waves, soak, budgetKw, window, plan }: PlanFlags): Record<string, unknown> {
  if (soak !== undefined && parseDuration(soak) === null) throw new UsageError(`--soak ${soak} is no duration`, { hint: 'as 90s, 8m, 2h' });
  if (budgetKw !== undefined && !(Number(budgetKw) > 0))
    throw new UsageError(`--budget-kw ${budgetKw} is no power above 0`, { hint: 'in kilowatts, as 500' });
  const sizes = waves?.split(',').map((size) => size.trim());
  const wrong = sizes?.find((size) => !/^\d+(\.\d+)?%$|^\d+$/.test(size));
  if (wrong !== undefined)
    throw new UsageError(`--waves ${waves}: ${JSON.stringify(wrong)} is no count and no share`, { hint: 'as 10%,50%,100% or 1,5,20' });
  return {
    ...(sizes ? { waves: sizes.map((size) => (size.endsWith('%') ? size : Number(size))) } : {}),
    ...(soak === undefined ? {} : { soak }),
    ...(budgetKw === undefined ? {} : { budgetKw: Number(budgetKw) }),
    ...(window === undefined ? {} : { window }),
    ...(plan === undefined ? {} : { plan: readPlanFile(plan, (given) => planFaults(given, parseWindow)).words }),
  };
}

/** What will be done, before it is. */
export function planLines({ id, model, to, rollout }: Deployment): readonly string[] {
  const { plan, waves, seed } = rollout!;
  return [
    `${id}: ${model} to ${to}`,
    ...waves.map(({ things }, i) => `  wave ${i + 1}  ${things.length}: ${some(things)}`),
    `  soak ${inWords(plan.soak)}, gate: at least ${plan.minWindows} windows of a turbine, at most ${inWords(plan.longestWait)} after the soak`,
    ...(plan.budgetKw === null ? [] : [`  budget ${plan.budgetKw} kW`]),
    ...(plan.budgetDevices === null ? [] : [`  budget ${plan.budgetDevices} turbines`]),
    ...(plan.window === null ? [] : [`  window ${plan.window}`]),
    `  seed ${seed}`,
  ];
}

/** What has come of it. */
export function endLines(deployment: Deployment): readonly string[] {
  const { status, rollout } = deployment;
  if (!rollout) return [];
  const { reason, bench, heal, exposureMinutes, waves, accepted, onProbation } = rollout;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  return [
    `  ${reason}`,
    ...(bench
      ? [`  on twins: ${percent(bench.newRecall)} of ${bench.faults} known faults found, the old model ${percent(bench.oldRecall)}`]
      : []),
    ...waves.flatMap(({ gate, status, things }, i) => [
      `  wave ${i + 1}  ${status}  ${things.length} turbine${things.length === 1 ? '' : 's'}`,
      ...(gate ? gateLines(gate) : []),
    ]),
    `  exposure ${exposureMinutes} turbine-minutes`,
    ...(accepted.length + onProbation.length === 0
      ? []
      : [
          `  installed ${accepted.length + onProbation.length}, accepted ${accepted.length}${onProbation.length === 0 ? '' : `; on probation: ${some(onProbation)}`}`,
        ]),
    ...(heal ? [`  back: ${heal.back.join(', ') || (heal.jobs.length === 0 ? 'nobody has it' : 'nobody yet')}`] : []),
    ...(heal && heal.waiting.length > 0 ? [`  on the way back: ${heal.waiting.join(', ')}`] : []),
    ...(heal?.left ?? []).map(({ thing, reason: why }) => `  not back: ${thing}, ${why}`),
    ...(status === 'HALTED' ? [`  replay     ${replayOf(deployment)}`] : []),
  ];
}

/** Its decision, and what speaks for it: a measure a line. */
const gateLines = ({ decision, updated, controls, measures }: GateLook): readonly string[] => [
  `    gate: ${decision}, ${updated} with it against ${controls} without`,
  ...measures.map((measure) => `      ${measure.name.padEnd(10)} ${measure.decision.padEnd(8)} ${measure.words}`),
];

/** What plays it again: a farm's seed is a part of its rollouts', and draws the same waves; a cloud without a farm has none. */
function replayOf({ model, to, rollout }: Deployment): string {
  const { seed, plan, waves } = rollout!;
  const [farm] = seed.split('/');
  const turbines = waves.reduce((sum, { things }) => sum + things.length, 0);
  const flags = [
    `--waves ${plan.waves.join(',')} --soak ${inWords(plan.soak)}`,
    ...(plan.budgetKw === null ? [] : [`--budget-kw ${plan.budgetKw}`]),
    ...(plan.window === null ? [] : [`--window ${JSON.stringify(plan.window)}`]),
  ];
  const deploy = `windfleet deploy ${model} --to ${to} ${flags.join(' ')}`;
  return farm === 'cloud'
    ? `${deploy} (seed ${seed})`
    : `windfleet up --seed ${farm}${to === 'farm' ? ` --turbines ${turbines}` : ''} and ${deploy}`;
}

const some = (things: readonly string[]): string => `${things.slice(0, 8).join(', ')}${things.length > 8 ? ', …' : ''}`;

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
