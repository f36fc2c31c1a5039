/** Debian's mosquitto as a broker from outside, plain or with mTLS, on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { removeFolder, scratchFolder } from './farm-process.ts';
import { freePort } from './free-port.ts';
import type { Issued } from './test-ca.ts';

export interface Mosquitto {
  readonly port: number;
  close(): Promise<void>;
}

export async function startMosquitto(tls?: Issued): Promise<Mosquitto> {
  const folder = scratchFolder();
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 10000'];
  if (tls)
    lines.push(
      `cafile ${tls.files.ca}`,
      `certfile ${tls.files.cert}`,
      `keyfile ${tls.files.key}`,
      'require_certificate true',
      'use_identity_as_username false',
    );
  if (process.getuid?.() === 0) lines.push('user root'); // else it may not read the key
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `${lines.join('\n')}\n`);
  const program = existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto';
  const child: ChildProcess = spawn(program, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (chunk) => (said += chunk));
  const ended = new Promise<void>((done) => child.on('close', () => done()));
  let isEnded = false;
  void ended.then(() => (isEnded = true));
  while (!(await answers(port))) {
    if (isEnded) throw new Error(`mosquitto ended: ${said}`);
    await new Promise((rested) => setTimeout(rested, 20));
  }
  return {
    port,
    async close() {
      child.kill('SIGKILL');
      await ended;
      removeFolder(folder);
    },
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
