/** A CA for tests by openssl, with certificates for a server on this machine and for things. */
import { spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, scratchFolder } from './farm-process.ts';

export interface Issued {
  readonly cert: string;
  readonly key: string;
  /** PEM of the CA. */
  readonly ca: string;
  /** SHA-256 of the DER, in hex. */
  readonly fingerprint: string;
  /** Of the certificate, the key and the CA. */
  readonly files: { readonly cert: string; readonly key: string; readonly ca: string };
}

export interface TestCa {
  readonly folder: string;
  /** For `localhost` and 127.0.0.1. */
  readonly server: Issued;
  /** @param days of validity; negative: it has expired. */
  issue(commonName: string, days?: number): Issued;
  remove(): void;
}

export function testCa(): TestCa {
  const folder = scratchFolder();
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8', cwd: folder });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=windfleet test CA', '-days', '30');
  let issued = 0;
  const issue = (commonName: string, days: number, extension?: string): Issued => {
    const name = `c${++issued}`;
    openssl('req', ...ec, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${commonName}`);
    if (extension) writeFileSync(file(`${name}.ext`), extension);
    const extensions = extension ? ['-extfile', `${name}.ext`] : [];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      String(days),
      '-out',
      `${name}.pem`,
      ...extensions,
    );
    const cert = readFileSync(file(`${name}.pem`), 'utf8');
    return {
      cert,
      key: readFileSync(file(`${name}.key`), 'utf8'),
      ca: readFileSync(file('ca.pem'), 'utf8'),
      fingerprint: createHash('sha256').update(new X509Certificate(cert).raw).digest('hex'),
      files: { cert: file(`${name}.pem`), key: file(`${name}.key`), ca: file('ca.pem') },
    };
  };
  return {
    folder,
    server: issue('localhost', 30, 'subjectAltName=DNS:localhost,IP:127.0.0.1'),
    issue: (commonName, days = 30) => issue(commonName, days),
    remove: () => removeFolder(folder),
  };
}
