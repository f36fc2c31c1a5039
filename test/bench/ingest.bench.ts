/**
 * Log records from MQTT messages (the original's: 11 records of 20 texts) through rule and ingestion into DuckDB on disk. The baseline is
 * DuckDB's own appender with the same rows, as typed values that nobody had to make, in the same run.
 */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { duckdbIndex } from '../../cloud/index/duckdb.ts';
import { startIngest } from '../../cloud/ingest/pipeline.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import type { Figure } from '../kit/bench.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { logMessage, RECORDS } from '../kit/log-messages.ts';

const MESSAGES = 6_000;
const ROUNDS = 3;

export async function bench(): Promise<Figure[]> {
  const payloads = Array.from({ length: MESSAGES }, (_, n) => Buffer.from(logMessage(n)));
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const folder = scratchFolder();
    try {
      bare.push(await appendBare(join(folder, 'bare.duckdb')));
      ours.push(await ingest(join(folder, 'ours.duckdb'), payloads));
    } finally {
      removeFolder(folder);
    }
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];
  const [rate, baseline] = [median(ours), median(bare)];
  return [
    {
      name: 'ingest-logs',
      value: rate,
      unit: 'log records/s from MQTT messages into DuckDB, flushed',
      baseline: { name: 'rows/s by DuckDB’s appender', value: baseline, ratio: rate / baseline },
    },
  ];
}

async function ingest(file: string, payloads: readonly Buffer[]): Promise<number> {
  const broker = memoryBroker();
  const index = await duckdbIndex(file);
  const pipeline = await startIngest({ bus: broker.connect('cloud'), index, clock: wallClock(), log: silentLog, disk: null });
  const device = broker.connect('device');
  const began = process.hrtime.bigint();
  for (const [n, payload] of payloads.entries()) {
    void device.publish('wind-turbine/logs/T-1', payload);
    if (n % 100 === 99) await pipeline.settled();
  }
  await pipeline.settled();
  await index.flush();
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const [{ value }] = await index.aggregate({ index: 'logs', by: [], agg: 'count' });
  if (value !== payloads.length * RECORDS) throw new Error(`${value} documents of ${payloads.length * RECORDS} records`);
  await pipeline.close();
  await index.close();
  return (payloads.length * RECORDS) / seconds;
}

async function appendBare(file: string): Promise<number> {
  const rows = Array.from({ length: MESSAGES }, (_, n) =>
    (JSON.parse(logMessage(n)) as { logs: { ts: string; data: string[] }[] }).logs.map(({ ts, data }) => ({
      id: `T-1:${ts}:${data[0]}`,
      at: Date.parse(ts),
      values: data.map(Number),
    })),
  ).flat();
  const db = await (await DuckDBInstance.create(file, { threads: '1' })).connect();
  const columns = deskTurbine.channels.map(({ name }) => `"${name}" DOUBLE`).join(', ');
  await db.run(`CREATE TABLE logs (id VARCHAR, "at" DOUBLE, thing VARCHAR, "deviceId" VARCHAR, "turbineId" VARCHAR, ${columns})`);
  const began = process.hrtime.bigint();
  const appender = await db.createAppender('logs');
  for (const { id, at, values } of rows) {
    appender.appendVarchar(id);
    appender.appendDouble(at);
    for (let i = 0; i < 3; i++) appender.appendVarchar('T-1');
    for (const value of values) appender.appendDouble(value);
    appender.endRow();
  }
  appender.closeSync();
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  db.closeSync();
  return rows.length / seconds;
}
