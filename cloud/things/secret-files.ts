/** Files for their owner alone: written whole or not at all, and not used when others can read them. */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { VerificationRefused } from '../../actors/contracts/errors.ts';

/** Makes its folder too, for the owner alone. */
export function writeSecret(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const descriptor = openSync(`${file}.tmp`, 'w', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  chmodSync(`${file}.tmp`, 0o600);
  renameSync(`${file}.tmp`, file);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** Null when there is none. @throws VerificationRefused when others can read it. */
export function readSecret(file: string): string | null {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return null;
  if ((mode & 0o077) !== 0)
    throw new VerificationRefused(`the secret file ${file} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
      hint: `if nobody had it, chmod 600 ${file}; else move it away for a new one`,
    });
  return readFileSync(file, 'utf8');
}
