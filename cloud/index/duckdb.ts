/**
 * The index in a DuckDB file: a table an index, a column a field, made from the documents as they come. Documents wait in memory
 * until there are enough of them or somebody asks, and then go in together, the same id replacing what was there.
 */
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
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

const FLUSH_AT = 2_000; // documents

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

  const flush = (): Promise<readonly RefusedDocument[]> =>
    inTurn(async () => {
      for (const [index, documents] of waiting) {
        waiting.delete(index);
        const columns = await widen(db, tables, index, [...documents.values()]);
        await insert(db, index, columns, [...documents.values()]).catch((error: unknown) => {
          waiting.set(index, new Map([...documents, ...(waiting.get(index) ?? [])])); // for the next time
          throw new StoreUnavailable(`the telemetry store did not take ${documents.size} documents`, {
            cause: error,
            hint: 'is the disk full?',
          });
        });
      }
      return [];
    });

  /** Null for an index in which nothing is yet. */
  const columnsOf = (index: string): ReadonlyMap<string, ColumnType> | null => {
    const columns = tables.get(index);
    if (!columns && DOCUMENT_INDEXES.includes(index)) return null;
    if (!columns) throw new QueryInvalid(`no index ${index}`, { hint: `indexes: ${[...tables.keys()].sort().join(', ') || 'none yet'}` });
    return columns;
  };

  return {
    async add(index, documents) {
      const batch = waiting.get(index) ?? new Map<string, IndexedDocument>();
      waiting.set(index, batch);
      for (const document of documents) batch.set(document.id, document);
      if (batch.size >= FLUSH_AT) await flush();
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
      return [];
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

async function readTables(db: DuckDBConnection): Promise<Map<string, Map<string, ColumnType>>> {
  const tables = new Map<string, Map<string, ColumnType>>();
  const rows = (
    await db.runAndReadAll("SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'main'")
  ).getRowObjectsJS();
  for (const row of rows) {
    const columns = tables.get(String(row['table_name'])) ?? new Map<string, ColumnType>();
    tables.set(String(row['table_name']), columns.set(String(row['column_name']), row['data_type'] as ColumnType));
  }
  return tables;
}

/** Makes the table and the columns that the documents need. @throws StoreUnavailable when a field changes its type. */
async function widen(
  db: DuckDBConnection,
  tables: Map<string, Map<string, ColumnType>>,
  index: string,
  documents: readonly IndexedDocument[],
): Promise<ReadonlyMap<string, ColumnType>> {
  let columns = tables.get(index);
  if (!columns) {
    await db.run(`CREATE TABLE ${quoted(index)} (id VARCHAR PRIMARY KEY, "at" DOUBLE, thing VARCHAR)`);
    columns = new Map([
      ['id', 'VARCHAR'],
      ['at', 'DOUBLE'],
      ['thing', 'VARCHAR'],
    ]);
    tables.set(index, columns);
  }
  for (const document of documents) {
    for (const [field, value] of Object.entries(document)) {
      if (value === null) continue;
      const known = columns.get(field);
      if (known === undefined) {
        await db.run(`ALTER TABLE ${quoted(index)} ADD COLUMN ${quoted(field)} ${typeOf(value)}`);
        columns.set(field, typeOf(value));
      } else if (known !== typeOf(value))
        throw new StoreUnavailable(`index ${index}: field ${field} is ${known}, and ${JSON.stringify(value)} is not`);
    }
  }
  return columns;
}

async function insert(
  db: DuckDBConnection,
  index: string,
  columns: ReadonlyMap<string, ColumnType>,
  documents: readonly IndexedDocument[],
): Promise<void> {
  await db.run(`CREATE OR REPLACE TEMP TABLE staging AS SELECT * FROM ${quoted(index)} LIMIT 0`);
  const appender = await db.createAppender('staging', 'main', 'temp');
  for (const document of documents) {
    for (const [field, type] of columns) appendValue(appender, type, document[field]);
    appender.endRow();
  }
  appender.closeSync();
  await db.run(`INSERT OR REPLACE INTO ${quoted(index)} SELECT * FROM staging`);
}

function appendValue(appender: DuckDBAppender, type: ColumnType, value: string | number | boolean | null | undefined): void {
  if (value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))) appender.appendNull();
  else if (type === 'DOUBLE') appender.appendDouble(value as number);
  else if (type === 'BOOLEAN') appender.appendBoolean(value as boolean);
  else appender.appendVarchar(value as string);
}

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
