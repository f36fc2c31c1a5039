/** Where captures go: the device's disk, or an object store. */
import type { Disk } from '../../actors/contracts/disk.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';

export interface CaptureSink {
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** How a record names what lies under a key. */
  addressOf(key: string): string;
}

/** @param root the disk's folder on this machine, for addresses */
export const diskSink = (disk: Disk, root: string): CaptureSink => ({
  async put(key, bytes) {
    await disk.write(`${key}.tmp`, bytes);
    await disk.rename(`${key}.tmp`, key);
  },
  addressOf: (key) => `file://${root}/${key}`,
});

export const objectSink = (objects: ObjectStore, bucket: string): CaptureSink => ({
  async put(key, bytes) {
    await objects.put(bucket, key, bytes);
  },
  addressOf: (key) => `s3://${bucket}/${key}`,
});
