/**
 * The index in a DuckDB file: a table an index, a column a field, made from the documents as they come. Documents wait in memory
 * until there are enough of them or somebody asks, and then go in together, the same id replacing what was there.
 *
 * There is no unique key: keeping one up costs more than all the rest. A document comes back with the instant that it had, so only
 * rows of a batch's own stretch of time can be replaced by it; one that is newer than all that is there replaces nothing.
 */
import { BOOLEAN, DOUBLE, type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk, DuckDBInstance, VARCHAR } from '@duckdb/node-api';
import { QueryInvalid, StoreUnavailable } from '../../actors/contracts/errors.ts';
import {
  DOCUMENT_INDEXES,
  type Aggregation,
  type AggregationRow,
  type DocumentIndex,
  type IndexedDocument,
  type RefusedDocument,
} from '../../actors/contracts/index.ts';

type ColumnType = 'DOUBLE' | 'VARCHAR' | 'BOOLEAN';

const FLUSH_AT = 10_000; // documents
const WAITING_MAX = 50_000; // of one index, while nothing can be written

/** @throws StoreUnavailable when the file cannot be opened. @param file `:memory:` for none */
export async function duckdbIndex(file: string): Promise<DocumentIndex> {
  const instance = await DuckDBInstance.create(file, { threads: '1', memory_limit: '256MB' }).catch((error: unknown) => {
    throw new StoreUnavailable(`the telemetry store ${file} cannot be opened`, {
      cause: error,
      hint: 'is another farm using this data folder? choose another with --data',
    });
  });
  const db = await instance.connect();
  const tables = await readTables(db);
  const waiting = new Map<string, Map<string, IndexedDocument>>();
  let tail: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work);
    tail = turn.catch(() => {});
    return turn;
  };

  let refused: RefusedDocument[] = []; // since somebody was told

  const flush = (): Promise<void> =>
    inTurn(async () => {
      for (const [index, documents] of waiting) {
        waiting.delete(index);
        try {
          const table = await tableOf(db, tables, index);
          const fitting = await widen(db, table, index, [...documents.values()], refused);
          await insert(db, index, table, fitting);
        } catch (error) {
          waiting.set(index, new Map([...documents, ...(waiting.get(index) ?? [])])); // for the next time
          throw new StoreUnavailable(`the telemetry store did not take ${documents.size} documents`, {
            cause: error,
            hint: 'is the disk full?',
          });
        }
      }
    });

  /** Null for an index in which nothing is yet. */
  const columnsOf = (index: string): ReadonlyMap<string, ColumnType> | null => {
    const columns = tables.get(index)?.columns;
    if (!columns && DOCUMENT_INDEXES.includes(index)) return null;
    if (!columns) throw new QueryInvalid(`no index ${index}`, { hint: `indexes: ${[...tables.keys()].sort().join(', ') || 'none yet'}` });
    return columns;
  };

  return {
    async add(index, documents) {
      const batch = waiting.get(index) ?? new Map<string, IndexedDocument>();
      if (batch.size + documents.length > WAITING_MAX && batch.size > 0) await flush();
      const held = waiting.get(index) ?? batch;
      waiting.set(index, held);
      for (const document of documents) held.set(document.id, document);
      if (held.size >= FLUSH_AT) await flush().catch(() => {}); // who flushes next hears of it; until then they wait
    },
    async aggregate(query) {
      await flush();
      const columns = columnsOf(query.index);
      if (columns === null) return [];
      const { sql, values } = aggregationSql(query, columns);
      const rows = await inTurn(async () => (await db.runAndReadAll(sql, values)).getRowObjectsJS());
      return rows.map(
        (row): AggregationRow => ({
          at: query.every === undefined ? null : Number(row['bucket']),
          by: Object.fromEntries(query.by.map((field, i) => [field, (row[`by${i}`] ?? null) as string | number | boolean | null])),
          value: Number(row['value']),
        }),
      );
    },
    async latest(index, { thing, limit = 100 } = {}) {
      await flush();
      if (columnsOf(index) === null) return [];
      const where = thing === undefined ? '' : 'WHERE thing = $1';
      const sql = `SELECT * FROM ${quoted(index)} ${where} ORDER BY "at" DESC, id DESC LIMIT ${Math.max(0, Math.floor(limit))}`;
      return inTurn(
        async () => (await db.runAndReadAll(sql, thing === undefined ? [] : [thing])).getRowObjectsJS() as unknown as IndexedDocument[],
      );
    },
    async flush() {
      await flush();
      const told = refused;
      refused = [];
      return told;
    },
    async close() {
      await flush();
      db.closeSync();
      instance.closeSync();
    },
  };
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

const typeOf = (value: string | number | boolean): ColumnType =>
  typeof value === 'number' ? 'DOUBLE' : typeof value === 'boolean' ? 'BOOLEAN' : 'VARCHAR';

interface Table {
  readonly columns: Map<string, ColumnType>;
  /** The newest instant in it, epoch milliseconds. */
  newestAt: number;
}

async function readTables(db: DuckDBConnection): Promise<Map<string, Table>> {
  const rowsOf = async (sql: string) => (await db.runAndReadAll(sql)).getRowObjectsJS();
  for (const { table_name: name } of await rowsOf("SELECT table_name FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'"))
    await withoutKey(db, String(name));
  const tables = new Map<string, Table>();
  const columns = await rowsOf(
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'main' ORDER BY ordinal_position",
  );
  for (const row of columns) {
    const table = tables.get(String(row['table_name'])) ?? { columns: new Map<string, ColumnType>(), newestAt: Number.NEGATIVE_INFINITY };
    tables.set(String(row['table_name']), table);
    table.columns.set(String(row['column_name']), row['data_type'] as ColumnType);
  }
  for (const [name, table] of tables) {
    const [{ newest }] = await rowsOf(`SELECT max("at") AS newest FROM ${quoted(name)}`);
    table.newestAt = newest === null ? Number.NEGATIVE_INFINITY : Number(newest);
  }
  return tables;
}

/** A table of before: its key goes, its rows stay. */
async function withoutKey(db: DuckDBConnection, name: string): Promise<void> {
  const old = quoted(`${name} with a key`);
  await db.run(`BEGIN; ALTER TABLE ${quoted(name)} RENAME TO ${old}`);
  await db.run(`CREATE TABLE ${quoted(name)} AS SELECT * FROM ${old}`);
  await db.run(`DROP TABLE ${old}; COMMIT`);
}

async function tableOf(db: DuckDBConnection, tables: Map<string, Table>, index: string): Promise<Table> {
  const known = tables.get(index);
  if (known) return known;
  await db.run(`CREATE TABLE ${quoted(index)} (id VARCHAR, "at" DOUBLE, thing VARCHAR)`);
  const columns = new Map<string, ColumnType>([
    ['id', 'VARCHAR'],
    ['at', 'DOUBLE'],
    ['thing', 'VARCHAR'],
  ]);
  const made = { columns, newestAt: Number.NEGATIVE_INFINITY };
  tables.set(index, made);
  return made;
}

/** Makes the columns that the documents need. @param refused out: those of which a field has another type than before. @returns the others */
async function widen(
  db: DuckDBConnection,
  { columns }: Table,
  index: string,
  documents: readonly IndexedDocument[],
  refused: RefusedDocument[],
): Promise<readonly IndexedDocument[]> {
  const fitting: IndexedDocument[] = [];
  let shape: (readonly [string, ColumnType])[] = []; // of the last document: most are like it
  for (const document of documents) {
    if (hasShape(document, shape)) {
      fitting.push(document);
      continue;
    }
    let wrong: string | null = null;
    shape = [];
    for (const field in document) {
      const value = document[field];
      const known = columns.get(field);
      if (value === null || value === undefined) {
        if (known !== undefined) shape.push([field, known]);
        continue;
      }
      const type = typeOf(value);
      shape.push([field, type]);
      if (known === undefined) {
        await db.run(`ALTER TABLE ${quoted(index)} ADD COLUMN ${quoted(field)} ${type}`);
        columns.set(field, type);
      } else if (known !== type) wrong = `field ${field} of index ${index} is ${known}, and ${JSON.stringify(value)} is not`;
    }
    if (wrong === null) fitting.push(document);
    else {
      shape = [];
      refused.push({ index, document, reason: wrong });
    }
  }
  return fitting;
}

/** The same fields in the same order, each of its type or nothing. */
function hasShape(document: IndexedDocument, shape: readonly (readonly [string, ColumnType])[]): boolean {
  let i = 0;
  for (const field in document) {
    if (i >= shape.length || shape[i][0] !== field) return false;
    const value = document[field];
    if (value !== null && value !== undefined && typeOf(value) !== shape[i][1]) return false;
    i++;
  }
  return i === shape.length;
}

async function insert(db: DuckDBConnection, index: string, table: Table, documents: readonly IndexedDocument[]): Promise<void> {
  if (documents.length === 0) return;
  let [from, to] = [Infinity, -Infinity];
  for (const { at } of documents) {
    if (at < from) from = at;
    if (at > to) to = at;
  }
  if (from > table.newestAt) append(await db.createAppender(index), table, documents);
  else {
    await db.run(`CREATE OR REPLACE TEMP TABLE staging AS SELECT * FROM ${quoted(index)} LIMIT 0`);
    append(await db.createAppender('staging', 'main', 'temp'), table, documents);
    const rows = quoted(index);
    await db.run('BEGIN');
    try {
      await db.run(
        `DELETE FROM ${rows} USING staging WHERE ${rows}."at" BETWEEN ${from} AND ${to} AND ${rows}."at" = staging."at" AND ${rows}.id = staging.id`,
      );
      await db.run(`INSERT INTO ${rows} SELECT * FROM staging`);
      await db.run('COMMIT');
    } catch (error) {
      await db.run('ROLLBACK').catch(() => {}); // a commit that failed has done so
      throw error;
    }
  }
  table.newestAt = Math.max(table.newestAt, to);
}

const CHUNK_ROWS = 2_048; // DuckDB's own

/** Column by column: a call for each value would cost more than making the value did. Durable when it returns: closing it commits. */
function append(appender: DuckDBAppender, { columns }: Table, documents: readonly IndexedDocument[]): void {
  const kinds = [...columns];
  const types = kinds.map(([, type]) => DUCKDB_TYPES[type]);
  for (let from = 0; from < documents.length; from += CHUNK_ROWS) {
    const rows = documents.slice(from, from + CHUNK_ROWS);
    const chunk = DuckDBDataChunk.create(types, rows.length);
    for (const [c, [field]] of kinds.entries())
      chunk.setColumnValues(
        c,
        rows.map((document) => storable(document[field])),
      );
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

const DUCKDB_TYPES = { DOUBLE, VARCHAR, BOOLEAN } as const;

const storable = (value: string | number | boolean | null | undefined): string | number | boolean | null =>
  value === undefined || (typeof value === 'number' && Number.isNaN(value)) ? null : value;

function aggregationSql(
  query: Aggregation,
  columns: ReadonlyMap<string, ColumnType>,
): { sql: string; values: (string | number | boolean)[] } {
  const known = (field: string, wanted?: ColumnType) => {
    const type = columns.get(field);
    if (!type)
      throw new QueryInvalid(`no field ${field} in index ${query.index}`, { hint: `fields: ${[...columns.keys()].sort().join(', ')}` });
    if (wanted && type !== wanted) throw new QueryInvalid(`field ${field} of index ${query.index} holds no numbers`);
    return quoted(field);
  };
  if (query.agg !== 'count' && query.field === undefined) throw new QueryInvalid(`${query.agg} wants a field`);
  const values: (string | number | boolean)[] = [];
  const bind = (value: string | number | boolean) => `$${values.push(value)}`;
  const conditions = [
    ...(query.from === undefined ? [] : [`"at" >= ${bind(query.from)}`]),
    ...(query.to === undefined ? [] : [`"at" < ${bind(query.to)}`]),
    ...Object.entries(query.where ?? {}).map(([field, value]) => `${known(field, typeOf(value))} = ${bind(value)}`),
    ...(query.field === undefined ? [] : [`${known(query.field, 'DOUBLE')} IS NOT NULL`]),
  ];
  const groups = [
    ...(query.every === undefined ? [] : [{ name: 'bucket', sql: `floor("at" / ${bind(query.every)}) * ${bind(query.every)}` }]),
    ...query.by.map((field, i) => ({ name: `by${i}`, sql: known(field) })),
  ];
  const agg = query.agg === 'count' ? 'count(*)' : `${query.agg === 'mean' ? 'avg' : query.agg}(${known(query.field!)})`;
  const select = [...groups.map(({ name, sql }) => `${sql} AS ${name}`), `${agg} AS value`].join(', ');
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const group =
    groups.length > 0
      ? `GROUP BY ${groups.map(({ name }) => name).join(', ')} ORDER BY ${groups.map(({ name }) => name).join(', ')}`
      : 'HAVING count(*) > 0';
  return { sql: `SELECT ${select} FROM ${quoted(query.index)} ${where} ${group}`, values };
}
