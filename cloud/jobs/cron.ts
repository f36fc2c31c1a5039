/**
 * AWS's cron in UTC, `cron(minutes hours day-of-month month day-of-week year)`: `,` `-` `*` `/` everywhere, `?` in one of the two
 * days, `L` and `W` in days of the month, `L` and `#` in days of the week (1 is Sunday).
 */
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface Cron {
  /** The first start at or after an instant, epoch milliseconds; null when there is none any more. */
  next(from: Millis): Millis | null;
  /** The last start at or before an instant, no further back than `within` milliseconds. */
  last(until: Millis, within: Millis): Millis | null;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const HORIZON_DAYS = 366 * 41; // 29 February on a given weekday comes every 28 years, 40 across 2100

interface DayOf {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  readonly day: number;
  /** 1..7, Sunday first */
  readonly weekday: number;
  readonly daysInMonth: number;
}

/** @throws JobRefused InvalidRequest, naming the field */
export function parseCron(text: string): Cron {
  const fields = (/^\s*cron\((.*)\)\s*$/i.exec(text)?.[1] ?? text).trim().toUpperCase().split(/\s+/);
  if (fields.length !== 6)
    throw wrong(text, 'six fields are wanted: minutes hours day-of-month month day-of-week year, as in cron(0 18 ? * MON *)');
  const [minutesText, hoursText, domText, monthText, dowText, yearText] = fields;
  if ((domText === '?') === (dowText === '?')) throw wrong(text, 'one of day-of-month and day-of-week must be ?, and the other not');

  const set = (name: string, field: string, low: number, high: number, names: readonly string[] = []) =>
    numbers(field, low, high, names, () => wrong(text, `${name} ${field} is not within ${low}..${high}`));
  const minutes = [...set('minutes', minutesText, 0, 59)].sort((a, b) => a - b);
  const hours = [...set('hours', hoursText, 0, 23)].sort((a, b) => a - b);
  const months = set('month', monthText, 1, 12, MONTHS);
  const years = set('year', yearText, 1970, 2199);
  const onDay = domText === '?' ? weekdayRule(text, dowText, set) : monthDayRule(text, domText, set);
  const startsOn = (day: Millis): boolean => {
    const is = dayOf(day);
    return years.has(is.year) && months.has(is.month) && onDay(is);
  };

  return {
    next(from) {
      for (let day = Math.floor(from / DAY) * DAY, days = 0; days < HORIZON_DAYS; day += DAY, days++) {
        if (!startsOn(day)) continue;
        for (const hour of hours)
          for (const minute of minutes) {
            const start = day + hour * 60 * MINUTE + minute * MINUTE;
            if (start >= from) return start;
          }
      }
      return null;
    },
    last(until, within) {
      for (let day = Math.floor(until / DAY) * DAY; day + DAY > until - within; day -= DAY) {
        if (!startsOn(day)) continue;
        for (const hour of [...hours].reverse())
          for (const minute of [...minutes].reverse()) {
            const start = day + hour * 60 * MINUTE + minute * MINUTE;
            if (start <= until) return start >= until - within ? start : null;
          }
      }
      return null;
    },
  };
}

type SetOf = (name: string, field: string, low: number, high: number, names?: readonly string[]) => ReadonlySet<number>;

function monthDayRule(text: string, field: string, set: SetOf): (is: DayOf) => boolean {
  if (field === 'L') return ({ day, daysInMonth }) => day === daysInMonth;
  const nearest = /^(\d{1,2}|L)W$/.exec(field);
  if (nearest) {
    const wanted = nearest[1] === 'L' ? 31 : Number(nearest[1]);
    if (wanted < 1 || wanted > 31) throw wrong(text, `day-of-month ${field} is not within 1..31`);
    return (is) => is.day === nearestWeekday(is, Math.min(wanted, is.daysInMonth));
  }
  const days = set('day-of-month', field, 1, 31);
  return ({ day }) => days.has(day);
}

function weekdayRule(text: string, field: string, set: SetOf): (is: DayOf) => boolean {
  if (field === 'L') return ({ weekday }) => weekday === 7;
  const nth = /^(\w{1,3})#([1-5])$/.exec(field);
  if (nth) {
    const [wanted] = set('day-of-week', nth[1], 1, 7, WEEKDAYS);
    return ({ weekday, day }) => weekday === wanted && Math.ceil(day / 7) === Number(nth[2]);
  }
  const last = /^(\d|SUN|MON|TUE|WED|THU|FRI|SAT)L$/.exec(field);
  if (last) {
    const [wanted] = set('day-of-week', last[1], 1, 7, WEEKDAYS);
    return ({ weekday, day, daysInMonth }) => weekday === wanted && day > daysInMonth - 7;
  }
  if (field.includes('#') || /L$/.test(field)) throw wrong(text, `day-of-week ${field} cannot be read`);
  const days = set('day-of-week', field, 1, 7, WEEKDAYS);
  return ({ weekday }) => days.has(weekday);
}

/** The weekday (Monday to Friday) next to a day of the month, without leaving the month. */
function nearestWeekday(is: DayOf, wanted: number): number {
  const weekday = ((((is.weekday - 1 + wanted - is.day) % 7) + 7) % 7) + 1;
  if (weekday === 7) return wanted === 1 ? 3 : wanted - 1; // Saturday
  if (weekday === 1) return wanted === is.daysInMonth ? wanted - 2 : wanted + 1; // Sunday
  return wanted;
}

/** `1,4-7,10/5,*` as a set. */
function numbers(field: string, low: number, high: number, names: readonly string[], bad: () => Error): ReadonlySet<number> {
  const found = new Set<number>();
  const number = (part: string): number => {
    const named = names.indexOf(part);
    if (named >= 0) return named + low;
    if (!/^\d{1,4}$/.test(part) || Number(part) < low || Number(part) > high) throw bad();
    return Number(part);
  };
  for (const part of field.split(',')) {
    const [range, step, ...more] = part.split('/');
    if (more.length > 0 || (step !== undefined && (!/^\d{1,3}$/.test(step) || Number(step) < 1))) throw bad();
    const ends = range.split('-');
    if (ends.length > 2) throw bad();
    const first = range === '*' ? low : number(ends[0]);
    const last = range === '*' || (ends.length === 1 && step !== undefined) ? high : number(ends[ends.length - 1]);
    // FRI-MON goes round the end
    const length = last >= first ? last - first : last + high - low + 1 - first;
    for (let i = 0; i <= length; i += Number(step ?? 1)) found.add(((first - low + i) % (high - low + 1)) + low);
  }
  return found;
}

function dayOf(instant: Millis): DayOf {
  const date = new Date(instant);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return {
    year,
    month: month + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
    daysInMonth: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
  };
}

const wrong = (text: string, why: string) => new JobRefused('InvalidRequest', `the cron expression ${JSON.stringify(text)}: ${why}`);
