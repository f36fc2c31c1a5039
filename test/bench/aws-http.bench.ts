/**
 * UpdateJobExecution over HTTP: 16 clients that keep their connections, each update signed (SigV4), verified and durable (libsql,
 * fsync) before it is answered. The baseline is a bare fastify route that takes the same body and keeps nothing, in the same run.
 * The service runs in a process of its own, whose processor time is counted; requests are signed before the clock starts. Both routes
 * are asked in turn by the same clients, with bodies and answers of the same size; the ratio is the median of the rounds' ratios.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import Database from 'libsql';
import type { Figure } from '../kit/bench.ts';
import { signedHeaders } from '../kit/aws-client.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';

const CLIENTS = 16;
const UPDATES = 4_000; // a round: short, so that what else the machine does meets both alike
const ROUNDS = 9;
const BODY = JSON.stringify({
  status: 'IN_PROGRESS',
  statusDetails: { step: 'downloading', percent: '50' },
  includeJobExecutionState: true,
});

interface Ready {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export async function bench(): Promise<Figure[]> {
  const data = scratchFolder();
  const [awsPort, barePort] = [await freePort(), await freePort()];
  const child = fork(join(import.meta.dirname, '../kit/aws-bench-service.js'), [data, String(awsPort), String(barePort), String(CLIENTS)]);
  try {
    const [key] = (await once(child, 'message')) as [Ready];
    const signed: Request[] = [];
    const bare: Request[] = [];
    for (let client = 0; client < CLIENTS; client++) {
      const path = `/things/T-${client}/jobs/bench`;
      const headers = await signedHeaders(`127.0.0.1:${awsPort}`, key, {
        method: 'POST',
        path,
        body: BODY,
        service: 'iot-jobs-data',
        headers: { 'content-type': 'application/json' },
      });
      const length = { 'content-length': String(Buffer.byteLength(BODY)) };
      signed.push({ path, headers: { ...headers, ...length } });
      bare.push({ path, headers: { 'content-type': 'application/json', ...length } });
    }
    const rates: { aws: number; bare: number; awsPerCpuSecond: number }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const plain = await drive(child, barePort, bare);
      const full = await drive(child, awsPort, signed);
      if (round > 0) rates.push({ aws: full.perSecond, bare: plain.perSecond, awsPerCpuSecond: full.perCpuSecond }); // the first one warms up
    }
    const bound = syncedRows(join(data, 'bare.db'));
    const median = (of: (rate: (typeof rates)[number]) => number) => rates.map(of).sort((a, b) => a - b)[rates.length >> 1];
    const [aws, plain] = [median((rate) => rate.aws), median((rate) => rate.bare)];
    return [
      {
        name: 'aws-http',
        value: aws,
        unit: 'durable UpdateJobExecution/s over HTTP, SigV4 verified, 16 keep-alive clients',
        baseline: { name: 'a bare fastify route', value: plain, ratio: median((rate) => rate.aws / rate.bare) },
      },
      {
        name: 'aws-http-sync',
        value: aws,
        unit: 'the same again, against the disk alone',
        baseline: {
          name: `rows/s in bare libsql transactions of ${CLIENTS}, synced: no more can be under way`,
          value: bound,
          ratio: aws / bound,
        },
      },
      { name: 'aws-http-cpu', value: median((rate) => rate.awsPerCpuSecond), unit: 'of them a second of the service’s processor time' },
    ];
  } finally {
    child.kill();
    await once(child, 'exit');
    removeFolder(data);
  }
}

/** As many rows as there are clients in each transaction: with each of them waiting for its answer, a commit can hold no more. */
function syncedRows(file: string): number {
  const db = new Database(file);
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE execution (id INTEGER PRIMARY KEY, status INTEGER, version INTEGER, details TEXT, at INTEGER)');
  const put = db.prepare('INSERT OR REPLACE INTO execution VALUES (?, ?, ?, ?, ?)');
  const began = process.hrtime.bigint();
  for (let turn = 0; turn < UPDATES / CLIENTS; turn++) {
    db.exec('BEGIN');
    for (let i = 0; i < CLIENTS; i++) put.run([i, 1, turn, '{"step":"downloading"}', turn]);
    db.exec('COMMIT');
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  db.close();
  return UPDATES / seconds;
}

/** Every client asks again as soon as it is answered. @throws Error when an answer is none of 200 */
async function drive(
  child: ChildProcess,
  port: number,
  requests: readonly Request[],
): Promise<{ perSecond: number; perCpuSecond: number }> {
  const before = await cpuOf(child);
  const began = process.hrtime.bigint();
  await Promise.all(requests.map((one) => client(port, one, UPDATES / CLIENTS)));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const cpuSeconds = ((await cpuOf(child)) - before) / 1e6;
  return { perSecond: UPDATES / seconds, perCpuSecond: UPDATES / cpuSeconds };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [{ cpuMicros }] = (await once(child, 'message')) as [{ cpuMicros: number }];
  return cpuMicros;
}

/** One connection that is kept: the next request goes out when the answer is whole. */
async function client(port: number, { path, headers }: Request, times: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < times; i++) {
    await new Promise<void>((done, failed) => {
      const asked = request({ host: '127.0.0.1', port, method: 'POST', path, headers, agent }, (response) => {
        if (response.statusCode !== 200) failed(new Error(`${response.statusCode} ${response.headers['x-amzn-errortype']}`));
        response.on('end', done);
        response.resume();
      });
      asked.on('error', failed);
      asked.end(BODY);
    });
  }
  agent.destroy();
}
