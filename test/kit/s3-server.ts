/** The S3 protocol on a port of its own, over any held store; its owner's key and a device's temporary one. */
import { createServer } from 'node:http';
import { silentLog } from '../../actors/contracts/log.ts';
import { diskObjects } from '../../cloud/objects/disk.ts';
import type { HeldObjects } from '../../cloud/objects/held.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { openS3Door } from '../../cloud/objects/s3-protocol/open.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import type { Key } from './aws-client.ts';
import { freePort } from './free-port.ts';

export interface S3Server {
  readonly url: string;
  readonly key: Key;
  /** Of a device: by a session token, until it ends. */
  readonly deviceKey: Key & { readonly sessionToken: string };
  readonly objects: HeldObjects;
  /** What the clients' clock is ahead, from now on. */
  shift(ms: number): void;
  close(): Promise<void>;
}

/** @param root a folder; null: in memory */
export async function startS3(root: string | null, wrap: (objects: HeldObjects) => HeldObjects = (objects) => objects): Promise<S3Server> {
  const wall = wallClock();
  let ahead = 0;
  const now = () => wall.epoch + wall.now();
  const objects = wrap(root === null ? memoryObjects(now) : diskObjects(root));
  const parts = root === null ? memoryObjects(now) : diskObjects(`${root}/.uploads`);
  const key = { accessKeyId: 'AKIAWINDFLEETTEST0000', secretAccessKey: 'a secret of forty characters / + and more' };
  const deviceKey = { accessKeyId: 'ASIAWINDFLEETTEST0000', secretAccessKey: 'another secret', sessionToken: 'a+session/token==' };
  const door = openS3Door(
    { objects, parts },
    {
      things: {
        place: { region: 'us-east-1' },
        credentials: {
          find(accessKeyId, sessionToken) {
            if (sessionToken === null && accessKeyId === key.accessKeyId)
              return { secretAccessKey: key.secretAccessKey, expiresAt: null, principal: { kind: 'owner', arn: 'arn:aws:iam::0:root' } };
            if (sessionToken !== deviceKey.sessionToken || accessKeyId !== deviceKey.accessKeyId) return null;
            return {
              secretAccessKey: deviceKey.secretAccessKey,
              expiresAt: wall.epoch + 3_600_000,
              principal: { kind: 'role', arn: 'arn:aws:sts::0:assumed-role/device/1', alias: 'a', certificate: 'c', thing: 'T-001' },
            };
          },
        },
      },
      wall: { epoch: wall.epoch, now: () => wall.now() + ahead },
      log: silentLog,
    },
  );
  const server = createServer((request, response) => {
    if (door.claims(request)) door.answer(request, response);
    else response.writeHead(404).end('the console’s own');
  });
  const port = await freePort();
  await new Promise<void>((up) => server.listen(port, '127.0.0.1', up));
  return {
    url: `http://127.0.0.1:${port}`,
    key,
    deviceKey,
    objects,
    shift(ms) {
      ahead += ms;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((down) => server.close(down));
    },
  };
}
