/**
 * Objects of 4 kB and of 1 MB through the S3 protocol: signatures verified, digests checked, each put atomic and durable before it is
 * answered; 8 clients that keep their connections. The baseline is a bare fastify route that writes a file and syncs it (no digest, no
 * rename, no synced folder), in the same process and run. Requests are signed before the clock starts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import type { Key } from '../kit/aws-client.ts';
import type { Figure } from '../kit/bench.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';
import { signedS3 } from '../kit/s3-raw.ts';

const CLIENTS = 8;
const ROUNDS = 3;
const SIZES = [
  { name: '4k', text: '4 kB', bytes: 4_096, requests: 1_600 },
  { name: '1m', text: '1 MB', bytes: 2 ** 20, requests: 160 },
] as const;

export async function bench(): Promise<Figure[]> {
  const data = scratchFolder();
  const barePort = await freePort();
  const child = fork(join(import.meta.dirname, '../kit/objects-bench-service.js'), [data, String(barePort)]);
  try {
    const [{ url, key }] = (await once(child, 'message')) as [{ url: string; key: Key }];
    const figures: Figure[] = [];
    for (const size of SIZES)
      for (const method of ['PUT', 'GET'] as const) {
        const rates: { s3: Rate; bare: Rate }[] = [];
        for (let round = 0; round <= ROUNDS; round++) {
          const bare = await drive(child, `http://127.0.0.1:${barePort}`, null, method, size);
          const s3 = await drive(child, url, key, method, size);
          if (round > 0) rates.push({ s3, bare }); // the first one warms up
        }
        const median = (of: (rate: (typeof rates)[number]) => number) => rates.map(of).sort((a, b) => a - b)[rates.length >> 1];
        const [s3, bare] = [median((rate) => rate.s3.perSecond), median((rate) => rate.bare.perSecond)];
        const [cpu, bareCpu] = [median((rate) => rate.s3.perCpuSecond), median((rate) => rate.bare.perCpuSecond)];
        const what = `${size.text} ${method}`;
        const name = `objects-${method.toLowerCase()}-${size.name}`;
        figures.push(
          {
            name,
            value: s3,
            unit: `${what}/s by S3, SigV4 verified`,
            baseline: { name: 'a bare fastify route', value: bare, ratio: s3 / bare },
          },
          {
            name: `${name}-cpu`,
            value: cpu,
            unit: `${what} a second of the process’s time`,
            baseline: { name: 'a bare fastify route', value: bareCpu, ratio: cpu / bareCpu },
          },
        );
      }
    return figures;
  } finally {
    child.kill();
    await once(child, 'exit');
    removeFolder(data);
  }
}

interface Rate {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** @param key null: nothing is signed */
async function drive(
  child: ChildProcess,
  url: string,
  key: Key | null,
  method: 'PUT' | 'GET',
  { bytes, requests }: (typeof SIZES)[number],
): Promise<Rate> {
  const body = Buffer.alloc(bytes, 'wind ');
  const type = { 'content-type': 'application/octet-stream', ...(method === 'PUT' ? { 'content-length': String(bytes) } : {}) };
  const signed = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      const path = `/bench/${bytes}-${i}`;
      const ask = { method, path, ...(method === 'PUT' ? { body, headers: type } : {}) };
      return { path, headers: key ? await signedS3(url, key, ask) : method === 'PUT' ? type : {} };
    }),
  );
  const before = await cpuOf(child);
  const began = process.hrtime.bigint();
  await Promise.all(signed.map((each) => client(url, method, each, requests / CLIENTS, method === 'PUT' ? body : null)));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  return { perSecond: requests / seconds, perCpuSecond: requests / (((await cpuOf(child)) - before) / 1e6) };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [{ cpuMicros }] = (await once(child, 'message')) as [{ cpuMicros: number }];
  return cpuMicros;
}

/** One connection that is kept. @throws Error when an answer is none of 200 */
async function client(
  url: string,
  method: string,
  { path, headers }: { readonly path: string; readonly headers: Readonly<Record<string, string>> },
  times: number,
  body: Uint8Array | null,
): Promise<void> {
  const { hostname: host, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < times; i++) {
    await new Promise<void>((done, failed) => {
      const asked = request({ host, port, method, path, headers, agent }, (response) => {
        if (response.statusCode !== 200) failed(new Error(`${method} ${path}: ${response.statusCode}`));
        response.on('end', done);
        response.resume();
      });
      asked.on('error', failed);
      asked.end(body ?? undefined);
    });
  }
  agent.destroy();
}
