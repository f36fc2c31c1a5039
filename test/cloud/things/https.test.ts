import { createHmac, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { request as ask } from 'node:https';
import { connect } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryShelf } from '../../../cloud/things/authority.ts';
import { openOwnerKey } from '../../../cloud/things/credentials.ts';
import { openThingsHttps } from '../../../cloud/things/https.ts';
import { DEVICE_ROLE_ALIAS } from '../../../cloud/things/provisioning.ts';
import { DEVICE_POLICY } from '../../../cloud/things/policies.ts';
import { issue, makeKeyPair, makeRoot } from '../../../cloud/things/x509.ts';
import { freePort } from '../../kit/free-port.ts';
import { NOON, refusal, testThings } from '../../kit/open-things.ts';

const https = suite('https for things');

const PATH = `/role-aliases/${DEVICE_ROLE_ALIAS}/credentials`;

interface Answer {
  readonly status: number;
  readonly body: {
    readonly message?: string;
    readonly credentials?: {
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string;
      readonly expiration: string;
    };
  };
}

async function opened() {
  const shelf = memoryShelf();
  const things = await testThings({ shelf });
  things.time.now = Date.now(); // OpenSSL's time is the machine's
  const logged: string[] = [];
  const note = (fields: object, message: string) => logged.push(JSON.stringify({ ...fields, message }));
  const mounted: (string | undefined)[] = [];
  const door = await openThingsHttps({
    host: '127.0.0.1',
    port: await freePort(),
    server: await things.authority.server([]),
    identities: things.identities,
    credentials: things.credentials,
    log: { debug: note, info: note, warn: note, error: note },
    mount(_, response, caller) {
      mounted.push(caller === null ? 'refused' : caller?.id);
      response.statusCode = caller === null ? 403 : 200; // null: a certificate that does not count
      response.end('{}');
    },
  });
  const ca = await things.certificates.caPem();
  const get = (path: string, who: { cert?: string; key?: string } = {}, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((done, failed) => {
      const sent = ask({ host: '127.0.0.1', port: door.address.port, path, method, ca, headers, agent: false, ...who }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => done({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      });
      sent.on('error', failed);
      sent.end();
    });
  const provision = async (name: string) => {
    await things.registry.create({ name });
    const { certificate, privateKeyPem } = await things.certificates.create({ active: true, commonName: name });
    await things.registry.attachPrincipal(name, certificate.arn);
    await things.policies.attach(DEVICE_POLICY, certificate.arn);
    return { cert: certificate.pem, key: privateKeyPem, id: certificate.id };
  };
  return { ...things, shelf, door, get, provision, logged, mounted, ca };
}

https('a certificate gets keys for its thing, with and without the header', async () => {
  const { door, get, provision, credentials, time } = await opened();
  const one = await provision('T-1');
  for (const headers of [{}, { 'x-amzn-iot-thingname': 'T-1' }]) {
    const { status, body } = await get(PATH, one, headers);
    assert.is(status, 200, body.message);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = body.credentials!;
    assert.match(accessKeyId, /^ASIA[A-Z2-7]{16}$/);
    assert.match(expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Math.abs(Date.parse(expiration) - time.now - 3_600_000) < 2_000);
    const found = credentials.find(accessKeyId, sessionToken);
    assert.is(found?.secretAccessKey, secretAccessKey);
    assert.is(found?.principal.kind === 'role' && found.principal.thing, 'T-1');
  }
  await door.close();
});

https('without a certificate, for another thing, for no alias or without a policy there are none', async () => {
  const { door, get, provision, policies, credentials } = await opened();
  const [one, two] = [await provision('T-1'), await provision('T-2')];
  assert.is((await get(PATH)).status, 403);
  assert.is((await get(PATH, one, { 'x-amzn-iot-thingname': 'T-2' })).status, 403);
  assert.is((await get(PATH, one, { 'x-amzn-iot-thingname': '../T-1' })).status, 400);
  assert.is((await get('/role-aliases/none/credentials', one)).status, 404);
  assert.is((await get('/role-aliases/%E0%A4%A/credentials', one)).status, 400);
  assert.is((await get(PATH, one, {}, 'POST')).status, 405);
  for (const { name } of policies.list())
    for (const target of policies.targetsOf(name)) if (target.endsWith(two.id)) await policies.detach(name, target);
  assert.is((await get(PATH, two)).status, 403);
  await credentials.createRoleAlias('short', { roleArn: 'arn:aws:iam::000000000000:role/short', credentialDurationSeconds: 900 });
  assert.is((await get('/role-aliases/short/credentials', one)).status, 200);
  await door.close();
});

https('forged, expired, foreign and revoked certificates are refused, on a live connection too', async () => {
  const { door, get, provision, certificates, shelf, logged, mounted } = await opened();
  const one = await provision('T-1');
  const { privateKeyPem: key, publicKeyPem } = await makeKeyPair();
  const now = Date.now();
  const [ahead, past] = [new Date(now + 86_400_000), new Date(now - 86_400_000)];
  const validity = { notBefore: past, notAfter: ahead };
  const ours = { certificatePem: await certificates.caPem(), privateKeyPem: shelf.read('ca.key.pem')! };
  const foreignKey = (await makeKeyPair()).privateKeyPem;
  const foreign = {
    certificatePem: await makeRoot(foreignKey, new X509Certificate(ours.certificatePem).subject.slice(3), '41', validity),
    privateKeyPem: foreignKey,
  };
  const holder = createPublicKey(publicKeyPem);
  for (const [what, cert] of [
    ['foreign', await issue(foreign, holder, { commonName: 'T-1' }, '42', validity)],
    ['not in the registry', await issue(ours, holder, { commonName: 'T-1' }, '43', validity)],
    ['expired', await issue(ours, holder, { commonName: 'T-1' }, '44', { notBefore: new Date(now - 9e8), notAfter: past })],
    ['a server’s', await issue(ours, holder, { commonName: 'T-1', hosts: ['T-1'] }, '45', validity)],
  ] as const) {
    for (const path of [PATH, '/things/T-1/jobs']) assert.is((await get(path, { cert, key })).status, 403, what);
  }
  assert.equal(mounted, ['refused', 'refused', 'refused', 'refused'], 'what is mounted is told that they do not count');
  // its own certificate with another key: the handshake ends it
  assert.ok(
    await get(PATH, { cert: one.cert, key }).then(
      () => false,
      () => true,
    ),
  );

  const socket = connect({ host: '127.0.0.1', port: door.address.port, ca: await certificates.caPem(), ...one });
  const answers: string[] = [];
  const answered = async (count: number) => {
    while (answers.join('').split('HTTP/1.1').length - 1 < count) await new Promise((done) => socket.once('data', done));
  };
  socket.setEncoding('utf8').on('data', (text: string) => answers.push(text));
  const line = `GET ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`;
  socket.write(line);
  await answered(1);
  await certificates.setStatus(one.id, 'REVOKED');
  socket.write(line);
  await answered(2);
  assert.match(answers.join(''), /HTTP\/1\.1 200[\s\S]*HTTP\/1\.1 403/);
  socket.destroy();
  assert.is((await get(PATH, one)).status, 403);
  assert.ok(logged.some((text) => text.includes('not active')));
  await door.close();
});

https('what is mounted hears who asks; nothing is older than TLS 1.2', async () => {
  const { door, get, provision, mounted, ca } = await opened();
  const one = await provision('T-1');
  await get('/things/T-1/jobs', one);
  await get('/things/T-1/jobs');
  assert.equal(mounted, [one.id, undefined]);
  const old = await new Promise<string>((done) => {
    const socket = connect(
      { host: '127.0.0.1', port: door.address.port, ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      () => done(socket.getProtocol() ?? ''),
    );
    socket.on('error', (error) => done(error.message));
  });
  assert.not(/^TLSv1(\.1)?$/.test(old), old);
  await door.close();
});

https('no key, token or certificate’s key reaches the log', async () => {
  const { door, get, provision, logged, credentials, shelf } = await opened();
  const one = await provision('T-1');
  const { body } = await get(PATH, one);
  await get(PATH, one, {
    'x-amzn-iot-thingname': 'T-2',
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.owner.accessKeyId}, Signature=abc`,
    'x-amz-security-token': body.credentials!.sessionToken,
  });
  await get(`/things/x?X-Amz-Signature=${credentials.owner.secretAccessKey}`, {
    cert: (await provision('T-3')).cert,
    key: (await provision('T-4')).key,
  }).catch(() => {});
  const text = logged.join('\n');
  assert.ok(text.length > 0);
  for (const secret of [
    body.credentials!.secretAccessKey,
    body.credentials!.sessionToken,
    credentials.owner.secretAccessKey,
    one.key.split('\n')[1],
    JSON.parse(shelf.read('credentials.json')!).sealingKey,
  ])
    assert.not(text.includes(secret));
  await door.close();
});

https('temporary keys end with their time and with their certificate, and cannot be made up', async () => {
  const shelf = memoryShelf();
  const first = await testThings({ shelf });
  const { registry, certificates, policies, credentials, identities, time } = first;
  await registry.create({ name: 'T-1' });
  const { certificate } = await certificates.create({ active: true });
  await registry.attachPrincipal('T-1', certificate.arn);
  await policies.attach(DEVICE_POLICY, certificate.arn);
  const principal = identities.ofCertificate(new X509Certificate(certificate.pem).raw)!;
  const lent = credentials.assume(principal, DEVICE_ROLE_ALIAS, null);
  assert.is(credentials.find(lent.accessKeyId, lent.sessionToken)?.secretAccessKey, lent.secretAccessKey);
  assert.is(credentials.find(lent.accessKeyId, null), null, 'without its token');
  assert.is(credentials.find('ASIAAAAAAAAAAAAAAAAA', lent.sessionToken), null, 'another key’s token');
  assert.is(credentials.find(credentials.owner.accessKeyId, lent.sessionToken), null);
  assert.is(credentials.find('__proto__', null), null);

  const [body, mark] = lent.sessionToken.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, until: claims.until + 1e12 })).toString('base64url');
  const guess = createHmac('sha256', randomBytes(32)).update(`token ${forged}`).digest('base64url');
  for (const token of [
    `${forged}.${mark}`,
    `${forged}.${guess}`,
    `${body}.`,
    body,
    '',
    '.',
    `${body}.${mark}.x`,
    `${body}.${mark}`.repeat(1_000),
  ])
    assert.is(credentials.find(lent.accessKeyId, token), null);

  // the same keys after a restart, as the folder is the same
  const owner = openOwnerKey(shelf, (count) => randomBytes(count));
  assert.is(owner.secretAccessKey, credentials.owner.secretAccessKey);

  time.now = NOON + 3_600_000 - 1;
  assert.ok(credentials.find(lent.accessKeyId, lent.sessionToken));
  time.now = NOON + 3_600_000;
  assert.is(credentials.find(lent.accessKeyId, lent.sessionToken)?.expiresAt, time.now, 'it says that it has expired');
  time.now = NOON;
  await certificates.setStatus(certificate.id, 'REVOKED');
  assert.is(credentials.find(lent.accessKeyId, lent.sessionToken), null, 'revoked');
});

https('role aliases keep AWS’s rules', async () => {
  const { credentials } = await testThings();
  const roleArn = 'arn:aws:iam::000000000000:role/farm';
  assert.is((await credentials.createRoleAlias('farm', { roleArn })).credentialDurationSeconds, 3_600);
  assert.is(await refusal(() => credentials.createRoleAlias('farm', { roleArn })), 'ResourceAlreadyExists');
  for (const seconds of [899, 43_201, 1.5, Number.NaN])
    assert.is(await refusal(() => credentials.createRoleAlias('x', { roleArn, credentialDurationSeconds: seconds })), 'InvalidRequest');
  for (const name of ['', 'a b', 'a/b', 'x'.repeat(129)])
    assert.is(await refusal(() => credentials.createRoleAlias(name, { roleArn })), 'InvalidRequest');
  assert.is(await refusal(() => credentials.createRoleAlias('y', { roleArn: 'farm' })), 'InvalidRequest');
  assert.is((await credentials.updateRoleAlias('farm', { credentialDurationSeconds: 900 })).roleArn, roleArn);
  await credentials.removeRoleAlias('farm');
  assert.is(await refusal(() => credentials.describeRoleAlias('farm')), 'ResourceNotFound');
});

https.run();
