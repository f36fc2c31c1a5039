import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VerificationRefused } from '../../actors/contracts/errors.ts';
import type { RollbackGrant } from '../../actors/contracts/model.ts';
import { sealEnvelope } from '../../actors/package/dsse.ts';
import { parseJobDocument, printJobDocument } from '../../actors/package/job-document.ts';
import { GRANT_TYPE, grantKey, openGrant, signGrant, verifyGrant, type WantedRollback } from '../../actors/package/rollback-grant.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { flipped } from '../kit/tampered.ts';

const grants = suite('rollback grants');

const key = generateKey();
const trustedKeys = [key.publicKey];
const sha256 = 'a'.repeat(64);
const grant: RollbackGrant = {
  schema: 'windfleet.rollback-grant/v1',
  name: 'windturbine-anomaly',
  version: '1.0.0',
  sequence: 1,
  sha256,
  group: 'row-a',
  issuedAt: '2026-05-01T00:00:00.000Z',
  expires: '2026-05-02T00:00:00.000Z',
};
const wanted: WantedRollback = {
  name: grant.name,
  version: grant.version,
  sequence: 1,
  sha256,
  groups: ['T-001', 'farm', 'row-a'],
  now: Date.parse('2026-05-01T12:00:00Z'),
};
const isRefused = (error: unknown) => error instanceof VerificationRefused;
const signed = signGrant(grant, key.privateKey);

grants('allow what they name, to whom they name, until they end', () => {
  assert.equal(verifyGrant(signed, trustedKeys, wanted), grant);
  const refusals: [Partial<WantedRollback>, RegExp][] = [
    [{ name: 'another' }, /it is for windturbine-anomaly@1.0.0, not another@1.0.0/],
    [{ version: '0.9.0' }, /not windturbine-anomaly@0.9.0/],
    [{ sequence: 2 }, /sequence 1 of windturbine-anomaly@1.0.0, not 2/],
    [{ sha256: 'b'.repeat(64) }, /another package/],
    [{ groups: ['T-002', 'farm'] }, /for row-a, not T-002, farm/],
    [{ groups: [] }, /not this device/],
    [{ now: Date.parse(grant.expires) }, /ended at 2026-05-02/],
  ];
  for (const [change, reason] of refusals)
    assert.throws(
      () => verifyGrant(signed, trustedKeys, { ...wanted, ...change }),
      (error: unknown) => error instanceof VerificationRefused && reason.test(error.message),
    );
});

grants('hold only with a trusted key’s signature, whatever byte is changed, and only as what they are', () => {
  assert.throws(() => openGrant(signed, [generateKey().publicKey]), /no trusted key/);
  assert.throws(() => openGrant(signed, []), /no trusted key/);
  for (let at = 0; at < signed.length; at++) assert.throws(() => openGrant(flipped(signed, at, 1), trustedKeys), isRefused);
  const statement = sealEnvelope('application/vnd.in-toto+json', Buffer.from(JSON.stringify(grant)), key.privateKey);
  assert.throws(() => openGrant(statement, trustedKeys), /holds "application\/vnd.in-toto\+json"/);
});

grants('are refused when they say more or less than a grant, though signed', () => {
  const wrong: [object, RegExp][] = [
    [{ ...grant, schema: 'windfleet.rollback-grant/v2' }, /schema/],
    [{ ...grant, sequence: 0 }, /sequence/],
    [{ ...grant, version: '1.0' }, /SemVer/],
    [{ ...grant, group: '#' }, /name of a thing or a group/],
    [{ ...grant, expires: 'soon' }, /expires/],
    [{ ...grant, expires: grant.issuedAt }, /ends before it begins/],
    [{ ...grant, expires: '2027-05-01T00:00:00.000Z' }, /longer than 90 days/],
    [{ ...grant, also: 'everything' }, /also/],
    [{ ...grant, sha256: undefined }, /sha256/],
  ];
  for (const [body, reason] of wrong) {
    const sealed = sealEnvelope(GRANT_TYPE, Buffer.from(JSON.stringify(body)), key.privateKey);
    assert.throws(() => openGrant(sealed, trustedKeys), reason);
    assert.throws(() => signGrant(body as RollbackGrant, key.privateKey), isRefused);
  }
});

grants('lie beside the packages, and a job names theirs', () => {
  assert.is(grantKey(grant), 'grants/windturbine-anomaly/1.0.0/row-a.json');
  const order = { name: 'm', version: '1.0.0', bucket: 'bucket', key: 'm/m-1.0.0.tar.gz', sha256 };
  assert.equal(parseJobDocument(printJobDocument(order)), order);
  assert.equal(parseJobDocument(printJobDocument({ ...order, grantKey: grantKey(grant) })), { ...order, grantKey: grantKey(grant) });
});

grants.run();
