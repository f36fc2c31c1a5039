/** The clients that people have: Debian's boto3 and aws CLI, pointed at the service by an endpoint alone. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AwsWorld, openAwsWorld } from '../kit/aws-world.ts';
import { freePort } from '../kit/free-port.ts';
import { packageRoot } from '../kit/package-root.ts';
import { has, hasPython, python } from '../kit/programs.ts';

const clients = suite('aws-clients');

let world: AwsWorld;
clients.before.each(async () => {
  world = await openAwsWorld();
});
clients.after.each(() => world.close());

const finished = (child: ChildProcess) =>
  new Promise<{ readonly code: number | null; readonly text: string }>((done) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk));
    child.on('close', (code) => done({ code, text }));
  });

clients('boto3 finds everything where AWS has it', async () => {
  if (!hasPython('boto3', 'python3-boto3')) return;
  const clock = createServer((request, response) => {
    void world.pass(Number(request.url?.slice(1))).then(() => response.end('ok'));
  });
  clock.unref();
  const port = await freePort();
  await new Promise<void>((up) => clock.listen(port, '127.0.0.1', up));
  const { accessKeyId, secretAccessKey } = world.owner;
  const program = join(packageRoot(), 'test/cloud/aws-boto3.py');
  const { code, text } = await finished(spawn(python, [program, world.url, accessKeyId, secretAccessKey, `http://127.0.0.1:${port}`]));
  clock.closeAllConnections();
  await new Promise((down) => clock.close(down));
  assert.is(code, 0, text);
  assert.is(text.match(/^ok /gm)?.length, 5, text);
});

clients('the aws CLI creates, starts, cancels and is told what is wrong', async () => {
  if (!has('aws', 'awscli')) return;
  const program = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws';
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    AWS_ACCESS_KEY_ID: world.owner.accessKeyId,
    AWS_SECRET_ACCESS_KEY: world.owner.secretAccessKey,
    AWS_REGION: 'eu-central-1',
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const aws = async (...words: string[]) => {
    const { stdout } = await promisify(execFile)(program, ['--endpoint-url', world.url, '--output', 'json', ...words], { env });
    return (stdout.trim() === '' ? {} : JSON.parse(stdout)) as Record<string, never>;
  };
  await aws('iot', 'create-thing', '--thing-name', 'C-1');
  await aws('iot', 'create-job', '--job-id', 'cli', '--targets', 'arn:aws:iot:us-east-1:000000000000:thing/C-1', '--document', '{"a":1}');
  await world.pass(1_000);
  const started = await aws('iot-jobs-data', 'start-next-pending-job-execution', '--thing-name', 'C-1');
  assert.is((started['execution'] as { jobDocument: string }).jobDocument, '{"a":1}');
  const next = await aws(
    'iot-jobs-data',
    'describe-job-execution',
    '--thing-name',
    'C-1',
    '--job-id',
    '$next',
    '--no-include-job-document',
  );
  assert.is((next['execution'] as { versionNumber: number }).versionNumber, 2);
  await aws('iot-data', 'publish', '--topic', 'a/b c', '--qos', '1', '--retain', '--payload', Buffer.from('hello').toString('base64'));
  const kept = await aws('iot-data', 'get-retained-message', '--topic', 'a/b c');
  assert.is(Buffer.from(kept['payload'], 'base64').toString(), 'hello');
  await aws('iot', 'cancel-job', '--job-id', 'cli', '--force');
  await world.pass(1_000);
  const { job } = (await aws('iot', 'describe-job', '--job-id', 'cli')) as unknown as { job: { status: string } };
  assert.is(job.status, 'CANCELED');
  const refused = await aws('iot', 'describe-job', '--job-id', 'none').catch((error: { stderr: string }) => error.stderr);
  assert.match(String(refused), /ResourceNotFoundException.*DescribeJob/);
});

clients.run();
