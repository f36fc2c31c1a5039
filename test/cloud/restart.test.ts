import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TurbineView } from '../../actors/contracts/fleet-view.ts';
import type { Job, JobExecution } from '../../actors/contracts/jobs.ts';
import { eventually, getJson, removeFolder, scratchFolder, startFarm } from '../kit/farm-process.ts';

const restart = suite('restart');

type JobWithExecutions = Job & { readonly executions: readonly JobExecution[] };

restart('killed in the middle of a download, it comes back on the old model and finishes the job', async () => {
  const data = scratchFolder();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../kit/slow-farm.js'), data], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data'); // a first chunk has reached the disk
  child.kill('SIGKILL');
  await once(child, 'close');
  const parts = readdirSync(join(data, 'devices/T-001/download'));
  assert.is(parts.length, 1, 'the kill came in the middle of a download');

  const farm = await startFarm(data, ['--turbines', '1']);
  const first = await eventually(
    () => getJson<TurbineView[]>(`${farm.url}/api/turbines`),
    (turbines) => turbines.length === 1,
  );
  assert.is(first[0].model, 'windturbine-anomaly@1.0.0');
  const [job] = await eventually(
    () => getJson<JobWithExecutions[]>(`${farm.url}/api/jobs`),
    ([one]) => one.status === 'COMPLETED',
  );
  assert.equal(
    job.executions.map(({ status }) => status),
    ['SUCCEEDED'],
  );
  const [turbine] = await eventually(
    () => getJson<TurbineView[]>(`${farm.url}/api/turbines`),
    ([one]) => one.model === 'windturbine-anomaly@1.1.0',
  );
  assert.ok(turbine);
  assert.is(await farm.stop(), 130);
  assert.not(existsSync(join(data, 'farm.pid')));

  const again = await startFarm(data, ['--turbines', '1']);
  const [kept] = await eventually(
    () => getJson<TurbineView[]>(`${again.url}/api/turbines`),
    (turbines) => turbines.length === 1,
  );
  assert.is(kept.model, 'windturbine-anomaly@1.1.0');
  await again.stop();
  removeFolder(data);
});

restart.run();
