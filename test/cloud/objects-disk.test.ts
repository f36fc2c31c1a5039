/** The disk kind alone: what a crash, a full disk and an older release leave. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { diskObjects } from '../../cloud/objects/disk.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { filesIn, killPuts } from '../kit/kill-puts.ts';
import { askS3, signedS3, sendS3 } from '../kit/s3-raw.ts';
import { startS3 } from '../kit/s3-server.ts';

const disk = suite('objects on disk');

const read = async (objects: ObjectStore, key: string, bucket = 'bucket') => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(bucket, key)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

disk('kill -9 in the middle of puts leaves the old object or the new one, and the next start sweeps', async () => {
  const { durable, leftovers } = await killPuts(12);
  assert.ok(durable > 0 && leftovers > 0, 'no kill met a put');
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
