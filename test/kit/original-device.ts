/** Devices of the original in processes of their own: the edge agent, the Python program that talks to it, and what they need. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI } from './farm-process.ts';
import { packageRoot } from './package-root.ts';
import { python } from './programs.ts';

export const originalFile = (name: string) => join(packageRoot(), 'test/original', name);

/** Python stubs of our `agent.proto`. @returns their folder */
export function agentStubs(folder: string): string {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(packageRoot(), 'physical/agent/agent.proto'), join(folder, 'agent.proto'));
  const words = ['-m', 'grpc_tools.protoc', `-I${folder}`, `--python_out=${folder}`, `--grpc_python_out=${folder}`, 'agent.proto'];
  const made = spawnSync(python, words);
  if (made.status !== 0) throw new Error(`protoc: ${made.stderr}`);
  return folder;
}

export interface Running {
  readonly child: ChildProcess;
  /** Both outputs so far. */
  readonly output: () => { readonly out: string; readonly err: string };
  /** The exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env, ...(cwd === undefined ? {} : { cwd }) });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (output.out += chunk));
  child.stderr.on('data', (chunk) => (output.err += chunk));
  const ended = new Promise<number | NodeJS.Signals | null>((done) => child.on('close', (code, signal) => done(code ?? signal)));
  return { child, output: () => output, ended };
}

/** `windfleet agent` with a configuration. @returns its socket once it answers */
export async function startEdgeAgent(
  folder: string,
  config: string,
  flags: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Running & { readonly socket: string }> {
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, 'edge_agent');
  const agent = run(process.execPath, [CLI, 'agent', '--socket', socket, '--config', config, '--data', folder, ...flags], env, folder);
  await new Promise<void>((ready, failed) => {
    agent.child.stdout?.on('data', () => agent.output().out.includes('Ctrl-C') && ready());
    void agent.ended.then((code) => failed(new Error(`the agent ended with ${code}:\n${agent.output().out}${agent.output().err}`)));
  });
  return { ...agent, socket };
}

/** Rows of the original's 23-column CSV as its serial line says them, and as its test mode makes them: twenty fields a line. */
export function serialLines(csv: string, file: string): void {
  const [head, ...rows] = csv.trim().split('\n');
  const names = head.split(',');
  const order = [
    ...['arduino_timestamp', 'nanoFreemem', 'rps', 'wind_speed_rps', 'voltage', 'qw', 'qx', 'qy', 'qz', 'gx', 'gy', 'gz'],
    ...['ax', 'ay', 'az', 'gearboxtemp', 'ambtemp', 'humidity', 'pressure', 'gas'],
  ].map((name) => names.indexOf(name));
  if (order.includes(-1)) throw new Error(`the recording has other columns: ${head}`);
  const lines = rows.map((row) => {
    const cells = row.split(',');
    return order.map((column) => cells[column]).join();
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
}
