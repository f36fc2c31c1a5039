/**
 * A recording of turbines, and its text: the original's CSV of 23 columns, a row a sample. Another machine's recording has
 * `nanoId, turbineId, eventTime` and then its own channels; only the desk turbine's are read back.
 *
 * Source of the columns: the original's data set, `nanoId, turbineId, arduino_timestamp, nanoFreemem, eventTime, rps, …, wind_speed_rps`.
 */
import { type Channel, column, deskTurbine, printReading } from './channels.ts';
import { FileInvalid } from './errors.ts';
import type { ThingName } from './ids.ts';
import type { Millis } from './units.ts';

export interface RecordedTurbine {
  readonly thing: ThingName;
  /** [samples], epoch milliseconds, oldest first. */
  readonly at: Float64Array;
  /** [samples × channels] */
  readonly values: Float64Array;
}

export interface Recording {
  readonly channels: readonly Channel[];
  readonly turbines: readonly RecordedTurbine[];
}

const LEADING = ['nanoId', 'turbineId'] as const;
const isLeading = (name: string): boolean => name === 'eventTime' || LEADING.some((leading) => leading === name);

/** Columns of a desk turbine's recording, in the original's order. */
const DESK_COLUMNS: readonly string[] = [
  ...LEADING,
  'arduino_timestamp',
  'nanoFreemem',
  'eventTime',
  'rps',
  ...['voltage', 'qw', 'qx', 'qy', 'qz', 'gx', 'gy', 'gz', 'ax', 'ay', 'az', 'gearboxtemp', 'ambtemp', 'humidity', 'pressure', 'gas'],
  'wind_speed_rps',
];

/** Columns of a recording of a machine: a desk turbine's are the original's. */
export const recordingColumns = (channels: readonly Channel[] = deskTurbine.channels): readonly string[] =>
  channels.length === deskTurbine.channels.length && DESK_COLUMNS.every((name) => isLeading(name) || channels.some((c) => c.name === name))
    ? DESK_COLUMNS
    : [...LEADING, 'eventTime', ...channels.map(({ name }) => name)];

export const recordingHeader = (channels = deskTurbine.channels): string => recordingColumns(channels).join(',');

/** As the original writes it: `2021-04-12T12:36:01.123000+00:00`. @param at epoch milliseconds */
export const printTime = (at: Millis): string => new Date(at).toISOString().replace('Z', '000+00:00');

/** One row of the file. @param values one sample from `offset` on. @param at epoch milliseconds */
export function printRecordedSample(
  thing: ThingName,
  at: Millis,
  values: Float64Array,
  offset: number,
  channels = deskTurbine.channels,
): string {
  return recordingColumns(channels)
    .map((name) => {
      if (name === 'nanoId' || name === 'turbineId') return thing;
      if (name === 'eventTime') return printTime(at);
      const index = column(channels, name);
      return printReading(channels[index], values[offset + index]);
    })
    .join(',');
}

const SHOWN_FAULTS = 20;

/**
 * @param file its name, for errors
 * @throws FileInvalid naming file:line of every fault (the first twenty, and how many more there are).
 */
export function parseRecording(text: string, file: string): Recording {
  const lines = text.split(/\r?\n/);
  const header = lines[0].replace(/^\uFEFF/, '').split(',');
  const faults: string[] = [];
  for (const name of DESK_COLUMNS) if (!header.includes(name)) faults.push(`${file}:1 has no column ${name}`);
  for (const [i, name] of header.entries()) {
    if (!DESK_COLUMNS.includes(name))
      faults.push(`${file}:1 has a column ${name === '' ? `without a name (number ${i + 1})` : name} that no desk turbine has`);
    else if (header.indexOf(name) !== i) faults.push(`${file}:1 has the column ${name} twice`);
  }
  if (faults.length > 0) throw invalid(faults, `the header must be: ${recordingHeader()}`);

  const place = DESK_COLUMNS.map((name) => header.indexOf(name));
  const samples = new Map<string, { at: number[]; values: number[] }>();
  for (let line = 1; line < lines.length; line++) {
    if (lines[line].trim() === '') continue;
    const cells = lines[line].split(',');
    if (cells.length !== header.length) faults.push(`${file}:${line + 1} has ${cells.length} columns, not ${header.length}`);
    else {
      const { thing, at, values, wrong } = parseRow(cells, place);
      for (const fault of wrong) faults.push(`${file}:${line + 1} ${fault}`);
      const turbine = samples.get(thing) ?? { at: [], values: [] };
      samples.set(thing, turbine);
      if (turbine.at.length > 0 && at < turbine.at[turbine.at.length - 1])
        faults.push(`${file}:${line + 1} goes back in time for ${thing}`);
      turbine.at.push(at);
      turbine.values.push(...values);
    }
  }
  if (faults.length > 0) throw invalid(faults, 'every row is one sample of one turbine; an empty value is no reading');
  if (samples.size === 0) throw invalid([`${file}:2 holds no sample`], 'record one with `windfleet data record`');

  return {
    channels: deskTurbine.channels,
    turbines: [...samples].map(([thing, { at, values }]) => ({ thing, at: Float64Array.from(at), values: Float64Array.from(values) })),
  };
}

/** @param place the index in the file of each of `DESK_COLUMNS` */
function parseRow(cells: readonly string[], place: readonly number[]): { thing: string; at: number; values: number[]; wrong: string[] } {
  const wrong: string[] = [];
  const values = new Array<number>(deskTurbine.channels.length);
  let at = 0;
  let thing = '';
  for (const [i, name] of DESK_COLUMNS.entries()) {
    const cell = cells[place[i]].trim();
    if (name === 'nanoId') continue;
    if (name === 'turbineId') {
      thing = cell.replaceAll(' ', '-');
      if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(thing)) wrong.push(`turbineId: "${cell}" is no name of a turbine`);
    } else if (name === 'eventTime') {
      at = Date.parse(cell);
      if (Number.isNaN(at)) wrong.push(`eventTime: "${cell}" is no date`);
    } else {
      const value = cell === '' ? Number.NaN : Number(cell);
      if (cell !== '' && !/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(cell)) wrong.push(`${name}: "${cell}" is no number`);
      values[column(deskTurbine.channels, name)] = value;
    }
  }
  return { thing, at, values, wrong };
}

function invalid(faults: readonly string[], hint: string): FileInvalid {
  const more = faults.length > SHOWN_FAULTS ? `\n… and ${faults.length - SHOWN_FAULTS} more` : '';
  return new FileInvalid(faults.slice(0, SHOWN_FAULTS).join('\n') + more, { hint });
}
