/**
 * One rollout of one model, good or bad in one way, to forty desk turbines with default telemetry: what the gate makes of it, and what
 * AWS's abort makes of the same, which counts only what devices say of their own jobs.
 */
import type { Deployment } from '../../actors/contracts/deployments.ts';
import type { KeptParts } from '../../scenarios/kept.ts';
import type { ModelId } from '../../actors/contracts/ids.ts';
import type { AbortCriterion, Job, JobExecution, RolloutConfig } from '../../actors/contracts/jobs.ts';
import { printJobDocument } from '../../actors/package/job-document.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import type { StoryWorld } from '../../scenarios/stage.ts';
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
}

export interface TrialPlan {
  /** Null: as it is published. */
  readonly spoiled: string | null;
  readonly seed: number;
  readonly twins?: number;
  readonly kept?: KeptParts | undefined;
  /** To the story's end, though nothing comes any more. */
  readonly isWhole?: boolean;
}

const MINUTES = 30;
const CANARIES = 0.1; // of the turbines

const storyOf = ({ spoiled, seed, twins = 40 }: TrialPlan): Scenario => ({
  about: 'A model is brought to a farm.',
  seed,
  duration: `${MINUTES}m`,
  fleet: [{ twins, like: 'desk-turbine' }],
  timeline: [
    ...(spoiled === null ? [] : [{ at: '110s', fault: spoiled, on: 'new' } as const]),
    { at: '2m', deploy: 'windturbine-anomaly@1.1.0', waves: [`${100 * CANARIES}%`, '50%', '100%'], soak: '2m', id: 'new' },
  ],
  expect: [],
});

export async function gateTrial(plan: TrialPlan): Promise<GateTrial> {
  const { seen } = await playHere(storyOf(plan), {
    kept: plan.kept,
    look: ({ world }) => world.deployments.list(),
    isOver: async ({ world }) => !plan.isWhole && (await world.deployments.list()).some(isDone),
  });
  const [{ status, rollout }] = seen as readonly Deployment[];
  const { waves, reason, exposureMinutes } = rollout!;
  return { status, reason, isContained: waves.slice(1).every(({ jobId }) => jobId === null), exposureMinutes };
}

/** Nothing comes any more: whoever is not back counts until the end of the half hour. */
const isDone = ({ status, rollout }: Deployment): boolean =>
  (rollout?.isSettled ?? false) &&
  (status === 'SUCCEEDED' || (rollout!.heal !== null && rollout!.heal.left.length + rollout!.heal.waiting.length === 0));

/** A tenth in the first two minutes; five times as fast once those have succeeded. */
const PACE: RolloutConfig = {
  exponentialRate: { baseRatePerMinute: 2, incrementFactor: 5, rateIncreaseCriteria: { numberOfSucceededThings: 4 } },
};
/** As the gate has it of a wave's jobs: more than a third of them, once there are as many as canaries. */
const ABORT: AbortCriterion = { failureType: 'ALL', action: 'CANCEL', thresholdPercentage: 33.4, minNumberOfExecutedThings: 4 };
const JOB = 'plain';

/** The same as one job of AWS's. Nobody goes back: whoever has the model has it until the half hour is over. */
export async function jobTrial(plan: TrialPlan): Promise<GateTrial> {
  let begun = false;
  const { seen } = await playHere(storyOf(plan), {
    kept: plan.kept,
    stageOf: (stage) => ({
      ...stage.stage,
      deployments: {
        ...stage.stage.deployments,
        async deploy({ model }) {
          begun = true;
          return asJob(stage, model);
        },
      },
    }),
    look: async ({ world }) => ({
      job: await world.jobs.describe(JOB),
      executions: await world.jobs.executions(JOB),
      end: world.clock.epoch + MINUTES * 60_000,
    }),
    isOver: async ({ world }) => begun && (await world.jobs.describe(JOB)).status !== 'IN_PROGRESS',
  });
  const { job, executions, end } = seen as { readonly job: Job; readonly executions: readonly JobExecution[]; readonly end: number };
  const took = executions.filter(({ status }) => status === 'SUCCEEDED');
  return {
    status: job.status === 'CANCELED' ? 'CANCELED' : took.length === executions.length ? 'SUCCEEDED' : 'FAILED',
    reason: job.reasonCode ?? '',
    isContained: took.length <= CANARIES * executions.length,
    exposureMinutes: took.reduce((ms, { lastUpdatedAt }) => ms + end - lastUpdatedAt, 0) / 60_000,
  };
}

async function asJob({ world }: StoryWorld, model: ModelId): Promise<Deployment> {
  const { name, version, bucket, key, sha256 } = await world.catalogue.show(model);
  await world.jobs.create({
    jobId: JOB,
    things: world.things,
    targets: ['farm'],
    document: printJobDocument({ name, version, bucket, key, sha256 }),
    jobExecutionsRolloutConfig: PACE,
    abortConfig: { criteriaList: [ABORT] },
  });
  return world.deployments.show(JOB);
}
