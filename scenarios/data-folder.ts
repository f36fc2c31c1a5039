/** A data folder in use: one farm or cloud at a time, and where it answers. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentLacking } from '../actors/contracts/errors.ts';

export interface FolderLock {
  /** Leaves word where it answers, for `windfleet cloud --print-env`. */
  answersAt(url: string): void;
  unlock(): void;
}

/** @throws EnvironmentLacking when another one runs in it. */
export function lockFolder(data: string): FolderLock {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const file = join(data, 'farm.pid');
  const holder = holderOf(data);
  if (holder !== null && holder !== process.pid) {
    throw new EnvironmentLacking(`a farm or cloud (process ${holder}) uses the data folder ${data} already`, {
      hint: 'end it, or choose another folder with --data, and other ports: --port 0 --mqtt-port 0 --mqtts-port 0 --https-port 0',
    });
  }
  writeFileSync(file, String(process.pid));
  return {
    answersAt: (url) => writeFileSync(join(data, 'address'), url),
    unlock() {
      rmSync(join(data, 'address'), { force: true });
      rmSync(file, { force: true });
    },
  };
}

/** Where the one that runs in it answers; null when none does. */
export function addressIn(data: string): string | null {
  const file = join(data, 'address');
  return holderOf(data) !== null && existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function holderOf(data: string): number | null {
  const file = join(data, 'farm.pid');
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return holder > 0 && isOurs(holder) ? holder : null;
}

/** Whether that process lives and is one of ours: a number may have been given to another since. */
function isOurs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, 'utf8').includes('main.js');
}
