/** Which operation a request is: told by method, by what the path names, and by what stands in the query. */
import type { Answer, BucketContext, Context, KeyContext } from './context.ts';
import { notImplemented, S3Failure } from './failure.ts';
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './operations/buckets.ts';
import { completeMultipartUpload } from './operations/complete.ts';
import { copyObject, uploadPartCopy } from './operations/copy.ts';
import { deleteObjects } from './operations/delete-objects.ts';
import { listObjects, listObjectsV2 } from './operations/listing.ts';
import { abortMultipartUpload, createMultipartUpload, listMultipartUploads, listParts, uploadPart } from './operations/multipart.ts';
import { deleteObject, getObject, getObjectTagging, putObject } from './operations/objects.ts';
import type { S3Request } from './request.ts';

export type Operation =
  | { readonly of: 'service'; readonly name: string; readonly run: (context: Context) => Promise<Answer> }
  | { readonly of: 'bucket'; readonly name: string; readonly run: (context: BucketContext) => Promise<Answer> }
  | { readonly of: 'key'; readonly name: string; readonly run: (context: KeyContext) => Promise<Answer> };

const service = (name: string, run: (context: Context) => Promise<Answer>): Operation => ({ of: 'service', name, run });
const bucket = (name: string, run: (context: BucketContext) => Promise<Answer>): Operation => ({ of: 'bucket', name, run });
const key = (name: string, run: (context: KeyContext) => Promise<Answer>): Operation => ({ of: 'key', name, run });

/** What S3 has beside the objects, and this cloud has not. A request for one of them must not be taken for another. */
const ELSEWHERE = new Set([
  ...['accelerate', 'acl', 'analytics', 'attributes', 'cors', 'encryption', 'intelligent-tiering', 'inventory', 'legal-hold', 'lifecycle'],
  ...['logging', 'metadataTable', 'metrics', 'notification', 'object-lock', 'ownershipControls', 'partNumber', 'policy', 'policyStatus'],
  ...['publicAccessBlock', 'renameObject', 'replication', 'requestPayment', 'restore', 'retention', 'select', 'session', 'tagging'],
  ...['torrent', 'versionId', 'versioning', 'versions', 'website'],
]);

/** @throws S3Failure NotImplemented, MethodNotAllowed */
export function operationOf({ method, query, headers, bucket: bucketName, key: keyName }: S3Request): Operation {
  const has = (name: string) => query.has(name);
  const isOfPart = has('uploadId') && keyName !== null;
  if (method === 'GET' && keyName !== null && has('tagging')) return key('GetObjectTagging', getObjectTagging);
  for (const name of query.keys()) if (ELSEWHERE.has(name) && !(isOfPart && name === 'partNumber')) throw notImplemented(`?${name}`);
  if (bucketName === null) {
    if (method === 'GET') return service('ListBuckets', listBuckets);
  } else if (keyName === null) {
    if (method === 'GET' && has('location')) return bucket('GetBucketLocation', getBucketLocation);
    if (method === 'GET' && has('uploads')) return bucket('ListMultipartUploads', listMultipartUploads);
    if (method === 'GET' && query.get('list-type') === '2') return bucket('ListObjectsV2', listObjectsV2);
    if (method === 'GET') return bucket('ListObjects', listObjects);
    if (method === 'HEAD') return bucket('HeadBucket', headBucket);
    if (method === 'PUT') return bucket('CreateBucket', createBucket);
    if (method === 'DELETE') return bucket('DeleteBucket', deleteBucket);
    if (method === 'POST' && has('delete')) return bucket('DeleteObjects', deleteObjects);
    if (method === 'POST') throw notImplemented('uploads by forms');
  } else {
    const isCopy = headers.has('x-amz-copy-source');
    if (method === 'PUT' && isOfPart) return isCopy ? key('UploadPartCopy', uploadPartCopy) : key('UploadPart', uploadPart);
    if (method === 'PUT') return isCopy ? key('CopyObject', copyObject) : key('PutObject', putObject);
    if (method === 'GET' && isOfPart) return key('ListParts', listParts);
    if (method === 'GET') return key('GetObject', getObject);
    if (method === 'HEAD') return key('HeadObject', getObject);
    if (method === 'DELETE') return isOfPart ? key('AbortMultipartUpload', abortMultipartUpload) : key('DeleteObject', deleteObject);
    if (method === 'POST' && has('uploads')) return key('CreateMultipartUpload', createMultipartUpload);
    if (method === 'POST' && isOfPart) return key('CompleteMultipartUpload', completeMultipartUpload);
  }
  throw new S3Failure('MethodNotAllowed', 'The specified method is not allowed against this resource.');
}
