/**
 * This cloud's own certificate authority: made at first start in the data folder (`keys/`), its key for the owner alone. It signs
 * things and the servers that things connect to.
 */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { reasonOf, VerificationRefused } from '../../actors/contracts/errors.ts';
import { readSecret, writeSecret } from './secret-files.ts';
import { type Issuer, issue, makeKeyPair, makeRoot, type Subject } from './x509.ts';

/** What a TLS listener is opened with. */
export interface ServerIdentity {
  /** The CA's. */
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface Authority {
  caPem(): Promise<string>;
  /** For a thing: valid to the end of 2049, as AWS's own are. @returns PEM */
  sign(publicKey: KeyObject, commonName: string): Promise<string>;
  /** For a server of these names and addresses, beside loopback's. Made anew when it is about to end or lacks a name. */
  server(hosts: readonly string[]): Promise<ServerIdentity>;
}

export interface AuthorityTools {
  /** Epoch milliseconds: dates of certificates are the wall's. */
  readonly now: () => number;
  /** Bytes that nobody can guess. */
  readonly entropy: (bytes: number) => Uint8Array;
}

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const LAST_DAY = new Date('2049-12-31T23:59:59Z');
const DAY_MS = 86_400_000;
const SERVER_DAYS = 397; // what browsers take at most
const RENEW_DAYS = 30;
const BACKDATED_MS = DAY_MS; // a device's clock may be behind

/** Files by name; null when there is none. Memory will do for tests and virtual time. */
export interface SecretShelf {
  read(name: string): string | null;
  write(name: string, text: string): void;
}

export const secretFolder = (folder: string): SecretShelf => ({
  read: (name) => readSecret(join(folder, name)),
  write: (name, text) => writeSecret(join(folder, name), text),
});

export function memoryShelf(): SecretShelf {
  const texts = new Map<string, string>();
  return { read: (name) => texts.get(name) ?? null, write: (name, text) => texts.set(name, text) };
}

/** Nothing is read or made before it is asked for. @throws VerificationRefused when a file is not what it must be. */
export function openAuthority(shelf: SecretShelf, { now, entropy }: AuthorityTools): Authority {
  let opened: Promise<Issuer> | null = null;
  const serial = () => Buffer.from(entropy(16)).toString('hex').replace(/^./, '4'); // positive, not zero, 127 bits
  const from = () => new Date(now() - BACKDATED_MS);

  const open = async (): Promise<Issuer> => {
    const [certificatePem, privateKeyPem] = [shelf.read('ca.pem'), shelf.read('ca.key.pem')];
    if (certificatePem !== null && privateKeyPem !== null) {
      checkPair(certificatePem, privateKeyPem);
      return { certificatePem, privateKeyPem };
    }
    if (certificatePem !== null || privateKeyPem !== null)
      throw new VerificationRefused(`of the CA's two files, ca.pem and ca.key.pem, one is missing`, {
        hint: 'put it back, or move the other away too: things with certificates of the old CA are then refused',
      });
    const pair = await makeKeyPair();
    const name = `windfleet CA ${Buffer.from(entropy(4)).toString('hex')}`;
    const root = await makeRoot(pair.privateKeyPem, name, serial(), { notBefore: from(), notAfter: LAST_DAY });
    shelf.write('ca.key.pem', pair.privateKeyPem);
    shelf.write('ca.pem', root);
    return { certificatePem: root, privateKeyPem: pair.privateKeyPem };
  };
  const issuer = () => {
    opened ??= open();
    return opened;
  };

  return {
    caPem: async () => (await issuer()).certificatePem,
    sign: async (publicKey, commonName) =>
      issue(await issuer(), publicKey, { commonName }, serial(), { notBefore: from(), notAfter: LAST_DAY }),
    async server(hosts) {
      const wanted = [...new Set([...LOOPBACK, ...hosts])];
      const root = await issuer();
      const [certificatePem, privateKeyPem] = [shelf.read('server.pem'), shelf.read('server.key.pem')];
      if (certificatePem && privateKeyPem && serves(certificatePem, root.certificatePem, wanted, now()))
        return { caPem: root.certificatePem, certificatePem, privateKeyPem };
      const pair = await makeKeyPair();
      const subject: Subject = {
        commonName: wanted.find((host) => !LOOPBACK.includes(host) && host.length <= 64) ?? 'localhost',
        hosts: wanted,
      };
      const notAfter = new Date(now() + SERVER_DAYS * DAY_MS);
      const made = await issue(root, createPublicKey(pair.publicKeyPem), subject, serial(), { notBefore: from(), notAfter });
      shelf.write('server.key.pem', pair.privateKeyPem);
      shelf.write('server.pem', made);
      return { caPem: root.certificatePem, certificatePem: made, privateKeyPem: pair.privateKeyPem };
    },
  };
}

function checkPair(certificatePem: string, privateKeyPem: string): void {
  try {
    const ofKey = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
    const ofCertificate = new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' });
    if (!ofKey.equals(ofCertificate)) throw new Error('the key is not that of the certificate');
  } catch (error) {
    throw new VerificationRefused(`the CA in the data folder cannot be used: ${reasonOf(error)}`, {
      cause: error,
      hint: 'put keys/ca.pem and keys/ca.key.pem back, or move both away for new ones: things with certificates of the old CA are then refused',
    });
  }
}

function serves(certificatePem: string, caPem: string, hosts: readonly string[], now: number): boolean {
  const certificate = new X509Certificate(certificatePem);
  return (
    certificate.verify(new X509Certificate(caPem).publicKey) &&
    Date.parse(certificate.validTo) - now > RENEW_DAYS * DAY_MS &&
    hosts.every((host) => (/^[\d.]+$|:/.test(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined)
  );
}
