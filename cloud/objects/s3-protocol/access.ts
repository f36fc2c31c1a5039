/**
 * What keys may do. The owner's: everything. A device's temporary ones: what AmazonSageMakerEdgeDeviceFleetPolicy and the original's
 * role give it — read, and store what it captured — in buckets with `sagemaker` in their name; never what others run, the models.
 */
import { MODEL_BUCKET } from '../../../actors/contracts/objects.ts';
import type { Principal } from '../../things/ports.ts';
import { S3Failure } from './failure.ts';
import type { S3Request } from './request.ts';

const READS = new Set(['GetObject', 'HeadObject', 'GetObjectTagging', 'HeadBucket', 'GetBucketLocation', 'ListObjectsV2', 'ListObjects']);
const WRITES = new Set([
  ...['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'AbortMultipartUpload', 'ListParts'],
]);

/** @throws S3Failure AccessDenied */
export function checkAccess(caller: Principal, operation: string, { bucket }: Pick<S3Request, 'bucket'>): void {
  if (caller.kind === 'owner') return;
  const isOfDevices = bucket !== null && /sagemaker/i.test(bucket);
  if (caller.kind === 'role' && isOfDevices && (READS.has(operation) || (WRITES.has(operation) && bucket !== MODEL_BUCKET))) return;
  throw new S3Failure('AccessDenied', `User: ${caller.arn} is not authorized to perform: s3:${operation}`);
}
