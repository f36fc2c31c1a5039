/**
 * When a rollout's wave may begin, as a person writes it: AWS's cron in UTC with a length, a wind, or both.
 *
 *   cron(0 2 * * ? *) for 2h · below 4 m/s · above 3 m/s · cron(0 2 ? * SUN *) for 90m and only below 4 m/s
 */
import { ConfigInvalid, JobRefused } from '../../actors/contracts/errors.ts';
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import { parseCron } from '../jobs/cron.ts';

export interface MaintenanceHours {
  /** @param at epoch milliseconds @param windMps null: nobody knows, and no wind is within bounds then */
  isOpen(at: Millis, windMps: number | null): boolean;
  words(at: Millis, windMps: number | null): string;
}

const MINUTE = 60_000;
const LONGEST = 1_430 * MINUTE; // as AWS has it

/** @throws ConfigInvalid naming the part that cannot be read */
export function parseWindow(text: string): MaintenanceHours {
  const parts = text.split(/\s+and\s+|;/i).map((part) => part.trim());
  const rules = parts.map((part) => parseHours(part) ?? parseWind(part) ?? fail(text, part));
  return {
    isOpen: (at, wind) => rules.every((rule) => rule.isOpen(at, wind)),
    words: (at, wind) =>
      rules
        .filter((rule) => !rule.isOpen(at, wind))
        .map((rule) => rule.words(at, wind))
        .join(' and '),
  };
}

function parseHours(part: string): MaintenanceHours | null {
  const match = /^(cron\(.*\))(?:\s+for)?\s+(\S+)$/i.exec(part);
  if (!match) return null;
  const length = parseDuration(match[2]);
  if (length === null || length < MINUTE || length > LONGEST)
    throw new ConfigInvalid(`${JSON.stringify(part)}: ${match[2]} is no length from 1m to 1430m`, { hint: 'as cron(0 2 * * ? *) for 2h' });
  const cron = read(match[1]);
  return {
    isOpen: (at) => cron.last(at, length - 1) !== null,
    words: (at) => {
      const next = cron.next(at);
      return next === null ? `${match[1]} comes no more` : `it opens at ${new Date(next).toISOString()}`;
    },
  };
}

function read(cron: string) {
  try {
    return parseCron(cron);
  } catch (error) {
    if (!(error instanceof JobRefused)) throw error;
    throw new ConfigInvalid(error.message, {
      cause: error,
      hint: 'minutes hours day-of-month month day-of-week year, as cron(0 2 * * ? *)',
    });
  }
}

function parseWind(part: string): MaintenanceHours | null {
  const match = /^(?:only\s+)?(below|above)\s+(\d+(?:\.\d+)?)\s*m\/s$/i.exec(part);
  if (!match) return null;
  const [isBelow, bound] = [match[1].toLowerCase() === 'below', Number(match[2])];
  return {
    isOpen: (_, wind) => wind !== null && (isBelow ? wind < bound : wind > bound),
    words: (_, wind) =>
      `the wind is ${wind === null ? 'not known' : `${wind.toFixed(1)} m/s`}, not ${isBelow ? 'below' : 'above'} ${bound} m/s`,
  };
}

function fail(text: string, part: string): never {
  throw new ConfigInvalid(`${JSON.stringify(text.slice(0, 200))}: ${JSON.stringify(part.slice(0, 100))} is no hours and no wind`, {
    hint: 'as "cron(0 2 * * ? *) for 2h", "below 4 m/s", or both with "and" between them',
  });
}
