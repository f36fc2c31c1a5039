/**
 * A recording of turbines, and its text: the original's CSV of 23 columns, a row a sample. Another machine's recording has
 * `nanoId, turbineId, eventTime` and then its own channels.
 *
 * Source of the columns: the original's data set, `nanoId, turbineId, arduino_timestamp, nanoFreemem, eventTime, rps, …, wind_speed_rps`.
 */
import { type Channel, column, deskTurbine, type Machine, printReading } from './channels.ts';
import { FileInvalid } from './errors.ts';
import { createFileFaults } from './file-faults.ts';
import { isThingName, type ThingName } from './ids.ts';
import type { Millis } from './units.ts';

export interface RecordedTurbine {
  readonly thing: ThingName;
  /** [samples], epoch milliseconds, oldest first. */
  readonly at: Float64Array;
  /** [samples × channels] */
  readonly values: Float64Array;
}

export interface Recording {
  /** Name of the machine; absent: a desk turbine's. */
  readonly machine?: string;
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

/** The machine whose columns these are most. @param machines at least one */
export function nearestMachine(columns: readonly string[], machines: readonly Machine[]): Machine {
  const matches = ({ channels }: Machine) => {
    const wanted = recordingColumns(channels);
    return wanted.filter((name) => columns.includes(name)).length - columns.filter((name) => !wanted.includes(name)).length;
  };
  return machines.reduce((best, machine) => (matches(machine) > matches(best) ? machine : best));
}

/** Names of the columns of a header, as far as they can be made out. @param line without a byte order mark */
export const columnsOfHeader = (line: string): readonly string[] => (splitRow(line) ?? []).map((name) => name.trim());

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

/** What a column of a file is: the turbine's name, the time, something that nobody reads, or the channel of that index. */
export type RecordedCell = 'thing' | 'time' | 'unread' | number;

/** The columns of one file, in its own order. */
export interface RecordingShape {
  readonly channels: readonly Channel[];
  readonly columns: readonly string[];
  readonly cells: readonly RecordedCell[];
}

/** @param line without a byte order mark. @throws FileInvalid naming every column that is missing, twice there, or of no such machine */
export function parseHeader(line: string, file: string, channels: readonly Channel[] = deskTurbine.channels): RecordingShape {
  const columns = splitRow(line) ?? [];
  const wanted = recordingColumns(channels);
  const faults = createFileFaults();
  if (line.includes('"') && columns.length === 0) faults.add(`${file}:1 has a quote that does not end`);
  for (const name of wanted) if (!columns.includes(name)) faults.add(`${file}:1 has no column ${name}`);
  for (const [i, name] of columns.entries()) {
    if (!wanted.includes(name))
      faults.add(`${file}:1 has a column ${name === '' ? `without a name (number ${i + 1})` : short(name)} that no such turbine has`);
    else if (columns.indexOf(name) !== i) faults.add(`${file}:1 has the column ${name} twice`);
  }
  faults.refuse(`the header must be: ${recordingHeader(channels)}`);
  return {
    channels,
    columns,
    cells: columns.map((name) =>
      name === 'turbineId' ? 'thing' : name === 'eventTime' ? 'time' : name === 'nanoId' ? 'unread' : column(channels, name),
    ),
  };
}

export interface RecordedRow {
  readonly thing: ThingName;
  /** Epoch milliseconds. */
  readonly at: Millis;
  /** What is wrong with it, a sentence a fault; then it holds nothing. */
  readonly wrong: readonly string[];
}

/** The original calls its turbines `Turbine 1`. */
export const thingNameOf = (text: string): string => text.trim().replaceAll(' ', '-');

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[-+]\d\d:?\d\d)?$/;

/** ISO 8601 with seconds; UTC when it names no zone, whatever the machine's own is. NaN for anything else. */
function parseTime(text: string): Millis {
  const parts = TIME.exec(text);
  return parts ? Date.parse(`${parts[1]}T${parts[2]}${parts[3] ?? 'Z'}`) : Number.NaN;
}

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

/** @param values takes one sample from `offset` on; NaN for an empty cell, which is no reading */
export function parseRow(line: string, { columns, cells }: RecordingShape, values: Float64Array, offset: number): RecordedRow {
  const texts = splitRow(line);
  const wrong: string[] = [];
  let thing = '';
  let at = 0;
  if (texts === null) return { thing, at, wrong: ['has a quote that does not end: a row is one line'] };
  if (texts.length !== cells.length) return { thing, at, wrong: [`has ${texts.length} columns, not ${cells.length}`] };
  for (const [i, cell] of cells.entries()) {
    const text = texts[i].trim();
    if (cell === 'thing') {
      thing = thingNameOf(text);
      if (!isThingName(thing)) wrong.push(`turbineId: ${quoted(text)} is no name of a turbine`);
    } else if (cell === 'time') {
      at = parseTime(text);
      if (Number.isNaN(at)) wrong.push(`eventTime: ${quoted(text)} is no date`);
    } else if (cell !== 'unread') {
      const value = text === '' ? Number.NaN : Number(text);
      if (text !== '' && !(NUMBER.test(text) && Number.isFinite(value))) wrong.push(`${columns[i]}: ${quoted(text)} is no number`);
      values[offset + cell] = value;
    }
  }
  return { thing, at, wrong };
}

export const ROW_HINT = 'every row is one sample of one turbine; an empty value is no reading';

/**
 * @param file its name, for errors
 * @param machines by whose columns it is recognised
 * @throws FileInvalid naming file:line of every fault (the first twenty, and how many more there are).
 */
export function parseRecording(text: string, file: string, machines: readonly Machine[] = [deskTurbine]): Recording {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const { name: machine, channels } = nearestMachine(columnsOfHeader(lines[0]), machines);
  const shape = parseHeader(lines[0], file, channels);
  const faults = createFileFaults();
  const samples = new Map<string, { at: number[]; values: number[] }>();
  const sample = new Float64Array(channels.length);
  for (let line = 1; line < lines.length; line++) {
    if (lines[line].trim() === '') continue;
    const { thing, at, wrong } = parseRow(lines[line], shape, sample, 0);
    for (const fault of wrong) faults.add(`${file}:${line + 1} ${fault}`);
    if (wrong.length > 0) continue;
    const turbine = samples.get(thing) ?? { at: [], values: [] };
    samples.set(thing, turbine);
    if (turbine.at.length > 0 && at < turbine.at[turbine.at.length - 1]) faults.add(`${file}:${line + 1} goes back in time for ${thing}`);
    turbine.at.push(at);
    turbine.values.push(...sample);
  }
  faults.refuse(ROW_HINT);
  if (samples.size === 0) throw new FileInvalid(`${file}:2 holds no sample`, { hint: 'record one with `windfleet data record`' });

  return {
    machine,
    channels,
    turbines: [...samples].map(([thing, { at, values }]) => ({ thing, at: Float64Array.from(at), values: Float64Array.from(values) })),
  };
}

/** The cells of a line, those in quotes without them (RFC 4180, within the line); null for a quote that does not end. */
function splitRow(line: string): string[] | null {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  for (let at = 0; at <= line.length; ) {
    const quotedCell = /^\s*"((?:[^"]|"")*)"\s*(?:,|$)/.exec(line.slice(at));
    const plain = /^[^",]*(?:,|$)/.exec(line.slice(at));
    const found = quotedCell ?? plain;
    if (!found) return null;
    cells.push(quotedCell ? quotedCell[1].replaceAll('""', '"') : found[0].replace(/,$/, ''));
    at += found[0].length;
    if (!found[0].endsWith(',')) return at >= line.length ? cells : null;
  }
  return cells;
}

const LONGEST_SHOWN = 40;
const short = (text: string): string => (text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
const quoted = (text: string): string => `"${short(text)}"`;
