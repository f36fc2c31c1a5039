import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, type FarmProcess, removeFolder, runCli, scratchFolder, startCloud } from '../../kit/farm-process.ts';
import { has, hasPython, python } from '../../kit/programs.ts';

const command = suite('things, as a command');

interface EdgeConfig {
  readonly thing: string;
  readonly clientId: string;
  readonly mqtt: string;
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly credentials: string;
}

const configIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'edge.json'), 'utf8')) as EdgeConfig;
const filesOf = (folder: string) => {
  const { certificate, key, ca } = configIn(folder);
  return { cert: readFileSync(join(folder, certificate)), key: readFileSync(join(folder, key)), ca: readFileSync(join(folder, ca)) };
};
const connectThing = (folder: string, clientId = configIn(folder).clientId): Promise<MqttClient> =>
  connectAsync(configIn(folder).mqtt, { clientId, ...filesOf(folder), reconnectPeriod: 0, connectTimeout: 10_000 }, false);
const things = (cloud: FarmProcess, ...args: string[]) => runCli(['things', ...args, '--cloud', cloud.url]);
command(
  'a thing that was created connects by its certificate, does its own, and nothing of another’s; revoked, it is put off',
  async () => {
    const folder = scratchFolder();
    const cloud = await startCloud(join(folder, 'data'));
    const [one, two] = [join(folder, 't1'), join(folder, 't2')];
    for (const [name, out] of [
      ['T-1', one],
      ['T-2', two],
    ]) {
      const { code, err } = await things(cloud, 'create', name, '--out', out);
      assert.is(code, 0, err);
      assert.is(statSync(out).mode & 0o777, 0o700);
      for (const file of readdirSync(out)) assert.is(statSync(join(out, file)).mode & 0o777, 0o600, file);
    }

    const client = await connectThing(one);
    const heard: string[] = [];
    client.on('message', (topic) => heard.push(topic));
    const [own] = await client.subscribeAsync('$aws/things/T-1/jobs/#', { qos: 1 });
    assert.is(own.qos, 1);
    for (const filter of ['$aws/things/+/#', '$aws/things/T-2/jobs/#', '#', 'wind-turbine/logs/#', 'windfleet/T-2/state']) {
      const answer = await client.subscribeAsync(filter, { qos: 1 }).then(
        (granted) => granted[0]?.qos,
        () => 128,
      );
      assert.is(answer, 128, filter);
    }
    await client.publishAsync('$aws/things/T-1/jobs/get', '', { qos: 1 });
    await eventually(
      async () => heard,
      (topics) => topics.includes('$aws/things/T-1/jobs/get/accepted'),
    );

    assert.ok(
      await connectThing(two, 'T-1').then(
        (other) => other.endAsync(true).then(() => false),
        () => true,
      ),
      'another’s client id',
    );
    assert.ok(
      await connectAsync(
        configIn(one).mqtt,
        { clientId: 'T-1', ca: filesOf(one).ca, reconnectPeriod: 0, connectTimeout: 5_000 },
        false,
      ).then(
        () => false,
        () => true,
      ),
      'no certificate',
    );

    const closed = new Promise<void>((done) => client.on('close', done));
    const revoked = await things(cloud, 'revoke', 'T-1', '--json');
    assert.is(JSON.parse(revoked.out).revoked.length, 1);
    await closed;
    assert.ok(
      await connectThing(one).then(
        () => false,
        () => true,
      ),
      'revoked',
    );
    assert.match((await things(cloud, 'revoke', 'T-1')).out, /no certificate that is not revoked/);
    assert.is((await things(cloud, 'revoke', 'T-3')).code, 2);
    const list = JSON.parse((await things(cloud, 'list', '--json')).out) as { thing: string; certificates: { status: string }[] }[];
    assert.equal(
      list.map(({ thing, certificates }) => [thing, certificates.map(({ status }) => status)]),
      [
        ['T-1', ['REVOKED']],
        ['T-2', ['ACTIVE']],
      ],
    );

    await client.endAsync(true);
    assert.is(await cloud.stop(), 130);
    removeFolder(folder);
  },
);

command('nothing is written over, nor outside of the folder, and a refusal leaves nothing behind', async () => {
  const folder = scratchFolder();
  const cloud = await startCloud(join(folder, 'data'));
  const out = join(folder, 'out');
  assert.is((await things(cloud, 'create', 'T-1', '--out', out)).code, 0);
  const before = readFileSync(join(out, 'private.key.pem'), 'utf8');
  const again = await things(cloud, 'create', 'T-1', '--out', out);
  assert.is(again.code, 3);
  assert.match(again.err, /private\.key\.pem:1:1: it is there already/);
  assert.is(readFileSync(join(out, 'private.key.pem'), 'utf8'), before);

  for (const name of ['../T', '/etc/passwd', '']) {
    assert.is((await things(cloud, 'create', name, '--out', join(folder, 'other'))).code, 2, name);
    assert.not(existsSync(join(folder, 'other')), name);
  }
  const linked = join(folder, 'linked');
  mkdirSync(linked);
  symlinkSync(join(folder, 'elsewhere'), join(linked, 'private.key.pem')); // to nowhere yet
  assert.is((await things(cloud, 'create', 'T-2', '--out', linked)).code, 3);
  assert.not(existsSync(join(folder, 'elsewhere')), 'nothing is written through a link');
  writeFileSync(join(folder, 'file'), '');
  assert.is((await things(cloud, 'create', 'T-2', '--out', join(folder, 'file', 'x'))).code, 3);

  await cloud.stop();
  const gone = join(folder, 'gone');
  assert.is((await things(cloud, 'create', 'T-3', '--out', gone)).code, 5);
  assert.equal(readdirSync(gone), []);
  removeFolder(folder);
});

command('mosquitto’s client speaks to it with the files of a thing', async () => {
  if (!has('mosquitto_pub', 'mosquitto-clients')) return;
  const folder = scratchFolder();
  const cloud = await startCloud(join(folder, 'data'));
  const one = join(folder, 't1');
  await things(cloud, 'create', 'T-1', '--out', one);
  const [host, port] = cloud.mqtts.split(':');
  const publish = (clientId: string) =>
    new Promise<number | null>((done) => {
      const files = ['--cafile', join(one, 'ca.pem'), '--cert', join(one, 'certificate.pem'), '--key', join(one, 'private.key.pem')];
      const child = spawn(
        'mosquitto_pub',
        ['-h', host, '-p', port, ...files, '-i', clientId, '-q', '1', '-t', 'windfleet/T-1/state', '-m', '{}'],
        { stdio: 'ignore' },
      );
      child.on('close', done);
    });
  assert.is(await publish('T-1'), 0);
  assert.is.not(await publish('T-2'), 0);
  await cloud.stop();
  removeFolder(folder);
});

command('Python’s TLS takes the certificates as strictly as it can', async () => {
  if (!hasPython('ssl', 'python3')) return;
  const folder = scratchFolder();
  const cloud = await startCloud(join(folder, 'data'));
  const one = join(folder, 't1');
  await things(cloud, 'create', 'T-1', '--out', one);
  const [host, port] = cloud.https.split(':');
  const script = `
import ssl, http.client, json
context = ssl.create_default_context(cafile='${join(one, 'ca.pem')}')
context.verify_flags |= ssl.VERIFY_X509_STRICT
context.load_cert_chain('${join(one, 'certificate.pem')}', '${join(one, 'private.key.pem')}')
for name in ('${host}', 'localhost'):
    line = http.client.HTTPSConnection(name, ${port}, context=context)
    line.request('GET', '/role-aliases/windfleet-device/credentials')
    print(line.getresponse().status)
`;
  const child = spawn(python, ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  await new Promise((done) => child.on('close', done));
  assert.is(text, '200\n200\n');
  await cloud.stop();
  removeFolder(folder);
});

command.run();
