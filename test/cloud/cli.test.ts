import { createServer } from 'node:net';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../kit/free-port.ts';
import { removeFolder, runCli, scratchFolder, startFarm } from '../kit/farm-process.ts';

const cli = suite('command line');

const folder = scratchFolder();

cli('helps, with examples, and suggests what was meant', async () => {
  const help = await runCli(['up', '--help']);
  assert.is(help.code, 0);
  assert.match(help.out, /Examples:\n {2}windfleet up/);
  const wrong = await runCli(['dploy']);
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /Did you mean deploy/);
  assert.is((await runCli(['up', '--turbins', '3'])).code, 2);
});

cli('names every fault of a configuration and where it stands', async () => {
  const bad = join(folder, 'bad');
  mkdirSync(bad);
  writeFileSync(join(bad, 'windfleet.config.yaml'), 'turbines: many\nport: 99999\ncolour: red\n');
  const { code, err } = await runCli(['up', '--speed', 'fast'], { cwd: bad, env: { WINDFLEET_SEED: 'x' } });
  assert.is(code, 3);
  for (const part of ['windfleet.config.yaml:1:11: turbines', 'windfleet.config.yaml:2:7: port', 'colour', '--speed', 'WINDFLEET_SEED'])
    assert.match(err, part);
  writeFileSync(join(bad, 'windfleet.config.yaml'), 'turbines: [1\nport: 2');
  const broken = await runCli(['up'], { cwd: bad });
  assert.is(broken.code, 3);
  assert.match(broken.err, /windfleet.config.yaml:\d+:\d+/);
});

cli('a busy port, and a folder in use, are said with the mend', async () => {
  const wanted = await freePort();
  const busy = createServer();
  await new Promise<void>((listening) => busy.listen(wanted, '127.0.0.1', listening));
  const { port } = busy.address() as { port: number };
  const mqtt = await runCli(['up', '--port', '0', '--mqtt-port', String(port), '--data', join(folder, 'a')]);
  assert.is(mqtt.code, 4);
  assert.match(mqtt.err, new RegExp(`MQTT port ${port}.*is taken[\\s\\S]*--mqtt-port`));
  const page = await runCli(['up', '--port', String(port), '--mqtt-port', '0', '--data', join(folder, 'a')]);
  assert.is(page.code, 4);
  assert.match(page.err, new RegExp(`console port ${port}.*is taken[\\s\\S]*--port`));
  busy.close();

  const farm = await startFarm(join(folder, 'b'));
  const second = await runCli(['up', '--port', '0', '--mqtt-port', '0', '--data', join(folder, 'b')]);
  assert.is(second.code, 4);
  assert.match(second.err, /uses the data folder[\s\S]*--data/);
  assert.is(statSync(join(folder, 'b/keys/signing.pem')).mode & 0o777, 0o600);
  assert.is(await farm.stop('SIGTERM'), 143);
});

cli('runs in virtual time, twice the same, and far faster than the wall', async () => {
  const run = async () =>
    JSON.parse((await runCli(['up', '--profile', 'memory', '--speed', 'max', '--for', '2m', '--json'])).out) as Record<
      string,
      number | string
    >;
  const [one, two] = [await run(), await run()];
  assert.is(one['digest'], two['digest']);
  assert.match(String(one['digest']), /^[0-9a-f]{64}$/);
  assert.is(one['simulatedSeconds'], 120);
  assert.is(one['turbines'], 5);
});

cli('plays a story, prints its digest, and exits 99 when it does not come true', async () => {
  const passed = await runCli(['scenario', 'run', 'bearing-wear']);
  assert.is(passed.code, 0, passed.out + passed.err);
  assert.match(passed.out, /digest: [0-9a-f]{64}/);
  const unknown = await runCli(['scenario', 'run', 'bearing-ware']);
  assert.is(unknown.code, 2);
  assert.match(unknown.err, /Did you mean bearing-wear/);
});

cli('records a farm that plays back', async () => {
  const file = join(folder, 'farm.csv');
  const recorded = await runCli(['data', 'record', '--turbines', '2', '--for', '30s', '--out', file, '--faults', 'icing']);
  assert.is(recorded.code, 0, recorded.err);
  const played = await runCli(['up', '--replay', file, '--profile', 'memory', '--speed', 'max', '--for', '30s', '--json']);
  assert.is((JSON.parse(played.out) as { turbines: number }).turbines, 2);
  writeFileSync(file, 'a,b\n1,2\n');
  const wrong = await runCli(['up', '--replay', file, '--profile', 'memory', '--for', '1s']);
  assert.is(wrong.code, 3);
  assert.match(wrong.err, /farm.csv:1 has no column nanoId/);
  assert.is((await runCli(['data', 'record', '--out', file, '--for', 'soon'])).code, 2);
});

cli('verifies packages: 6 for what is none, 3 for what cannot be read', async () => {
  const data = join(folder, 'c');
  const file = join(folder, 'no.tar.gz');
  writeFileSync(file, 'no package');
  assert.is((await runCli(['model', 'verify', file, '--data', data])).code, 6);
  assert.is((await runCli(['model', 'verify', join(folder, 'gone.tar.gz'), '--data', data])).code, 3);
  const starter = join(import.meta.dirname, '../../../cloud/models/starter/windturbine-anomaly-1.1.0');
  assert.is((await runCli(['model', 'pack', starter, '--out', folder, '--data', data])).code, 0);
  const packed = join(folder, 'windturbine-anomaly-1.1.0.tar.gz');
  assert.is((await runCli(['model', 'verify', packed, '--data', data])).code, 0);
  assert.is((await runCli(['model', 'verify', packed, '--data', join(folder, 'd')])).code, 6);
});

cli('goes from a recording to a signed package that a farm can publish', async () => {
  const [csv, prepared, trained, data] = ['train.csv', 'prepared', 'trained', 'e'].map((name) => join(folder, name));
  assert.is((await runCli(['data', 'record', '--turbines', '2', '--for', '5m', '--out', csv])).code, 0);
  const ready = await runCli(['data', 'prepare', csv, '--out', prepared]);
  assert.is(ready.code, 0, ready.err);
  const done = await runCli(['train', prepared, '--out', trained, '--epochs', '3']);
  assert.is(done.code, 0, done.err);
  assert.match(done.out, /windturbine-anomaly@2.0.0 after 3 epochs/);
  assert.is((await runCli(['model', 'pack', trained, '--out', folder, '--data', data])).code, 0);
  const published = await runCli(['model', 'publish', join(folder, 'windturbine-anomaly-2.0.0.tar.gz'), '--data', data]);
  assert.is(published.code, 0, published.err);
  assert.equal(
    (JSON.parse((await runCli(['model', 'list', '--json', '--data', data])).out) as { version: string }[]).map(({ version }) => version),
    ['2.0.0'],
  );
  writeFileSync(join(prepared, 'training.f32'), 'abc');
  const damaged = await runCli(['train', prepared, '--out', trained]);
  assert.is(damaged.code, 3);
  assert.match(damaged.err, /training.f32 has 3 bytes/);
});

cli('says that no farm answers, and how to start one', async () => {
  const { code, err } = await runCli(['faults', 'list', '--cloud', 'http://127.0.0.1:9']);
  assert.is(code, 5);
  assert.match(err, /no farm answers[\s\S]*windfleet up/);
});

cli.after(() => removeFolder(folder));

cli.run();
