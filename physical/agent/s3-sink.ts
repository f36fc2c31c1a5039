/** Captures into S3, as the original's agent uploads them: whichever endpoint `AWS_ENDPOINT_URL` names, Amazon's without one. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { RemoteRefused, reasonOf } from '../../actors/contracts/errors.ts';
import type { CaptureSink } from './capture-sink.ts';
import type { TemporaryKeys } from './iot-credentials.ts';

export interface S3SinkOptions {
  readonly bucket: string;
  readonly region: string;
  /** Absent: as the environment says. */
  readonly endpoint?: string;
  readonly credentials: () => Promise<TemporaryKeys>;
}

const CONNECT_MS = 5_000;
const REQUEST_MS = 20_000;

export function s3Sink({ bucket, region, endpoint, credentials }: S3SinkOptions): CaptureSink {
  const client = new S3Client({
    region,
    credentials,
    forcePathStyle: true, // bucket names with dots and hosts without names
    maxAttempts: 2, // a batch comes again by itself
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return {
    async put(key, bytes) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes })).catch((error: unknown) => {
        if (error instanceof RemoteRefused) throw error; // no keys: says so itself
        throw new RemoteRefused(`s3://${bucket}/${key} was not taken: ${reasonOf(error)}`, { cause: error });
      });
    },
    addressOf: (key) => `s3://${bucket}/${key}`,
  };
}
