/** Which windfleet this is: its version and, in a checkout, its commit. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Software {
  readonly software: string;
  /** Hex SHA-1, with `-dirty` when files differ from it; absent: it is no checkout, or there is no git. */
  readonly commit?: string;
}

export function softwareOf(root = packageRoot(import.meta.dirname)): Software {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string; version: string };
  const software = `${name} ${version}`;
  if (!existsSync(join(root, '.git'))) return { software }; // a folder above may be another's checkout
  const { stdout } = spawnSync('git', ['-C', root, 'describe', '--always', '--dirty', '--exclude=*', '--abbrev=40'], { encoding: 'utf8' });
  const commit = stdout?.trim() ?? '';
  return /^[0-9a-f]{40}(-dirty)?$/.test(commit) ? { software, commit } : { software };
}

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}
