import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VerificationRefused } from '../../../actors/contracts/errors.ts';
import { memoryShelf, openAuthority, secretFolder } from '../../../cloud/things/authority.ts';
import { libsqlDocuments } from '../../../cloud/things/libsql-documents.ts';
import { DEVICE_POLICY } from '../../../cloud/things/policies.ts';
import { issue, makeKeyPair, makeRequest, makeRoot, readRequest } from '../../../cloud/things/x509.ts';
import { removeFolder, scratchFolder } from '../../kit/farm-process.ts';
import { NOON, refusal, testThings } from '../../kit/open-things.ts';

const certificates = suite('certificates');

const der = (pem: string) => new X509Certificate(pem).raw;
const validity = { notBefore: new Date(NOON - 1_000), notAfter: new Date(NOON + 86_400_000) };

certificates('a certificate is of the CA and of the key that comes with it', async () => {
  const { certificates: service, identities } = await testThings();
  const { certificate, privateKeyPem, publicKeyPem } = await service.create({ active: true, commonName: 'T-1' });
  const read = new X509Certificate(certificate.pem);
  assert.ok(read.verify(new X509Certificate(await service.caPem()).publicKey));
  assert.ok(read.checkPrivateKey(createPrivateKey(privateKeyPem)));
  assert.ok(read.publicKey.equals(createPublicKey(publicKeyPem)));
  assert.is(read.subject, 'CN=T-1');
  assert.not(read.ca);
  assert.is(certificate.id, read.fingerprint256.replaceAll(':', '').toLowerCase());
  assert.ok(certificate.arn.endsWith(`:cert/${certificate.id}`));
  assert.equal(identities.ofCertificate(read.raw), { kind: 'certificate', id: certificate.id, arn: certificate.arn });
  assert.ok(service.isActive(read.fingerprint256));
});

certificates('the private key is nowhere kept', async () => {
  const folder = scratchFolder();
  const things = await testThings({ disk: libsqlDocuments(join(folder, 'things.db')), shelf: secretFolder(join(folder, 'keys')) });
  const { privateKeyPem } = await things.certificates.create({ active: true });
  await things.close();
  const secret = privateKeyPem.split('\n')[1];
  const { readFileSync } = await import('node:fs');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!statSync(join(folder, file)).isFile()) continue;
    assert.not(readFileSync(join(folder, file)).includes(secret), file);
  }
  removeFolder(folder);
});

certificates('forged, expired and foreign certificates are nobody’s', async () => {
  const shelf = memoryShelf();
  const { certificates: service, identities, time } = await testThings({ shelf });
  const { certificate } = await service.create({ active: true, commonName: 'T-1' });
  const { publicKeyPem } = await makeKeyPair();
  const key = createPublicKey(publicKeyPem);

  const foreignKey = (await makeKeyPair()).privateKeyPem;
  const foreignName = new X509Certificate(await service.caPem()).subject.replace('CN=', ''); // the same name as ours
  const foreign = { certificatePem: await makeRoot(foreignKey, foreignName, '41', validity), privateKeyPem: foreignKey };
  const ours = { certificatePem: await service.caPem(), privateKeyPem: shelf.read('ca.key.pem')! };
  const forged = [
    await issue(foreign, key, { commonName: 'T-1' }, new X509Certificate(certificate.pem).serialNumber, validity),
    await issue(ours, key, { commonName: 'T-1' }, '42', validity), // by our key, but not by the registry
    await issue(ours, key, { commonName: 'T-1' }, '43', { notBefore: new Date(NOON - 9_000), notAfter: new Date(NOON - 1_000) }),
    await makeRoot(foreignKey, 'T-1', '44', validity),
  ];
  for (const pem of forged) assert.is(identities.ofCertificate(der(pem)), null);
  const changed = Buffer.from(der(certificate.pem));
  changed[changed.length - 1] ^= 1;
  assert.is(identities.ofCertificate(changed), null);
  assert.is(identities.ofCertificate(Buffer.alloc(0)), null);

  assert.ok(identities.ofCertificate(der(certificate.pem)));
  time.now = Date.UTC(2050, 1, 1);
  assert.is(identities.ofCertificate(der(certificate.pem)), null, 'expired');
  time.now = Date.UTC(2020, 1, 1);
  assert.is(identities.ofCertificate(der(certificate.pem)), null, 'not yet');
});

certificates('a certificate speaks for the things it is attached to, whatever its name says', async () => {
  const { certificates: service, identities, registry } = await testThings();
  for (const name of ['T-1', 'T-2']) await registry.create({ name });
  const { certificate } = await service.create({ active: true, commonName: 'T-2' });
  const principal = identities.ofCertificate(der(certificate.pem))!;
  assert.is(identities.thingOf(principal, 'T-2'), null);
  await registry.attachPrincipal('T-1', certificate.arn);
  assert.is(identities.thingOf(principal), 'T-1');
  assert.is(identities.thingOf(principal, 'T-2'), 'T-1');
  await registry.attachPrincipal('T-2', certificate.arn);
  assert.is(identities.thingOf(principal), null, 'of two, none by itself');
  assert.is(identities.thingOf(principal, 'T-2'), 'T-2');
});

certificates('a revoked one is refused from then on, stays so, and is told of once', async () => {
  const { certificates: service, identities } = await testThings();
  const ended: string[] = [];
  service.onRevoked((id) => ended.push(id));
  const { certificate } = await service.create({ active: false });
  assert.is(identities.ofCertificate(der(certificate.pem)), null);
  await service.setStatus(certificate.id, 'ACTIVE');
  assert.ok(identities.ofCertificate(der(certificate.pem)));
  await service.setStatus(certificate.id, 'REVOKED');
  assert.is(identities.ofCertificate(der(certificate.pem)), null);
  assert.not(service.isActive(certificate.id));
  await service.setStatus(certificate.id, 'REVOKED');
  assert.equal(ended, [certificate.id]);
  for (const status of ['ACTIVE', 'INACTIVE'] as const)
    assert.is(await refusal(() => service.setStatus(certificate.id, status)), 'CertificateState');
  assert.is(await refusal(() => service.setStatus('f'.repeat(64), 'ACTIVE')), 'ResourceNotFound');
});

certificates('deletion keeps AWS’s rules', async () => {
  const { certificates: service, registry, policies } = await testThings();
  const { certificate } = await service.create({ active: true });
  await registry.create({ name: 'T-1' });
  await registry.attachPrincipal('T-1', certificate.arn);
  await policies.attach(DEVICE_POLICY, certificate.arn);
  assert.is(await refusal(() => service.remove(certificate.id, { force: true })), 'CertificateState');
  await service.setStatus(certificate.id, 'INACTIVE');
  assert.is(await refusal(() => service.remove(certificate.id, { force: true })), 'DeleteConflict', 'a thing');
  await registry.detachPrincipal('T-1', certificate.arn);
  assert.is(await refusal(() => service.remove(certificate.id)), 'DeleteConflict', 'a policy');
  await service.remove(certificate.id, { force: true });
  assert.is(await refusal(() => service.describe(certificate.id)), 'ResourceNotFound');
  assert.equal(policies.targetsOf(DEVICE_POLICY), []);
});

certificates('a request is signed for its own key only, and its names are not believed', async () => {
  const { certificates: service } = await testThings();
  const { privateKeyPem, publicKeyPem } = await makeKeyPair();
  const csr = await makeRequest(privateKeyPem, 'T-7');
  const signed = await service.sign(csr, { active: true });
  assert.ok(new X509Certificate(signed.pem).publicKey.equals(createPublicKey(publicKeyPem)));
  assert.is(new X509Certificate(signed.pem).subject, 'CN=T-7');
  assert.is.not((await service.sign(csr, { active: true })).id, signed.id, 'the same request once more is another certificate');

  for (const hostile of ['a\nCN=T-1', 'T-1,O=x', '"><script>', '\u0000T-1', 'ü', '*', '$aws/things/+', ' '.repeat(64)]) {
    const { pem } = await service.sign(await makeRequest(privateKeyPem, hostile), { active: true });
    assert.ok(['CN=windfleet thing', `CN=${hostile}`].includes(new X509Certificate(pem).subject), JSON.stringify(hostile));
    assert.not(/[\n"<>*$]/.test(new X509Certificate(pem).subject));
  }
  const broken = csr.replace(/[A-Za-z](?=[^\n]*\n-----END)/, (one) => (one === 'A' ? 'B' : 'A'));
  for (const text of [
    '',
    'nonsense',
    broken,
    csr.slice(0, 200),
    signed.pem,
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
    'x'.repeat(5_000),
  ])
    assert.is(await refusal(() => service.sign(text, { active: true })), 'InvalidRequest', text.slice(0, 60));
});

certificates('keys that AWS IoT does not take are not taken', async () => {
  const { certificates: service } = await testThings();
  const { spawnSync } = await import('node:child_process');
  const { has } = await import('../../kit/programs.ts');
  if (!has('openssl', 'openssl')) return;
  const folder = scratchFolder();
  const request = (flags: string[]) => {
    const made = spawnSync('openssl', ['req', '-new', '-nodes', '-keyout', join(folder, 'k'), '-subj', '/CN=T-1', ...flags], {
      encoding: 'utf8',
    });
    assert.is(made.status, 0, made.stderr);
    return made.stdout;
  };
  assert.is(await refusal(() => service.sign(request(['-newkey', 'rsa:2048']), { active: true })), 'accepted');
  assert.is(
    await refusal(() => service.sign(request(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']), { active: true })),
    'accepted',
  );
  assert.is(await refusal(() => service.sign(request(['-newkey', 'rsa:1024']), { active: true })), 'InvalidRequest');
  assert.is(
    await refusal(() => service.sign(request(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1']), { active: true })),
    'InvalidRequest',
  );
  assert.is(await readRequest(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()), null);
  removeFolder(folder);
});

certificates('the CA is made once, for its owner alone, and serves loopback and the hosts that are named', async () => {
  const folder = scratchFolder();
  const keys = join(folder, 'keys');
  const { randomBytes } = await import('node:crypto');
  let now = NOON;
  const open = () => openAuthority(secretFolder(keys), { now: () => now, entropy: (count) => randomBytes(count) });
  const ca = await open().caPem();
  assert.is(await open().caPem(), ca);
  const server = await open().server(['wind.example', '192.0.2.7']);
  for (const file of readdirSync(keys)) assert.is(statSync(join(keys, file)).mode & 0o777, 0o600, file);
  const read = new X509Certificate(server.certificatePem);
  for (const host of ['localhost', 'wind.example']) assert.ok(read.checkHost(host), host);
  for (const ip of ['127.0.0.1', '::1', '192.0.2.7']) assert.ok(read.checkIP(ip), ip);
  assert.not(read.checkHost('elsewhere.example'));
  assert.is((await open().server([])).certificatePem, server.certificatePem, 'kept while it serves');
  assert.is.not((await open().server(['more.example'])).certificatePem, server.certificatePem);
  now += 380 * 86_400_000;
  assert.ok(Date.parse(new X509Certificate((await open().server([])).certificatePem).validTo) > now);

  chmodSync(join(keys, 'ca.key.pem'), 0o644);
  for (const [spoil, what] of [
    [() => {}, /can be read by others/],
    [() => rmSync(join(keys, 'ca.key.pem')), /one is missing/],
  ] as const) {
    spoil();
    await open()
      .caPem()
      .then(
        () => assert.unreachable(),
        (error: unknown) => {
          assert.instance(error, VerificationRefused);
          assert.match((error as Error).message, what);
        },
      );
  }
  removeFolder(folder);
});

certificates.run();
