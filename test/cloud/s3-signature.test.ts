/** Who may ask: signatures of AWS's documentation, and what is wrong with each way to ask. */
import type { IncomingMessage } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unchunked } from '../../cloud/objects/s3-protocol/chunked.ts';
import { S3Failure } from '../../cloud/objects/s3-protocol/failure.ts';
import { readRequest } from '../../cloud/objects/s3-protocol/request.ts';
import { verifier } from '../../cloud/objects/s3-protocol/signature.ts';
import { askS3, presignedS3, sendS3, signedS3, type S3Ask } from '../kit/s3-raw.ts';
import { type S3Server, startS3 } from '../kit/s3-server.ts';

/** Numbers of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, sigv4-query-string-auth.html, sigv4-streaming.html */
const documented = suite('s3 signatures of the documentation');

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const NOW = Date.UTC(2013, 4, 24, 0, 0, 30);
const verify = verifier<string>(
  (accessKeyId) => (accessKeyId === 'AKIAIOSFODNN7EXAMPLE' ? { secretAccessKey: SECRET, expiresAt: null, caller: 'us' } : null),
  () => NOW,
);
const request = (method: string, url: string, headers: Readonly<Record<string, string>>) =>
  readRequest({ method, url, rawHeaders: Object.entries(headers).flat() } as unknown as IncomingMessage);
const authorization = (signed: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signed},Signature=${signature}`;
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

documented('in the header', () => {
  const get = (signature: string) =>
    request('GET', '/test.txt', {
      Host: 'examplebucket.s3.amazonaws.com',
      Range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY,
      'x-amz-date': '20130524T000000Z',
      Authorization: authorization('host;range;x-amz-content-sha256;x-amz-date', signature),
    });
  assert.is(verify(get('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')).caller, 'us');
  assert.throws(() => verify(get('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb40')), /does not match/);

  const list = request('GET', '/?max-keys=2&prefix=J', {
    Host: 'examplebucket.s3.amazonaws.com',
    'x-amz-content-sha256': EMPTY,
    'x-amz-date': '20130524T000000Z',
    Authorization: authorization(
      'host;x-amz-content-sha256;x-amz-date',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ),
  });
  assert.is(verify(list).caller, 'us');

  const put = request('PUT', '/test%24file.text', {
    Date: 'Fri, 24 May 2013 00:00:00 GMT',
    Host: 'examplebucket.s3.amazonaws.com',
    'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    Authorization: authorization(
      'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ),
  });
  assert.is(verify(put).caller, 'us');
});

documented('in the query', () => {
  const query =
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host';
  const signature = 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
  const get = (path: string) =>
    verify(request('GET', `${path}?${query}&X-Amz-Signature=${signature}`, { Host: 'examplebucket.s3.amazonaws.com' }));
  assert.is(get('/test.txt').caller, 'us');
  assert.throws(() => get('/test.tx'), /does not match/);
});

documented('of every chunk', async () => {
  const put = (seed: string) =>
    verify(
      request('PUT', '/examplebucket/chunkObject.txt', {
        Host: 's3.amazonaws.com',
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        'Content-Encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '66560',
        'Content-Length': '66824',
        Authorization: authorization(
          'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
          seed,
        ),
      }),
    );
  const { chain } = put('4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9');
  const body = (second: string) =>
    [
      '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      'a'.repeat(65_536),
      `400;chunk-signature=${second}`,
      'a'.repeat(1_024),
      '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
      '\r\n',
    ].join('\r\n');
  const read = async (text: string, size: number) => {
    const bytes = Buffer.from(text);
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    let length = 0;
    for await (const piece of unchunked(pieces(), { chain, hasTrailer: false }, new Map())) length += piece.length;
    return length;
  };
  const right = '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497';
  for (const size of [1, 7, 4_096, 100_000]) assert.is(await read(body(right), size), 66_560);
  const wrong = await read(body(`${right.slice(0, -1)}8`), 4_096).catch((error: unknown) => error);
  assert.instance(wrong, S3Failure);
  assert.is((wrong as S3Failure).code, 'SignatureDoesNotMatch');
});

const asked = suite('s3 signatures over HTTP');

let server: S3Server;
asked.before(async () => {
  server = await startS3(null);
  await server.objects.put('bucket', 'key', Buffer.from('content'));
  await server.objects.put('bucket', 'other', Buffer.from('secret'));
});
asked.after(() => server.close());

const get: S3Ask = { path: '/bucket/key' };
const code = async (headers: Readonly<Record<string, string>>, ask: S3Ask = get) => {
  const { status, code: found } = await sendS3(server.url, ask, headers);
  return `${status} ${found}`;
};

asked('each thing that can be wrong with a header has its own word', async () => {
  const { url, key } = server;
  const right = await signedS3(url, key, get);
  const without = (name: string) => Object.fromEntries(Object.entries(right).filter(([each]) => each !== name));
  const { authorization: signed } = right;

  assert.is(await code(right), '200 ');
  assert.is(await code({ ...right, 'x-amz-date': '20200101T000000Z' }), '403 RequestTimeTooSkewed');
  assert.is(await code(await signedS3(url, key, { ...get, at: new Date(Date.now() - 16 * 60_000) })), '403 RequestTimeTooSkewed');
  assert.is(await code(await signedS3(url, key, { ...get, at: new Date(Date.now() + 16 * 60_000) })), '403 RequestTimeTooSkewed');
  assert.is(await code(await signedS3(url, key, { ...get, at: new Date(Date.now() - 14 * 60_000) })), '200 ');
  assert.is(await code(await signedS3(url, { ...key, accessKeyId: 'AKIANOBODY' }, get)), '403 InvalidAccessKeyId');
  assert.is(await code(await signedS3(url, { ...key, secretAccessKey: 'another' }, get)), '403 SignatureDoesNotMatch');
  assert.is(await code(right, { path: '/bucket/other' }), '403 SignatureDoesNotMatch');
  assert.is(await code(right, { path: '/bucket/key?x' }), '403 SignatureDoesNotMatch');
  assert.is(await code(right, { path: '/bucket/key', method: 'DELETE' }), '403 SignatureDoesNotMatch');
  assert.is(await code({ ...right, 'x-amz-meta-a': 'b' }), '403 AccessDenied');
  assert.is(await code(without('x-amz-content-sha256')), '400 InvalidRequest');
  assert.is(await code(without('x-amz-date')), '403 AccessDenied');
  assert.is(await code({ ...right, authorization: signed.replace('/us-east-1/', '/US/') }), '400 AuthorizationHeaderMalformed');
  assert.is(
    await code({ ...right, authorization: signed.replace(/SignedHeaders=[^,]*/, 'SignedHeaders=x-amz-date') }),
    '400 AuthorizationHeaderMalformed',
  );
  assert.is(await code({ ...right, authorization: signed.slice(0, -1) }), '403 SignatureDoesNotMatch');
  assert.is(await code({ ...right, authorization: 'AWS AKIA:c2ln' }), '400 InvalidRequest');
  assert.is(await code({}), '404 '); // nobody's request is the console's
});

asked('a body is not another one than was signed', async () => {
  const { url, key } = server;
  const put: S3Ask = { method: 'PUT', path: '/bucket/new', body: 'content' };
  const right = await signedS3(url, key, put);
  assert.is(await code(right, { ...put, body: 'contend' }), '400 XAmzContentSHA256Mismatch');
  assert.is(await server.objects.head('bucket', 'new'), null);
  assert.is(await code(right, put), '200 ');
  assert.is(await code(await signedS3(url, key, { ...put, payload: 'UNSIGNED-PAYLOAD' }), { ...put, body: 'anything' }), '200 ');
  assert.is(await code(await signedS3(url, key, { ...put, payload: 'none' }), put), '400 InvalidArgument');
  assert.is(
    await code(await signedS3(url, key, { ...put, payload: 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' }), put),
    '501 NotImplemented',
  );
});

asked('a presigned URL does one thing to one object, until its time is over', async () => {
  const { url, key } = server;
  const path = await presignedS3(url, key, get);
  const at = async (changed: string, method = 'GET') => code({}, { path: changed, method });

  assert.is((await sendS3(url, { path }, {})).text, 'content');
  assert.is(await at(path.replace('/bucket/key', '/bucket/other')), '403 SignatureDoesNotMatch');
  assert.is(await at(path.replace('Expires=60', 'Expires=61')), '403 SignatureDoesNotMatch');
  assert.is(await at(path, 'PUT'), '403 SignatureDoesNotMatch');
  assert.is(await at(path, 'DELETE'), '403 SignatureDoesNotMatch');
  assert.is(await at(`${path}&response-content-type=text/html`), '403 SignatureDoesNotMatch');
  assert.is(await at(path.replace('Expires=60', 'Expires=0')), '400 AuthorizationQueryParametersError');
  assert.is(await at(path.replace('Expires=60', 'Expires=604801')), '400 AuthorizationQueryParametersError');
  assert.is(await at(path.replace('AWS4-HMAC-SHA256', 'AWS4')), '400 AuthorizationQueryParametersError');
  assert.is(await at(path.replace(/X-Amz-Date=[^&]*&/, '')), '400 AuthorizationQueryParametersError');
  assert.is(await at(`${path}&X-Amz-Date=20200101T000000Z`), '400 InvalidArgument');
  const past = await presignedS3(url, key, { ...get, at: new Date(Date.now() - 61_000) });
  const { text, status } = await sendS3(url, { path: past }, {});
  assert.is(status, 403);
  assert.match(text, /<Code>AccessDenied<\/Code><Message>Request has expired<\/Message>/);
  assert.not.match(text, /Signature/, 'nothing of the query comes back');
  assert.is(await at(await presignedS3(url, key, { ...get, at: new Date(Date.now() + 3_600_000) })), '403 AccessDenied');

  const put = await presignedS3(url, key, { method: 'PUT', path: '/bucket/up%20load' });
  assert.is(await code({}, { method: 'PUT', path: put, body: 'by URL' }), '200 ');
  assert.is(await code({}, { method: 'PUT', path: put.replace('up%20load', 'else'), body: 'by URL' }), '403 SignatureDoesNotMatch');
  assert.is((await server.objects.head('bucket', 'up load'))?.bytes, 6);
});

asked('a device’s temporary keys read packages and store captures, until they end', async () => {
  const { url, deviceKey, objects } = server;
  for (const bucket of ['windfleet-sagemaker-models', 'windfleet-sagemaker-captures', 'firmware'])
    await objects.put(bucket, 'there', Buffer.from('x'));
  const device = async (method: string, path: string, key = deviceKey) => {
    const { status, code: found } = await askS3(url, key, { method, path, ...(method === 'PUT' ? { body: 'x' } : {}) });
    return `${status} ${found}`;
  };

  assert.is(await device('GET', '/windfleet-sagemaker-models/there'), '200 ');
  assert.is(await device('PUT', '/windfleet-sagemaker-captures/new'), '200 ');
  assert.is(await device('PUT', '/windfleet-sagemaker-models/there'), '403 AccessDenied');
  assert.is(await device('DELETE', '/windfleet-sagemaker-captures/new'), '403 AccessDenied');
  assert.is(await device('GET', '/firmware/there'), '403 AccessDenied');
  assert.is(await device('GET', '/'), '403 AccessDenied');
  assert.is(await device('GET', '/windfleet-sagemaker-models/there', { ...deviceKey, sessionToken: 'changed' }), '400 InvalidToken');
  const path = await presignedS3(url, deviceKey, { path: '/windfleet-sagemaker-models/there' });
  assert.is(await code({}, { path }), '200 ');
  assert.is(await code({}, { path: path.replace('X-Amz-Security-Token=', 'X-Amz-Security-Token=a') }), '400 InvalidToken');

  server.shift(3_600_001);
  const late = new Date(Date.now() + 3_600_001);
  const { code: ended } = await askS3(url, deviceKey, { path: '/windfleet-sagemaker-models/there', at: late });
  server.shift(-3_600_001);
  assert.is(ended, 'ExpiredToken');
});

documented.run();
asked.run();
