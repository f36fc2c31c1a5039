/** One rollout of one model, good or bad in one way, to forty desk turbines with default telemetry: what the gate makes of it. */
import type { Deployment } from '../../actors/contracts/deployments.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import { playHere } from './story.ts';

export const BAD_MODELS = [
  'model-trigger-happy',
  'model-deaf',
  'model-slow',
  'model-nan',
  'model-wrong-statistics',
  'model-drifting',
] as const;

export interface GateTrial {
  readonly status: Deployment['status'];
  readonly reason: string;
  /** Whether nobody beyond the canary wave has had the model. */
  readonly isContained: boolean;
  readonly exposureMinutes: number;
  /** Whether jobs alone would have stopped it: more than a third of the canary wave did not report SUCCEEDED. */
  readonly jobsStopIt: boolean;
}

/** @param spoiled null: as it is published */
export async function gateTrial(spoiled: string | null, seed: number, twins = 40): Promise<GateTrial> {
  const story: Scenario = {
    about: 'A model is brought to a farm.',
    seed,
    duration: '30m',
    fleet: [{ twins, like: 'desk-turbine' }],
    timeline: [
      ...(spoiled === null ? [] : [{ at: '110s', fault: spoiled, on: 'new' } as const]),
      { at: '2m', deploy: 'windturbine-anomaly@1.1.0', waves: ['10%', '50%', '100%'], soak: '2m', id: 'new' },
    ],
    expect: [],
  };
  const { seen } = await playHere(story, { look: ({ world }) => world.deployments.list() });
  const [{ status, rollout, executions }] = seen as readonly Deployment[];
  const { waves, reason, exposureMinutes } = rollout!;
  const canaries = executions.filter(({ thing }) => waves[0].things.includes(thing));
  const failed = canaries.filter((execution) => execution.status !== 'SUCCEEDED').length;
  return {
    status,
    reason,
    isContained: waves.slice(1).every(({ jobId }) => jobId === null),
    exposureMinutes,
    jobsStopIt: canaries.length > 0 && 3 * failed > waves[0].things.length,
  };
}

export interface GateSeries {
  readonly seeds: number;
  readonly contained: number;
  readonly halted: number;
  readonly finished: number;
  readonly stoppedByJobs: number;
  readonly medianExposure: number;
  readonly missed: readonly string[];
}

export async function gateSeries(
  spoiled: string | null,
  seeds: readonly number[],
  say: (line: string) => void = () => {},
): Promise<GateSeries> {
  const trials: { readonly seed: number; readonly trial: GateTrial }[] = [];
  for (const seed of seeds) {
    const trial = await gateTrial(spoiled, seed);
    trials.push({ seed, trial });
    if (trials.length % 20 === 0) say(`${spoiled ?? 'good'}: ${trials.length} of ${seeds.length}`);
  }
  const count = (is: (trial: GateTrial) => boolean) => trials.filter(({ trial }) => is(trial)).length;
  const exposures = trials.map(({ trial }) => trial.exposureMinutes).sort((a, b) => a - b);
  const isWanted = ({ status, isContained }: GateTrial) => (spoiled === null ? status !== 'HALTED' : isContained);
  return {
    seeds: seeds.length,
    contained: count(({ isContained }) => isContained),
    halted: count(({ status }) => status === 'HALTED'),
    finished: count(({ status }) => status === 'SUCCEEDED'),
    stoppedByJobs: count(({ jobsStopIt }) => jobsStopIt),
    medianExposure: exposures[exposures.length >> 1],
    missed: trials.filter(({ trial }) => !isWanted(trial)).map(({ seed, trial }) => `seed ${seed}: ${trial.status}, ${trial.reason}`),
  };
}

export const seriesLine = (name: string, s: GateSeries): string =>
  `${name}: ${s.contained} of ${s.seeds} stay within the canary wave, ${s.halted} halted, ${s.finished} finished; median exposure ${s.medianExposure} turbine-minutes; job status alone would have stopped ${s.stoppedByJobs}`;
