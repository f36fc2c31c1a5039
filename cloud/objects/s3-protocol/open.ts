/** Puts the S3 protocol together over objects that are held here. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../actors/contracts/clock.ts';
import type { Log } from '../../../actors/contracts/log.ts';
import type { Place } from '../../things/arns.ts';
import type { Credentials } from '../../things/ports.ts';
import type { HeldStore } from '../open.ts';
import { createS3Door, type S3Door } from './door.ts';
import { createUploads } from './uploads.ts';

export interface S3DoorParts {
  readonly things: { readonly credentials: Pick<Credentials, 'find'>; readonly place: Pick<Place, 'region'> };
  /** The clients' time: what signatures are dated by. */
  readonly wall: Pick<Clock, 'now' | 'epoch'>;
  readonly log: Log;
}

export function openS3Door({ objects, parts }: HeldStore, { things, wall, log }: S3DoorParts): S3Door {
  const now = () => wall.epoch + wall.now();
  const uploads = createUploads(parts, () => randomBytes(16).toString('hex'), now);
  const run = randomBytes(5).toString('hex').toUpperCase();
  let requests = 0;
  return createS3Door(
    { objects, uploads, region: things.place.region, now },
    {
      keys(accessKeyId, sessionToken) {
        const found = things.credentials.find(accessKeyId, sessionToken);
        return found && { secretAccessKey: found.secretAccessKey, expiresAt: found.expiresAt, caller: found.principal };
      },
      log,
      requestId: () => `${run}${(requests++).toString(16).toUpperCase().padStart(6, '0')}`,
    },
  );
}
