/** `windfleet cloud` as a process: what it has acknowledged by HTTP survives its end, and it asks no second time for its keys. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Ask, ask, type Key, send } from '../kit/aws-client.ts';
import { type FarmProcess, removeFolder, scratchFolder, startCloud } from '../kit/farm-process.ts';

const process_ = suite('aws-process');

const THINGS = ['R-1', 'R-2', 'R-3', 'R-4'];

const keyOf = ({ output }: FarmProcess): Key => ({
  accessKeyId: /AWS_ACCESS_KEY_ID=(\S+)/.exec(output())?.[1] ?? '',
  secretAccessKey: /AWS_SECRET_ACCESS_KEY=(\S+)/.exec(output())?.[1] ?? '',
});

process_('what was acknowledged is there after kill -9, and the device goes on where it was', async () => {
  const data = scratchFolder();
  const first = await startCloud(data);
  const key = keyOf(first);
  const by = (cloud: FarmProcess, wanted: Ask) => ask(cloud.url, key, wanted);
  const device = (cloud: FarmProcess, thing: string, status: string) =>
    by(cloud, {
      method: 'POST',
      path: `/things/${thing}/jobs/kill`,
      service: 'iot-jobs-data',
      body: JSON.stringify({ status, includeJobExecutionState: true }),
    });
  for (const thing of THINGS)
    assert.is((await by(first, { method: 'POST', path: `/things/${thing}`, service: 'iot', body: '{}' })).status, 200);
  const targets = THINGS.map((name) => `arn:aws:iot:us-east-1:000000000000:thing/${name}`);
  const created = await by(first, {
    method: 'PUT',
    path: '/jobs/kill',
    service: 'iot',
    body: JSON.stringify({ targets, document: '{"n":1}' }),
  });
  assert.is(created.status, 200, created.bytes.toString());
  await by(first, { method: 'POST', path: '/things/R-1/shadow', service: 'iotdata', body: '{"state":{"desired":{"a":1}}}' });

  const acknowledged = new Map<string, number>();
  let killed = false;
  const report = async (thing: string) => {
    while (!killed) {
      const { status, json } = await device(first, thing, 'IN_PROGRESS').catch(() => ({ status: 0, json: {} }) as const);
      const { versionNumber } = ((json as Record<string, unknown>)['executionState'] ?? {}) as { versionNumber?: number };
      if (status === 200 && versionNumber !== undefined) acknowledged.set(thing, versionNumber);
    }
  };
  const reporters = THINGS.map(report);
  while ([...acknowledged.values()].reduce((sum, n) => sum + n, 0) < 200) await new Promise((turn) => setImmediate(turn));
  await first.stop('SIGKILL');
  killed = true;
  await Promise.all(reporters);

  const second = await startCloud(data);
  assert.equal(keyOf(second), key);
  for (const [thing, version] of acknowledged) {
    const next = await by(second, { method: 'GET', path: `/things/${thing}/jobs/%24next`, service: 'iot-jobs-data' });
    const { versionNumber, jobDocument } = next.json['execution'] as { versionNumber: number; jobDocument: string };
    assert.ok(
      versionNumber === version || versionNumber === version + 1,
      `${thing}: ${version} was acknowledged, ${versionNumber} is there`,
    );
    assert.is(jobDocument, '{"n":1}');
    assert.is((await device(second, thing, 'SUCCEEDED')).status, 200);
  }
  const { json } = await by(second, { method: 'GET', path: '/jobs/kill', service: 'iot' });
  assert.is((json['job'] as { status: string }).status, 'COMPLETED');
  assert.is((await by(second, { method: 'GET', path: '/things/R-1/shadow', service: 'iotdata' })).status, 200);
  assert.match(
    (await send(second.url, 'GET', '/metrics', {})).bytes.toString(),
    /windfleet_aws_requests_total\{plane="iot",operation="DescribeJob",outcome="ok"\} 1/,
  );
  assert.is(await second.stop(), 130);
  removeFolder(data);
});

process_.run();
