import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { jobObjects } from '../../cloud/jobs/objects.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { presignedUrls } from '../../cloud/objects/presigned.ts';

const presigned = suite('presigned URLs');

const EPOCH = 1_767_225_600_000;

function urls() {
  const clock = { now: EPOCH };
  const made = presignedUrls(() => clock.now, Buffer.alloc(32, 7));
  made.serveAt('http://127.0.0.1:7070/');
  const allows = (url: string, bucket: string, key: string) => made.allows(bucket, key, Object.fromEntries(new URL(url).searchParams));
  return { clock, made, allows };
}

presigned('reads the one object it was made for, until its time has run out', () => {
  const { clock, made, allows } = urls();
  const url = made.presign('firmware', 'a b/ü.zip', 60);

  assert.is(new URL(url).pathname, '/objects/firmware/a%20b/%C3%BC.zip');
  assert.ok(allows(url, 'firmware', 'a b/ü.zip'));
  assert.not(allows(url, 'firmware', 'another'));
  assert.not(allows(url, 'firmwares', 'a b/ü.zip'));
  clock.now = EPOCH + 60_000;
  assert.ok(allows(url, 'firmware', 'a b/ü.zip'));
  clock.now = EPOCH + 60_001;
  assert.not(allows(url, 'firmware', 'a b/ü.zip'));
});

presigned('is refused once anything of it is changed', () => {
  const { made } = urls();
  const query = Object.fromEntries(new URL(made.presign('firmware', 'x', 60)).searchParams);
  assert.not(presignedUrls(() => EPOCH).allows('firmware', 'x', query), 'another secret');
  assert.not(made.allows('firmware', 'x', {}));
  assert.not(made.allows('firmware', 'x', { ...query, 'X-Amz-Expires': '3600' }));
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(query)), fc.string({ maxLength: 70 }), (name, value) => {
      fc.pre(value !== query[name]);
      assert.not(made.allows('firmware', 'x', { ...query, [name]: value }));
    }),
  );
});

presigned('a document’s source is read to the limit and no further', async () => {
  const store = memoryObjects();
  const objects = jobObjects(store, () => '');
  await store.put('documents', 'ok.json', Buffer.from('{"ü":1}'));
  await store.put('documents', 'long.json', Buffer.alloc(40_000, 32));
  await store.put('documents', 'broken.json', Uint8Array.of(123, 0xff, 125));
  const reason = (key: string) => objects.read('documents', key).catch((error: { reason?: string }) => error.reason);

  assert.is(await objects.read('documents', 'ok.json'), '{"ü":1}');
  assert.is(await objects.read('documents', 'none.json'), null);
  assert.is(await reason('long.json'), 'InvalidRequest');
  assert.is(await reason('broken.json'), 'InvalidRequest');
});

presigned.run();
