/**
 * When a job may notify: from its start to its end, and within its maintenance windows if it has any.
 *
 * Assumption, here and nowhere else: outside a window nothing new is notified (rollout, joiners and retries wait for the next one);
 * an execution that its thing knows of already goes on, and may be started.
 */
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { MaintenanceWindow, SchedulingConfig } from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { type Cron, parseCron } from './cron.ts';
import { MINUTE } from './limits.ts';

export interface Schedule {
  readonly startAt: Millis | null;
  readonly endAt: Millis | null;
  readonly endBehavior: 'STOP_ROLLOUT' | 'CANCEL' | 'FORCE_CANCEL';
  readonly windows: readonly { readonly cron: Cron; readonly length: Millis }[];
}

export const NO_SCHEDULE: Schedule = { startAt: null, endAt: null, endBehavior: 'STOP_ROLLOUT', windows: [] };

const MINUTE_MIN_LENGTH = 30; // AWS IoT Jobs: a job lasts 30 minutes at least
const YEAR = 366 * 24 * 60 * MINUTE;
const SHOWN_WINDOWS = 7;

/** @throws JobRefused InvalidRequest */
export function readSchedule(config: SchedulingConfig | undefined, now: Millis): Schedule {
  if (!config) return NO_SCHEDULE;
  const schedule = {
    startAt: config.startTime === undefined ? null : parseTime('startTime', config.startTime),
    endAt: config.endTime === undefined ? null : parseTime('endTime', config.endTime),
    endBehavior: config.endBehavior ?? 'STOP_ROLLOUT',
    windows: (config.maintenanceWindows ?? []).map(readWindow),
  };
  const { startAt, endAt } = schedule;
  const refuse = (why: string) => {
    throw new JobRefused('InvalidRequest', `schedulingConfig: ${why}`);
  };
  if (startAt !== null && startAt <= now) refuse(`startTime ${config.startTime} is past`);
  if (startAt !== null && startAt > now + YEAR) refuse(`startTime ${config.startTime} is more than a year away`);
  if (endAt !== null && endAt < (startAt ?? now) + MINUTE_MIN_LENGTH * MINUTE)
    refuse(`endTime ${config.endTime} is not ${MINUTE_MIN_LENGTH} minutes or more after the start`);
  if (endAt !== null && endAt > (startAt ?? now) + 2 * YEAR) refuse(`endTime ${config.endTime} is more than two years after the start`);
  if (config.endBehavior !== undefined && endAt === null) refuse('endBehavior is given without endTime');
  return schedule;
}

/** The schedule of a job that was accepted once: nothing is refused any more. */
export const storedSchedule = (config: SchedulingConfig | undefined): Schedule =>
  config
    ? {
        startAt: config.startTime === undefined ? null : parseTime('startTime', config.startTime),
        endAt: config.endTime === undefined ? null : parseTime('endTime', config.endTime),
        endBehavior: config.endBehavior ?? 'STOP_ROLLOUT',
        windows: (config.maintenanceWindows ?? []).map(readWindow),
      }
    : NO_SCHEDULE;

/** @throws JobRefused InvalidRequest */
export function readWindow({ startTime, durationInMinutes }: MaintenanceWindow): { readonly cron: Cron; readonly length: Millis } {
  if (!Number.isInteger(durationInMinutes) || durationInMinutes < 1 || durationInMinutes > 1_430)
    throw new JobRefused('InvalidRequest', `maintenanceWindows: durationInMinutes ${durationInMinutes} is not within 1..1430`);
  return { cron: parseCron(startTime), length: durationInMinutes * MINUTE };
}

/** Whether something new may be notified at an instant: always without windows. */
export const mayNotify = ({ windows }: Schedule, at: Millis): boolean =>
  windows.length === 0 || windows.some(({ cron, length }) => cron.last(at, length - 1) !== null);

/** When the next window opens; null without windows, or when none comes any more. */
export function nextOpening({ windows }: Schedule, after: Millis): Millis | null {
  const starts = windows.flatMap(({ cron }) => cron.next(after + 1) ?? []);
  return starts.length === 0 ? null : Math.min(...starts);
}

/** Starts of the next windows, in order. */
export function comingWindows({ windows }: Schedule, now: Millis): Millis[] {
  const starts = new Set<Millis>();
  for (const { cron } of windows)
    for (let i = 0, at = cron.next(now); i < SHOWN_WINDOWS && at !== null; i++, at = cron.next(at + 1)) starts.add(at);
  return [...starts].sort((a, b) => a - b).slice(0, SHOWN_WINDOWS);
}

/** `2026-01-31 18:00` and its ISO relatives, in UTC. */
function parseTime(name: string, text: string): Millis {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?(?:Z|\+00:00)?$/.exec(text.trim());
  const instant = match ? Date.parse(`${match[1]}T${match[2]}${match[3] ?? ''}Z`) : Number.NaN;
  if (Number.isNaN(instant))
    throw new JobRefused(
      'InvalidRequest',
      `schedulingConfig: ${name} ${JSON.stringify(text.slice(0, 64))} is no date and time as 2026-01-31 18:00`,
    );
  return instant;
}
