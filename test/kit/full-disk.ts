/**
 * A process whose files may not grow beyond a limit, as on a full disk, that writes documents into an index until it is refused many
 * times, then has the limit lifted, and says how many documents are there of how many it added.
 *
 *   sh -c 'ulimit -S -f 20480; exec node full-disk.js <file>'
 */
import { spawnSync } from 'node:child_process';
import { duckdbIndex } from '../../cloud/index/duckdb.ts';

process.on('SIGXFSZ', () => {}); // the write fails then, as on a full disk
const BATCH = 20_000;

const index = await duckdbIndex(process.argv[2]);
let added = 0;
let refused = 0;
while (refused < 8) {
  const documents = Array.from({ length: BATCH }, (_, i) => ({
    id: `T:${added + i}`,
    at: added + i,
    thing: 'T',
    x: Math.sin(added + i),
    y: Math.cos(added + i),
    note: `${Math.tan(added + i)}`,
  }));
  try {
    await index.add('logs', documents);
    added += BATCH;
    await index.flush();
  } catch {
    refused++;
  }
}
spawnSync('prlimit', [`--pid=${process.pid}`, '--fsize=unlimited']);
await index.flush();
const [{ value }] = await index.aggregate({ index: 'logs', by: [], agg: 'count' });
await index.close();
process.stdout.write(`${value} ${added} ${refused}\n`);
