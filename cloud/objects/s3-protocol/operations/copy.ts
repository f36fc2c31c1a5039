/** CopyObject and UploadPartCopy: bytes go from object to object without the client. */
import { type checksumHeaders, givenAttributes } from '../attributes.ts';
import { checkRead, rangeOf, type Span, writeConditions } from '../conditions.ts';
import { type Answer, checkBucketIsThere, isoDate, type KeyContext, quoted } from '../context.ts';
import { noSuchKey, notImplemented, S3Failure } from '../failure.ts';
import type { OpenObject } from '../../held.ts';
import { unescaped } from '../request.ts';
import { writeDocument } from '../xml.ts';
import { LARGEST_PUT } from './objects.ts';
import { readPart } from './part.ts';

const SOURCE = 'x-amz-copy-source';

export async function copyObject(context: KeyContext): Promise<Answer> {
  const { objects, request, bucket, key } = context;
  const { headers } = request;
  const directive = headers.get('x-amz-metadata-directive') ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') throw new S3Failure('InvalidArgument', 'Unknown metadata directive.');
  const given = givenAttributes(headers);
  const conditions = writeConditions(headers);
  await checkBucketIsThere(context);
  const source = await openSource(context);
  const { head } = source;
  try {
    if (directive === 'COPY' && head.bucket === bucket && head.key === key)
      throw new S3Failure(
        'InvalidRequest',
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata.",
      );
    const kept = {
      ...(head.contentType === null ? {} : { contentType: head.contentType }),
      metadata: head.metadata,
      headers: head.headers,
    };
    const copy = await objects.put(bucket, key, source.bytes(), {
      ...(directive === 'COPY' ? kept : given),
      ...conditions,
      seal: () => (head.checksum?.type === 'FULL_OBJECT' ? { checksum: head.checksum } : {}),
    });
    const fields = { ETag: quoted(copy.etag), LastModified: isoDate(copy.modifiedAt), ...checksumElement(copy) };
    return { status: 200, body: writeDocument('CopyObjectResult', fields) };
  } finally {
    await source.close();
  }
}

export async function uploadPartCopy(context: KeyContext): Promise<Answer> {
  const { uploads, sums, request } = context;
  const { upload, number } = await readPart(context);
  const source = await openSource(context);
  try {
    const span = sourceSpan(request.headers.get(`${SOURCE}-range`), source.head.bytes);
    const sum = upload.algorithm && sums(upload.algorithm);
    const bytes = async function* () {
      for await (const chunk of source.bytes(span)) {
        sum?.update(chunk);
        yield chunk;
      }
    };
    const head = await uploads.putPart(upload.id, number, bytes(), {
      seal: () =>
        sum && upload.algorithm
          ? { checksum: { algorithm: upload.algorithm, value: sum.digest().toString('base64'), type: 'FULL_OBJECT' } }
          : {},
    });
    const fields = { ETag: quoted(head.etag), LastModified: isoDate(head.modifiedAt), ...checksumElement(head) };
    return { status: 200, body: writeDocument('CopyPartResult', fields) };
  } finally {
    await source.close();
  }
}

/** The same that goes into headers elsewhere: `<ChecksumCRC32>…`. */
export const checksumElement = (head: Parameters<typeof checksumHeaders>[0]) =>
  head.checksum ? { [`Checksum${head.checksum.algorithm}`]: head.checksum.value } : {};

/** @throws S3Failure InvalidArgument, NoSuchKey, PreconditionFailed, InvalidRequest */
async function openSource({ objects, request: { headers } }: KeyContext): Promise<OpenObject> {
  const [path, query] = (headers.get(SOURCE) ?? '').split('?');
  if (query !== undefined) throw notImplemented('versions of objects');
  const match = /^\/?([^/]+)\/([\s\S]+)$/.exec(unescaped(path));
  if (!match) throw new S3Failure('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  const [, bucket, key] = match;
  const source = await objects.open(bucket, key);
  if (!source) throw (await objects.hasBucket(bucket)) ? noSuchKey() : new S3Failure('NoSuchBucket', 'The specified bucket does not exist');
  try {
    checkRead(source.head, headers, `${SOURCE}-`);
    if (source.head.bytes > LARGEST_PUT)
      throw new S3Failure(
        'InvalidRequest',
        'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
      );
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** @throws S3Failure InvalidArgument */
function sourceSpan(header: string | undefined, bytes: number): Span | Record<string, never> {
  if (header === undefined) return {};
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  if (!match || Number(match[2]) >= bytes)
    throw new S3Failure('InvalidArgument', 'The x-amz-copy-source-range value must be of the form bytes=first-last, within the source');
  return rangeOf(header, bytes) ?? {};
}
