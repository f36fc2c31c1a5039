/** The object store of a data folder, for commands that work beside its cloud: where `windfleet.config` says, else files in the folder. */
import { join } from 'node:path';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { readObjectsOption } from '../config.ts';
import { diskObjects } from '../objects/disk.ts';

/** @throws ConfigInvalid */
export function objectsIn(data: string): ObjectStore {
  const choice = readObjectsOption();
  if (!choice) return diskObjects(join(data, 'objects'));
  let opened: Promise<ObjectStore> | null = null;
  const store = () => {
    opened ??= import('../objects/s3.ts').then(
      ({ openS3Client, s3Objects }) => s3Objects(openS3Client(choice.s3), choice.s3.bucketPrefix), // its client is heavy: loaded when it is asked something
    );
    return opened;
  };
  return {
    put: async (...order) => (await store()).put(...order),
    head: async (...order) => (await store()).head(...order),
    async *get(...order) {
      yield* (await store()).get(...order);
    },
    page: async (...order) => (await store()).page(...order),
    list: async (...order) => (await store()).list(...order),
    delete: async (...order) => (await store()).delete(...order),
  };
}
