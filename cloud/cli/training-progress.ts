/** How a training goes, as a line for who watches and as reports to a console: epoch, loss, speed, and when it will have ended. */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { TrainingReport } from '../../actors/contracts/trainings.ts';
import type { Epoch } from '../studio/train.ts';
import { foldsOf, type FoldsState } from '../studio/train-folds.ts';
import type { TrainPlan } from '../studio/train-plan.ts';
import type { Io } from './print.ts';
import { openProgress } from './progress.ts';
import { openReporter } from './training-report.ts';

const FAR_SECONDS = 12 * 3_600;

export interface TrainingProgress {
  onBatch(fold: number | null, epoch: number, done: number, batches: number, loss: number): void;
  onEpoch(fold: number | null, epoch: Epoch): void;
  end(state: TrainingReport['state']): Promise<void>;
}

export interface FollowOptions {
  readonly plan: TrainPlan;
  readonly windows: { readonly training: number };
  readonly wall: Pick<Clock, 'epoch' | 'now'>;
  readonly cloud: string | undefined;
  readonly facts: Pick<TrainingReport, 'id' | 'model' | 'machine'>;
  readonly resume: FoldsState | null;
}

export function followTraining(io: Io, { plan, windows, wall, cloud, facts, resume }: FollowOptions): TrainingProgress {
  const progress = openProgress(io);
  const reporter = openReporter(cloud, io.err);
  const folds = foldsOf(plan);
  const trains = plan.folds === null ? windows.training : windows.training - Math.floor(windows.training / plan.folds);
  const batches = Math.ceil(trains / plan.batch);
  const history: Epoch[] = [...(resume?.state?.history ?? [])];
  const shareOf = (fold: number | null, epoch: number, done: number) =>
    (Math.max(0, folds.indexOf(fold)) * plan.epochs + epoch - 1 + done / batches) / (folds.length * plan.epochs);
  const begun = shareOf(folds[resume?.results.length ?? 0] ?? null, (resume?.state?.epoch ?? 0) + 1, resume?.state?.batch ?? 0);
  let now: TrainingReport = {
    ...facts,
    network: plan.network,
    state: 'running',
    epoch: (resume?.state?.epoch ?? 0) + 1,
    epochs: plan.epochs,
    fold: null,
    share: begun,
    windowsPerSecond: 0,
    secondsLeft: null,
    history,
  };

  return {
    onBatch(fold, epoch, done, _, loss) {
      const seconds = progress.seconds();
      const share = shareOf(fold, epoch, done);
      const pace = (share - begun) / seconds; // an early stop makes it shorter
      now = {
        ...now,
        epoch,
        fold: plan.folds === null ? null : fold,
        share,
        windowsPerSecond: Math.round(pace * folds.length * plan.epochs * trains),
        secondsLeft: pace > 0 ? Math.ceil((1 - share) / pace) : null,
      };
      progress.say(() => describe(now, done / batches, loss, wall));
      reporter.report(now, seconds);
    },
    onEpoch(_, epoch) {
      if (epoch.epoch === 1) history.length = 0; // another fold
      history.push(epoch);
    },
    async end(state) {
      progress.end();
      await reporter.end({ ...now, state, secondsLeft: state === 'running' ? now.secondsLeft : 0 });
    },
  };
}

function describe(
  { fold, epoch, epochs, history, windowsPerSecond, secondsLeft }: TrainingReport,
  share: number,
  loss: number,
  wall: Pick<Clock, 'epoch' | 'now'>,
): string {
  const heldOut = history.at(-1)?.heldOutLoss;
  const parts = [
    ...(fold === null ? [] : [`fold ${fold}`]),
    `epoch ${epoch}/${epochs} ${Math.floor(100 * share)} %`,
    `loss ${loss.toFixed(4)}`,
    ...(heldOut === undefined ? [] : [`held out ${heldOut.toFixed(4)}`]),
    `${windowsPerSecond} windows/s`,
    ...(secondsLeft === null
      ? []
      : [
          `at most ${duration(secondsLeft)} to go, until ${clockTime(wall.epoch + wall.now() + secondsLeft * 1_000, secondsLeft > FAR_SECONDS)}`,
        ]),
  ];
  return parts.join('  ');
}

/** 45 s, 12 min, 3 h 20 min, 2 d 4 h. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The hour here, with the day when it is far. */
function clockTime(instant: number, isFar: boolean): string {
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
  return new Date(instant).toLocaleString('en-GB', isFar ? { weekday: 'short', ...time } : time);
}
