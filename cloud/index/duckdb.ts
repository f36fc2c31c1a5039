/**
 * The index in a DuckDB file: a table an index, a column a field, made from the documents as they come. Documents wait in memory
 * until there are enough of them or somebody asks, and then go in together, the same id replacing what was there.
 *
 * There is no unique key: keeping one up costs more than all the rest. A document that is newer than all of its thing replaces nothing
 * and is only appended; any other one first deletes its like, which can only be in its own stretch of time.
 */
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { QueryInvalid, StoreUnavailable } from '../../actors/contracts/errors.ts';
import {
  DOCUMENT_INDEXES,
  type AggregationRow,
  type DocumentIndex,
  type IndexedDocument,
  type RefusedDocument,
} from '../../actors/contracts/index.ts';
import { aggregationSql, quoted } from './duckdb-query.ts';
import { BASE_COLUMNS, type ColumnType, Newest, type Rows, type WaitingRows, waitingRows } from './duckdb-rows.ts';

const FLUSH_AT = 20_000; // documents
const WAITING_MAX = 100_000; // of one index, while nothing can be written

interface Table {
  /** Of the table as it will be once what waits is written, in its order. */
  readonly types: Map<string, ColumnType>;
  /** How many of them are in the file already; 0: there is no table yet. */
  made: number;
  readonly newest: Newest;
  /** Oldest first; documents go to the last one. */
  readonly waiting: WaitingRows[];
}

/** @throws StoreUnavailable when the file cannot be opened. @param file `:memory:` for none */
export async function duckdbIndex(file: string): Promise<DocumentIndex> {
  let { instance, db } = await open(file);
  const tables = await readTables(db);
  let isBroken = false; // DuckDB takes nothing more after some errors, a full disk at a checkpoint for one, until it is opened again
  let refused: RefusedDocument[] = []; // since somebody was told
  let tail: Promise<unknown> = Promise.resolve();
  let writing: Promise<void> | null = null; // in the background, since enough have come
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work);
    tail = turn.catch(() => {});
    return turn;
  };

  const write = (): Promise<void> =>
    inTurn(async () => {
      for (const [name, table] of tables) {
        const { waiting, types } = table;
        for (let left = waiting.length; left > 0; left--) {
          const [rows] = waiting;
          if (waiting.length === 1) waiting.push(waitingRows(types)); // for what comes meanwhile
          const count = sizeOf(rows);
          try {
            if (isBroken) await openAgain();
            if (count > 0) await writeRows(db, name, table, rows);
          } catch (error) {
            rows.isDoubtful = true;
            isBroken ||= !(await isAlive(db));
            throw new StoreUnavailable(`the telemetry store did not take ${count} documents`, { cause: error, hint: 'is the disk full?' });
          }
          waiting.shift();
        }
      }
    });
  const openAgain = async () => {
    db.closeSync();
    instance.closeSync();
    ({ instance, db } = await open(file));
    const columns = await columnsIn(db);
    for (const [name, table] of tables) table.made = columns.get(name)?.length ?? 0;
    isBroken = false;
  };
  /** Of one that is open. */
  const ask = (sql: string, values: (string | number | boolean)[]) =>
    inTurn(async () => {
      if (isBroken) await openAgain();
      return (await db.runAndReadAll(sql, values)).getRowObjectsJS();
    });
  /** Before an answer: a store that takes nothing more still tells what it has. */
  const writeIfPossible = async () => {
    await write().catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
    });
  };

  /** Null for an index in which nothing is yet. */
  const columnsOf = (index: string): ReadonlyMap<string, ColumnType> | null => {
    const table = tables.get(index);
    if (table && table.made > 0) return new Map([...table.types].slice(0, table.made));
    if (table || DOCUMENT_INDEXES.includes(index)) return null;
    throw new QueryInvalid(`no index ${index}`, { hint: `indexes: ${[...tables.keys()].sort().join(', ') || 'none yet'}` });
  };

  return {
    async add(index, documents) {
      const table = tables.get(index) ?? newTable(Number.NEGATIVE_INFINITY);
      tables.set(index, table);
      const waits = () => table.waiting.reduce((sum, rows) => sum + sizeOf(rows), 0);
      if (waits() > 0 && waits() + documents.length > WAITING_MAX) await write();
      const last = table.waiting[table.waiting.length - 1];
      for (const document of documents) {
        const reason = put(table, last, document);
        if (reason !== null) refused.push({ index, document, reason: `index ${index}: ${reason}` });
      }
      if (sizeOf(last) < FLUSH_AT) return;
      writing ??= writeIfPossible().finally(() => {
        writing = null; // what fails waits on: who flushes next hears of it
      });
      if (waits() >= WAITING_MAX / 2) await writing; // else the next ones are made meanwhile
    },
    async aggregate(query) {
      await writeIfPossible();
      const columns = columnsOf(query.index);
      if (columns === null) return [];
      const { sql, values } = aggregationSql(query, columns);
      const rows = await ask(sql, values);
      return rows.map(
        (row): AggregationRow => ({
          at: query.every === undefined ? null : Number(row['bucket']),
          by: Object.fromEntries(query.by.map((field, i) => [field, (row[`by${i}`] ?? null) as string | number | boolean | null])),
          value: Number(row['value']),
        }),
      );
    },
    async latest(index, { thing, limit = 100 } = {}) {
      await writeIfPossible();
      if (columnsOf(index) === null) return [];
      const where = thing === undefined ? '' : 'WHERE thing = $1';
      const sql = `SELECT * FROM ${quoted(index)} ${where} ORDER BY "at" DESC, id DESC LIMIT ${Math.max(0, Math.floor(limit))}`;
      return (await ask(sql, thing === undefined ? [] : [thing])) as unknown as IndexedDocument[];
    },
    async flush() {
      await write();
      const told = refused;
      refused = [];
      return told;
    },
    async close() {
      try {
        await write();
      } finally {
        db.closeSync();
        instance.closeSync();
      }
    },
  };
}

async function open(file: string): Promise<{ readonly instance: DuckDBInstance; readonly db: DuckDBConnection }> {
  try {
    const instance = await DuckDBInstance.create(file, { threads: '1', memory_limit: '256MB' });
    return { instance, db: await instance.connect() };
  } catch (error) {
    throw new StoreUnavailable(`the telemetry store ${file} cannot be opened`, {
      cause: error,
      hint: 'is another farm using this data folder? choose another with --data',
    });
  }
}

const isAlive = (db: DuckDBConnection): Promise<boolean> =>
  db.run('SELECT 1').then(
    () => true,
    () => false,
  );

const sizeOf = ({ fresh, late }: WaitingRows): number => fresh.length + late.length;

/** @returns why the index will never take it; null when it does */
function put({ newest }: Table, { fresh, late, lateById }: WaitingRows, document: IndexedDocument): string | null {
  if (newest.isFresh(document)) return fresh.put(document);
  const row = lateById.get(document.id) ?? late.length;
  const reason = late.put(document, row);
  if (reason === null) lateById.set(document.id, row);
  return reason;
}

function newTable(newestAt: number, columns: readonly (readonly [string, ColumnType])[] | null = null): Table {
  const types = new Map(columns ?? BASE_COLUMNS);
  return { types, made: columns === null ? 0 : types.size, newest: new Newest(newestAt), waiting: [waitingRows(types)] };
}

async function readTables(db: DuckDBConnection): Promise<Map<string, Table>> {
  const rowsOf = async (sql: string) => (await db.runAndReadAll(sql)).getRowObjectsJS();
  for (const { table_name: name } of await rowsOf("SELECT table_name FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'"))
    await withoutKey(db, String(name));
  const tables = new Map<string, Table>();
  for (const [name, own] of await columnsIn(db)) {
    const [{ newest }] = await rowsOf(`SELECT max("at") AS newest FROM ${quoted(name)}`);
    tables.set(name, newTable(newest === null ? Number.NEGATIVE_INFINITY : Number(newest), own));
  }
  return tables;
}

/** By table, in their order. */
async function columnsIn(db: DuckDBConnection): Promise<Map<string, (readonly [string, ColumnType])[]>> {
  const columns = new Map<string, (readonly [string, ColumnType])[]>();
  const rows = await db.runAndReadAll(
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'main' ORDER BY table_name, ordinal_position",
  );
  for (const { table_name: table, column_name: name, data_type: type } of rows.getRowObjectsJS())
    columns.set(String(table), [...(columns.get(String(table)) ?? []), [String(name), type as ColumnType]]);
  return columns;
}

/** A table of before: its key goes, its rows stay. */
async function withoutKey(db: DuckDBConnection, name: string): Promise<void> {
  const old = quoted(`${name} with a key`);
  await db.run(`BEGIN; ALTER TABLE ${quoted(name)} RENAME TO ${old}`);
  await db.run(`CREATE TABLE ${quoted(name)} AS SELECT * FROM ${old}`);
  await db.run(`DROP TABLE ${old}; COMMIT`);
}

/** All of them or none: durable when it resolves. */
async function writeRows(db: DuckDBConnection, name: string, table: Table, { fresh, late, isDoubtful }: WaitingRows): Promise<void> {
  const rows = quoted(name);
  if (table.made === 0) {
    await db.run(`CREATE TABLE IF NOT EXISTS ${rows} (${BASE_COLUMNS.map(([field, type]) => `${quoted(field)} ${type}`).join(', ')})`);
    table.made = BASE_COLUMNS.length;
  }
  for (const [field, type] of [...table.types].slice(table.made)) {
    await db.run(`ALTER TABLE ${rows} ADD COLUMN ${quoted(field)} ${type}`);
    table.made++;
  }
  await db.run('BEGIN');
  try {
    if (isDoubtful) await replace(db, rows, fresh);
    else append(fresh, await db.createAppender(name));
    await replace(db, rows, late);
    await db.run('COMMIT');
  } catch (error) {
    await db.run('ROLLBACK').catch(() => {}); // a commit that failed has done so
    throw error;
  }
}

function append(rows: Rows, appender: DuckDBAppender): void {
  rows.appendTo(appender);
  appender.closeSync();
}

/** Takes the place of those of their ids. @param table quoted */
async function replace(db: DuckDBConnection, table: string, rows: Rows): Promise<void> {
  if (rows.length === 0) return;
  await db.run(`CREATE OR REPLACE TEMP TABLE staging AS SELECT * FROM ${table} LIMIT 0`);
  append(rows, await db.createAppender('staging', 'main', 'temp'));
  const [{ from, to }] = (await db.runAndReadAll('SELECT min("at") AS "from", max("at") AS "to" FROM staging')).getRowObjectsJS();
  await db.run(
    `DELETE FROM ${table} USING staging WHERE ${table}."at" BETWEEN ${Number(from)} AND ${Number(to)} AND ${table}."at" = staging."at" AND ${table}.id = staging.id`,
  );
  await db.run(`INSERT INTO ${table} SELECT * FROM staging`);
}
