/** ListObjectsV2, and ListObjects for older clients. */
import { type Answer, type BucketContext, checkBucketIsThere, isoDate, keyWriter, queryNumber, quoted } from '../context.ts';
import { S3Failure } from '../failure.ts';
import { writeDocument } from '../xml.ts';

const MOST = 1_000;

export async function listObjectsV2(context: BucketContext): Promise<Answer> {
  const { request, bucket } = context;
  const token = request.query.get('continuation-token');
  const startAfter = request.query.get('start-after');
  const { page, fields, write, limit } = await pageFor(context, token === undefined ? startAfter : readToken(token));
  const body = writeDocument('ListBucketResult', {
    Name: bucket,
    ...fields,
    StartAfter: startAfter === undefined ? null : write(startAfter),
    ContinuationToken: token ?? null,
    NextContinuationToken: page.next === null ? null : Buffer.from(page.next).toString('base64url'),
    KeyCount: page.objects.length + page.prefixes.length,
    MaxKeys: limit,
    IsTruncated: page.next !== null,
    ...entries(page, write, request.query.get('fetch-owner') === 'true'),
  });
  return { status: 200, body };
}

export async function listObjects(context: BucketContext): Promise<Answer> {
  const { request, bucket } = context;
  const marker = request.query.get('marker');
  const { page, fields, write, limit } = await pageFor(context, marker);
  const body = writeDocument('ListBucketResult', {
    Name: bucket,
    ...fields,
    Marker: write(marker ?? ''),
    NextMarker: page.next === null || !request.query.get('delimiter') ? null : write(page.next),
    MaxKeys: limit,
    IsTruncated: page.next !== null,
    ...entries(page, write, true),
  });
  return { status: 200, body };
}

async function pageFor(context: BucketContext, after: string | undefined) {
  const { objects, request, bucket } = context;
  const write = keyWriter(request);
  const limit = Math.min(queryNumber(request, 'max-keys', MOST), MOST);
  const prefix = request.query.get('prefix') ?? '';
  const delimiter = request.query.get('delimiter') ?? '';
  await checkBucketIsThere(context);
  const options = { prefix, delimiter, limit, ...(after ? { after } : {}) };
  const page = limit === 0 ? { objects: [], prefixes: [], next: null } : await objects.page(bucket, options);
  const fields = {
    Prefix: write(prefix),
    Delimiter: delimiter === '' ? null : write(delimiter),
    EncodingType: request.query.get('encoding-type') || null,
  };
  return { page, fields, write, limit };
}

const OWNER = { ID: 'windfleet', DisplayName: 'windfleet' };

const entries = (page: Awaited<ReturnType<BucketContext['objects']['page']>>, write: (key: string) => string, hasOwner: boolean) => ({
  Contents: page.objects.map(({ key, bytes, etag, modifiedAt }) => ({
    Key: write(key),
    LastModified: isoDate(modifiedAt),
    ETag: quoted(etag),
    Size: bytes,
    StorageClass: 'STANDARD',
    Owner: hasOwner ? OWNER : null,
  })),
  CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: write(prefix) })),
});

/** @throws S3Failure InvalidArgument for what this service has not made */
function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (text === '' || Buffer.from(text).toString('base64url') !== token)
    throw new S3Failure('InvalidArgument', 'The continuation token provided is incorrect');
  return text;
}
