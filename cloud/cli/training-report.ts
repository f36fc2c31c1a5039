/** Tells a console how a training goes: once a second at most, the newest only; a console that does not answer is no reason to stop. */
import type { TrainingReport } from '../../actors/contracts/trainings.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import { openApi } from './api.ts';

export interface Reporter {
  /** Returns at once. */
  report(report: TrainingReport, now: number): void;
  /** The last word; waits until it is said. */
  end(report: TrainingReport): Promise<void>;
}

const EVERY_SECONDS = 1;
const POINTS = 300;

/** @param complain is called once, when the console is lost */
export function openReporter(cloud: string | undefined, complain: (text: string) => void): Reporter {
  if (cloud === undefined) return { report() {}, async end() {} };
  const api = openApi(cloud);
  let [saidAt, isLost] = [Number.NEGATIVE_INFINITY, false];
  let sending: Promise<void> | null = null;
  const send = (report: TrainingReport): Promise<void> =>
    api.post<unknown>('/api/trainings', { ...report, history: thinned(report) }).then(
      () => {},
      (error: unknown) => {
        if (!isLost) complain(`the console does not follow the training: ${reasonOf(error)}`);
        isLost = true;
      },
    );
  return {
    report(report, now) {
      if (isLost || sending !== null || now - saidAt < EVERY_SECONDS) return;
      saidAt = now;
      sending = send(report).finally(() => {
        sending = null;
      });
    },
    async end(report) {
      await sending;
      if (!isLost) await send(report);
    },
  };
}

/** So many epochs at most, the last among them: what a console takes in one piece. */
function thinned({ history }: TrainingReport): TrainingReport['history'] {
  if (history.length <= POINTS) return history;
  return Array.from({ length: POINTS }, (_, i) => history[Math.round((i * (history.length - 1)) / (POINTS - 1))]);
}
