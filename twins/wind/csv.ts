/** Columns of numbers from a CSV with a header: every fault named by file, line and column before any of it is used. */
import { FileInvalid } from '../../actors/contracts/errors.ts';

export interface NumberTable {
  readonly rows: number;
  /** [rows]; null when an optional column is absent. */
  column(name: string): Float64Array | null;
  /** `file:line:col` of a cell, for faults found later. */
  place(row: number, name: string): string;
}

export interface CsvShape {
  readonly required: readonly string[];
  readonly optional?: readonly string[];
  /** What the file is, for the hint: `a layout has the columns x,y in metres`. */
  readonly about: string;
}

const SHOWN = 20;
const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i; // not 0x10, which Number takes too

/** @throws FileInvalid naming up to 20 faults. */
export function parseNumberTable(text: string, file: string, { required, optional = [], about }: CsvShape): NumberTable {
  const faults: string[] = [];
  refuse(notText(text, file), about);
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const known = [...required, ...optional];
  const header = lines[0].split(',').map((name) => name.trim());
  if (header.length === 1 && /[;\t]/.test(header[0])) refuse([`${file}:1:1 has its columns apart by something else than commas`], about);
  for (const name of required) if (!header.includes(name)) faults.push(`${file}:1:1 has no column ${name}`);
  for (const [c, name] of header.entries()) {
    if (header.indexOf(name) < c) faults.push(`${file}:1:${columnOf(lines[0], c)} has the column ${name} twice`);
    else if (name !== '' && !known.includes(name)) {
      const meant = known.find((other) => other.toLowerCase() === name.toLowerCase());
      faults.push(`${file}:1:${columnOf(lines[0], c)} has a column ${name} that is not known${meant ? `: it is called ${meant}` : ''}`);
    }
  }
  refuse(faults, about);

  const values = new Map(header.map((name) => [name, [] as number[]]));
  const lineOf: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const cells = line.split(',');
    if (cells.length !== header.length) {
      faults.push(`${file}:${index + 1}:1 has ${cells.length} values, not ${header.length}`);
      continue;
    }
    lineOf.push(index);
    for (const [c, cell] of cells.entries()) {
      const value = DECIMAL.test(cell) ? Number(cell) : Number.NaN;
      if (!Number.isFinite(value))
        faults.push(`${file}:${index + 1}:${columnOf(line, c)} ${header[c]} is ${JSON.stringify(cell.trim())}, no number`);
      values.get(header[c])?.push(value);
    }
  }
  if (lineOf.length === 0 && faults.length === 0) faults.push(`${file}:2:1 holds no row`);
  refuse(faults, about);

  const columns = new Map([...values].map(([name, column]) => [name, Float64Array.from(column)]));
  return {
    rows: lineOf.length,
    column: (name) => columns.get(name) ?? null,
    place: (row, name) => `${file}:${lineOf[row] + 1}:${columnOf(lines[lineOf[row]], header.indexOf(name))}`,
  };
}

/** The fault of a file that is empty, or is no text at all: none of it is shown, since it could be anything. */
export function notText(text: string, file: string): string[] {
  if (text.replace(/^\uFEFF/, '').trim() === '') return [`${file}:1:1 is empty`];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells
  const strange = /[\u0000-\u0008\u000e-\u001f\uFFFD]/.exec(text);
  if (!strange) return [];
  const before = text.slice(0, strange.index).split('\n');
  return [`${file}:${before.length}:${before[before.length - 1].length + 1} is no text (UTF-8)`];
}

/** @throws FileInvalid when there are faults. */
export function refuse(faults: readonly string[], hint: string): void {
  if (faults.length === 0) return;
  const rest = faults.length - SHOWN;
  throw new FileInvalid([...faults.slice(0, SHOWN), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'), { hint });
}

/** Column of the text, from 1, in which cell `c` of a line begins. */
const columnOf = (line: string, c: number): number => line.split(',').slice(0, c).join(',').length + (c > 0 ? 2 : 1);
