/**
 * Documents on their way into a table, as columns: numbers in typed arrays, so that a document can be forgotten as soon as it came.
 * Rows that may be there already wait apart, one for each id.
 */
import { BOOLEAN, DOUBLE, type DuckDBAppender, DuckDBDataChunk, VARCHAR } from '@duckdb/node-api';
import type { IndexedDocument } from '../../actors/contracts/index.ts';

export type ColumnType = 'DOUBLE' | 'VARCHAR' | 'BOOLEAN';

/** What every table has. */
export const BASE_COLUMNS: readonly (readonly [string, ColumnType])[] = [
  ['id', 'VARCHAR'],
  ['at', 'DOUBLE'],
  ['thing', 'VARCHAR'],
];

type Column =
  | { readonly type: 'DOUBLE'; values: Float64Array } // NaN: nothing
  | { readonly type: 'VARCHAR'; values: (string | null)[] }
  | { readonly type: 'BOOLEAN'; values: (boolean | null)[] };

const DUCKDB_TYPES = { DOUBLE, VARCHAR, BOOLEAN } as const;
const CHUNK_ROWS = 2_048; // DuckDB's own
const COLUMNS_MAX = 1_000; // Elasticsearch's, too
const FIRST_CAPACITY = 256;

export const typeOf = (value: string | number | boolean): ColumnType =>
  typeof value === 'number' ? 'DOUBLE' : typeof value === 'boolean' ? 'BOOLEAN' : 'VARCHAR';

export class Rows {
  length = 0;
  /** Of the table, by name, shared by all of its rows: a field that is met for the first time is written down here. */
  private readonly types: Map<string, ColumnType>;
  private readonly columns = new Map<string, Column>();
  private capacity = 0;
  private names: string[] = []; // of the last document's fields, and where they went: most are like it
  private places: Column[] = [];

  constructor(types: Map<string, ColumnType>) {
    this.types = types;
  }

  /** @param row `length` for a new one. @returns why it is not taken: a field has another type than before; null when it is */
  put(document: IndexedDocument, row = this.length): string | null {
    if (row >= this.capacity) this.grow();
    if (row < this.length) this.clear(row);
    const { names, places } = this;
    let i = -1;
    for (const name in document) {
      const value = document[name];
      i++;
      if (value === null || value === undefined) continue; // as it is already
      if (names[i] !== name) {
        const column = this.columnOf(name, typeOf(value));
        if (column === null) return this.refuse(row, `${name} would be its ${COLUMNS_MAX + 1}th field, and ${COLUMNS_MAX} are kept`);
        names[i] = name;
        places[i] = column;
      }
      const column = places[i];
      if (column.type === 'DOUBLE' && typeof value === 'number') column.values[row] = value;
      else if (column.type === 'VARCHAR' && typeof value === 'string') column.values[row] = value;
      else if (column.type === 'BOOLEAN' && typeof value === 'boolean') column.values[row] = value;
      else return this.refuse(row, `field ${name} is ${column.type}, and ${JSON.stringify(value).slice(0, 100)} is not`);
    }
    if (row === this.length) this.length++;
    return null;
  }

  /** All of them, column by column: a call for each value would cost more than making the value did. */
  appendTo(appender: DuckDBAppender): void {
    const columns = [...this.types].map(([name, type]) => ({ type: DUCKDB_TYPES[type], column: this.columns.get(name) }));
    const types = columns.map(({ type }) => type);
    for (let from = 0; from < this.length; from += CHUNK_ROWS) {
      const rows = Math.min(CHUNK_ROWS, this.length - from);
      const chunk = DuckDBDataChunk.create(types, rows);
      for (const [c, { column }] of columns.entries()) {
        const vector = chunk.getColumnVector(c);
        if (column?.type === 'DOUBLE')
          for (let row = 0; row < rows; row++) {
            const value = column.values[from + row];
            vector.setItem(row, Number.isNaN(value) ? null : value);
          }
        else for (let row = 0; row < rows; row++) vector.setItem(row, column?.values[from + row] ?? null);
        vector.flush();
      }
      appender.appendDataChunk(chunk);
    }
  }

  /** Null when there are too many. */
  private columnOf(name: string, type: ColumnType): Column | null {
    const known = this.columns.get(name);
    if (known) return known;
    if (!this.types.has(name) && this.types.size >= COLUMNS_MAX) return null;
    const given = this.types.get(name) ?? type;
    this.types.set(name, given);
    const made: Column =
      given === 'DOUBLE' ? { type: given, values: new Float64Array(this.capacity).fill(Number.NaN) } : { type: given, values: [] };
    this.columns.set(name, made);
    return made;
  }

  private refuse(row: number, reason: string): string {
    this.clear(row);
    this.names = [];
    this.places = [];
    return reason;
  }

  private clear(row: number): void {
    for (const column of this.columns.values()) {
      if (column.type === 'DOUBLE') column.values[row] = Number.NaN;
      else column.values[row] = null;
    }
  }

  private grow(): void {
    this.capacity = Math.max(FIRST_CAPACITY, 2 * this.capacity);
    for (const column of this.columns.values()) {
      if (column.type !== 'DOUBLE') continue;
      const wider = new Float64Array(this.capacity);
      wider.set(column.values);
      column.values = wider.fill(Number.NaN, column.values.length);
    }
  }
}

/** What waits to be written into one table, in the order in which it goes in. */
export interface WaitingRows {
  /** Not in the table yet, for certain. */
  readonly fresh: Rows;
  /** Those that replace what may be there: in the table, or among the fresh. */
  readonly late: Rows;
  /** Rows of `late` by id. */
  readonly lateById: Map<string, number>;
  /** They could not be written once, and nobody knows for certain that none of them were: the fresh ones may be there after all. */
  isDoubtful: boolean;
}

export const waitingRows = (types: Map<string, ColumnType>): WaitingRows => ({
  fresh: new Rows(types),
  late: new Rows(types),
  lateById: new Map(),
  isDoubtful: false,
});

const THINGS_REMEMBERED = 100_000;

/**
 * Which documents cannot be there yet, without asking the table: those of an instant after the newest of their thing, or of that
 * instant and another id. The same id comes with the same thing and instant: the port says so.
 */
export class Newest {
  /** Nothing of a thing that is not among them is newer. */
  private floor: number;
  private newest: number;
  private readonly things = new Map<string, { at: number; id: string; others: Set<string> | null }>();

  /** @param floor the newest instant in the table */
  constructor(floor: number) {
    this.floor = floor;
    this.newest = floor;
  }

  /** Remembers it, too: ask once for each document that goes in. */
  isFresh({ id, at, thing }: IndexedDocument): boolean {
    const last = this.things.get(thing);
    if (!last) {
      if (!(at > this.floor)) return false;
      if (this.things.size >= THINGS_REMEMBERED) {
        this.things.clear();
        this.floor = this.newest;
        if (!(at > this.floor)) return false;
      }
      this.things.set(thing, { at, id, others: null });
    } else if (at > last.at) {
      last.at = at;
      last.id = id;
      last.others = null;
    } else {
      if (at !== last.at || id === last.id || last.others?.has(id)) return false;
      last.others ??= new Set();
      last.others.add(id);
    }
    if (at > this.newest) this.newest = at;
    return true;
  }
}
