import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import { openConsole } from '../../cloud/console/server.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { consoleServices } from '../../scenarios/doors.ts';
import { freePort } from '../kit/free-port.ts';
import { memoryWorld } from '../kit/memory-world.ts';

const console_ = suite('console');

/** A farm that has run for half a minute, behind a console. */
async function openFarm() {
  const world = await memoryWorld({ seed: 2 });
  await world.clock.run(30_000);
  const page = await openConsole({
    host: '127.0.0.1',
    port: await freePort(),
    services: consoleServices(world.cloud, { faults: world.faults, site: world.site, https: null }),
    log: silentLog,
    wall: wallClock(),
  });
  const ask = (path: string, init: RequestInit = {}) => fetch(page.url + path, init);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const close = async () => {
    await page.close();
    await world.close();
  };
  return { world, url: page.url, ask, post, close };
}

const errorOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string; message: string; hint?: string } }).error;

console_('jobs of others stand beside deployments and break none of them', async () => {
  const { world, ask, close } = await openFarm();
  await world.deployments.deploy({ model: 'windturbine-anomaly@1.1.0', to: 'farm' });
  await world.jobs.create({ jobId: 'reboot', things: ['T-900'], targets: ['T-900'], document: { do: 'reboot' } });
  const ids = async (path: string) =>
    ((await (await ask(path)).json()) as { id?: string; jobId?: string }[]).map(({ id, jobId }) => id ?? jobId);

  assert.equal(await ids('/api/deployments'), ['windturbine-anomaly-1-1-0-1']);
  assert.equal(await ids('/api/jobs'), ['reboot', 'windturbine-anomaly-1-1-0-1']);
  assert.is((await ask('/api/deployments/reboot')).status, 404);
  await world.deployments.deploy({ model: 'windturbine-anomaly@1.1.0', to: 'T-001' });
  await world.jobs.remove('windturbine-anomaly-1-1-0-1', { force: true });
  await world.clock.run(world.clock.now() + 1_000);
  assert.is((await world.deployments.deploy({ model: 'windturbine-anomaly@1.1.0', to: 'T-001' })).id, 'windturbine-anomaly-1-1-0-3');
  await close();
});

console_('a list shows the first of many executions, a job by itself all; counts tell of all', async () => {
  const { world, ask, close } = await openFarm();
  const things = Array.from({ length: 300 }, (_, i) => `X-${String(i).padStart(3, '0')}`);
  for (let i = 0; i < 12; i++) await world.jobs.create({ jobId: `many-${i}`, things, targets: ['x'], document: { do: 'reboot' } });
  await world.clock.run(world.clock.now() + 1_000);
  await world.cloud.device.update('X-000', 'many-0', { status: 'FAILED' });
  type Listed = { jobId: string; counts: Record<string, number>; executions: { thing: string; status: string }[] };
  const json = async <T>(path: string, init?: RequestInit) => (await (await ask(path, init)).json()) as T;

  const list = await json<Listed[]>('/api/jobs');
  assert.is(list.length, 12);
  assert.is(list[0].executions.length, 250);
  assert.is(
    list.reduce((sum, { executions }) => sum + executions.length, 0),
    2_500,
  );
  assert.ok(list.every(({ counts }) => counts['QUEUED'] + counts['FAILED'] === 300));
  const one = await json<Listed>('/api/jobs/many-0');
  assert.is(one.executions.length, 300);
  assert.equal([one.executions[0].thing, one.executions[0].status, one.counts['FAILED']], ['X-000', 'FAILED', 1]);
  await close();
});

console_('any job can be cancelled, once; a job that is no deployment not as one', async () => {
  const { world, ask, close } = await openFarm();
  await world.jobs.create({ jobId: 'reboot', things: ['T-900'], targets: ['T-900'], document: { do: 'reboot' } });
  const cancel = (path: string) => ask(path, { method: 'DELETE', headers: { 'content-type': 'application/json' }, body: '{}' });

  assert.is((await cancel('/api/deployments/reboot')).status, 404);
  assert.is((await world.jobs.describe('reboot')).status, 'IN_PROGRESS');
  const cancelled = (await (await cancel('/api/jobs/reboot')).json()) as { status: string; counts: Record<string, number> };
  assert.equal([cancelled.status, cancelled.counts['CANCELED']], ['CANCELED', 1]);
  const again = await cancel('/api/jobs/reboot');
  assert.equal([again.status, (await errorOf(again)).code], [409, 'job.refused']);
  for (const path of ['/api/jobs/none', '/api/deployments/none'])
    assert.equal([(await cancel(path)).status, (await ask(path)).status], [404, 404]);
  await close();
});

console_('tells of turbines, models and itself', async () => {
  const { ask, close } = await openFarm();
  const turbines = (await (await ask('/api/turbines')).json()) as {
    thing: string;
    channels: Record<string, number>;
    machine: string;
    backing: string;
  }[];
  assert.equal(
    turbines.map(({ thing }) => thing),
    ['T-001', 'T-002', 'T-003', 'T-004', 'T-005'],
  );
  assert.is(Object.keys(turbines[0].channels).length, 20);
  assert.is(turbines[0].backing, 'twin');
  assert.equal(await (await ask('/healthz')).json(), { status: 'ok' });
  assert.match(await (await ask('/metrics')).text(), /windfleet_turbines\{state="inferring.healthy"\} 5/);
  const paths = Object.keys(((await (await ask('/api/openapi.json')).json()) as { paths: object }).paths);
  for (const path of ['/api/turbines', '/api/query', '/api/documents', '/api/dashboards', '/api/dashboards/{id}'])
    assert.ok(paths.includes(path), path);
  type Listed = { name: string; version: string; bucket: string; key: string; bytes: number };
  const all = (await (await ask('/api/models')).json()) as Listed[];
  assert.equal(new Set(all.map(({ name }) => name)), new Set(['windturbine-anomaly', 'nrel-5mw-anomaly']));
  const models = all.filter(({ name }) => name === 'windturbine-anomaly');
  assert.equal(
    models.map(({ version }) => version),
    ['1.1.0', '1.0.0'],
  );
  const object = `/objects/${models[0].bucket}/${models[0].key}`;
  const tail = await ask(object, { headers: { range: `bytes=${models[0].bytes - 4}-` } });
  assert.is(tail.status, 206);
  assert.is((await tail.arrayBuffer()).byteLength, 4);
  assert.is((await ask(object, { method: 'HEAD' })).headers.get('content-length'), String(models[0].bytes));
  await close();
});

console_('injects, commands and deploys', async () => {
  const { world, post, ask, close } = await openFarm();
  assert.is((await post('/api/turbines/T-001/faults', { fault: 'loose-mount', severity: 0.8 })).status, 201);
  assert.is(world.faults.active().length, 1);
  assert.is(
    (await ask('/api/turbines/T-001/faults', { method: 'DELETE', headers: { 'content-type': 'application/json' }, body: '{}' })).status,
    200,
  );
  assert.is(world.faults.active().length, 0);
  assert.is((await post('/api/turbines/T-001/commands', { command: 'derate', fraction: 0.5 })).status, 202);
  const deployed = await post('/api/deployments', { model: 'windturbine-anomaly@1.1.0', to: 'farm' });
  assert.is(deployed.status, 201);
  assert.is(((await deployed.json()) as { executions: unknown[] }).executions.length, 5);
  const rows = (await (await ask('/api/query?index=verdicts&by=thing,feature&agg=max&field=score&every=30s')).json()) as {
    by: { thing: string };
    value: number;
  }[];
  assert.ok(rows.length > 0 && rows.every(({ value }) => value < 1));
  await close();
});

console_('a page of another origin can neither inject nor deploy', async () => {
  const { world, url, post, ask, close } = await openFarm();
  const body = { fault: 'icing' };
  assert.is((await post('/api/turbines/T-001/faults', body, { origin: 'http://evil.example' })).status, 403);
  assert.is((await post('/api/deployments', { model: 'windturbine-anomaly@1.1.0', to: 'farm' }, { origin: 'null' })).status, 403);
  assert.is((await post('/api/turbines/T-001/faults', body, { 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.is((await post('/api/turbines/T-001/faults', body, { 'content-type': 'text/plain' })).status, 415);
  assert.is((await ask('/api/turbines/T-001/faults', { method: 'POST', body: new URLSearchParams({ fault: 'icing' }) })).status, 415);
  const { request } = await import('node:http');
  const rebound = await new Promise<number>((done) =>
    request(`${url}/api/turbines`, { headers: { host: 'evil.example' } }, (response) => done(response.resume().statusCode ?? 0)).end(),
  );
  assert.is(rebound, 403);
  assert.equal(world.faults.active(), []);
  assert.equal(await world.jobs.list(), []);
  assert.is((await post('/api/turbines/T-001/faults', body, { origin: url })).status, 201);
  await close();
});

console_('says what is wrong with a request, and loses nothing', async () => {
  const { world, post, ask, close } = await openFarm();
  assert.match((await errorOf(await post('/api/turbines/T-01/faults', { fault: 'icing' }))).message, /no turbine T-01.*Did you mean T-001/);
  const unknown = await post('/api/turbines/T-001/faults', { fault: 'iceing' });
  assert.is(unknown.status, 409);
  assert.match((await errorOf(unknown)).message, /Did you mean icing/);
  const wrong = await errorOf(await post('/api/turbines/T-001/faults', { fault: 7, severity: 3, colour: 'red' }));
  for (const name of ['fault', 'severity', 'colour']) assert.match(wrong.message, name);
  assert.is((await post('/api/turbines/T-001/faults', '{"fault":')).status, 400);
  assert.is((await post('/api/turbines/T-001/faults', JSON.stringify({ fault: 'x'.repeat(70_000) }))).status, 413);
  assert.is((await post('/api/turbines/T-001/commands', { command: 'fly' })).status, 400);
  assert.is((await post('/api/turbines/T-001/commands', { command: 'derate', fraction: 2 })).status, 400);
  assert.match(
    (await errorOf(await post('/api/deployments', { model: 'windturbine-anomaly@9.9.9', to: 'farm' }))).message,
    /no model windturbine-anomaly@9.9.9/,
  );
  assert.match(
    (await errorOf(await post('/api/deployments', { model: 'windturbine-anomaly@1.1.0', to: 'frm' }))).message,
    /Did you mean farm/,
  );
  const plans: [object, RegExp][] = [
    [{ waves: ['ten'] }, /waves/],
    [{ waves: [] }, /waves/],
    [{ waves: ['50%', '10%'] }, /waves\[1\]: 10% is not more than 50%/],
    [{ waves: ['0%', '140%', 1.5] }, /waves\[0\][\s\S]*waves\[1\][\s\S]*waves\[2\]/],
    [{ soak: 'soon' }, /soak/],
    [{ budgetKw: -1, budgetDevices: 0 }, /budgetKw: -1[\s\S]*budgetDevices: 0/],
    [{ window: 'at night' }, /"at night" is no hours and no wind/],
    [{ window: 'cron(0 99 * * ? *) for 2h' }, /hours 99 is not within 0..23/],
    [{ plan: { wave: ['10%'] } }, /wave/],
    [{ plan: 'plan.yaml' }, /plan/],
  ];
  for (const [plan, reason] of plans)
    assert.match(
      (await errorOf(await post('/api/deployments', { model: 'windturbine-anomaly@1.1.0', to: 'farm', ...plan }))).message,
      reason,
    );
  assert.is((await post('/api/deployments/none/pause', {})).status, 404);
  assert.equal(await world.deployments.list(), []);
  assert.is((await ask('/api/query?index=nothing')).status, 400);
  assert.match((await errorOf(await ask('/api/query?index=verdicts&every=soon&agg=median'))).message, /every[\s\S]*agg|agg[\s\S]*every/);
  for (const path of ['/objects/windfleet-sagemaker-models/..%2f..%2fetc%2fpasswd', '/objects/other/x', '/nothing', '/../package.json'])
    assert.is((await ask(path)).status, 404, path);
  assert.equal(world.faults.active(), []);
  await close();
});

console_('shows trainings as those who train tell them, the newest few', async () => {
  const { ask, post, url, close } = await openFarm();
  const report = {
    id: 'a1',
    model: 'windturbine-anomaly@2.0.0',
    machine: 'desk-turbine',
    network: 'dense',
    state: 'running',
    epoch: 2,
    epochs: 20,
    fold: null,
    share: 0.07,
    windowsPerSecond: 9_000,
    secondsLeft: 12,
    history: [{ epoch: 1, trainingLoss: 0.5, heldOutLoss: 0.4 }],
  };
  const stream = await fetch(`${url}/api/stream`);
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.is((await post('/api/trainings', report)).status, 202);
  for (let heard = ''; !heard.includes('event: trainings\ndata: [{"id":"a1"'); ) heard += (await reader.read()).value;
  await reader.cancel();

  for (let i = 0; i < 6; i++) await post('/api/trainings', { ...report, id: `b${i}` });
  await post('/api/trainings', { ...report, id: 'b3', state: 'done', secondsLeft: 0 });
  const list = (await (await ask('/api/trainings')).json()) as { id: string; state: string }[];
  assert.equal(
    list.map(({ id, state }) => `${id} ${state}`),
    ['b5 running', 'b4 running', 'b3 done', 'b2 running', 'b1 running'],
  );

  for (const wrong of [{ ...report, share: 2 }, { ...report, history: [{ epoch: 1 }] }, { ...report, more: 1 }, 'no JSON'])
    assert.is((await post('/api/trainings', wrong)).status, 400);
  assert.is((await ask('/api/trainings', { method: 'POST', body: '{}' })).status, 415);
  await close();
});

console_.run();
