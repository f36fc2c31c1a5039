/** The disk kind alone: what a crash, a full disk and an older release leave. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { diskObjects } from '../../cloud/objects/disk.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { lengthOf } from '../kit/objects-written.ts';
import { askS3, signedS3, sendS3 } from '../kit/s3-raw.ts';
import { startS3 } from '../kit/s3-server.ts';

const disk = suite('objects on disk');

const read = async (objects: ObjectStore, key: string, bucket = 'bucket') => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(bucket, key)) chunks.push(chunk);
  return Buffer.concat(chunks);
};
const filesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : [];

disk('kill -9 in the middle of puts leaves the old object or the new one, and the next start sweeps', async () => {
  const root = scratchFolder();
  let from = 1;
  let durable = 0;
  let leftovers = 0;
  for (let turn = 0; turn < 12; turn++) {
    const writer = spawn(process.execPath, [join(import.meta.dirname, '../kit/objects-writer.js'), root, String(from)]);
    let said = '';
    const ended = new Promise((done) => writer.once('close', done));
    writer.stdout.on('data', (chunk) => (said += chunk));
    // at another point of a put each time: so many files are being written, of so many bytes
    const isTime = () => {
      const sizes = filesIn(join(root, '.incoming')).map(
        (name) => statSync(join(root, '.incoming', name), { throwIfNoEntry: false })?.size ?? 0,
      );
      return said.includes(`begins ${from + 1}`) && sizes.length > turn % 4 && Math.max(...sizes) >= (turn % 3) * 200_000;
    };
    while (!isTime()) await new Promise((next) => setImmediate(next));
    writer.kill('SIGKILL');
    await ended;
    durable = Math.max(durable, ...[...said.matchAll(/durable (\d+)/g)].map(([, version]) => Number(version)));
    const begun = Math.max(...[...said.matchAll(/begins (\d+)/g)].map(([, version]) => Number(version)));
    leftovers += filesIn(join(root, '.incoming')).length;

    const objects = diskObjects(root);
    assert.equal(filesIn(join(root, '.incoming')), [], 'swept');
    for (const { key, bytes, sha256 } of await objects.list('bucket')) {
      const content = await read(objects, key);
      const version = [begun, begun - 1].find((each) => (each & 0xff) === content[0]) ?? -1;
      assert.ok(version >= durable, `${key} is of version ${content[0]}, and ${durable} was durable`);
      assert.is(bytes, lengthOf(version));
      assert.ok(content.every((byte) => byte === (version & 0xff)));
      assert.is(sha256, createHash('sha256').update(content).digest('hex'));
    }
    assert.is((await objects.list('bucket')).length, 4);
    from = begun + 1;
  }
  assert.ok(leftovers > 0, 'no kill met a put');
  removeFolder(root);
});

disk('a second opener leaves alone what the first one is writing', async () => {
  const root = scratchFolder();
  const first = diskObjects(root);
  let opened: ObjectStore | null = null;
  const body = async function* () {
    yield Buffer.alloc(300_000, 1);
    opened = diskObjects(root);
    yield Buffer.alloc(300_000, 1);
  };
  await first.put('bucket', 'key', body());
  assert.is((await read(opened!, 'key')).length, 600_000);
  removeFolder(root);
});

disk('a full disk: the documented error, nothing half-written, and the store goes on', async () => {
  const mount = scratchFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount], { stdio: 'pipe' });
  } catch {
    console.log('skipped: needs leave to mount a small tmpfs'); // a container, or a plain user
    removeFolder(mount);
    return;
  }
  const server = await startS3(join(mount, 'objects'));
  const { url, key, objects } = server;
  try {
    const put = (name: string, bytes: number) => askS3(url, key, { method: 'PUT', path: `/bucket/${name}`, body: Buffer.alloc(bytes, 7) });
    await askS3(url, key, { method: 'PUT', path: '/bucket' });
    assert.is((await put('fits', 1_000_000)).status, 200);
    const full = await put('too-large', 6_000_000);
    assert.equal([full.status, full.code], [507, 'InsufficientStorage']);
    const again = await put('fits', 6_000_000);
    assert.is(again.code, 'InsufficientStorage');
    const direct = await objects.put('bucket', 'direct', Buffer.alloc(6_000_000)).catch((error: unknown) => error);
    assert.instance(direct, StoreUnavailable);
    assert.match((direct as StoreUnavailable).message, /full/);

    assert.equal(
      (await objects.list('bucket')).map(({ key: name, bytes }) => [name, bytes]),
      [['fits', 1_000_000]],
    );
    assert.is((await read(objects, 'fits')).length, 1_000_000);
    assert.equal(filesIn(join(mount, 'objects/.incoming')), []);
    assert.is((await put('small', 1_000)).status, 200);
    assert.is((await askS3(url, key, { method: 'DELETE', path: '/bucket/fits' })).status, 204);
    assert.is((await put('now it fits'.replaceAll(' ', '-'), 2_000_000)).status, 200);
  } finally {
    await server.close();
    execFileSync('umount', [mount]);
    removeFolder(mount);
  }
});

disk('folders of before an object was one file are read, and become of today', async () => {
  const root = scratchFolder();
  const bucket = join(root, 'bucket');
  mkdirSync(bucket);
  const write = (key: string, content: string) => {
    const name = encodeURIComponent(key).replaceAll('.', '%2E');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const file = `${name}.${sha256.slice(0, 16)}`;
    writeFileSync(join(bucket, file), content);
    writeFileSync(join(bucket, `${name}.head.json`), JSON.stringify({ bucket: 'bucket', key, bytes: content.length, sha256, file }));
    return sha256;
  };
  const sha256 = write('model/model-1.0.0.tar.gz', 'a package');
  write('..', 'dots');
  write('replaced', 'old');
  write('half done', 'was adopted when the power went');
  writeFileSync(join(bucket, 'broken.head.json'), '{');
  const first = diskObjects(root);
  await first.list('bucket');
  // a crash between the rename and the removal of the head
  writeFileSync(
    join(bucket, 'half%20done.head.json'),
    JSON.stringify({ bucket: 'bucket', key: 'half done', bytes: 3, sha256, file: 'gone.0123' }),
  );

  const objects = diskObjects(root);
  assert.equal(
    (await objects.list('bucket')).map(({ key }) => key),
    ['..', 'half done', 'model/model-1.0.0.tar.gz', 'replaced'],
  );
  const head = await objects.head('bucket', 'model/model-1.0.0.tar.gz');
  assert.equal([head?.sha256, head?.bytes, head?.etag], [sha256, 9, `${sha256.slice(0, 32)}-1`]);
  assert.is((await read(objects, 'half done')).toString(), 'was adopted when the power went');
  await objects.put('bucket', 'replaced', Buffer.from('new'));
  assert.is((await read(diskObjects(root), 'replaced')).toString(), 'new');
  assert.equal(filesIn(bucket).sort(), [
    '%2E%2E.object',
    'broken.head.json',
    'half%20done.object',
    'model%2Fmodel-1%2E0%2E0%2Etar%2Egz.object',
    'replaced.object',
  ]);
  removeFolder(root);
});

disk('a page of a bucket opens the objects on it and no others', async () => {
  const root = scratchFolder();
  const objects = diskObjects(root);
  await Promise.all(Array.from({ length: 30 }, (_, i) => objects.put('bucket', `key ${String(i).padStart(2, '0')}`, Buffer.from('x'))));
  for (let i = 5; i < 30; i++) writeFileSync(join(root, 'bucket', `key%20${String(i).padStart(2, '0')}.object`), 'no object'); // whoever reads it throws

  const { objects: found, next } = await objects.page('bucket', { limit: 5 });
  assert.equal([found.length, next], [5, 'key 04']);
  const beyond = await objects.page('bucket', { after: next!, limit: 1 }).catch((error: unknown) => error);
  assert.instance(beyond, StoreUnavailable);
  assert.match((beyond as Error).message, /key%2005/);
  removeFolder(root);
});

disk('a client that goes away in the middle leaves nothing behind', async () => {
  const root = scratchFolder();
  const server = await startS3(root);
  await server.objects.createBucket('bucket');
  const ask = { method: 'PUT', path: '/bucket/cut', payload: 'UNSIGNED-PAYLOAD' };
  const headers = await signedS3(server.url, server.key, ask);
  await sendS3(server.url, { ...ask, body: Buffer.alloc(1_000_000, 1) }, { ...headers, 'content-length': '2000000' });
  while (filesIn(join(root, '.incoming')).length > 0) await new Promise((next) => setImmediate(next)); // it may hear of it a little later
  assert.equal(await server.objects.list('bucket'), []);
  await server.close();
  removeFolder(root);
});

disk.run();
