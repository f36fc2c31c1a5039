import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { LOG_RULE, startIngest } from '../../cloud/ingest/pipeline.ts';
import { applyRule, parseRule } from '../../cloud/rules/sql.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const rules = suite('rules and ingestion');

rules('reads the original’s rule', () => {
  const rule = parseRule(LOG_RULE);
  assert.is(rule.from, 'wind-turbine/logs/#');
  assert.equal({ ...applyRule(rule, 'wind-turbine/logs/T-1', { logs: [] }) }, { msg_type: 'logs', device_name: 'T-1', logs: [] });
});

rules('refuses what is not of the subset, with its position', () => {
  for (const [sql, position] of [
    ['SELECT * FROM x', 15],
    ["SELECT * FROM 'x' WHERE a", 19],
    ["SELECT * FROM 'x' WHERE a > 1", 27],
    ["SELECT timestamp() as t FROM 'x'", 17],
    ["SELECT 'a' FROM 'x'", 12],
    ["SELECT a; FROM 'x'", 9],
    ['', 1],
  ] as const)
    assert.throws(
      () => parseRule(sql),
      (error: Error) => error.message.includes(`position ${position}:`),
      sql,
    );
});

rules('a bad message stops nothing, is kept with its reason, and a redelivery counts once', async () => {
  const broker = memoryBroker();
  const index = memoryIndex();
  const ingest = await startIngest({ bus: broker.connect('cloud'), index, clock: new VirtualClock(), log: silentLog, disk: null });
  const device = broker.connect('device');
  const data = [
    '1200',
    '512',
    '2.19',
    '2.06',
    '70',
    '-0.10',
    '0.00',
    '-0.01',
    '0.99',
    '0.00',
    '0.00',
    '1.00',
    '0',
    '0',
    '16384',
    '31.50',
    '22.10',
    '40.00',
    '1013.20',
    '1.10',
  ];
  const logs = (...records: (readonly string[])[]) =>
    JSON.stringify({ logs: records.map((values, i) => ({ ts: `2026-01-01T00:00:0${i}.000+00:00`, data: values })) });

  for (const payload of ['{', '[]', '{"logs":7}', logs(data.slice(1)), logs(data.with(2, 'fast')), logs(data), logs(data)])
    await device.publish('wind-turbine/logs/T-1', payload);
  await device.publish('windfleet/T-1/verdict', '{"at":1}');
  await device.publish('windfleet/T 1/verdict', '{}');
  await new Promise((rested) => setImmediate(rested));
  await ingest.settled();

  assert.equal(await index.aggregate({ index: 'logs', by: [], agg: 'mean', field: 'rps' }), [{ at: null, by: {}, value: 2.19 }]);
  assert.equal(await index.aggregate({ index: 'logs', by: ['thing'], agg: 'count' }), [{ at: null, by: { thing: 'T-1' }, value: 1 }]);
  assert.is(ingest.counts().refused, 7);
  const reasons = ingest.list().map(({ reason }) => reason);
  assert.ok(reasons.some((reason) => reason.includes('19 values, not 20')) && reasons.some((reason) => reason.includes('rps is "fast"')));
  await ingest.close();
});

rules.run();
