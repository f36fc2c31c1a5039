/** The object store of a data folder: files in it, or S3 where the configuration says so. */
import { join } from 'node:path';
import { EnvironmentLacking, reasonOf } from '../../actors/contracts/errors.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { diskObjects } from './disk.ts';
import type { HeldObjects } from './held.ts';
import { type PresignedUrls, presignedUrls, type SigningKeys } from './presigned.ts';
import type { S3Place } from './s3.ts';

export interface ObjectsChoice {
  readonly s3: S3Place;
}

/** What is served by the S3 protocol here. */
export interface HeldStore {
  readonly objects: HeldObjects;
  /** Parts of uploads that are under way. */
  readonly parts: HeldObjects;
}

export const heldOnDisk = (data: string): HeldStore => ({
  objects: diskObjects(join(data, 'objects')),
  parts: diskObjects(join(data, 'objects', '.uploads')),
});

/** @throws EnvironmentLacking when nobody said with which keys S3 is asked */
export async function openS3(
  place: S3Place,
  now: () => Millis,
): Promise<{ readonly objects: ObjectStore; readonly presigned: PresignedUrls }> {
  const { openS3Client, s3Objects } = await import('./s3.ts'); // heavy, and few need it
  const client = openS3Client(place);
  const ask = async () => ({ keys: (await client.config.credentials()) as SigningKeys, region: await client.config.region() });
  let known = await ask().catch((error: unknown) => {
    throw new EnvironmentLacking(`S3 cannot be asked: ${reasonOf(error)}`, {
      cause: error,
      hint: 'export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or have a profile of the AWS CLI',
    });
  });
  const prefix = place.bucketPrefix ?? '';
  const urls = presignedUrls({
    now,
    region: known.region,
    base: place.endpoint?.replace(/\/$/, '') ?? `https://s3.${known.region}.amazonaws.com`,
    keys() {
      void ask().then(
        (fresh) => (known = fresh),
        () => {},
      ); // temporary keys end; the SDK asks for new ones in time
      return known.keys;
    },
  });
  return {
    objects: s3Objects(client, prefix),
    presigned: { presign: (bucket, key, seconds) => urls.presign(prefix + bucket, key, seconds), serveAt() {} },
  };
}
