import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { libsqlJobStore, memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import type { Figure } from '../kit/bench.ts';
import { fillJobStore } from '../kit/job-store.ts';

const THINGS = 10_000;
const CLIENTS = 128;
const SECONDS = 4;
const ROLLOUT = 1_000_000;

/** Durable updates, a rollout of a million in virtual time, and a start over a million executions. */
export async function bench(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-jobs-'));
  try {
    const baseline = bareTransactions(join(folder, 'bare.db'));
    const { perSecond, p99 } = await updates(join(folder, 'updates.db'));
    return [
      {
        name: 'jobs-update',
        value: perSecond,
        unit: 'durable UpdateJobExecution/s',
        baseline: { name: 'rows/s in bare libsql transactions of 64, synced', value: baseline, ratio: perSecond / baseline },
      },
      { name: 'jobs-update-p99', value: p99, unit: `ms, 99 of 100 updates with ${CLIENTS} at once` },
      { name: 'jobs-rollout', value: await rollout(), unit: `s for ${ROLLOUT} things at 1000/min in virtual time` },
      {
        name: 'jobs-start',
        value: await coldStart(join(folder, 'cold.db')),
        unit: 'ms to open 100000 things with 1000000 executions, and to answer one',
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bareTransactions(file: string): number {
  const db = new Database(file);
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE execution (id INTEGER PRIMARY KEY, status INTEGER, version INTEGER, details TEXT, at INTEGER)');
  const put = db.prepare('INSERT OR REPLACE INTO execution VALUES (?, ?, ?, ?, ?)');
  let rows = 0;
  const began = performance.now();
  while (performance.now() - began < (SECONDS * 1_000) / 2) {
    db.exec('BEGIN');
    for (let i = 0; i < 64; i++, rows++) put.run([(rows * 7_919) % THINGS, 1, rows, '{"step":"downloading"}', rows]);
    db.exec('COMMIT');
  }
  const perSecond = (rows / (performance.now() - began)) * 1_000;
  db.close();
  return perSecond;
}

async function updates(file: string): Promise<{ readonly perSecond: number; readonly p99: number }> {
  const service = await openJobService({ clock: wallClock(), store: libsqlJobStore(file) });
  const things = Array.from({ length: THINGS }, (_, i) => `T-${i}`);
  await service.create({ jobId: 'bench', things, targets: ['farm'], document: {} });
  for (let first = 0; first < THINGS; first += 500) {
    while ((await service.device.pending(things[Math.min(first + 499, THINGS - 1)])).length === 0) await new Promise(setImmediate);
    await Promise.all(things.slice(first, first + 500).map((thing) => service.device.startNext(thing)));
  }
  const latencies: number[] = [];
  let next = 0;
  let running = true;
  const client = async () => {
    while (running) {
      const began = performance.now();
      await service.device.update(things[(next++ * 7_919) % THINGS], 'bench', {
        status: 'IN_PROGRESS',
        statusDetails: { step: 'downloading' },
      });
      latencies.push(performance.now() - began);
    }
  };
  const began = performance.now();
  const clients = Array.from({ length: CLIENTS }, client);
  while (performance.now() - began < SECONDS * 1_000) await new Promise(setImmediate);
  running = false;
  await Promise.all(clients);
  const perSecond = (latencies.length / (performance.now() - began)) * 1_000;
  await service.close();
  latencies.sort((a, b) => a - b);
  return { perSecond, p99: latencies[Math.floor(latencies.length * 0.99)] };
}

/** @throws when the pace was not kept, or somebody was left out */
async function rollout(): Promise<number> {
  const clock = new VirtualClock();
  const service = await openJobService({ clock, store: memoryJobStore() });
  const at: number[] = [];
  service.onChange((change) => {
    if ('thing' in change) at.push(clock.now());
  });
  const began = performance.now();
  await service.create({
    jobId: 'million',
    things: Array.from({ length: ROLLOUT }, (_, i) => `T-${i}`),
    targets: ['farm'],
    document: {},
    jobExecutionsRolloutConfig: { maximumPerMinute: 1_000 },
  });
  await clock.run(1_200 * 60_000);
  const seconds = (performance.now() - began) / 1_000;
  if (at.length !== ROLLOUT) throw new Error(`${at.length} of ${ROLLOUT} things were notified`);
  for (let i = 1_000; i < at.length; i++)
    if (at[i] - at[i - 1_000] <= 60_000) throw new Error(`more than 1000 within the minute that ends at ${at[i]} ms`);
  await service.close();
  return seconds;
}

async function coldStart(file: string): Promise<number> {
  fillJobStore(file, { jobs: 10, things: 100_000 });
  const began = performance.now();
  const service = await openJobService({ clock: wallClock(), store: libsqlJobStore(file) });
  const next = await service.device.describe('T-99999', '$next');
  const ms = performance.now() - began;
  if (next === null) throw new Error('nothing was pending');
  await service.close();
  return ms;
}
