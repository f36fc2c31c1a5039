/** Rollouts as text, and plans as the command line and files have them. */
import type { Deployment } from '../../actors/contracts/deployments.ts';
import { UsageError } from '../../actors/contracts/errors.ts';
import { parseDuration } from '../../actors/contracts/units.ts';
import { readPlanWords } from '../rollouts/plan-file.ts';

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
  if (budgetKw !== undefined && !(Number(budgetKw) > 0)) throw new UsageError(`--budget-kw ${budgetKw} is no power above 0`);
  const sizes = waves?.split(',').map((size) => size.trim());
  const wrong = sizes?.find((size) => !/^\d+(\.\d+)?%$|^\d+$/.test(size));
  if (wrong !== undefined)
    throw new UsageError(`--waves ${waves}: ${JSON.stringify(wrong)} is no count and no share`, { hint: 'as 10%,50%,100% or 1,5,20' });
  return {
    ...(sizes ? { waves: sizes.map((size) => (size.endsWith('%') ? size : Number(size))) } : {}),
    ...(soak === undefined ? {} : { soak }),
    ...(budgetKw === undefined ? {} : { budgetKw: Number(budgetKw) }),
    ...(window === undefined ? {} : { window }),
    ...(plan === undefined ? {} : { plan: readPlanWords(plan) }),
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
export function endLines({ model, to, status, rollout }: Deployment): readonly string[] {
  if (!rollout) return [];
  const { reason, bench, heal, exposureMinutes, waves, accepted, onProbation, seed } = rollout;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  return [
    `  ${reason}`,
    ...(bench
      ? [`  on twins: ${percent(bench.newRecall)} of ${bench.faults} known faults found, the old model ${percent(bench.oldRecall)}`]
      : []),
    ...waves.flatMap(({ gate, status, things }, i) => [
      `  wave ${i + 1}  ${status}  ${things.length} turbine${things.length === 1 ? '' : 's'}`,
      ...(gate ? [`    gate: ${gate.decision}, ${gate.words}`] : []),
    ]),
    `  exposure ${exposureMinutes} turbine-minutes`,
    ...(accepted.length + onProbation.length === 0
      ? []
      : [
          `  installed ${accepted.length + onProbation.length}, accepted ${accepted.length}${onProbation.length === 0 ? '' : `; on probation: ${some(onProbation)}`}`,
        ]),
    ...(heal ? [`  back: ${heal.back.join(', ') || 'none'}`] : []),
    ...(heal && heal.waiting.length > 0 ? [`  on the way back: ${heal.waiting.join(', ')}`] : []),
    ...(heal?.left ?? []).map(({ thing, reason: why }) => `  not back: ${thing}, ${why}`),
    ...(status === 'HALTED' ? [`  replay: ${replayOf(seed)} and deploy ${model} to ${to} with this plan draw the same waves`] : []),
  ];
}

/** A farm's seed is a part of its rollouts'; a cloud without one has none. */
function replayOf(seed: string): string {
  const [farm] = seed.split('/');
  return farm === 'cloud' ? `seed ${seed}` : `windfleet up --seed ${farm} with these turbines`;
}

const some = (things: readonly string[]): string => `${things.slice(0, 8).join(', ')}${things.length > 8 ? ', …' : ''}`;

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
