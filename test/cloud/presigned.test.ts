import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { jobObjects } from '../../cloud/jobs/objects.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { presignedUrls } from '../../cloud/objects/presigned.ts';

const presigned = suite('presigned URLs');

const EPOCH = 1_767_225_600_000;
const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

presigned('is what AWS’s own signer makes of the same', async () => {
  for (const sessionToken of [undefined, 'a+token/=='])
    for (const key of ['a b/ü.zip', "it's (1)*!+&=?#%", 'plain/key-1_2.3~4']) {
      const keys = { ...KEYS, ...(sessionToken === undefined ? {} : { sessionToken }) };
      const made = presignedUrls({ now: () => EPOCH, keys: () => keys, region: 'eu-west-1' });
      made.serveAt('http://127.0.0.1:7070/');
      const url = new URL(made.presign('firmware', key, 60));

      const signer = new SignatureV4({ credentials: keys, region: 'eu-west-1', service: 's3', sha256: Sha256, uriEscapePath: false });
      const request = { method: 'GET', protocol: 'http:', hostname: '127.0.0.1', path: url.pathname, headers: { host: '127.0.0.1:7070' } };
      const unsigned = { ...request, headers: { ...request.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } };
      const theirs = await signer.presign(unsigned, {
        expiresIn: 60,
        signingDate: new Date(EPOCH),
        unsignableHeaders: new Set(['x-amz-content-sha256']),
        unhoistableHeaders: new Set(['x-amz-content-sha256']),
      });

      assert.is(decodeURIComponent(url.pathname), `/firmware/${key}`);
      assert.equal(Object.fromEntries(url.searchParams), theirs.query);
    }
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
