/** What S3's protocol answers, byte by byte: digests, chunks, conditions, ranges, parts, and every bad input in the words of its documentation. */
import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ObjectHead } from '../../actors/contracts/objects.ts';
import { ALGORITHMS, type Algorithm } from '../../cloud/objects/held.ts';
import { notifyingObjects } from '../../cloud/objects/notify.ts';
import { openS3Client } from '../../cloud/objects/s3.ts';
import { checksums } from '../../cloud/objects/s3-protocol/checksums.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { askS3, type S3Answer, type S3Ask, sendS3, signedS3 } from '../kit/s3-raw.ts';
import { type S3Server, startS3 } from '../kit/s3-server.ts';

const s3 = suite('s3 protocol');

const folder = scratchFolder();
const created: ObjectHead[] = [];
let server: S3Server;
let client: S3Client;
s3.before(async () => {
  server = await startS3(folder, (objects) => notifyingObjects(objects, (head) => created.push(head)));
  client = openS3Client({ endpoint: server.url }, { credentials: server.key });
  await server.objects.createBucket('bucket');
});
s3.after(async () => {
  client.destroy();
  await server.close();
  removeFolder(folder);
});

const ask = (wanted: S3Ask): Promise<S3Answer> => askS3(server.url, server.key, wanted);
const put = (key: string, body: string, headers: Record<string, string> = {}) =>
  ask({ method: 'PUT', path: `/bucket/${key}`, body, headers });
const outcome = ({ status, code }: S3Answer) => `${status} ${code}`;
const isThere = async (key: string) => (await server.objects.head('bucket', key)) !== null;
const content = async (key: string) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of server.objects.get('bucket', key)) chunks.push(chunk.slice());
  return Buffer.concat(chunks).toString();
};
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const headerOf = (algorithm: Algorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;

/** Of `123456789`: the check values of the catalogue of CRCs (reveng), and FIPS 180 by openssl. */
const CHECKS: Readonly<Record<Algorithm, string>> = {
  CRC32: base64('cbf43926'),
  CRC32C: base64('e3069283'),
  CRC64NVME: base64('ae8b14860a799888'),
  SHA1: base64('f7c3bc1d808e04732adf679965ccc34ca7ae3441'),
  SHA256: base64('15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'),
};

s3('checksums are those of their catalogue, however the bytes are cut', () => {
  const sums = checksums();
  const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, i) => (i * 7) & 0xff));
  for (const algorithm of ALGORITHMS) {
    const known = sums(algorithm);
    known.update(Buffer.from('123456789'));
    assert.is(known.digest().toString('base64'), CHECKS[algorithm], algorithm);

    const whole = sums(algorithm);
    whole.update(bytes);
    const cut = sums(algorithm);
    for (let at = 0; at < bytes.length; at += 13) cut.update(bytes.subarray(at, at + 13));
    assert.ok(whole.digest().equals(cut.digest()), algorithm);
  }
});

s3('a body is stored when each digest that came with it is right, and not at all when one is wrong', async () => {
  for (const algorithm of ALGORITHMS) {
    const right = await put(`sum/${algorithm}`, '123456789', { [headerOf(algorithm)]: CHECKS[algorithm] });
    assert.is(right.status, 200, right.text);
    assert.is(right.headers.get(headerOf(algorithm)), CHECKS[algorithm]);
    const { headers } = await ask({ method: 'HEAD', path: `/bucket/sum/${algorithm}`, headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    assert.is(headers.get(headerOf(algorithm)), CHECKS[algorithm]);
    assert.is(headers.get('x-amz-checksum-type'), 'FULL_OBJECT');

    assert.is(outcome(await put('wrong', '123456780', { [headerOf(algorithm)]: CHECKS[algorithm] })), '400 BadDigest');
    assert.is(outcome(await put('wrong', '123456789', { [headerOf(algorithm)]: 'AAA=' })), '400 InvalidRequest');
  }
  const md5 = createHash('md5').update('123456789').digest('base64');
  assert.is(outcome(await put('right', '123456789', { 'content-md5': md5 })), '200 ');
  assert.is(outcome(await put('wrong', '123456780', { 'content-md5': md5 })), '400 BadDigest');
  assert.is(outcome(await put('wrong', '123456789', { 'content-md5': 'abc' })), '400 InvalidDigest');
  assert.is(
    outcome(await put('wrong', '123456789', { [headerOf('CRC32')]: CHECKS.CRC32, [headerOf('SHA1')]: CHECKS.SHA1 })),
    '400 InvalidRequest',
  );
  assert.is(outcome(await put('wrong', '123456789', { 'x-amz-checksum-xxhash3': 'AAAA' })), '501 NotImplemented');
  assert.not(await isThere('wrong'));
});

s3('a length that lies stores nothing', async () => {
  const path = '/bucket/lie';
  const send = async (length: string | null, body: string) => {
    const headers = await signedS3(server.url, server.key, { method: 'PUT', path, payload: 'UNSIGNED-PAYLOAD' });
    const answer = await sendS3(
      server.url,
      { method: 'PUT', path, body },
      { ...headers, ...(length === null ? {} : { 'content-length': length }) },
    );
    assert.not(await isThere('lie'), length ?? 'none');
    return answer;
  };
  assert.is((await send('100', 'ten bytes.')).status, 400); // the connection's half is closed: no answer could be surer
  assert.is(outcome(await send(String(5 * 2 ** 30 + 1), 'x')), '400 EntityTooLarge');
  assert.is((await send('-1', 'x')).status, 400);
  const headers = await signedS3(server.url, server.key, { method: 'PUT', path, payload: 'UNSIGNED-PAYLOAD' });
  const chunked = await sendS3(
    server.url,
    { method: 'PUT', path, body: '3\r\nabc\r\n0\r\n\r\n' },
    { ...headers, 'content-length': '', 'transfer-encoding': 'chunked' },
  ).catch(() => null);
  assert.ok(chunked === null || chunked.status >= 400);
  assert.not(await isThere('lie'));
});

s3('aws-chunked with a checksum behind the body, as the SDK streams it', async () => {
  for (const ChecksumAlgorithm of ALGORITHMS.filter((each) => each !== 'CRC64NVME')) {
    const Body = Readable.from([Buffer.from('1234'), Buffer.from('56789')]);
    await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'streamed', Body, ContentLength: 9, ChecksumAlgorithm }));
    const head = await server.objects.head('bucket', 'streamed');
    assert.is(await content('streamed'), '123456789');
    assert.equal(head?.checksum, { algorithm: ChecksumAlgorithm, value: CHECKS[ChecksumAlgorithm], type: 'FULL_OBJECT' });
    assert.equal(head?.headers, {}, 'aws-chunked is no encoding of the object');
  }
});

s3('an aws-chunked body that is broken anywhere is refused', async () => {
  const sum = base64(crc32('123456789').toString(16).padStart(8, '0'));
  const unsigned = async (body: string, more: Record<string, string> = {}) => {
    const headers = {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '9',
      'x-amz-trailer': 'x-amz-checksum-crc32',
      ...more,
    };
    const answer = await ask({ method: 'PUT', path: '/bucket/chunks', payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers, body });
    const stored = await isThere('chunks');
    await server.objects.delete('bucket', 'chunks');
    assert.is(stored, answer.status === 200, answer.text);
    return outcome(answer);
  };
  const trailer = (value: string) => `x-amz-checksum-crc32:${value}\r\n\r\n`;

  assert.is(await unsigned(`4\r\n1234\r\n5\r\n56789\r\n0\r\n${trailer(sum)}`), '200 ');
  assert.is(await unsigned(`9\r\n123456789\r\n0\r\n${trailer(base64('00000000'))}`), '400 BadDigest');
  assert.is(await unsigned(`9\r\n123456789\r\n0\r\n${trailer('no base64')}`), '400 MalformedTrailerError');
  assert.is(await unsigned(`9\r\n123456789\r\n0\r\n\r\n`), '400 MalformedTrailerError', 'none of the one that was announced');
  assert.is(await unsigned(`9\r\n123456789\r\n0\r\nx-amz-checksum-sha1:${CHECKS.SHA1}\r\n\r\n`), '400 MalformedTrailerError');
  assert.is(await unsigned(`9\r\n123456789\r\n0\r\nno header\r\n\r\n`), '400 MalformedTrailerError');
  assert.is(await unsigned(`9\r\n123456789\r\n0\r\n${trailer(sum)}more`), '400 InvalidRequest');
  assert.is(await unsigned(`9\r\n12345678\r\n0\r\n${trailer(sum)}`), '400 InvalidRequest', 'a chunk that is shorter than it says');
  assert.is(await unsigned(`8\r\n12345678\r\n0\r\n${trailer(sum)}`), '400 IncompleteBody', 'not so many as were announced');
  assert.is(await unsigned(`a\r\n1234567890\r\n0\r\n${trailer(sum)}`), '400 IncompleteBody', 'more than were announced');
  assert.is(await unsigned('9\r\n1234'), '400 IncompleteBody');
  assert.is(await unsigned('zz\r\n123456789\r\n0\r\n\r\n'), '400 InvalidRequest');
  assert.is(await unsigned('x'.repeat(10_000)), '400 InvalidRequest');
  assert.is(await unsigned(`9\r\n123456789\r\n0\r\n${trailer(sum)}`, { 'x-amz-trailer': 'x-amz-meta-a' }), '400 InvalidRequest');
  const { 'x-amz-decoded-content-length': _, ...rest } = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '' };
  const body = `9\r\n123456789\r\n0\r\n\r\n`;
  assert.is(
    outcome(await ask({ method: 'PUT', path: '/bucket/chunks', payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers: rest, body })),
    '411 MissingContentLength',
  );
});

s3('chunks and the trailer are signed each on the one before', async () => {
  const payload = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
  const headers = { 'x-amz-decoded-content-length': '9', 'x-amz-trailer': 'x-amz-checksum-crc32c', 'content-encoding': 'aws-chunked' };
  const path = '/bucket/signed-chunks';
  const signed = await signedS3(server.url, server.key, { method: 'PUT', path, payload, headers });
  const [, date] = /^(\d{8})T/.exec(signed['x-amz-date']) ?? [];
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();
  const key = ['us-east-1', 's3', 'aws4_request'].reduce((made, part) => hmac(made, part), hmac(`AWS4${server.key.secretAccessKey}`, date));
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  let previous = /Signature=(\w+)/.exec(signed['authorization'])?.[1] ?? '';
  const next = (word: string, ...digests: string[]) => {
    const text = [`AWS4-HMAC-SHA256-${word}`, signed['x-amz-date'], `${date}/us-east-1/s3/aws4_request`, previous, ...digests].join('\n');
    previous = hmac(key, text).toString('hex');
    return previous;
  };
  const chunks = ['1234', '56789', ''].map(
    (text) => `${text.length.toString(16)};chunk-signature=${next('PAYLOAD', sha256(''), sha256(text))}\r\n${text}${text && '\r\n'}`,
  );
  const trailer = `x-amz-checksum-crc32c:${CHECKS.CRC32C}`;
  const body = `${chunks.join('')}${trailer}\r\nx-amz-trailer-signature:${next('TRAILER', sha256(`${trailer}\n`))}\r\n\r\n`;

  assert.is(
    outcome(await sendS3(server.url, { method: 'PUT', path, body: body.replace('5678', '5679') }, signed)),
    '403 SignatureDoesNotMatch',
  );
  assert.is(
    outcome(await sendS3(server.url, { method: 'PUT', path, body: body.replace(/(trailer-signature:)\w/, '$1x') }, signed)),
    '403 SignatureDoesNotMatch',
  );
  assert.not(await isThere('signed-chunks'));
  assert.is(outcome(await sendS3(server.url, { method: 'PUT', path, body }, signed)), '200 ');
  assert.is(await content('signed-chunks'), '123456789');
});

s3('ranges: one of them, from either end', async () => {
  await put('ten', '0123456789');
  const range = async (value: string) => {
    const { status, code, text, headers } = await ask({ path: '/bucket/ten', headers: { range: value } });
    return status >= 400 ? `${status} ${code}` : `${status} ${text} ${headers.get('content-range') ?? ''}`;
  };
  assert.is(await range('bytes=2-4'), '206 234 bytes 2-4/10');
  assert.is(await range('bytes=7-'), '206 789 bytes 7-9/10');
  assert.is(await range('bytes=-3'), '206 789 bytes 7-9/10');
  assert.is(await range('bytes=-30'), '206 0123456789 bytes 0-9/10');
  assert.is(await range('bytes=8-100'), '206 89 bytes 8-9/10');
  assert.is(await range('bytes=10-'), '416 InvalidRange');
  assert.is(await range('bytes=-0'), '416 InvalidRange');
  assert.is(await range('bytes=0-1,3-4'), '501 NotImplemented');
  for (const none of ['bytes=4-2', 'bytes=a-b', 'lines=1-2', 'bytes=-']) assert.is(await range(none), '200 0123456789 ');
  await put('nothing', '');
  assert.is(outcome(await ask({ path: '/bucket/nothing', headers: { range: 'bytes=0-' } })), '416 InvalidRange');
});

s3('conditions of reads, writes and copies', async () => {
  await put('cond', 'content');
  const head = await server.objects.head('bucket', 'cond');
  const [etag, before, later] = [
    `"${head!.etag}"`,
    new Date(head!.modifiedAt - 60_000).toUTCString(),
    new Date(head!.modifiedAt + 60_000).toUTCString(),
  ];
  const read = async (headers: Record<string, string>) => (await ask({ path: '/bucket/cond', headers })).status;
  assert.is(await read({ 'if-match': etag }), 200);
  assert.is(await read({ 'if-match': '"other"' }), 412);
  assert.is(await read({ 'if-none-match': etag }), 304);
  assert.is(await read({ 'if-none-match': '"other"' }), 200);
  assert.is(await read({ 'if-modified-since': later }), 304);
  assert.is(await read({ 'if-modified-since': new Date(head!.modifiedAt).toUTCString() }), 304);
  assert.is(await read({ 'if-modified-since': before }), 200);
  assert.is(await read({ 'if-unmodified-since': before }), 412);
  assert.is(await read({ 'if-match': etag, 'if-unmodified-since': before }), 200);
  assert.is(await read({ 'if-none-match': '"other"', 'if-modified-since': later }), 200);

  assert.is(outcome(await put('cond', 'again', { 'if-none-match': '*' })), '412 PreconditionFailed');
  assert.is(outcome(await put('cond', 'again', { 'if-none-match': etag })), '501 NotImplemented');
  assert.is(outcome(await put('cond', 'again', { 'if-match': '"other"' })), '412 PreconditionFailed');
  assert.is(outcome(await put('no-cond', 'again', { 'if-match': etag })), '404 NoSuchKey');
  assert.is(await content('cond'), 'content');
  const copy = (headers: Record<string, string>) =>
    ask({ method: 'PUT', path: '/bucket/copy', headers: { 'x-amz-copy-source': '/bucket/cond', ...headers } });
  assert.is(outcome(await copy({ 'x-amz-copy-source-if-none-match': etag })), '412 PreconditionFailed');
  assert.is(outcome(await copy({ 'x-amz-copy-source-if-match': etag })), '200 ');
  assert.is(outcome(await put('cond', 'again', { 'if-match': etag })), '200 ');
  assert.is(await content('copy'), 'content');
  const winners = await Promise.all(['one', 'two', 'three'].map((body) => put('raced', body, { 'if-none-match': '*' })));
  assert.equal(winners.map(({ status }) => status).sort(), [200, 412, 412]);
});

s3('what is kept with an object comes back with it, and with its copy', async () => {
  const headers = {
    'content-type': 'application/x-capture',
    'content-encoding': 'gzip',
    'cache-control': 'no-store',
    'content-disposition': 'attachment',
    'x-amz-meta-thing': 'T-001',
  };
  await put('kept', 'content', headers);
  const shown = (answer: S3Answer) => Object.keys(headers).map((name) => answer.headers.get(name));
  assert.equal(shown(await ask({ path: '/bucket/kept' })), Object.values(headers));
  await ask({ method: 'PUT', path: '/bucket/copied', headers: { 'x-amz-copy-source': 'bucket/kept' } });
  assert.equal(shown(await ask({ path: '/bucket/copied' })), Object.values(headers));
  await ask({
    method: 'PUT',
    path: '/bucket/copied',
    headers: { 'x-amz-copy-source': 'bucket/kept', 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-thing': 'T-002' },
  });
  const replaced = await ask({ path: '/bucket/copied?response-content-type=text%2Fplain' });
  assert.equal(
    [replaced.headers.get('x-amz-meta-thing'), replaced.headers.get('content-type'), replaced.text],
    ['T-002', 'text/plain', 'content'],
  );
  assert.is(
    outcome(await ask({ method: 'PUT', path: '/bucket/kept', headers: { 'x-amz-copy-source': 'bucket/kept' } })),
    '400 InvalidRequest',
  );
  assert.is(outcome(await ask({ method: 'PUT', path: '/bucket/x', headers: { 'x-amz-copy-source': 'bucket/none' } })), '404 NoSuchKey');
  assert.is(outcome(await ask({ method: 'PUT', path: '/bucket/x', headers: { 'x-amz-copy-source': 'nowhere/none' } })), '404 NoSuchBucket');
  assert.is(outcome(await ask({ method: 'PUT', path: '/bucket/x', headers: { 'x-amz-copy-source': 'bucket' } })), '400 InvalidArgument');
});

s3('names and requests that are none are told so, and store nothing', async () => {
  const of = async (method: string, path: string, more: Partial<S3Ask> = {}) => outcome(await ask({ method, path, ...more }));
  const body = 'x';
  assert.is(await of('PUT', `/bucket/${'k'.repeat(1_025)}`, { body }), '400 KeyTooLongError');
  assert.is(await of('PUT', `/bucket/${'%E9%A2%A8'.repeat(342)}`, { body }), '400 KeyTooLongError');
  assert.is(await of('PUT', `/bucket/${'k'.repeat(1_024)}`, { body }), '200 ');
  assert.is(await of('PUT', '/bucket/a%00b', { body }), '400 InvalidArgument');
  assert.is(await of('PUT', '/bucket/%FF', { body }), '400 InvalidURI');
  assert.is(await of('PUT', '/bucket/%ED%A0%80', { body }), '400 InvalidURI', 'half a surrogate pair');
  assert.is(await of('PUT', '/nowhere/key', { body }), '404 NoSuchBucket');
  assert.is(await of('GET', '/nowhere/key'), '404 NoSuchBucket');
  assert.is(await of('GET', '/nowhere?list-type=2'), '404 NoSuchBucket');
  assert.is(await of('GET', '/bucket/none'), '404 NoSuchKey');
  assert.is(await of('PUT', '/Bad_Name'), '400 InvalidBucketName');
  assert.is(await of('PUT', '/bucket'), '409 BucketAlreadyOwnedByYou');
  assert.is(await of('DELETE', '/bucket'), '409 BucketNotEmpty');
  assert.is(await of('DELETE', '/nowhere'), '404 NoSuchBucket');
  assert.is(await of('DELETE', '/bucket/none'), '204 ');
  assert.is(await of('PATCH', '/bucket/key'), '405 MethodNotAllowed');
  assert.is(await of('GET', '/bucket?acl'), '501 NotImplemented');
  assert.is(await of('PUT', '/bucket/key?tagging', { body }), '501 NotImplemented');
  assert.is(await of('PUT', '/bucket/key', { body, headers: { 'x-amz-server-side-encryption': 'AES256' } }), '501 NotImplemented');
  assert.is(await of('PUT', '/bucket/key', { body, headers: { 'x-amz-storage-class': 'GLACIER' } }), '400 InvalidStorageClass');
  assert.is(await of('PUT', '/bucket/key', { body, headers: { 'x-amz-acl': 'public-read' } }), '400 AccessControlListNotSupported');
  assert.is(await of('PUT', '/bucket/key', { body, headers: { 'x-amz-meta-a': 'm'.repeat(2_048) } }), '400 MetadataTooLarge');
  assert.is(await of('GET', '/bucket?list-type=2&max-keys=many'), '400 InvalidArgument');
  assert.is(await of('GET', '/bucket?list-type=2&continuation-token=nonsense!'), '400 InvalidArgument');
  assert.is(await of('GET', '/bucket?list-type=2&encoding-type=rot13'), '400 InvalidArgument');
  const md5 = (text: string) => ({ 'content-md5': createHash('md5').update(text).digest('base64') });
  const remove = (text: string) => of('POST', '/bucket?delete', { body: text, headers: md5(text) });
  for (const xml of [
    'no xml',
    '<Delete>',
    '<Delete></Delete>',
    '<Delete><Object></Object></Delete>',
    '<Other><Object><Key>a</Key></Object></Other>',
    '<!DOCTYPE d [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    '<Delete><Object><Key>&e;</Key></Object></Delete>',
    `${'<a>'.repeat(20)}${'</a>'.repeat(20)}`,
    `<Delete>${'<Object><Key>a</Key></Object>'.repeat(1_001)}</Delete>`,
  ])
    assert.is(await remove(xml), '400 MalformedXML', xml.slice(0, 60));
  assert.is(await remove('<Delete><Object><Key>a&amp;&#x62;</Key></Object></Delete>'), '200 ');
  assert.is(await of('POST', '/bucket?delete', { body: '<Delete><Object><Key>a</Key></Object></Delete>' }), '400 InvalidRequest');
  assert.not(await isThere('key'));
});

s3('an error is XML with what it is about; HEAD has the status alone', async () => {
  const { text, headers, status } = await ask({ path: '/bucket/%3Cnone%3E' });
  assert.is(status, 404);
  assert.match(
    text,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>NoSuchKey<\/Code><Message>The specified key does not exist.<\/Message>/,
  );
  assert.match(text, /<Resource>\/bucket\/%3Cnone%3E<\/Resource><RequestId>[0-9A-F]{16}<\/RequestId>/);
  assert.is(headers.get('content-type'), 'application/xml');
  const head = await ask({ method: 'HEAD', path: '/bucket/none' });
  assert.equal([head.status, head.text], [404, '']);
});

s3('a multipart upload: parts in any order, replaced, listed, completed once', async () => {
  const order = { Bucket: 'bucket', Key: 'assembled' };
  const upload = {
    ...order,
    UploadId: (await client.send(new CreateMultipartUploadCommand({ ...order, ContentType: 'x/y', ChecksumAlgorithm: 'CRC32C' }))).UploadId,
  };
  const first = Buffer.alloc(5 * 2 ** 20, 'a');
  const send = async (PartNumber: number, Body: Uint8Array) => {
    const { ETag, ChecksumCRC32C } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32C' }));
    return { PartNumber, ETag, ChecksumCRC32C };
  };
  const last = await send(7, Buffer.from('the end'));
  await send(2, Buffer.from('to be replaced'));
  const middle = await send(2, first);
  const complete = (Parts: object[]) => client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  const refused = (Parts: object[]) =>
    complete(Parts).then(
      () => 'completed',
      (error: { name: string }) => error.name,
    );

  const { Parts } = await client.send(new ListPartsCommand(upload));
  assert.equal(
    Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
    [
      [2, first.length],
      [7, 7],
    ],
  );
  const page = await client.send(new ListPartsCommand({ ...upload, MaxParts: 1 }));
  assert.equal([page.IsTruncated, page.NextPartNumberMarker], [true, '2']);
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'bucket' }));
  assert.equal(
    Uploads?.map(({ Key, UploadId }) => [Key, UploadId]),
    [['assembled', upload.UploadId]],
  );

  assert.is(await refused([last, middle]), 'InvalidPartOrder');
  assert.is(await refused([middle, middle]), 'InvalidPartOrder');
  assert.is(await refused([middle, { ...last, ETag: '"0123"' }]), 'InvalidPart');
  assert.is(await refused([{ ...middle, ChecksumCRC32C: 'AAAAAA==' }, last]), 'InvalidPart');
  assert.is(await refused([{ PartNumber: 3, ETag: last.ETag }]), 'InvalidPart');
  assert.is(await refused([]), 'MalformedXML');
  assert.not(await isThere('assembled'));
  created.length = 0;
  const { ETag } = await complete([middle, last]);
  const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();
  assert.is(
    ETag,
    `"${createHash('md5')
      .update(Buffer.concat([md5(first), md5(Buffer.from('the end'))]))
      .digest('hex')}-2"`,
  );
  assert.is(await refused([middle, last]), 'NoSuchUpload');
  assert.equal(
    created.map(({ key, bytes }) => [key, bytes]),
    [['assembled', first.length + 7]],
    'told of once',
  );
  const { ContentLength, ContentType, ChecksumCRC32C } = await client.send(new HeadObjectCommand({ ...order, ChecksumMode: 'ENABLED' }));
  assert.equal([ContentLength, ContentType], [first.length + 7, 'x/y']);
  const sum = checksums()('CRC32C');
  for (const part of [middle, last]) sum.update(Buffer.from(part.ChecksumCRC32C ?? '', 'base64'));
  assert.is(ChecksumCRC32C, `${sum.digest().toString('base64')}-2`);
  const { Body } = await client.send(new GetObjectCommand({ ...order, Range: 'bytes=-8' }));
  assert.is(await Body?.transformToString(), 'athe end');
  assert.equal((await client.send(new ListMultipartUploadsCommand({ Bucket: 'bucket' }))).Uploads ?? [], []);
});

s3('small parts, foreign uploads and numbers that are none', async () => {
  const begin = async (key: string) =>
    /<UploadId>(\w+)</.exec((await ask({ method: 'POST', path: `/bucket/${key}?uploads=` })).text)?.[1] ?? '';
  const id = await begin('small');
  const part = async (number: string, body: string, upload = id, key = 'small') =>
    ask({ method: 'PUT', path: `/bucket/${key}?partNumber=${number}&uploadId=${upload}`, body });
  const etags = [await part('1', 'a'), await part('2', 'b')].map(({ headers }) => headers.get('etag'));
  const document = `<CompleteMultipartUpload>${etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join('')}</CompleteMultipartUpload>`;
  const complete = async (body: string) => outcome(await ask({ method: 'POST', path: `/bucket/small?uploadId=${id}`, body }));

  assert.is(await complete(document), '400 EntityTooSmall');
  assert.is(await complete(document.slice(0, -5)), '400 MalformedXML');
  assert.is(outcome(await part('0', 'x')), '400 InvalidArgument');
  assert.is(outcome(await part('10001', 'x')), '400 InvalidArgument');
  assert.is(outcome(await part('1', 'x', 'f'.repeat(32))), '404 NoSuchUpload');
  assert.is(outcome(await part('1', 'x', '../../etc')), '404 NoSuchUpload');
  assert.is(outcome(await part('1', 'x', id, 'other')), '404 NoSuchUpload');
  assert.is(outcome(await ask({ method: 'DELETE', path: `/bucket/small?uploadId=${id}` })), '204 ');
  assert.is(outcome(await ask({ method: 'DELETE', path: `/bucket/small?uploadId=${id}` })), '404 NoSuchUpload');
  assert.is(outcome(await part('1', 'x')), '404 NoSuchUpload');
  assert.is(await complete(document), '404 NoSuchUpload');
  assert.not(await isThere('small'));
});

s3('an object that comes in by any way is told of once, and one that is refused never', async () => {
  created.length = 0;
  await put('told', 'x');
  await put('told', 'y', { 'content-md5': base64('00'.repeat(16)) });
  await put('told', 'z', { 'if-none-match': '*' });
  await ask({ method: 'PUT', path: '/bucket/told-copy', headers: { 'x-amz-copy-source': 'bucket/told' } });
  await ask({ path: '/bucket/told' });
  assert.equal(
    created.map(({ bucket, key }) => `${bucket}/${key}`),
    ['bucket/told', 'bucket/told-copy'],
  );
});

s3.run();
