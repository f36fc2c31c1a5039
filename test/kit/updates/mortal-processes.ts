/** The processes that are killed: `windfleet cloud`, and the one of the devices. Each starts again on what it left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { JobExecution } from '../../../actors/contracts/jobs.ts';
import { ask, type Key } from '../aws-client.ts';
import { type FarmProcess, startCloud } from '../farm-process.ts';
import { freePort } from '../free-port.ts';
import type { HostConfig } from './host.ts';

export interface MortalCloud {
  readonly url: string;
  readonly mqtt: string;
  readonly key: Key;
  /** And starts it again. */
  kill(): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
  /** Again and again until one of these is the answer. */
  insist(method: string, path: string, body: string, statuses: readonly number[]): Promise<Record<string, unknown>>;
  executions(thing: string): Promise<readonly JobExecution[]>;
}

export async function mortalCloud(data: string): Promise<MortalCloud> {
  const [http, mqtt] = [await freePort(), await freePort()];
  const flags = ['--mqtt-port', String(mqtt), '--port', String(http)];
  let isOver = false;
  let running: FarmProcess = await startCloud(data, flags);
  const said = (name: string) => new RegExp(`${name}=(\\S+)`).exec(running.output())?.[1] ?? '';
  const key = { accessKeyId: said('AWS_ACCESS_KEY_ID'), secretAccessKey: said('AWS_SECRET_ACCESS_KEY') };
  const url = `http://127.0.0.1:${http}`;
  const insist: MortalCloud['insist'] = async (method, path, body, statuses) => {
    for (let tries = 0; ; tries++) {
      const answer = await ask(url, key, { service: 'iot', method, path, ...(body === '' ? {} : { body }) }).catch(() => null);
      if (answer && statuses.includes(answer.status)) return answer.json;
      if (tries > 600 || (answer && answer.status < 500))
        throw new Error(`${method} ${path}: ${answer?.status} ${answer?.bytes.toString()}`);
      await wait(100);
    }
  };
  return {
    url,
    mqtt: `127.0.0.1:${mqtt}`,
    key,
    async kill() {
      await running.stop('SIGKILL');
      if (isOver) return;
      running = await startCloud(data, flags);
      if (isOver) await running.stop('SIGKILL');
    },
    async stop() {
      isOver = true;
      await running.stop('SIGKILL');
    },
    insist,
    async executions(thing) {
      const all: JobExecution[] = [];
      for (let next = ''; ; ) {
        const page = (await insist('GET', `/things/${thing}/jobs?maxResults=250${next}`, '', [200])) as {
          executionSummaries: { jobId: string; jobExecutionSummary: Partial<JobExecution> }[];
          nextToken?: string;
        };
        for (const { jobId, jobExecutionSummary } of page.executionSummaries)
          all.push({ ...(jobExecutionSummary as JobExecution), jobId, thing });
        if (!page.nextToken) return all;
        next = `&nextToken=${encodeURIComponent(page.nextToken)}`;
      }
    },
  };
}

/** The devices' process, again and again. */
export function mortalHost(folder: string, config: HostConfig) {
  const file = join(folder, 'host.json');
  writeFileSync(file, JSON.stringify(config));
  writeFileSync(config.journal, '');
  let child: ChildProcess | null = null;
  let up: Promise<void> = Promise.resolve();
  let isOver = false;
  return {
    journal: config.journal,
    async start() {
      if (isOver) return;
      const mine = spawn(process.execPath, [join(import.meta.dirname, 'host.js'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
      child = mine;
      up = new Promise((ready, failed) => {
        mine.stdout.on('data', () => ready());
        mine.on('close', (code, signal) => failed(new Error(`the devices' process ended with ${code ?? signal}`)));
      });
      up.catch(() => {}); // it was killed before it was up
    },
    /** @throws Error when it ended by itself */
    isUp: () => up,
    async kill() {
      if (!child) return;
      if (child.exitCode !== null) throw new Error(`the devices' process ended by itself with ${child.exitCode}`);
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
      child = null;
    },
    /** For good, however it is. */
    async stop() {
      isOver = true;
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
