/**
 * Objects in S3, or in what speaks like it (path style where an endpoint is named). Large objects go up in parts, so that one part is
 * all that is in memory. Keys come from where the SDK looks for them, never from our files.
 */
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { EnvironmentLacking, FleetError, NotFound, ObjectRefused, reasonOf, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectHead, ObjectStore, PutOptions } from '../../actors/contracts/objects.ts';
import { bytesOf } from './digesting.ts';
import { byBytes, checkBucket, checkKey } from './names.ts';
import { MOST_IN_PAGE } from './page.ts';

const PART = 8 * 2 ** 20; // 10 000 of them are 80 GB
const SHA256 = 'windfleet-sha256'; // metadata of ours: S3 tells no SHA-256 of a whole object
const HEADS_AT_ONCE = 16;

export interface S3Place {
  /** Absent: AWS. */
  readonly endpoint?: string | undefined;
  /** Absent: where `AWS_REGION` says; with an endpoint, us-east-1. */
  readonly region?: string | undefined;
  /** Before every bucket's name: those of AWS are taken by all the world. */
  readonly bucketPrefix?: string | undefined;
}

export const openS3Client = ({ endpoint, region }: S3Place, more: S3ClientConfig = {}): S3Client =>
  new S3Client({
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true, region: 'us-east-1' }),
    ...(region === undefined ? {} : { region }),
    ...more,
  });

export function s3Objects(client: S3Client, bucketPrefix = ''): ObjectStore {
  const at = (bucket: string, key?: string) => {
    checkBucket(bucketPrefix + bucket);
    if (key !== undefined) checkKey(key);
    return bucketPrefix + bucket;
  };

  const head = async (bucket: string, key: string): Promise<ObjectHead | null> => {
    const found = await unlessMissing(client.send(new HeadObjectCommand({ Bucket: at(bucket, key), Key: key })));
    if (!found) return null;
    const { [SHA256]: sha256 = null, ...metadata } = found.Metadata ?? {};
    return {
      bucket,
      key,
      bytes: found.ContentLength ?? 0,
      etag: unquoted(found.ETag),
      sha256,
      modifiedAt: found.LastModified?.getTime() ?? 0,
      contentType: found.ContentType ?? null,
      metadata,
    };
  };

  /** The first part is all of a small object. A bucket that is not there yet is made, as the other kinds do. */
  const put = async (bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<string> => {
    const parts = partsOf(body)[Symbol.asyncIterator]();
    const { value: first = new Uint8Array(0) } = await parts.next();
    const second = first.length < PART ? null : ((await parts.next()).value ?? null);
    const object = {
      Bucket: at(bucket, key),
      Key: key,
      ...(options.contentType === undefined ? {} : { ContentType: options.contentType }),
      Metadata: { ...options.metadata, ...(second ? {} : { [SHA256]: createHash('sha256').update(first).digest('hex') }) },
    };
    const condition = options.ifNoneMatch ? { IfNoneMatch: options.ifNoneMatch } : {};
    if (!second) {
      const { ETag } = await inBucket(object.Bucket, () =>
        client.send(new PutObjectCommand({ ...object, ...condition, Body: first, ContentLength: first.length })),
      );
      return unquoted(ETag);
    }
    const { UploadId } = await inBucket(object.Bucket, () => client.send(new CreateMultipartUploadCommand(object)));
    const upload = { Bucket: object.Bucket, Key: key, UploadId };
    try {
      const done: CompletedPart[] = [];
      const send = async (bytes: Uint8Array) => {
        const part = { ...upload, PartNumber: done.length + 1, Body: bytes, ContentLength: bytes.length };
        const { $metadata: _, ...sums } = await client.send(new UploadPartCommand(part));
        done.push({ PartNumber: part.PartNumber, ETag: sums.ETag, ...sumsOf(sums) });
      };
      await send(first);
      await send(second);
      for (let next = await parts.next(); !next.done; next = await parts.next()) await send(next.value);
      const { ETag } = await client.send(new CompleteMultipartUploadCommand({ ...upload, ...condition, MultipartUpload: { Parts: done } }));
      return unquoted(ETag);
    } catch (error) {
      await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {}); // it goes with the bucket's own rules then
      throw error;
    }
  };
  const inBucket = async <T>(bucket: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (nameOf(error) !== 'NoSuchBucket') throw error;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return work();
    }
  };

  const page: ObjectStore['page'] = async (bucket, { prefix, after, delimiter, limit = MOST_IN_PAGE } = {}) => {
    const isPrefix = after !== undefined && delimiter && after.endsWith(delimiter);
    const found = await unlessMissing(
      client.send(
        new ListObjectsV2Command({
          Bucket: at(bucket),
          ...(prefix ? { Prefix: prefix } : {}),
          ...(delimiter ? { Delimiter: delimiter } : {}),
          ...(after ? { StartAfter: isPrefix ? `${after}\u{10ffff}` : after } : {}), // behind all that has the prefix
          MaxKeys: Math.min(limit, MOST_IN_PAGE),
          EncodingType: 'url', // XML has no word for every character of a key
        }),
      ),
    );
    const objects = (found?.Contents ?? []).map(({ Key = '', Size = 0, ETag, LastModified }) => ({
      key: unescaped(Key),
      bytes: Size,
      etag: unquoted(ETag),
      modifiedAt: LastModified?.getTime() ?? 0,
    }));
    const prefixes = (found?.CommonPrefixes ?? []).map(({ Prefix = '' }) => unescaped(Prefix));
    const last = [objects.at(-1)?.key, prefixes.at(-1)]
      .filter((key) => key !== undefined)
      .sort(byBytes)
      .at(-1);
    return { objects, prefixes, next: found?.IsTruncated ? (last ?? null) : null };
  };

  return {
    async put(bucket, key, body, options = {}) {
      const etag = await put(bucket, key, bytesOf(body), options).catch((error: unknown) => refuse(error, bucket, key));
      const stored = await head(bucket, key).catch((error: unknown) => refuse(error, bucket, key));
      if (!stored || (etag !== '' && stored.etag !== etag))
        // radosgw 16 tells none of an object in parts
        throw new StoreUnavailable(`object ${key} in ${bucket} was put, and replaced or deleted at once by somebody else`);
      return stored;
    },
    head: (bucket, key) => head(bucket, key).catch((error: unknown) => refuse(error, bucket, key)),
    async *get(bucket, key, { from = 0, to, signal } = {}) {
      if (to !== undefined && to <= from) return;
      const range = from > 0 || to !== undefined ? { Range: `bytes=${from}-${to === undefined ? '' : to - 1}` } : {};
      const order = new GetObjectCommand({ Bucket: at(bucket, key), Key: key, ...range });
      try {
        const found = await unlessMissing(client.send(order, signal ? { abortSignal: signal } : {}));
        if (!found) throw new NotFound(`there is no object ${key} in ${bucket}`);
        for await (const chunk of found.Body as AsyncIterable<Uint8Array>) {
          signal?.throwIfAborted();
          yield chunk;
        }
      } catch (error) {
        if (nameOf(error) === 'InvalidRange') return; // nothing is left from there on
        signal?.throwIfAborted();
        refuse(error, bucket, key);
      }
    },
    page: (bucket, options) => page(bucket, options).catch((error: unknown) => refuse(error, bucket)),
    async list(bucket, prefix = '') {
      const heads: (ObjectHead | null)[] = [];
      for (let after: string | null | undefined; after !== null; ) {
        const { objects, next }: Awaited<ReturnType<typeof page>> = await this.page(bucket, { prefix, ...(after ? { after } : {}) });
        for (let i = 0; i < objects.length; i += HEADS_AT_ONCE)
          heads.push(...(await Promise.all(objects.slice(i, i + HEADS_AT_ONCE).map(({ key }) => this.head(bucket, key)))));
        after = next;
      }
      return heads.filter((each) => each !== null);
    },
    async delete(bucket, key) {
      await unlessMissing(client.send(new DeleteObjectCommand({ Bucket: at(bucket, key), Key: key }))).catch((error: unknown) =>
        refuse(error, bucket, key),
      );
    },
  };
}

/** Pieces of just the size of a part, the last one shorter; none of nothing. */
async function* partsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + PART - bytes);
      held.push(piece);
      bytes += piece.length;
      at += piece.length;
      if (bytes < PART) continue;
      yield Buffer.concat(held);
      held = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}

/** What a part was found to be, to be said again at the end. */
const sumsOf = (sums: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(sums).filter(([name, value]) => name.startsWith('Checksum') && name !== 'ChecksumType' && value),
  ) as Partial<CompletedPart>;

const unquoted = (etag = '') => etag.replace(/^"|"$/g, '');
const unescaped = (text: string) => decodeURIComponent(text.replaceAll('+', '%20'));
const nameOf = (error: unknown) => (error as { name?: string }).name;
const statusOf = (error: unknown) => (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

/** Null for what is not there. */
const unlessMissing = <T>(done: Promise<T>): Promise<T | null> =>
  done.catch((error: unknown) => {
    if (statusOf(error) === 404) return null;
    throw error;
  });

/** In the port's words. */
function refuse(error: unknown, bucket: string, key?: string): never {
  if (error instanceof FleetError) throw error;
  const name = nameOf(error) ?? 'Error';
  const what = key === undefined ? `bucket ${bucket}` : `object ${key} in ${bucket}`;
  if (name === 'CredentialsProviderError' || /^Region is missing/.test(reasonOf(error)))
    throw new EnvironmentLacking(`S3 cannot be asked: ${reasonOf(error)}`, {
      cause: error,
      hint: 'export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or have a profile of the AWS CLI',
    });
  if (statusOf(error) === 412 || name === 'ConditionalRequestConflict')
    throw new ObjectRefused('PreconditionFailed', `${what} is there already`, { cause: error });
  const status = statusOf(error);
  throw new StoreUnavailable(`${what}: S3 ${status ? `answers ${status} ${name}` : 'does not answer'}: ${reasonOf(error)}`, {
    cause: error,
    hint: 'check the endpoint, the region and what the keys may do',
  });
}
