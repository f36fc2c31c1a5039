/** The data folder's own Ed25519 key: made at first start, its private half for the owner alone. It signs what this cloud publishes. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, VerificationRefused } from '../../actors/contracts/errors.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const generateKey = (): SigningKey => generateKeyPairSync('ed25519');

/** Reads the key of a data folder, or makes it. @throws VerificationRefused when the file is no key, or others can read it. */
export function openKey(data: string): SigningKey {
  const file = join(data, 'keys', 'signing.pem');
  if (!existsSync(file)) writeKey(file);
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new VerificationRefused(`the signing key ${file} can be read by others (mode ${mode.toString(8)})`, {
      hint: `if nobody had it, chmod 600 ${file}; else make a new one`,
    });
  try {
    const privateKey = createPrivateKey(readFileSync(file));
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error(`it is ${privateKey.asymmetricKeyType}, not Ed25519`);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch (error) {
    throw new VerificationRefused(`the signing key ${file} cannot be used: ${reasonOf(error)}`, {
      cause: error,
      hint: 'put the key back, or move the file away for a new one: packages signed with the old one are then refused',
    });
  }
}

function writeKey(file: string): void {
  const { privateKey, publicKey } = generateKey();
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.tmp`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  chmodSync(`${file}.tmp`, 0o600);
  renameSync(`${file}.tmp`, file);
  writeFileSync(join(file, '..', 'signing.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
}
