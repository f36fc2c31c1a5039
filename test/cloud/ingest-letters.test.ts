import { connect } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FarmProcess, getJson, removeFolder, runCli, scratchFolder, startCloud } from '../kit/farm-process.ts';
import { logMessage } from '../kit/log-messages.ts';

const letters = suite('dead letters from the command line');

let cloud: FarmProcess;
const data = scratchFolder();
letters.before(async () => {
  cloud = await startCloud(data);
});
letters.after(async () => {
  await cloud.stop();
  removeFolder(data);
});

const run = (...args: string[]) => runCli(['dead-letters', ...args], { env: { WINDFLEET_CLOUD: cloud.url } });

letters('are listed, shown whole, replayed, counted, and outlive the cloud', async () => {
  assert.equal(await run('list'), { code: 0, out: 'no dead letters\n', err: '' });
  const device = connect(`mqtt://${cloud.mqtt}`);
  const { logs } = JSON.parse(logMessage(0)) as { logs: { ts: string; data: string[] }[] };
  const short = { ...logs[0], data: logs[0].data.slice(1) };
  await device.publishAsync('wind-turbine/logs/T-1', JSON.stringify({ logs: [short, logs[1]] }), { qos: 1 });
  await device.publishAsync('wind-turbine/logs/T-1', Buffer.from([0xff, 0x00]), { qos: 1 });
  await device.endAsync();

  const list = JSON.parse((await run('list', '--json')).out) as { id: string; reason: string; source: { topic: string; from: string } }[];
  assert.is(list.length, 2);
  const wrong = list.find(({ reason }) => reason.includes('19 values, not 20'))!;
  assert.is(wrong.source.topic, 'wind-turbine/logs/T-1');
  assert.match((await run('list')).out, /refused at +from +bytes +reason[\s\S]*19 values/);
  const shown = await run('show', wrong.id);
  assert.ok(shown.out.includes(JSON.stringify({ logs: [short] })), shown.out);
  const bytes = JSON.parse((await run('show', list.find(({ id }) => id !== wrong.id)!.id, '--json')).out) as object;
  assert.equal(
    { ...bytes, id: '', reason: '', at: 0, source: null },
    {
      ...{ id: '', reason: '', at: 0, source: null },
      ...{ bytes: 2, isCut: false, payload: '/wA=', encoding: 'base64' },
    },
  );

  const again = await run('replay', wrong.id);
  assert.equal([again.code, again.out.includes('refused again'), again.out.includes('19 values')], [5, true, true]);
  const all = await run('replay', '--all', '--json');
  assert.is(all.code, 5);
  assert.is((JSON.parse(all.out) as unknown[]).length, 2);
  for (const [args, code, says] of [
    [['show', 'nothing'], 2, /no dead letter nothing/],
    [['replay'], 2, /wants ids, or --all/],
    [['replay', wrong.id, '--all'], 2, /wants ids, or --all/],
  ] as const) {
    const { code: given, err } = await run(...args);
    assert.is(given, code, err);
    assert.match(err, says);
  }
  const metrics = await (await fetch(`${cloud.url}/metrics`)).text();
  assert.match(metrics, /windfleet_dead_letters 2\n/);
  assert.match(metrics, /windfleet_dead_letters_total\{event="refused"\} 2\n/);
  assert.match(metrics, /windfleet_ingest_documents_total 1\n/);

  await cloud.stop();
  cloud = await startCloud(data);
  assert.is((await getJson<unknown[]>(`${cloud.url}/api/dead-letters`)).length, 2);
  const refused = await fetch(`${cloud.url}/api/dead-letters/${wrong.id}/replay`, { method: 'POST' });
  assert.is(refused.status, 415, 'a write is JSON');
});

letters.run();
