/** ListBuckets, CreateBucket, HeadBucket, GetBucketLocation, DeleteBucket. */
import { NotFound } from '../../../../actors/contracts/errors.ts';
import { checkHeaders } from '../attributes.ts';
import { incomingBody, wholeBody } from '../body.ts';
import { type Answer, type BucketContext, checkBucketIsThere, type Context, isoDate } from '../context.ts';
import { S3Failure } from '../failure.ts';
import { checkBucket } from '../../names.ts';
import { malformed, readDocument, writeDocument } from '../xml.ts';

const LARGEST_DOCUMENT = 64 * 1024;

export async function listBuckets({ objects }: Context): Promise<Answer> {
  const buckets = await objects.buckets();
  const body = writeDocument('ListAllMyBucketsResult', {
    Owner: { ID: 'windfleet', DisplayName: 'windfleet' },
    Buckets: { Bucket: buckets.map(({ name, createdAt }) => ({ Name: name, CreationDate: isoDate(createdAt) })) },
  });
  return { status: 200, body };
}

/** In whatever region is asked for: there is one place here. */
export async function createBucket({ objects, bucket, request, signed, sums }: BucketContext): Promise<Answer> {
  checkHeaders(request.headers);
  const document = await wholeBody(incomingBody(request, signed, sums, { limit: LARGEST_DOCUMENT }));
  if (document.length > 0 && readDocument(document).name !== 'CreateBucketConfiguration') throw malformed();
  checkBucket(bucket);
  if (!(await objects.createBucket(bucket)))
    throw new S3Failure('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded and you already own it.', {
      members: { BucketName: bucket },
    });
  return { status: 200, headers: { location: `/${bucket}` } };
}

export async function headBucket(context: BucketContext): Promise<Answer> {
  await checkBucketIsThere(context);
  return { status: 200, headers: { 'x-amz-bucket-region': context.region, 'content-type': 'application/xml' } };
}

export async function getBucketLocation(context: BucketContext): Promise<Answer> {
  await checkBucketIsThere(context);
  return { status: 200, body: writeDocument('LocationConstraint', context.region === 'us-east-1' ? '' : context.region) };
}

export async function deleteBucket({ objects, bucket }: BucketContext): Promise<Answer> {
  try {
    await objects.removeBucket(bucket);
  } catch (error) {
    if (error instanceof NotFound)
      throw new S3Failure('NoSuchBucket', 'The specified bucket does not exist', { members: { BucketName: bucket } });
    throw error;
  }
  return { status: 204 };
}
