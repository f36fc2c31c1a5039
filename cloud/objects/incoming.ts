/**
 * Files that are being written, `<root>/.incoming/<process>-<its start>-<number>`: none of them is an object. A process that was killed
 * leaves its own; the next one that opens the store sweeps them out, and leaves those of processes that are at work.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = '.incoming';
const STARTED = String(Math.round(performance.timeOrigin)); // tells a process from one of the same number before it

/** Names for new files, each once; the folder is there. @param tag tells this opener from another one of the same process */
export function openIncoming(root: string, tag: string): () => string {
  const folder = join(root, FOLDER);
  sweep(folder);
  let next = 0;
  let isThere = false;
  return () => {
    if (!isThere) mkdirSync(folder, { recursive: true, mode: 0o700 });
    isThere = true;
    return join(folder, `${process.pid}-${STARTED}-${tag}-${next++}`);
  };
}

function sweep(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // there is none yet
  }
  for (const name of names) {
    const [pid, started] = name.split('-');
    const isAtWork = Number(pid) === process.pid ? started === STARTED : lives(Number(pid));
    if (!isAtWork) rmSync(join(folder, name), { force: true, recursive: true });
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'; // of another user
  }
}
