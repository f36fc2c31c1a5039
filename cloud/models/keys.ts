/**
 * The data folder's own Ed25519 key, which signs what this cloud publishes, and the public keys that it trusts beside it.
 *
 *   keys/signing.pem       private, for the owner alone; made at first need or by `keys init`
 *   keys/signing.pub.pem   its public half, for devices and others
 *   keys/trusted/*.pem     public keys whose packages are trusted too: of others, and one's own from before a rotation
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { EnvironmentLacking, reasonOf, UsageError, VerificationRefused } from '../../actors/contracts/errors.ts';
import { keyId } from '../../actors/package/dsse.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const generateKey = (): SigningKey => generateKeyPairSync('ed25519');

const privateFile = (data: string) => join(data, 'keys', 'signing.pem');
export const publicFile = (data: string) => join(data, 'keys', 'signing.pub.pem');
export const trustedFolder = (data: string) => join(data, 'keys', 'trusted');

/** Reads the key of a data folder, or makes it. @throws VerificationRefused when the file is no key, or others can read it. */
export function openKey(data: string): SigningKey {
  if (!existsSync(privateFile(data))) create(privateFile(data), privatePem(generateKey()));
  const key = readKey(privateFile(data));
  const pem = publicPem(key.publicKey);
  if (!existsSync(publicFile(data)) || readFileSync(publicFile(data), 'utf8') !== pem) replace(publicFile(data), pem, 0o644);
  return key;
}

/** Makes the key of a data folder. @throws UsageError when it has one: it is left as it is */
export function initKey(data: string): SigningKey {
  const file = privateFile(data);
  if (existsSync(file) || !create(file, privatePem(generateKey())))
    throw new UsageError(`${file} is there already, and is not overwritten`, {
      hint: '`windfleet keys list` names it; `windfleet keys rotate` makes a new one and goes on trusting the old one’s packages',
    });
  return openKey(data);
}

/** A new key from now on; what the old one signed stays trusted. @throws UsageError when there is none yet */
export function rotateKey(data: string): { readonly key: SigningKey; readonly before: KeyObject } {
  const file = privateFile(data);
  if (!existsSync(file)) throw new UsageError(`${data} has no key to rotate`, { hint: `windfleet keys init --data ${data}` });
  const before = readKey(file).publicKey;
  // First of all the old one is trusted: whenever this is broken off, no package is left that nobody trusts.
  replace(join(trustedFolder(data), `${keyId(before).slice(0, 16)}.pem`), publicPem(before), 0o644);
  replace(file, privatePem(generateKey()), 0o600);
  return { key: openKey(data), before };
}

/**
 * Public keys whose packages are trusted, the data folder's own first; none is made.
 * @throws VerificationRefused when a file among them is no public Ed25519 key
 */
export function trustedKeys(data: string): readonly KeyObject[] {
  const own = existsSync(privateFile(data))
    ? [readKey(privateFile(data)).publicKey]
    : readPublicKeys([publicFile(data)].filter(existsSync));
  const folder = trustedFolder(data);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pem')) : [];
  const all = [...own, ...readPublicKeys(names.sort().map((name) => join(folder, name)))];
  return [...new Map(all.map((key) => [keyId(key), key])).values()];
}

function readPublicKeys(files: readonly string[]): KeyObject[] {
  return files.map((file) => {
    try {
      const text = readFileSync(file, 'utf8');
      if (!text.includes('BEGIN PUBLIC KEY')) throw new Error('it holds no public key in PEM');
      const key = createPublicKey(text);
      if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is ${key.asymmetricKeyType}, not Ed25519`);
      return key;
    } catch (error) {
      throw new VerificationRefused(`the trusted key ${file} cannot be used: ${reasonOf(error)}`, {
        cause: error,
        hint: 'put the public half there, as signing.pub.pem of another data folder, or take the file away',
      });
    }
  });
}

function readKey(file: string): SigningKey {
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

const privatePem = ({ privateKey }: SigningKey) => String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
export const publicPem = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));

/** Atomic, and never over another's: two that start at once have one key. @returns whether it is this text that is there now */
function create(file: string, text: string): boolean {
  const aside = writeAside(file, text, 0o600);
  try {
    linkSync(aside, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(aside);
    syncFolder(dirname(file));
  }
}

function replace(file: string, text: string, mode: number): void {
  renameSync(writeAside(file, text, mode), file);
  syncFolder(dirname(file));
}

function writeAside(file: string, text: string, mode: number): string {
  const aside = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    rmSync(aside, { force: true }); // of a process that died: its mode would stay
    const descriptor = openSync(aside, 'wx', mode);
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
    closeSync(descriptor);
    return aside;
  } catch (error) {
    throw new EnvironmentLacking(`the key ${file} cannot be written: ${reasonOf(error)}`, {
      cause: error,
      hint: 'is there room, and may the folder be written?',
    });
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
