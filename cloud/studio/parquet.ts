/**
 * Recordings as Parquet, through DuckDB: written from their CSV, so that both hold the same numbers, and read a chunk at a time.
 * DuckDB streams both ways; what it holds is bounded by its memory limit, not by the file.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import type { Channel } from '../../actors/contracts/channels.ts';
import { EnvironmentLacking, FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import { recordingColumns } from '../../actors/contracts/recording.ts';

const LIMITS = { memory_limit: '256MB', threads: '2' };
const ROWS_IN_GROUP = 100_000;

const TEXTS = ['nanoId', 'turbineId'];
const typeOf = (name: string) => (TEXTS.includes(name) ? 'VARCHAR' : name === 'eventTime' ? 'TIMESTAMP' : 'DOUBLE');
/** A path to read from, which DuckDB takes for a pattern. */
const pathOf = (file: string) => quoted(file.replace(/[*?[]/g, '[$&]'));
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** @param csv a whole recording. @throws EnvironmentLacking when it cannot be written; then nothing is left of it */
export async function csvToParquet(csv: string, parquet: string, channels: readonly Channel[]): Promise<void> {
  const columns = recordingColumns(channels)
    .map((name) => `${quoted(name)}: '${typeOf(name)}'`)
    .join(', ');
  const instance = await DuckDBInstance.create(':memory:', LIMITS);
  const db = await instance.connect();
  try {
    await db.run(`SET temp_directory = ${quoted(`${parquet}.tmp`)}`);
    await db.run(
      `COPY (FROM read_csv(${pathOf(csv)}, header = true, auto_detect = false, delim = ',', nullstr = '', columns = {${columns}}))
       TO ${quoted(parquet)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROWS_IN_GROUP})`,
    );
  } catch (error) {
    throw new EnvironmentLacking(`${parquet} cannot be written: ${reasonOf(error)}`, { cause: error, hint: 'is the disk full?' });
  } finally {
    db.closeSync();
    instance.closeSync();
  }
}

/** Some rows of a Parquet file. */
export interface ParquetChunk {
  readonly rows: number;
  /** [rows]; null where there is none. */
  readonly things: readonly (string | null)[];
  /** [rows], epoch milliseconds; NaN where there is none. */
  readonly at: Float64Array;
  /** By channel, [rows]; NaN where there is none. */
  readonly values: readonly Float64Array[];
}

export interface ParquetFile {
  /** Names of its columns with their SQL types. */
  readonly columns: ReadonlyMap<string, string>;
  /** @param channels columns of numbers, all there */
  chunks(channels: readonly string[]): AsyncIterable<ParquetChunk>;
  close(): void;
}

/** @throws FileInvalid when it is none, or cannot be read. */
export async function openParquet(file: string): Promise<ParquetFile> {
  const instance = await DuckDBInstance.create(':memory:', LIMITS);
  const db = await instance.connect();
  const close = () => {
    db.closeSync();
    instance.closeSync();
  };
  const damaged = (error: unknown) =>
    new FileInvalid(`${file} cannot be read as Parquet: ${reasonOf(error).split('\n')[0]}`, {
      cause: error,
      hint: 'it is damaged or cut short: fetch or record it again',
    });
  try {
    const described = await db.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${pathOf(file)})`);
    const columns = new Map(described.getRowObjectsJS().map((row) => [String(row['column_name']), String(row['column_type'])]));
    return {
      columns,
      close,
      async *chunks(channels) {
        const numbers = channels.map((name) => `coalesce("${name.replaceAll('"', '""')}"::DOUBLE, 'nan'::DOUBLE)`);
        const at = `coalesce(epoch_us("eventTime")::DOUBLE / 1000, 'nan'::DOUBLE)`;
        try {
          const result = await db.stream(`SELECT "turbineId"::VARCHAR, ${[at, ...numbers].join(', ')} FROM read_parquet(${pathOf(file)})`);
          for (;;) {
            const chunk = await result.fetchChunk();
            if (!chunk || chunk.rowCount === 0) return;
            const column = (c: number) => Float64Array.from(chunk.getColumnValues(c) as number[]);
            yield {
              rows: chunk.rowCount,
              things: chunk.getColumnValues(0) as (string | null)[],
              at: column(1).map(Math.floor),
              values: channels.map((_, c) => column(2 + c)),
            };
          }
        } catch (error) {
          throw damaged(error);
        }
      },
    };
  } catch (error) {
    close();
    throw damaged(error);
  }
}
