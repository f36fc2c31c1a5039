/**
 * Certificates of things, as AWS IoT has them: issued by this cloud's CA, ACTIVE or not, never more than a row by their
 * fingerprint. Private keys are given out once and kept nowhere. A certificate says nothing of a thing by its names: only what
 * it is attached to counts.
 */
import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { ThingRefused } from '../../actors/contracts/errors.ts';
import { arnOf, type Place } from './arns.ts';
import type { Authority } from './authority.ts';
import type { Documents } from './documents.ts';
import { absent, invalid, shown } from './names.ts';
import type { Certificate, Certificates } from './ports.ts';
import { makeKeyPair, readRequest } from './x509.ts';

const LONGEST_REQUEST = 4_096;
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const HARMLESS_NAME = /^[a-zA-Z0-9:._@-]([a-zA-Z0-9 :._@-]{0,62}[a-zA-Z0-9:._@-])?$/;
const DEFAULT_NAME = 'windfleet thing';

export interface CertificateTools {
  readonly documents: Documents;
  readonly place: Place;
  readonly now: () => number;
  readonly authority: Authority;
  /** What it is attached to, for who would delete it. */
  readonly thingsOf: (arn: string) => readonly string[];
  readonly policiesOf: (arn: string) => readonly string[];
  /** It is deleted: policies let go of it. */
  readonly gone: (arn: string) => void;
}

export function openCertificates(tools: CertificateTools): Certificates {
  const { documents, place, now, authority } = tools;
  const stored = documents.collection<Certificate>('certificate');
  const hearers: ((id: string) => void)[] = [];

  const known = (id: string): Certificate => {
    const found = stored.get(id.toLowerCase());
    if (!found) throw absent('certificate', id);
    return found;
  };
  const keep = async (pem: string, active: boolean): Promise<Certificate> => {
    const certificate = new X509Certificate(pem);
    const id = fingerprintOf(certificate.raw);
    const made: Certificate = {
      id,
      arn: arnOf(place, 'cert', id),
      pem,
      status: active ? 'ACTIVE' : 'INACTIVE',
      subject: certificate.subject,
      notBefore: Date.parse(certificate.validFrom),
      notAfter: Date.parse(certificate.validTo),
      createdAt: now(),
      lastModifiedAt: now(),
    };
    stored.put(id, made);
    await documents.saved();
    return made;
  };

  return {
    caPem: () => authority.caPem(),
    async create({ active, commonName = DEFAULT_NAME }) {
      const pair = await makeKeyPair();
      const name = HARMLESS_NAME.test(commonName) ? commonName : DEFAULT_NAME;
      return { certificate: await keep(await authority.sign(createPublicKey(pair.publicKeyPem), name), active), ...pair };
    },
    async sign(csrPem, { active }) {
      if (csrPem.length > LONGEST_REQUEST)
        throw invalid(`a certificate request of ${csrPem.length} characters is longer than ${LONGEST_REQUEST}`);
      const request = await readRequest(csrPem);
      if (!request) throw invalid('that is no certificate request (PKCS #10 in PEM), or its signature is not of its own key');
      checkKey(request.publicKey);
      const name = request.commonName !== null && HARMLESS_NAME.test(request.commonName) ? request.commonName : DEFAULT_NAME;
      return keep(await authority.sign(request.publicKey, name), active);
    },
    describe: known,
    list: () => [...stored.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    async setStatus(id, status) {
      const before = known(id);
      if (before.status === status) return before;
      if (before.status === 'REVOKED') throw new ThingRefused('CertificateState', `certificate ${before.id} is revoked, and stays so`);
      const after = { ...before, status, lastModifiedAt: now() };
      stored.put(before.id, after);
      await documents.saved();
      if (before.status === 'ACTIVE') for (const ended of hearers) ended(before.id);
      return after;
    },
    async remove(id, { force = false } = {}) {
      const { arn, status, id: key } = known(id);
      if (status === 'ACTIVE')
        throw new ThingRefused('CertificateState', `certificate ${key} is ACTIVE`, { hint: 'make it INACTIVE first' });
      const [thing] = tools.thingsOf(arn);
      if (thing !== undefined) throw new ThingRefused('DeleteConflict', `certificate ${key} is attached to thing ${thing}`);
      const [policy] = tools.policiesOf(arn);
      if (policy !== undefined && !force) throw new ThingRefused('DeleteConflict', `policy ${policy} is attached to certificate ${key}`);
      stored.remove(key);
      tools.gone(arn);
      await documents.saved();
    },
    isActive(fingerprint) {
      const found = stored.get(fingerprint.replaceAll(':', '').toLowerCase());
      return found?.status === 'ACTIVE' && found.notBefore <= now() && now() <= found.notAfter;
    },
    onRevoked: (ended) => {
      hearers.push(ended);
    },
  };
}

/** AWS IoT's id of a certificate: SHA-256 of its DER in hex. */
export const fingerprintOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex');

/** @throws ThingRefused InvalidRequest for a key that AWS IoT would not take either. */
function checkKey(key: KeyObject): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec' && CURVES.has(details?.namedCurve ?? '')) return;
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= 2_048 && (details?.modulusLength ?? 0) <= 8_192) return;
  throw invalid(
    `a key of kind ${shown(type)} ${details?.namedCurve ?? details?.modulusLength ?? ''} is not taken`,
    'RSA of 2048 bits or more, or NIST P-256, P-384, P-521',
  );
}
