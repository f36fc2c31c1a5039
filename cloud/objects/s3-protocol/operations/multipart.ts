/** CreateMultipartUpload, UploadPart, ListParts, ListMultipartUploads, AbortMultipartUpload. */
import { checksumHeaders, givenAttributes } from '../attributes.ts';
import { incomingBody } from '../body.ts';
import {
  type Answer,
  type BucketContext,
  checkBucketIsThere,
  isoDate,
  keyWriter,
  type KeyContext,
  queryNumber,
  quoted,
} from '../context.ts';
import { S3Failure } from '../failure.ts';
import { ALGORITHMS } from '../../held.ts';
import { byBytes, checkKey } from '../../names.ts';
import { writeDocument } from '../xml.ts';
import { checksumElement } from './copy.ts';
import { LARGEST_PUT } from './objects.ts';
import { readPart } from './part.ts';

const MOST = 1_000;

export async function createMultipartUpload(context: KeyContext): Promise<Answer> {
  const { uploads, request, bucket, key } = context;
  const { contentType = null, metadata, headers } = givenAttributes(request.headers);
  const algorithm = request.headers.get('x-amz-checksum-algorithm')?.toUpperCase() ?? null;
  const known = ALGORITHMS.find((each) => each === algorithm) ?? null;
  if (algorithm !== null && known === null)
    throw new S3Failure(
      'InvalidRequest',
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${ALGORITHMS.join(', ')}]`,
    );
  const byDefault = known === null ? null : known === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  const type = request.headers.get('x-amz-checksum-type')?.toUpperCase() ?? byDefault;
  const isPossible = known !== null && (type === 'FULL_OBJECT' ? known.startsWith('CRC') : type === 'COMPOSITE' && known !== 'CRC64NVME');
  if (type !== null && !isPossible)
    throw new S3Failure(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm?.toLowerCase()} checksum algorithm.`,
    );
  checkKey(key);
  await checkBucketIsThere(context);
  const upload = await uploads.begin({ bucket, key, contentType, metadata, headers, algorithm: known, type: type as typeof byDefault });
  return {
    status: 200,
    headers: known ? { 'x-amz-checksum-algorithm': known, 'x-amz-checksum-type': String(type) } : {},
    body: writeDocument('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: upload.id }),
  };
}

export async function uploadPart(context: KeyContext): Promise<Answer> {
  const { uploads, request, signed, sums } = context;
  const { upload, number } = await readPart(context);
  const incoming = incomingBody(request, signed, sums, { limit: LARGEST_PUT, wanted: upload.algorithm });
  const head = await uploads.putPart(upload.id, number, incoming.bytes, {
    seal(digests) {
      const sealed = incoming.check(digests);
      if (upload.algorithm && sealed.checksum?.algorithm !== upload.algorithm)
        throw new S3Failure(
          'InvalidRequest',
          `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm}, actual checksum Type: ${sealed.checksum?.algorithm}`,
        );
      return sealed;
    },
  });
  return { status: 200, headers: { etag: quoted(head.etag), ...checksumHeaders(head) } };
}

export async function abortMultipartUpload(context: KeyContext): Promise<Answer> {
  const { uploads, request, bucket, key } = context;
  const { id } = await uploads.find(request.query.get('uploadId') ?? '', bucket, key);
  await uploads.forget(id);
  return { status: 204 };
}

export async function listParts(context: KeyContext): Promise<Answer> {
  const { uploads, request, bucket, key } = context;
  const write = keyWriter(request);
  const limit = Math.min(queryNumber(request, 'max-parts', MOST), MOST);
  const after = queryNumber(request, 'part-number-marker', 0);
  const upload = await uploads.find(request.query.get('uploadId') ?? '', bucket, key);
  const parts = [...(await uploads.parts(upload.id))].filter(([number]) => number > after);
  const shown = parts.slice(0, limit);
  const body = writeDocument('ListPartsResult', {
    Bucket: bucket,
    Key: write(key),
    UploadId: upload.id,
    PartNumberMarker: after,
    NextPartNumberMarker: shown.at(-1)?.[0] ?? 0,
    MaxParts: limit,
    IsTruncated: shown.length < parts.length,
    StorageClass: 'STANDARD',
    ChecksumAlgorithm: upload.algorithm,
    ChecksumType: upload.type,
    Part: shown.map(([number, head]) => ({
      PartNumber: number,
      LastModified: isoDate(head.modifiedAt),
      ETag: quoted(head.etag),
      Size: head.bytes,
      ...checksumElement(head),
    })),
  });
  return { status: 200, body };
}

export async function listMultipartUploads(context: BucketContext): Promise<Answer> {
  const { uploads, request, bucket } = context;
  const { query } = request;
  const write = keyWriter(request);
  const limit = Math.min(queryNumber(request, 'max-uploads', MOST), MOST);
  const [keyMarker, idMarker, prefix] = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? '', query.get('prefix') ?? ''];
  if (query.get('delimiter')) throw new S3Failure('NotImplemented', 'ListMultipartUploads with a delimiter is not implemented');
  await checkBucketIsThere(context);
  const all = (await uploads.of(bucket)).filter(({ key }) => key.startsWith(prefix));
  const marked = all.findIndex(({ id }) => id === idMarker);
  const follows = (key: string, i: number) => {
    const order = byBytes(key, keyMarker);
    return order > 0 || (order === 0 && marked >= 0 && i > marked);
  };
  const left = keyMarker === '' ? all : all.filter(({ key }, i) => follows(key, i));
  const shown = left.slice(0, limit);
  const isTruncated = shown.length < left.length;
  const body = writeDocument('ListMultipartUploadsResult', {
    Bucket: bucket,
    KeyMarker: write(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: isTruncated ? write(shown.at(-1)?.key ?? '') : null,
    NextUploadIdMarker: isTruncated ? shown.at(-1)?.id : null,
    Prefix: write(prefix),
    EncodingType: query.get('encoding-type') || null,
    MaxUploads: limit,
    IsTruncated: isTruncated,
    Upload: shown.map(({ key, id, initiatedAt, algorithm, type }) => ({
      Key: write(key),
      UploadId: id,
      Initiated: isoDate(initiatedAt),
      StorageClass: 'STANDARD',
      ChecksumAlgorithm: algorithm,
      ChecksumType: type,
    })),
  });
  return { status: 200, body };
}
