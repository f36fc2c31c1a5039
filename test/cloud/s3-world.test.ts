/** S3 within a whole cloud: job documents' URLs, what captures start, which store a cloud uses. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CAPTURE_POLICY, fleetCapture } from '../../actors/capture.ts';
import { CAPTURE_BUCKET, CAPTURE_PREFIX } from '../../actors/contracts/capture.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { type AwsWorld, openAwsWorld } from '../kit/aws-world.ts';
import { CLI, removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { starter } from '../kit/packages.ts';
import { askS3 } from '../kit/s3-raw.ts';
import { startS3 } from '../kit/s3-server.ts';

const s3 = suite('s3 in a cloud');

let world: AwsWorld;
s3.before.each(async () => {
  world = await openAwsWorld();
});
s3.after.each(() => world.close());

s3('a job’s presigned URL reads an object that is not served otherwise', async () => {
  await world.cloud.objects.put('firmware', 'agent/2 (ü).bin', Buffer.from('bytes'));
  world.cloud.registry.register('T-900');
  await world.cloud.jobs.create({
    jobId: 'agent',
    targets: ['T-900'],
    document: { url: '\u0024{aws:iot:s3-presigned-url:https://s3.eu-west-1.amazonaws.com/firmware/agent/2%20(%C3%BC).bin}' },
  });
  const document = JSON.parse(await world.cloud.jobs.document('agent')) as { url: string };

  assert.is(await (await fetch(document.url)).text(), 'bytes');
  assert.is((await fetch(document.url, { headers: { range: 'bytes=1-2' } })).status, 206);
  assert.is((await fetch(document.url, { method: 'PUT', body: 'x' })).status, 403);
  assert.is((await fetch(document.url.replace('agent', 'other'))).status, 403);
  assert.is((await fetch(`${world.url}/objects/firmware/agent/2 (ü).bin`)).status, 404);
});

s3('a package that devices read, a capture that a client stores and the index holds', async () => {
  const { url, owner, cloud } = world;
  const [model] = await cloud.catalogue.list();
  const got = await askS3(url, owner, { path: `/${MODEL_BUCKET}/${model.key}` });
  assert.equal([got.status, Number(got.headers.get('content-length'))], [200, model.bytes]);

  const file = await capturedBy('T-001');
  const { status } = await askS3(url, owner, { method: 'PUT', path: `/${CAPTURE_BUCKET}/from/a/client.jsonl`, body: file });
  await cloud.ingest.settled();
  assert.is(status, 200);
  const count = await cloud.index.aggregate({ index: 'captures', by: ['thing'], agg: 'count' });
  assert.equal(
    count.map(({ by }) => by['thing']),
    ['T-001'],
  );
});

/** The bytes of a capture file, as a device makes it. */
async function capturedBy(thing: string): Promise<Uint8Array> {
  const [objects, clock] = [memoryObjects(), new VirtualClock()];
  const capture = fleetCapture({ clock, log: silentLog, objects, bucket: CAPTURE_BUCKET, prefix: CAPTURE_PREFIX });
  const { manifest } = starter('1.0.0');
  const scores = Object.fromEntries(manifest.signal.features.map(({ name }) => [name, 2]));
  const worst = manifest.signal.features[0].name;
  capture.judged(thing, { at: 1_000, model: 'windturbine-anomaly@1.0.0', anomalous: true, score: 2, worst, scores }, manifest);
  await clock.run(CAPTURE_POLICY.pushMs);
  const [{ key }] = await objects.list(CAPTURE_BUCKET);
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(CAPTURE_BUCKET, key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

s3('a farm whose configuration says so keeps its objects in S3, and its job documents lead there', async () => {
  const elsewhere = await startS3(null);
  const folder = scratchFolder();
  const settings = JSON.stringify({ objects: { s3: { endpoint: elsewhere.url, bucketPrefix: 'acme-' } } });
  writeFileSync(join(folder, 'windfleet.config.json'), settings);
  const run = (env: NodeJS.ProcessEnv, ...words: string[]) =>
    new Promise<{ code: number | null; text: string }>((done) => {
      const child = spawn(process.execPath, [CLI, ...words], { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, ...env } });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
      child.on('close', (code) => done({ code, text }));
    });
  const ports = ['--port', '0', '--mqtt-port', '0', '--mqtts-port', '0', '--https-port', '0'];
  const keys = { AWS_ACCESS_KEY_ID: elsewhere.key.accessKeyId, AWS_SECRET_ACCESS_KEY: elsewhere.key.secretAccessKey };

  const ended = await run(keys, 'up', '--turbines', '1', '--for', '2s', '--speed', 'max', ...ports, '--json');
  assert.is(ended.code, 0, ended.text);
  const packages = await elsewhere.objects.page(`acme-${MODEL_BUCKET}`);
  assert.ok(packages.objects.length >= 2, 'the starters lie there');
  assert.not(existsSync(join(folder, '.windfleet/objects', MODEL_BUCKET)));

  const list = await run(keys, 'model', 'list', '--json');
  assert.is((JSON.parse(list.text.slice(list.text.indexOf('['))) as unknown[]).length, packages.objects.length, list.text);
  const nobody = await run({ AWS_EC2_METADATA_DISABLED: 'true' }, 'up', '--turbines', '1', '--for', '1s', ...ports);
  assert.is(nobody.code, 4, nobody.text);
  assert.match(nobody.text, /AWS_ACCESS_KEY_ID/);
  const wrong = await run({ ...keys, AWS_SECRET_ACCESS_KEY: 'wrong' }, 'up', '--turbines', '1', '--for', '1s', ...ports);
  assert.is(wrong.code, 4, wrong.text);
  assert.match(wrong.text, /SignatureDoesNotMatch|403/);
  await elsewhere.close();
  removeFolder(folder);
});

s3.run();
