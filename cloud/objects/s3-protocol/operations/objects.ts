/** PutObject, GetObject, HeadObject, GetObjectTagging, DeleteObject. */
import { checksumHeaders, givenAttributes, readHeaders } from '../attributes.ts';
import { incomingBody } from '../body.ts';
import { checkRead, rangeOf, writeConditions } from '../conditions.ts';
import { type Answer, checkBucketIsThere, type KeyContext, quoted } from '../context.ts';
import { noSuchKey } from '../failure.ts';
import { writeDocument } from '../xml.ts';

export const LARGEST_PUT = 5 * 2 ** 30;

export async function putObject(context: KeyContext): Promise<Answer> {
  const { objects, request, signed, sums, bucket, key } = context;
  const attributes = givenAttributes(request.headers);
  const conditions = writeConditions(request.headers);
  const incoming = incomingBody(request, signed, sums, { limit: LARGEST_PUT });
  await checkBucketIsThere(context);
  const head = await objects.put(bucket, key, incoming.bytes, { ...attributes, ...conditions, seal: incoming.check });
  return { status: 200, headers: { etag: quoted(head.etag), ...checksumHeaders(head) } };
}

export async function getObject(context: KeyContext): Promise<Answer> {
  const { objects, request, bucket, key } = context;
  const object = await objects.open(bucket, key);
  if (!object) {
    await checkBucketIsThere(context);
    throw noSuchKey();
  }
  const { head } = object;
  try {
    checkRead(head, request.headers);
    const span = rangeOf(request.headers.get('range'), head.bytes);
    const headers: Record<string, string | number> = readHeaders(head, request.query);
    if (span) headers['content-range'] = `bytes ${span.from}-${span.to - 1}/${head.bytes}`;
    else if (request.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') Object.assign(headers, checksumHeaders(head));
    headers['content-length'] = span ? span.to - span.from : head.bytes;
    const status = span ? 206 : 200;
    if (request.method !== 'HEAD') return { status, headers, body: object.bytes(span ?? {}) };
    await object.close();
    return { status, headers };
  } catch (error) {
    await object.close();
    throw error;
  }
}

/** No object here has tags; the aws CLI asks for them before it copies a large one. */
export async function getObjectTagging({ objects, bucket, key }: KeyContext): Promise<Answer> {
  if (!(await objects.head(bucket, key))) throw noSuchKey();
  return { status: 200, body: writeDocument('Tagging', { TagSet: '' }) };
}

export async function deleteObject(context: KeyContext): Promise<Answer> {
  await checkBucketIsThere(context);
  await context.objects.delete(context.bucket, context.key);
  return { status: 204 };
}
