/** The public keys whose packages an agent loads: every `.pem` of some folders that holds an Ed25519 public key. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';

/** @param mustExist whether the first folder was asked for by name. @throws FileInvalid when it then cannot be read */
export function readTrustedKeys(
  folders: readonly string[],
  { mustExist, log }: { readonly mustExist: boolean; readonly log: Log },
): KeyObject[] {
  return folders.flatMap((folder, i) => {
    let names: string[];
    try {
      names = readdirSync(folder).filter((name) => name.endsWith('.pem') && name !== 'signing.pem'); // the private half is not ours to read
    } catch (error) {
      if (mustExist && i === 0)
        throw new FileInvalid(`the keys in ${folder} cannot be read: ${reasonOf(error)}`, {
          cause: error,
          hint: '--keys wants a folder with public keys, as the one that `windfleet keys init` makes',
        });
      return [];
    }
    return names.sort().flatMap((name) => readKey(join(folder, name), log));
  });
}

function readKey(file: string, log: Log): KeyObject[] {
  try {
    const text = readFileSync(file, 'utf8');
    if (!text.includes('BEGIN PUBLIC KEY')) return []; // a private key or a certificate lies beside it
    const key = createPublicKey(text);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is ${key.asymmetricKeyType}, not Ed25519`);
    return [key];
  } catch (error) {
    log.warn({ file, reason: reasonOf(error) }, 'a key cannot be used');
    return [];
  }
}
