/** Wind from a file: 10-minute SCADA or faster, linear between its rows. */
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { parseNumberTable, refuse } from './csv.ts';

/** The rows of a wind file, a column a quantity; null for one that it has not. */
export interface WindColumns {
  readonly t: Float64Array;
  readonly wind: Float64Array;
  readonly direction: Float64Array | null;
  readonly temperature: Float64Array | null;
}

export interface WindSeries {
  /** What it is made of, for another thread. */
  readonly columns: WindColumns;
  readonly fromS: number;
  readonly toS: number;
  readonly hasDirection: boolean;
  readonly hasTemperature: boolean;
  /** At an instant within the series; beyond its ends the first or last row holds. Direction turns the shorter way. */
  at(tS: number): WindSample;
}

export interface WindSample {
  readonly windMps: number;
  /** From where, clockwise from north, 0..360; 270 when the file has none. */
  readonly directionDeg: number;
  /** 15 when the file has none. */
  readonly temperatureC: number;
}

const ABOUT = 'a wind file has the columns t,windMps[,directionDeg,temperatureC]: seconds, m/s, degrees from north, °C';
const WIND_MAX_MPS = 75;
const MEDIAN_MAX_MPS = 40; // no site: it is km/h or knots
const GAP = 3.5; // times the usual step
const SLOWEST_S = 3_600; // 10-minute SCADA or faster is meant; hourly means are borne
const MEDIAN_MAX_C = 45; // no site
const ISA_C = 15;

/** @throws FileInvalid by file, line and column: a gap, time that goes back, values that can only be of another unit. */
export function parseWindSeries(text: string, file: string): WindSeries {
  const table = parseNumberTable(text, file, { required: ['t', 'windMps'], optional: ['directionDeg', 'temperatureC'], about: ABOUT });
  const t = table.column('t') as Float64Array;
  const wind = table.column('windMps') as Float64Array;
  const direction = table.column('directionDeg');
  const temperature = table.column('temperatureC');
  if (table.rows < 2) throw new FileInvalid(`${table.place(0, 't')} holds one row: a series needs two`, { hint: ABOUT });

  const faults: string[] = [];
  const usualS = middle(Float64Array.from({ length: table.rows - 1 }, (_, i) => t[i + 1] - t[i]).filter((s) => s > 0));
  for (let i = 0; i < table.rows; i++) {
    if (i > 0 && t[i] <= t[i - 1])
      faults.push(`${table.place(i, 't')} t goes ${t[i] === t[i - 1] ? 'nowhere' : 'back'}: ${t[i]} after ${t[i - 1]}`);
    else if (i > 0 && t[i] - t[i - 1] > GAP * usualS)
      faults.push(
        `${table.place(i, 't')} a gap of ${Number((t[i] - t[i - 1]).toPrecision(6))} s; the rows before come every ${Number(usualS.toPrecision(6))} s`,
      );
    if (!(wind[i] >= 0)) faults.push(`${table.place(i, 'windMps')} windMps ${wind[i]} is negative`);
    else if (wind[i] > WIND_MAX_MPS)
      faults.push(`${table.place(i, 'windMps')} windMps ${wind[i]} is more than ${WIND_MAX_MPS} m/s: is it in ${fasterUnit(wind[i])}?`);
    if (direction && !(direction[i] >= 0 && direction[i] <= 360))
      faults.push(`${table.place(i, 'directionDeg')} directionDeg ${direction[i]} is not within 0..360`);
    if (temperature && temperature[i] > 60)
      faults.push(`${table.place(i, 'temperatureC')} temperatureC ${temperature[i]} is no air temperature: is it in kelvin or °F?`);
    else if (temperature && temperature[i] < -60)
      faults.push(`${table.place(i, 'temperatureC')} temperatureC ${temperature[i]} is colder than any site`);
  }
  if (faults.length === 0) {
    if (middle(wind) > MEDIAN_MAX_MPS)
      faults.push(`${table.place(0, 'windMps')} half of windMps is above ${MEDIAN_MAX_MPS} m/s: is it in km/h?`);
    if (direction && looksLikeRadians(direction))
      faults.push(`${table.place(0, 'directionDeg')} directionDeg never leaves 0..2π, in hundredths: is it in radians?`);
    if (temperature && middle(temperature) > MEDIAN_MAX_C)
      faults.push(`${table.place(0, 'temperatureC')} half of temperatureC is above ${MEDIAN_MAX_C} °C: is it in °F?`);
    if (usualS > SLOWEST_S)
      faults.push(`${table.place(1, 't')} rows come every ${usualS} s, and ${SLOWEST_S} is the most: is t in milliseconds?`);
    else if (Math.abs(t[0]) > 1e11) faults.push(`${table.place(0, 't')} t looks like milliseconds since 1970: it must be seconds`);
  }
  refuse(faults, ABOUT);

  return windSeries({ t, wind, direction, temperature });
}

/** @param columns of two rows at least, `t` ascending */
export function windSeries(columns: WindColumns): WindSeries {
  const { t, wind, direction, temperature } = columns;
  return {
    columns,
    fromS: t[0],
    toS: t[t.length - 1],
    hasDirection: direction !== null,
    hasTemperature: temperature !== null,
    at(tS) {
      const i = rowBefore(t, tS);
      const j = Math.min(i + 1, t.length - 1);
      const share = j === i ? 0 : Math.min(1, Math.max(0, (tS - t[i]) / (t[j] - t[i])));
      const mix = (values: Float64Array) =>
        share === 0 ? values[i] : share === 1 ? values[j] : values[i] + share * (values[j] - values[i]);
      const turn = direction ? ((direction[j] - direction[i] + 540) % 360) - 180 : 0;
      return {
        windMps: mix(wind),
        directionDeg: direction ? (direction[i] + share * turn + 360) % 360 : 270,
        temperatureC: temperature ? mix(temperature) : ISA_C,
      };
    },
  };
}

/** Index of the last row at or before `tS`, or 0. */
function rowBefore(t: Float64Array, tS: number): number {
  let low = 0;
  let high = t.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (t[middle] <= tS) low = middle;
    else high = middle - 1;
  }
  return low;
}

const middle = (values: Float64Array): number => values.toSorted()[values.length >> 1] ?? 0;

/** Degrees come as whole numbers or tenths; what stays within one turn of radians, in finer steps, is no wind about north. */
const looksLikeRadians = (direction: Float64Array): boolean =>
  direction.length >= 3 &&
  direction.every((d) => d <= 6.2832) &&
  direction.filter((d) => Math.abs(d * 10 - Math.round(d * 10)) > 1e-9).length > direction.length / 2;

/** The unit in which a wind that is too fast may have been meant. */
const fasterUnit = (wind: number): string => (wind >= 2_000 ? 'mm/s' : wind >= 250 ? 'cm/s' : 'km/h or knots');
