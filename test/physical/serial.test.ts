import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, createWriteStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSampleBlock, Quality } from '../../actors/contracts/backing.ts';
import { printReading } from '../../actors/contracts/channels.ts';
import { BackingLost } from '../../actors/contracts/errors.ts';
import type { TurbineView } from '../../actors/contracts/fleet-view.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { driverBacking } from '../../physical/backing.ts';
import type { Readings } from '../../physical/drivers/driver.ts';
import { parseLine, proMini } from '../../physical/drivers/pro-mini.ts';
import { twinBacking } from '../../twins/backing.ts';
import { defaultWind } from '../../twins/library/desk-turbine.ts';
import { createRng } from '../../twins/rng.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { CLI, eventually, getJson, removeFolder, runCli, scratchFolder, startCloud, startFarm } from '../kit/farm-process.ts';
import { has } from '../kit/programs.ts';

const serial = suite('serial');

const line = '1200,512,2.19,2.06,70,-0.10,0.00,-0.01,0.99,0.00,0.00,1.00,0,0,16384,31.50,22.10,40.00,1013.20,1.10';

serial('reads every field of a whole line, and nothing else', () => {
  assert.is(Object.keys(parseLine(line) ?? {}).length, 20);
  assert.is(parseLine(`${line}\r\n`)?.['qz'], 0.99);
  for (const bad of [
    '',
    line.slice(9),
    line + line,
    `${line},1`,
    line.replace('2.19', ''),
    line.replace('2.19', 'NaN'),
    line.replace('2.19', '0x10'),
    line.replace('2.19', '1e5'),
    line.replace('2.19', ' '),
    '\u0000'.repeat(200),
  ])
    assert.is(parseLine(bad), null, JSON.stringify(bad.slice(0, 40)));
});

serial('drops what is no line, counts it, and knows the firmware’s complaint', async () => {
  async function* lines() {
    yield line.slice(9);
    yield line;
    yield 'Invalid Intialization. Please fix that and restart. Code: 2';
  }
  const driver = proMini(lines);
  const got: Readings[] = [];
  const failure = await (async () => {
    for await (const readings of driver.read(new AbortController().signal)) got.push(readings);
  })().catch((error: unknown) => error);
  assert.is(got.length, 1);
  assert.is(driver.rejected, 1);
  assert.ok(failure instanceof BackingLost && failure.message.includes('MPU6050'));
});

serial('a silent line is stale and then lost, and mends itself with the next one', async () => {
  const clock = new VirtualClock();
  let give: (readings: Readings) => void = () => {};
  const driver = {
    name: 'test',
    async *read() {
      for (;;) yield await new Promise<Readings>((given) => (give = given));
    },
  };
  const backing = driverBacking({ thing: 'T-1', kind: 'serial', driver, clock, log: silentLog });
  const block = createSampleBlock(backing.channels, 1);
  const sampleAt = async (at: number) => {
    await clock.run(at);
    backing.sample(block);
    return block.quality[0];
  };

  assert.is(await sampleAt(50), Quality.lost);
  give(parseLine(line)!);
  assert.is(await sampleAt(100), 0);
  assert.is(block.values[2], 2.19);
  assert.is(await sampleAt(400), Quality.stale);
  assert.is(await sampleAt(5_200), Quality.lost);
  assert.ok(Number.isNaN(block.values[2]));
  give(parseLine(line)!);
  assert.is(await sampleAt(5_300), 0);
});

serial('a port that is not there is said, with the mend', async () => {
  const { code, err } = await runCli(['edge', '--thing', 'T-100', '--serial', '/dev/ttyNOWHERE']);
  assert.is(code, 4);
  assert.match(err, /serial port \/dev\/ttyNOWHERE cannot be opened[\s\S]*dialout/);
});

serial('a turbine on a serial line stands in the console beside the twins, with a model that judges it', async () => {
  if (!has('socat', 'socat')) return;
  const folder = scratchFolder();
  const [board, port] = [join(folder, 'board'), join(folder, 'port')];
  const processes: ChildProcess[] = [spawn('socat', [`pty,raw,echo=0,link=${board}`, `pty,raw,echo=0,link=${port}`])];
  const farm = await startFarm(join(folder, 'farm'), ['--turbines', '1']);
  await eventually(
    async () => existsSync(board) && existsSync(port),
    (ready) => ready,
  );
  const stop = feed(board);
  const edge = spawn(
    process.execPath,
    [CLI, 'edge', '--thing', 'T-100', '--serial', port, '--cloud', farm.url, '--data', join(folder, 'edge')],
    { stdio: 'ignore' },
  );
  processes.push(edge);
  const ended = new Promise((done) => edge.on('close', done));

  const turbines = await eventually(
    () => getJson<TurbineView[]>(`${farm.url}/api/turbines`),
    (all) => all.some(({ thing, state, verdict }) => thing === 'T-100' && state === 'inferring.healthy' && verdict !== null),
  );
  const real = turbines.find(({ thing }) => thing === 'T-100');
  assert.is(real?.backing, 'serial');
  assert.is(real?.model, 'windturbine-anomaly@1.0.0');
  assert.is(turbines.length, 2);

  const deployed = await runCli(['deploy', 'windturbine-anomaly@1.1.0', '--to', 'T-100', '--watch', '--cloud', farm.url]);
  assert.is(deployed.code, 0, deployed.out + deployed.err);
  await eventually(
    () => getJson<TurbineView>(`${farm.url}/api/turbines/T-100`),
    ({ model }) => model === 'windturbine-anomaly@1.1.0',
  );
  const refused = await runCli(['faults', 'inject', 'T-100', 'icing', '--cloud', farm.url]);
  assert.is(refused.code, 2);
  assert.match(refused.err, /T-100/);

  edge.kill('SIGINT');
  assert.is(await ended, 130);
  await farm.stop();

  // Power comes back, and the network does not yet: the turbine is watched all the same.
  const alone = spawn(
    process.execPath,
    [CLI, 'edge', '--thing', 'T-100', '--serial', port, '--cloud', farm.url, '--data', join(folder, 'edge')],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  processes.push(alone);
  let said = '';
  alone.stdout.on('data', (chunk) => (said += chunk));
  await eventually(
    async () => said,
    (text) => text.includes('Ctrl-C'),
  );
  const back = await startFarm(join(folder, 'farm'), [
    ...['--turbines', '1', '--port', new URL(farm.url).port, '--mqtt-port', farm.mqtt.split(':').at(-1)!],
  ]);
  const known = await eventually(
    () => getJson<TurbineView[]>(`${back.url}/api/turbines`),
    (all) => all.some(({ thing, state, verdict }) => thing === 'T-100' && state === 'inferring.healthy' && verdict !== null),
  );
  assert.is(known.find(({ thing }) => thing === 'T-100')?.model, 'windturbine-anomaly@1.1.0');
  alone.kill('SIGINT');
  stop();
  await back.stop();
  for (const child of processes) child.kill();
  removeFolder(folder);
});

serial('with the files of `things create` it connects by its certificate, and comes no more once that is revoked', async () => {
  if (!has('socat', 'socat')) return;
  const folder = scratchFolder();
  const [board, port, own] = [join(folder, 'board'), join(folder, 'port'), join(folder, 't100')];
  const socat = spawn('socat', [`pty,raw,echo=0,link=${board}`, `pty,raw,echo=0,link=${port}`]);
  const farm = await startCloud(join(folder, 'farm'));
  const created = await runCli(['things', 'create', 'T-100', '--out', own, '--cloud', farm.url]);
  assert.is(created.code, 0, created.err);
  await eventually(
    async () => existsSync(board) && existsSync(port),
    (ready) => ready,
  );
  const stop = feed(board);
  const flags = ['edge', '--config', join(own, 'edge.json'), '--serial', port, '--data', join(folder, 'edge')];
  const edge = spawn(process.execPath, [CLI, ...flags], { stdio: 'ignore' });
  const ended = new Promise((done) => edge.on('close', done));
  await eventually(
    () => getJson<TurbineView[]>(`${farm.url}/api/turbines`),
    (all) => all.some(({ thing, backing }) => thing === 'T-100' && backing === 'serial'),
  );
  edge.kill('SIGKILL');
  await ended;

  await runCli(['things', 'revoke', 'T-100', '--cloud', farm.url]);
  const again = await runCli(flags);
  assert.is(again.code, 5, again.err);
  chmodSync(join(own, 'private.key.pem'), 0o644);
  assert.is((await runCli(flags)).code, 6);
  chmodSync(join(own, 'private.key.pem'), 0o600);
  writeFileSync(join(own, 'edge.json'), '{"thing":"../T","mqtt":"mqtt://127.0.0.1:1883"}');
  const wrong = await runCli(flags);
  assert.is(wrong.code, 3);
  for (const path of ['thing', 'mqtt', 'cloud', 'certificate', 'key', 'ca']) assert.match(wrong.err, new RegExp(`at ${path}`));
  assert.is((await runCli(['edge', '--serial', port])).code, 2);

  stop();
  socat.kill();
  await farm.stop();
  removeFolder(folder);
});

/** Writes a twin's lines to a port, 20 a second, as the board would. @returns ends it */
function feed(board: string): () => void {
  const twin = twinBacking({ things: ['T-100'], rng: createRng(77), wind: defaultWind });
  const block = createSampleBlock(twin.channels, 1);
  const out = createWriteStream(board, { flags: 'r+' });
  out.on('error', () => {}); // the port goes with its emulator
  let now = 60_000;
  const timer = setInterval(() => {
    now += 50;
    twin.advance(now);
    twin.sample(block);
    out.write(`${twin.channels.map((channel, c) => printReading(channel, block.values[c])).join(',')}\n`);
  }, 50);
  return () => {
    clearInterval(timer);
    out.destroy();
  };
}

serial.run();
