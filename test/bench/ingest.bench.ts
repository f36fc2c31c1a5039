/**
 * Log records from MQTT messages (the original's: 11 records of 20 texts) through spool, rule and ingestion into DuckDB, all on disk. The
 * baseline is DuckDB's own appender with the same rows, as typed values that nobody had to make, in the same run.
 */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { duckdbIndex } from '../../cloud/index/duckdb.ts';
import { startIngest } from '../../cloud/ingest/pipeline.ts';
import { fileDisk } from '../../physical/disk.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import type { Figure } from '../kit/bench.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { logMessage, RECORDS } from '../kit/log-messages.ts';

const MESSAGES = 10_000;
const ROWS = MESSAGES * RECORDS;
const ROUNDS = 5;

export async function bench(): Promise<Figure[]> {
  const payloads = Array.from({ length: MESSAGES }, (_, n) => Buffer.from(logMessage(n)));
  const rows = bareRows(payloads);
  const rounds: { readonly ours: Spent; readonly bare: Spent }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const folder = scratchFolder();
    try {
      const bare = await appendBare(join(folder, 'bare.duckdb'), rows);
      const ours = await ingest(folder, payloads);
      if (round > 0) rounds.push({ ours, bare }); // the first one warms up
    } finally {
      removeFolder(folder);
    }
  }
  const median = (of: (round: (typeof rounds)[number]) => number) => rounds.map(of).sort((a, b) => a - b)[rounds.length >> 1];
  const figure = (name: string, unit: string, of: keyof Spent): Figure => ({
    name,
    value: ROWS / median(({ ours }) => ours[of]),
    unit,
    baseline: {
      name: 'rows by DuckDB’s appender',
      value: ROWS / median(({ bare }) => bare[of]),
      ratio: median(({ ours, bare }) => bare[of] / ours[of]),
    },
  });
  return [
    figure('ingest-logs', 'log records/s from MQTT messages into DuckDB, flushed', 'seconds'),
    figure('ingest-logs-cpu', 'the same in a second of processor time', 'cpuSeconds'),
  ];
}

/** As columns, so that they cost the run nothing. */
interface BareRows {
  readonly ids: readonly string[];
  readonly at: Float64Array;
  /** [rows × channels] */
  readonly values: Float64Array;
}

function bareRows(payloads: readonly Buffer[]): BareRows {
  const logs = payloads.flatMap((payload) => (JSON.parse(payload.toString('utf8')) as { logs: { ts: string; data: string[] }[] }).logs);
  return {
    ids: logs.map(({ ts, data }) => `T-1:${ts}:${data[0]}`),
    at: Float64Array.from(logs, ({ ts }) => Date.parse(ts)),
    values: Float64Array.from(logs.flatMap(({ data }) => data.map(Number))),
  };
}

/** All threads together, for `cpuSeconds`: on a shared machine it is the steadier of the two. */
interface Spent {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function stopwatch(): () => Spent {
  const began = process.hrtime.bigint();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { seconds: Number(process.hrtime.bigint() - began) / 1e9, cpuSeconds: (user + system) / 1e6 };
  };
}

async function ingest(folder: string, payloads: readonly Buffer[]): Promise<Spent> {
  const broker = memoryBroker();
  const index = await duckdbIndex(join(folder, 'ours.duckdb'));
  const pipeline = await startIngest({
    bus: broker.connect('cloud'),
    index,
    clock: wallClock(),
    log: silentLog,
    disk: fileDisk(join(folder, 'ingest')),
  });
  const device = broker.connect('device');
  const spent = stopwatch();
  for (const [n, payload] of payloads.entries()) {
    void device.publish('wind-turbine/logs/T-1', payload);
    if (n % 100 === 99) await pipeline.settled();
  }
  await pipeline.settled();
  await index.flush();
  const total = spent();
  const [{ value }] = await index.aggregate({ index: 'logs', by: [], agg: 'count' });
  if (value !== ROWS) throw new Error(`${value} documents of ${ROWS} records`);
  await pipeline.close();
  await index.close();
  return total;
}

async function appendBare(file: string, { ids, at, values }: BareRows): Promise<Spent> {
  const db = await (await DuckDBInstance.create(file, { threads: '1' })).connect();
  const columns = deskTurbine.channels.map(({ name }) => `"${name}" DOUBLE`).join(', ');
  await db.run(`CREATE TABLE logs (id VARCHAR, "at" DOUBLE, thing VARCHAR, "deviceId" VARCHAR, "turbineId" VARCHAR, ${columns})`);
  const spent = stopwatch();
  const appender = await db.createAppender('logs');
  const width = deskTurbine.channels.length;
  for (const [row, id] of ids.entries()) {
    appender.appendVarchar(id);
    appender.appendDouble(at[row]);
    for (let i = 0; i < 3; i++) appender.appendVarchar('T-1');
    for (let i = 0; i < width; i++) appender.appendDouble(values[row * width + i]);
    appender.endRow();
  }
  appender.closeSync();
  const total = spent();
  db.closeSync();
  return total;
}
