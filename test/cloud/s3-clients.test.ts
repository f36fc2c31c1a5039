/** boto3 and the aws CLI, Debian's, against the cloud in a process of its own. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { removeFolder, scratchFolder, startCloud } from '../kit/farm-process.ts';
import { clientsOf, type S3Target } from '../kit/s3-clients.ts';

async function ours(): Promise<S3Target> {
  const data = scratchFolder();
  const cloud = await startCloud(data);
  const exported = (name: string) => new RegExp(`export ${name}=(.*)`).exec(cloud.output())?.[1] ?? '';
  return {
    url: cloud.url,
    key: { accessKeyId: exported('AWS_ACCESS_KEY_ID'), secretAccessKey: exported('AWS_SECRET_ACCESS_KEY') },
    mostMemory: () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${cloud.child.pid}/status`, 'utf8'))?.[1]) * 1_024,
    async close() {
      await cloud.stop();
      const log = cloud.output();
      removeFolder(data);
      assert.not.match(log, /X-Amz-Signature|Signature=[0-9a-f]{64}/, 'no signature in the log');
    },
  };
}

const clients = suite('s3 clients of ours');
clientsOf(clients, 'ours', ours);
clients.run();
