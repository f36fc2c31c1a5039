/** The same programs, boto3 and the aws CLI of Debian, against any server of S3. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Key } from './aws-client.ts';
import { removeFolder, scratchFolder } from './farm-process.ts';
import { packageRoot } from './package-root.ts';
import { has, hasPython, python } from './programs.ts';

export interface S3Target {
  readonly url: string;
  readonly key: Key;
  /** Of the process that serves, most bytes so far; null where nobody asks. */
  readonly mostMemory: () => number | null;
  close(): Promise<unknown>;
}

export type Server = 'ours' | 'radosgw';

/** What a suite asks while it runs, and closes at its end. */
function during(clients: Test, open: () => Promise<S3Target>): () => S3Target {
  let target: S3Target | null = null;
  clients.before(async () => {
    target = await open();
  });
  clients.after(async () => {
    await target?.close();
  });
  return () => target!;
}

export function boto3Of(clients: Test, name: Server, open: () => Promise<S3Target>): void {
  const opened = during(clients, open);

  clients('boto3: objects, 100 MiB in parts, 2 500 keys in pages, presigned, cut, raced', async () => {
    if (!hasPython('boto3', 'python3-boto3')) return;
    const target = opened();
    const { accessKeyId, secretAccessKey } = target.key;
    const program = join(packageRoot(), 'test/kit/s3-boto3.py');
    const before = target.mostMemory();
    const { stdout } = await promisify(execFile)(python, [program, target.url, accessKeyId, secretAccessKey, name]).catch(
      (error: { stdout: string; stderr: string }) => ({ stdout: `${error.stdout}${error.stderr}` }),
    );
    assert.is(stdout.match(/^ok /gm)?.length, 8, stdout);
    const after = target.mostMemory();
    if (before !== null && after !== null) assert.ok(after - before < 150 * 2 ** 20, `${(after - before) / 2 ** 20} MiB for 100 MiB`);
  });
}

export function awsCliOf(clients: Test, name: Server, open: () => Promise<S3Target>): void {
  const opened = during(clients, open);

  clients('the aws CLI: cp, ls, mv, rm, sync, s3api', async () => {
    if (!has('aws', 'awscli')) return;
    const program = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws';
    const target = opened();
    const folder = scratchFolder();
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ACCESS_KEY_ID: target.key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: target.key.secretAccessKey,
      AWS_REGION: 'us-east-1',
      AWS_PAGER: '',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const aws = async (...words: string[]) => {
      const done = await promisify(execFile)(program, ['--endpoint-url', target.url, ...words], { env }).catch(
        (error: { stdout: string; stderr: string }) => error,
      );
      return `${done.stdout}${done.stderr}`;
    };
    const bytes = Buffer.alloc(20 * 2 ** 20, 'windfleet ');
    const file = join(folder, 'large.bin');
    writeFileSync(file, bytes);
    mkdirSync(join(folder, 'tree/a'), { recursive: true });
    for (const leaf of ['one', 'a/two', 'a/three 3']) writeFileSync(join(folder, 'tree', leaf), leaf);

    assert.match(await aws('s3', 'mb', 's3://cli-bucket'), /make_bucket: cli-bucket/);
    assert.match(await aws('s3', 'cp', file, 's3://cli-bucket/up/large.bin', '--no-progress'), /^upload: /m);
    assert.match(await aws('s3', 'sync', join(folder, 'tree'), 's3://cli-bucket/tree', '--no-progress'), /three 3/);
    assert.match(await aws('s3', 'ls', 's3://cli-bucket/'), /PRE tree\/\n.*PRE up\//);
    assert.match(await aws('s3', 'ls', '--recursive', 's3://cli-bucket/'), / 20971520 up\/large\.bin/);
    assert.match(await aws('s3', 'cp', 's3://cli-bucket/up/large.bin', join(folder, 'back.bin'), '--no-progress'), /^download: /m);
    assert.ok(readFileSync(join(folder, 'back.bin')).equals(bytes));
    assert.match(await aws('s3', 'mv', 's3://cli-bucket/up/large.bin', 's3://cli-bucket/moved', '--no-progress'), /^move: /m);
    const head = JSON.parse(await aws('s3api', 'head-object', '--bucket', 'cli-bucket', '--key', 'moved')) as { ContentLength: number };
    assert.is(head.ContentLength, bytes.length);
    const part = join(folder, 'part');
    await aws('s3api', 'get-object', '--bucket', 'cli-bucket', '--key', 'moved', '--range', 'bytes=10-18', part);
    assert.is(readFileSync(part, 'utf8'), 'windfleet');
    const url = (await aws('s3', 'presign', 's3://cli-bucket/tree/a/two')).trim();
    assert.is(await (await fetch(url)).text(), 'a/two');
    const none = await aws('s3api', 'get-object', '--bucket', 'cli-bucket', '--key', 'none', part);
    if (name === 'ours') assert.match(none, /\(NoSuchKey\)/); // of radosgw's error, without a message, this CLI dies
    if (name === 'ours') assert.match(await aws('s3', 'rb', 's3://cli-bucket'), /BucketNotEmpty/);
    assert.match(await aws('s3', 'rm', '--recursive', 's3://cli-bucket/'), /delete: s3:\/\/cli-bucket\/moved/);
    assert.match(await aws('s3', 'rb', 's3://cli-bucket'), /remove_bucket: cli-bucket/);
    removeFolder(folder);
  });
}
