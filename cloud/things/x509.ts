/**
 * X.509 by @peculiar/x509, which is loaded when the first certificate is made: a cloud that only checks certificates never needs
 * it. All keys of ours are ECDSA P-256, which every MQTT and TLS client takes.
 */
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import type { Pkcs10CertificateRequest, X509CertificateGenerator } from '@peculiar/x509';
import { giveReflectMetadata } from './reflect-metadata.ts';

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What a certificate says of its holder. */
export interface Subject {
  /** 1..64 characters. */
  readonly commonName: string;
  /** Host names and addresses: then it is a server's, else a client's. */
  readonly hosts?: readonly string[];
}

export interface Issuer {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

async function library() {
  giveReflectMetadata();
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never); // the same interface under another name
  return x509;
}

export async function makeKeyPair(): Promise<{ readonly publicKeyPem: string; readonly privateKeyPem: string }> {
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const pem = (label: string, der: ArrayBuffer) =>
    `-----BEGIN ${label}-----\n${Buffer.from(der)
      .toString('base64')
      .replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
  return {
    publicKeyPem: pem('PUBLIC KEY', await webcrypto.subtle.exportKey('spki', publicKey)),
    privateKeyPem: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', privateKey)),
  };
}

/** A certificate that signs others, by itself. @param serial hex digits */
export async function makeRoot(
  privateKeyPem: string,
  commonName: string,
  serial: string,
  { notBefore, notAfter }: Validity,
): Promise<string> {
  const x509 = await library();
  const [signingKey, publicKey] = [await importPrivate(privateKeyPem), await importPublic(createPublicKey(privateKeyPem))];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: new x509.Name([{ CN: [{ utf8String: commonName }] }]),
    issuer: new x509.Name([{ CN: [{ utf8String: commonName }] }]),
    notBefore,
    notAfter,
    signingAlgorithm: SIGNING,
    signingKey,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey as never),
    ],
  });
  return withNewline(certificate.toString('pem'));
}

/** A certificate for somebody's public key. */
export async function issue(
  issuer: Issuer,
  publicKeyObject: KeyObject,
  { commonName, hosts }: Subject,
  serial: string,
  { notBefore, notAfter }: Validity,
): Promise<string> {
  const x509 = await library();
  const root = new x509.X509Certificate(issuer.certificatePem);
  const spki = publicKeyObject.export({ type: 'spki', format: 'der' });
  const publicKey = new x509.PublicKey(spki);
  const usages = x509.KeyUsageFlags.digitalSignature;
  const parameters: Parameters<typeof X509CertificateGenerator.create>[0] = {
    serialNumber: serial,
    subject: new x509.Name([{ CN: [{ utf8String: commonName }] }]),
    issuer: root.subjectName,
    notBefore,
    notAfter,
    signingAlgorithm: SIGNING,
    signingKey: await importPrivate(issuer.privateKeyPem),
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usages, true),
      new x509.ExtendedKeyUsageExtension([hosts ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
      ...(hosts
        ? [
            new x509.SubjectAlternativeNameExtension(
              hosts.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const), value })),
            ),
          ]
        : []),
    ],
  };
  return withNewline((await x509.X509CertificateGenerator.create(parameters)).toString('pem'));
}

/** What a PKCS #10 request asks for; null when it is none, or not signed with the key that it is for. */
export async function readRequest(pem: string): Promise<{ readonly publicKey: KeyObject; readonly commonName: string | null } | null> {
  const x509 = await library();
  let request: Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(pem);
    if (!(await request.verify())) return null;
    const publicKey = createPublicKey({ key: Buffer.from(request.publicKey.rawData), type: 'spki', format: 'der' });
    return { publicKey, commonName: request.subjectName.getField('CN')[0] ?? null };
  } catch {
    return null; // whatever in it is broken, it is no request
  }
}

/** A request for a certificate (PKCS #10), signed with the key that it is for. */
export async function makeRequest(privateKeyPem: string, commonName: string): Promise<string> {
  const x509 = await library();
  const keys = { privateKey: await importPrivate(privateKeyPem), publicKey: await importPublic(createPublicKey(privateKeyPem)) };
  const name = new x509.Name([{ CN: [{ utf8String: commonName }] }]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys: keys as never, signingAlgorithm: SIGNING });
  return withNewline(request.toString('pem'));
}

const importPrivate = (pem: string) =>
  webcrypto.subtle.importKey('pkcs8', createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' }), SIGNING, false, [
    'sign',
  ]) as Promise<CryptoKey>;
const importPublic = (key: KeyObject) =>
  webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), SIGNING, true, ['verify']) as Promise<CryptoKey>;
type CryptoKey = webcrypto.CryptoKey;
const withNewline = (pem: string) => (pem.endsWith('\n') ? pem : `${pem}\n`);
