/**
 * The agent's place in the file system: bound aside in a folder of its own, made private, and only then put under its name by one
 * rename. So nobody finds the socket before it is 0600, and what a dead agent left is replaced without a gap.
 */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { EnvironmentLacking, reasonOf, UsageError } from '../../actors/contracts/errors.ts';

/** The kernel's limit for a socket's path, its end mark counted. */
const LONGEST = 107;

export interface SocketPlace {
  readonly path: string;
  /** Where to bind. */
  readonly aside: string;
  /** Once it is bound and serves: from now on clients find it. */
  open(): void;
  /** Takes it away, if it is still ours. */
  remove(): void;
}

/** @throws UsageError for a path that cannot be a socket's; EnvironmentLacking when another agent answers there, or it is something else. */
export async function claimSocket(socket: string): Promise<SocketPlace> {
  const path = resolve(socket);
  const longest = Math.max(Buffer.byteLength(path), Buffer.byteLength(join(dirname(path), '.ag-XXXXXX/s')));
  if (longest > LONGEST) throw new UsageError(`--socket ${path}: the path is ${longest - LONGEST} bytes longer than a socket's may be`);
  await refuseOther(path);
  let folder: string;
  try {
    folder = mkdtempSync(join(dirname(path), '.ag-'));
  } catch (error) {
    throw new EnvironmentLacking(`no socket can be made in ${dirname(path)}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'choose another place with --socket',
    });
  }
  const aside = join(folder, 's');
  let ours = 0;
  return {
    path,
    aside,
    open() {
      chmodSync(aside, 0o600);
      ours = statSync(aside).ino;
      renameSync(aside, path);
      rmSync(folder, { recursive: true, force: true });
    },
    remove() {
      rmSync(folder, { recursive: true, force: true });
      try {
        if (ours !== 0 && lstatSync(path).ino === ours) rmSync(path, { force: true });
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOENT') throw error;
      }
    },
  };
}

async function refuseOther(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return;
    throw new EnvironmentLacking(`${path} cannot be looked at: ${reasonOf(error)}`, { cause: error });
  }
  if (!isSocket)
    throw new EnvironmentLacking(`${path} is there and is no socket`, {
      hint: `move it away, or choose another than ${basename(path)} with --socket`,
    });
  const state = await new Promise<string>((done) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      done('answers');
    });
    probe.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
  if (state === 'answers')
    throw new EnvironmentLacking(`another agent answers on ${path}`, { hint: 'end it, or give this one a place of its own with --socket' });
  if (state !== 'ECONNREFUSED' && state !== 'ENOENT')
    throw new EnvironmentLacking(`${path} is somebody's socket (${state})`, { hint: 'choose another with --socket' });
}
