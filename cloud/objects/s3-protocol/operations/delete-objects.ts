/** DeleteObjects: up to 1 000 keys in one request, each with a result of its own. */
import { incomingBody, wholeBody } from '../body.ts';
import { type Answer, type BucketContext, checkBucketIsThere } from '../context.ts';
import { failureOf, notImplemented, S3Failure } from '../failure.ts';
import { childText, malformed, readDocument, writeDocument } from '../xml.ts';

const MOST_KEYS = 1_000;
const AT_ONCE = 32; // share a sync of their folder
const LARGEST_DOCUMENT = 2 * 2 ** 20;

export async function deleteObjects(context: BucketContext): Promise<Answer> {
  const { objects, bucket, request, signed, sums } = context;
  const { headers } = request;
  if (
    !headers.has('content-md5') &&
    !headers.has('x-amz-trailer') &&
    ![...headers.keys()].some((name) => name.startsWith('x-amz-checksum-'))
  )
    throw new S3Failure('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  const document = readDocument(await wholeBody(incomingBody(request, signed, sums, { limit: LARGEST_DOCUMENT })));
  if (document.name !== 'Delete') throw malformed();
  const asked = document.children.filter(({ name }) => name === 'Object');
  if (asked.length === 0 || asked.length > MOST_KEYS) throw malformed();
  const isQuiet = childText(document, 'Quiet') === 'true';
  const keys = asked.map((object) => {
    const key = childText(object, 'Key');
    if (key === null || key === '') throw malformed();
    if (object.children.some(({ name }) => name !== 'Key')) throw notImplemented('DeleteObjects of versions, ETags, sizes or dates');
    return key;
  });
  await checkBucketIsThere(context);

  const deleted: { readonly Key: string }[] = [];
  const errors: { readonly Key: string; readonly Code: string; readonly Message: string }[] = [];
  const remove = async (key: string) => {
    try {
      await objects.delete(bucket, key);
      deleted.push({ Key: key });
    } catch (error) {
      const { code, message } = failureOf(error);
      errors.push({ Key: key, Code: code, Message: message });
    }
  };
  for (let at = 0; at < keys.length; at += AT_ONCE) await Promise.all(keys.slice(at, at + AT_ONCE).map(remove));
  return { status: 200, body: writeDocument('DeleteResult', { Deleted: isQuiet ? [] : deleted, Error: errors }) };
}
