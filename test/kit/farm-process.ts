/** `windfleet up` in a process of its own, on free ports and a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

export const CLI = join(import.meta.dirname, '../../cloud/cli/main.js');

export interface FarmProcess {
  readonly url: string;
  readonly mqtt: string;
  /** `host:port` */
  readonly mqtts: string;
  readonly https: string;
  /** What it has written to both outputs so far. */
  readonly output: () => string;
  readonly data: string;
  readonly child: ChildProcess;
  /** @returns the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export const scratchFolder = () => mkdtempSync(join(tmpdir(), 'windfleet-'));
export const removeFolder = (folder: string) => rmSync(folder, { recursive: true, force: true });

/** A free one for each of its doors. */
async function freePorts(): Promise<string[]> {
  const ports: string[] = [];
  for (const name of ['--port', '--mqtt-port', '--mqtts-port', '--https-port']) ports.push(name, String(await freePort()));
  return ports;
}

export const startCloud = (data: string, flags: readonly string[] = []): Promise<FarmProcess> => startFarm(data, flags, 'cloud');

export async function startFarm(data: string, flags: readonly string[] = [], command: 'up' | 'cloud' = 'up'): Promise<FarmProcess> {
  const child = spawn(process.execPath, [CLI, command, ...(await freePorts()), '--data', data, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const find = (label: string) => new RegExp(`${label}\\s+(\\S+)`).exec(output)?.[1];
  await new Promise<void>((ready, failed) => {
    child.stderr.on('data', (chunk) => (output += chunk));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Ctrl-C')) ready();
    });
    void ended.then((code) => failed(new Error(`the farm ended with ${code}:\n${output}`)));
  });
  return {
    url: find('console') ?? '',
    mqtt: find('MQTT') ?? '',
    mqtts: find('MQTTS') ?? '',
    https: find('HTTPS') ?? '',
    output: () => output,
    data,
    child,
    stop(signal = 'SIGINT') {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs a command to its end. */
export function runCli(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })));
}

/** Asks until the answer is the one that is waited for. @throws Error with the last answer after `seconds`. */
export async function eventually<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean, seconds = 60): Promise<T> {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) return answer;
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(answer).slice(0, 500)} after ${seconds} s`);
    await new Promise((rested) => setTimeout(rested, 100));
  }
}

export const getJson = async <T>(url: string): Promise<T> => (await fetch(url)).json() as Promise<T>;
