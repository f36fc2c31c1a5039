/** Lane `flood`: 1 000 MQTT clients, 100 000 messages and a subscriber that takes nothing, while devices run their jobs. */
import { flood } from '../kit/flood.ts';
import type { Lane } from './main.ts';

/** @throws Error when the broker lost what it must not lose. */
export const lane: Lane = async (say) => {
  say('1 000 clients publish 100 000 messages of 500 bytes; one subscriber takes nothing; 50 devices run 10 jobs each');
  const outcome = await flood({ clients: 1_000, messages: 100, devices: 50, jobs: 10 });
  const { report, heard, executions, succeeded, notified, slowNotified, counters } = outcome;
  const lost =
    report.connected !== 1_000 ||
    report.acknowledged !== report.atQos1 ||
    heard !== report.published ||
    succeeded !== executions ||
    executions !== 500 ||
    slowNotified !== notified;
  if (lost) throw new Error(`something was lost: ${JSON.stringify(outcome)}`);
  return [
    `published ${report.published} in ${outcome.seconds.toFixed(1)} s: ${Math.round(report.published / outcome.seconds)} a second`,
    `acknowledged ${report.acknowledged} of ${report.atQos1} at QoS 1; routed ${heard}; dropped for the slow one ${counters['dropped.telemetry'] ?? 0}`,
    `job executions ${succeeded} of ${executions} SUCCEEDED; slowest answer ${outcome.slowestAnswerMs} ms`,
    `notifications for the slow one ${slowNotified} of ${notified}`,
    `at most ${(outcome.peakWaitingBytes / 1e6).toFixed(1)} MB waited; the process had ${Math.round(outcome.peakMegabytes)} MB`,
  ];
};
