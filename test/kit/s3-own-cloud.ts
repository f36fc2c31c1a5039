/** `windfleet cloud` in a process of its own, as a server of S3. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { removeFolder, scratchFolder, startCloud } from './farm-process.ts';
import type { S3Target } from './s3-clients.ts';

export async function ours(): Promise<S3Target> {
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
