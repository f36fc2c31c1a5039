/** The edge agent and a cloud: keys lent for its certificate, and what it signs with them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import { provisionThing, revokeThing } from '../../cloud/things/provisioning.ts';
import { makeKeyPair, makeRequest } from '../../cloud/things/x509.ts';
import { startHeartbeat } from '../../physical/agent/heartbeat.ts';
import { iotCredentials, type ProviderSettings } from '../../physical/agent/iot-credentials.ts';
import { s3Sink } from '../../physical/agent/s3-sink.ts';
import type { Agent } from '../../physical/agent/server.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { type AwsWorld, openAwsWorld } from '../kit/aws-world.ts';
import { eventually, removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';

const cloud = suite('the edge agent’s cloud');

const wall = wallClock();
const now = () => wall.epoch + wall.now();
let world: AwsWorld;
let folder: string;
let settings: ProviderSettings;

cloud.before(async () => {
  world = await openAwsWorld();
  folder = scratchFolder();
  const { privateKeyPem } = await makeKeyPair();
  const made = await provisionThing(world.cloud.things, 'T-1', await makeRequest(privateKeyPem, 'T-1'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  settings = {
    endpoint: `https://${world.doors.https}/role-aliases/windfleet-device/credentials`,
    ca: file('ca.pem', made.caPem),
    certificate: file('certificate.pem', made.certificatePem),
    key: file('key.pem', privateKeyPem),
  };
});
cloud.after(async () => {
  await world.close();
  removeFolder(folder);
});

const failure = (work: Promise<unknown>): Promise<Error & { code?: string }> =>
  work.then(
    () => {
      throw new Error('nothing failed');
    },
    (error: Error) => error,
  );

cloud('keys are asked for once by all who wait, and again shortly before they end', async () => {
  let at = now();
  const lend = iotCredentials(settings, () => at);
  const [first, second] = await Promise.all([lend(), lend()]);
  assert.is(first, second);
  assert.match(first.accessKeyId, /^ASIA/);
  at = first.expiration.getTime() - 6 * 60_000;
  assert.is(await lend(), first);
  at = first.expiration.getTime() - 4 * 60_000;
  assert.is.not((await lend()).sessionToken, first.sessionToken);
});

cloud('who lends none is named with his reason, and asked again the next time', async () => {
  const wrong = (change: Partial<ProviderSettings>) => failure(iotCredentials({ ...settings, ...change }, now)());
  const absent = await wrong({ endpoint: settings.endpoint.replace('windfleet-device', 'none') });
  assert.is(absent.code, 'remote.refused');
  assert.match(absent.message, /lends no keys: it answers 404 .*none/);
  assert.match((await wrong({ endpoint: `https://127.0.0.1:${await freePort()}/` })).message, /ECONNREFUSED/);
  assert.match((await wrong({ ca: settings.certificate })).message, /lends no keys/);
  assert.match((await wrong({ key: join(folder, 'gone.pem') })).message, /gone\.pem:1:1: it cannot be read/);

  const lend = iotCredentials({ ...settings, certificate: join(folder, 'later.pem') }, now);
  await failure(lend());
  writeFileSync(join(folder, 'later.pem'), readFileSync(settings.certificate));
  assert.match((await lend()).accessKeyId, /^ASIA/);
});

const agentWith = (models: ReturnType<Agent['models']>): Agent => ({
  socket: '/tmp/x',
  counts: () => ({ predictions: 1, refused: 0, capturesWaiting: 0, capturesStored: 0, capturesFailed: 0 }),
  models: () => models,
  close: async () => {},
});

cloud('its heartbeat is signed with them, and seen by who describes the device', async () => {
  const clock = new VirtualClock();
  const stop = startHeartbeat(agentWith([{ name: 'Wind-1-0', version: '1.0.0', predictions: 3 }]), {
    clock,
    log: silentLog,
    version: '0.1.0',
    device: 'T-1',
    fleet: 'windturbine-farm',
    cloud: world.url,
    signer: { region: 'us-east-1', credentials: iotCredentials(settings, now), now },
  });
  await clock.run(30_000);
  const seen = await eventually(
    async () => world.cloud.things.edgeDevices.describe('T-1', 'windturbine-farm'),
    ({ agentVersion }) => agentVersion !== null,
  );
  stop();
  assert.equal([seen.agentVersion, seen.models.map(({ name, version }) => `${name}@${version}`)], ['0.1.0', ['Wind-1-0@1.0.0']]);
});

cloud('a store that takes nothing fails the upload with the address, and without a key', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, { 'content-type': 'application/xml' }).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
  });
  const port = await freePort();
  await new Promise<void>((up) => server.listen(port, '127.0.0.1', up));
  const credentials = iotCredentials(settings, now);
  const sink = s3Sink({ bucket: 'x-sagemaker', region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`, credentials });
  const refused = await failure(sink.put('a/b.jsonl', Buffer.from('{}')));
  assert.is(refused.code, 'remote.refused');
  assert.match(refused.message, /^s3:\/\/x-sagemaker\/a\/b\.jsonl was not taken: /);
  assert.not(refused.message.includes((await credentials()).secretAccessKey));
  server.closeAllConnections();
  await new Promise((down) => server.close(down));

  await revokeThing(world.cloud.things, 'T-1');
  const lent = await failure(
    s3Sink({ bucket: 'x-sagemaker', region: 'us-east-1', credentials: iotCredentials(settings, now) }).put('k', Buffer.from('')),
  );
  assert.match(lent.message, /lends no keys: it answers 403/);
});

cloud.run();
