import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLI, eventually, type FarmProcess, removeFolder, runCli, scratchFolder, startCloud } from '../../kit/farm-process.ts';
import { freePort } from '../../kit/free-port.ts';

const command = suite('cloud, as a command');

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
const environment = (text: string) =>
  Object.fromEntries([...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

command('the environment is printed with keys that stay the same, whether the cloud runs or not', async () => {
  const folder = scratchFolder();
  const data = join(folder, 'data');
  const first = environment((await runCli(['cloud', '--print-env', '--data', data, '--port', '7999'])).out);
  assert.equal(Object.keys(first).sort(), ['AWS_ACCESS_KEY_ID', 'AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_SECRET_ACCESS_KEY']);
  assert.is(first['AWS_ENDPOINT_URL'], 'http://127.0.0.1:7999');
  assert.equal(readdirSync(data), ['keys'], 'nothing else is made or started');
  assert.is(statSync(join(data, 'keys', 'credentials.json')).mode & 0o777, 0o600);

  const cloud = await startCloud(data);
  const running = environment(cloud.output());
  assert.is(running['AWS_ENDPOINT_URL'], cloud.url);
  assert.is(running['AWS_SECRET_ACCESS_KEY'], first['AWS_SECRET_ACCESS_KEY']);
  assert.equal(environment((await runCli(['cloud', '--print-env', '--data', data])).out), running);
  const second = await runCli(['cloud', '--port', '0', '--mqtt-port', '0', '--mqtts-port', '0', '--https-port', '0', '--data', data]);
  assert.is(second.code, 4);
  assert.match(second.err, /uses the data folder/);
  assert.is(await cloud.stop(), 130);
  assert.not(existsSync(join(data, 'farm.pid')));

  writeFileSync(join(data, 'keys', 'credentials.json'), '{"accessKeyId":"AKIA","secretAccessKey":"SECRETSECRET"}', { mode: 0o600 });
  const broken = await runCli(['cloud', '--print-env', '--data', data]);
  assert.is(broken.code, 6);
  assert.not(broken.err.includes('SECRETSECRET'));
  removeFolder(folder);
});

command('a port that is taken ends it with 4 and a word on which', async () => {
  const folder = scratchFolder();
  const taken = await freePort();
  const holder = createServer().listen(taken, '127.0.0.1');
  await new Promise((done) => holder.once('listening', done));
  for (const flag of ['--mqtts-port', '--https-port']) {
    const flags = ['--port', '--mqtt-port', '--mqtts-port', '--https-port'].flatMap((one) => [one, one === flag ? String(taken) : '0']);
    const { code, err } = await runCli(['cloud', ...flags, '--data', join(folder, 'data')]);
    assert.is(code, 4, err);
    assert.match(err, new RegExp(`port ${taken} .*taken`));
    assert.ok(err.includes(flag), err);
    assert.not(existsSync(join(folder, 'data', 'farm.pid')));
  }
  holder.close();
  removeFolder(folder);
});

command('the profile memory keeps nothing', async () => {
  const folder = scratchFolder();
  const cloud = await startCloud(join(folder, 'data'), ['--profile', 'memory']);
  assert.is((await things(cloud, 'create', 'T-1', '--out', join(folder, 't1'))).code, 0);
  assert.is(await cloud.stop('SIGTERM'), 143);
  assert.equal(readdirSync(folder), ['t1']);
  removeFolder(folder);
});

command('nothing secret is in the logs, whoever tries what', async () => {
  const folder = scratchFolder();
  const data = join(folder, 'data');
  const flags: string[] = [];
  for (const name of ['--port', '--mqtt-port', '--mqtts-port', '--https-port']) flags.push(name, String(await freePort()));
  const child = spawn(process.execPath, [CLI, 'cloud', ...flags, '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, WINDFLEET_LOG: 'trace' },
  });
  let [out, log] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (log += chunk));
  await eventually(
    async () => out,
    (text) => text.includes('Ctrl-C'),
  );
  const url = /console\s+(\S+)/.exec(out)![1];
  const one = join(folder, 't1');
  await runCli(['things', 'create', 'T-1', '--out', one, '--cloud', url]);
  const keys = await new Promise<{ credentials: { secretAccessKey: string; sessionToken: string } }>((done, failed) => {
    request(configIn(one).credentials, { ...filesOf(one), agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => done(JSON.parse(text)));
    })
      .on('error', failed)
      .end();
  });
  const { secretAccessKey, sessionToken } = keys.credentials;
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=x/${secretAccessKey}/iot, Signature=${sessionToken.slice(0, 64)}`,
    'x-amz-security-token': sessionToken,
  };
  for (const path of ['/things/T-1', `/things/T-1?X-Amz-Signature=${secretAccessKey}`, '/api/things', '/nowhere'])
    await fetch(`${url}${path}`, { headers }).catch(() => {});
  const client = await connectThing(one);
  await client.publishAsync('$aws/things/T-2/jobs/get', JSON.stringify({ clientToken: sessionToken })).catch(() => {});
  await client.endAsync(true);
  await runCli(['things', 'revoke', 'T-1', '--cloud', url]);
  await connectThing(one).then(
    (again) => again.endAsync(true),
    () => {},
  );
  child.kill('SIGINT');
  await new Promise((done) => child.on('close', done));

  assert.ok(log.length > 0, 'refusals are logged');
  const secrets = [
    secretAccessKey,
    sessionToken,
    sessionToken.slice(0, 64),
    environment(out)['AWS_SECRET_ACCESS_KEY'],
    readFileSync(join(one, 'private.key.pem'), 'utf8').split('\n')[1],
  ];
  for (const file of readdirSync(join(data, 'keys')).filter((name) => name.endsWith('key.pem')))
    secrets.push(readFileSync(join(data, 'keys', file), 'utf8').split('\n')[1]);
  for (const secret of secrets) assert.not(log.includes(secret));
  removeFolder(folder);
});

command.run();
