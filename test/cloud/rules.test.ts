import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { LOG_RULE, startIngest } from '../../cloud/ingest/pipeline.ts';
import { parseRule } from '../../cloud/rules/sql.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const rules = suite('rules and ingestion');

const body = {
  rps: 2.5,
  n: 7,
  text: '12',
  word: 'fast',
  yes: true,
  no: 'FALSE',
  nothing: null,
  list: [1, [2, 3], { deep: 'x' }],
  a: { b: { c: 5 } },
  same: { b: { c: 5 } },
};
const evaluate = (sql: string, payload: Record<string, unknown> = body) =>
  parseRule(sql).rowOf({ topic: 'wind-turbine/logs/T-1', body: payload, from: 'client-7', heardAt: 1_767_225_600_000 });
/** What an expression is worth; undefined when it is Undefined. */
const worth = (expression: string) => evaluate(`SELECT ${expression} as x FROM 'a/#'`)?.['x'];

rules('reads the original’s rule', () => {
  const rule = parseRule(LOG_RULE);
  assert.is(rule.from, 'wind-turbine/logs/#');
  assert.equal({ ...evaluate(LOG_RULE, { logs: [] }) }, { msg_type: 'logs', device_name: 'T-1', logs: [] });
});

rules('values are what AWS’s guide makes of them', () => {
  for (const [expression, value] of [
    ['rps + 1', 3.5],
    ['n - 2 * 3', 1],
    ['(n - 2) * 3', 15],
    ['n / 2', 3],
    ['-n / 2', -3],
    ['rps / 2', 1.25],
    ['n % 4', 3],
    ['n / 0', undefined],
    ['n % 0', undefined],
    ['text * 2', 24],
    ['word * 2', undefined],
    ["'a' + 1", 'a1'],
    ["'it''s ' + yes", 'it’s true'.replace('’', "'")],
    ["'a' + nothing", undefined],
    ["'a' + missing", undefined],
    ['yes + 1', undefined],
    ['1e308 * 10', undefined],
    ['- -n', 7],
    ['n > 6', true],
    ['text > 6', true],
    ['word > 6', undefined],
    ['nothing > 6', undefined],
    ['missing > 6', undefined],
    ["text = '12'", true],
    ['text = 12', false],
    ['text <> 12', true],
    ['n = 7.0', true],
    ['nothing = null', true],
    ['nothing = 0', false],
    ['missing = null', undefined],
    ['missing <> 1', undefined],
    ['a = same', true],
    ['a = a.b', false],
    ['list[1] = list[1]', true],
    ['yes AND NOT no', true],
    ['yes and n', undefined],
    ['no OR yes', true],
    ['NOT missing', undefined],
    ["NOT 'True'", false],
    ['yes OR no AND no', true],
    ['NOT n > 6 OR yes', true],
    ['a.b.c', 5],
    ['a.b.c.d', undefined],
    ['list[0]', 1],
    ['list[1][1]', 3],
    ['list[2].deep', 'x'],
    ['list[9]', undefined],
    ['list.length', undefined],
    ['word[0]', undefined],
    ['a[0]', undefined],
    ['__proto__', undefined],
    ['a.constructor', undefined],
    ['topic()', 'wind-turbine/logs/T-1'],
    ['topic(3)', 'T-1'],
    ['topic(4)', undefined],
    ['TOPIC(1)', 'wind-turbine'],
    ['timestamp()', 1_767_225_600_000],
    ['clientid()', 'client-7'],
    ['3 IN list[1]', true],
    ['4 in list[1]', false],
    ["'fast' IN ['slow', word]", true],
    ["text IN [12, 'x']", false],
    ['a IN [1, same]', true],
    ['n IN []', false],
    ['n IN n', undefined],
    ['missing IN [1]', undefined],
    ['NOT n IN [1, 2 + 5]', false],
    ['[n, missing, yes]', [7, true]],
    ['isNull(nothing)', true],
    ['isNull(missing)', false],
    ['isUndefined(missing)', true],
    ['ISUNDEFINED(nothing)', false],
    ['isUndefined(n / 0)', true],
    ["'5E-1' * 2", 1],
    ["'+5' * 2", undefined],
    ["' 5' * 2", undefined],
    ["'.5' * 2", undefined],
    ["'5.' * 2", undefined],
    ["'0x10' * 2", undefined],
    ['list + word', '[1,[2,3],{"deep":"x"}]fast'],
    ['NULL', null],
    ['TRUE', true],
  ] as const)
    assert.equal(worth(expression), value, expression);
  assert.is(parseRule("SELECT clientid() as c FROM 'a'").rowOf({ topic: 'a', body: {}, from: null, heardAt: 0 })?.['c'], 'n/a');
});

rules('columns: everything, members by their last name, what is Undefined is left out, a later one wins', () => {
  assert.equal({ ...evaluate("SELECT n, a.b.c, missing, 1 as one FROM 'x'") }, { n: 7, c: 5, one: 1 });
  assert.equal({ ...evaluate("SELECT value, value.of as of FROM 'x'", { value: { of: 1 } }) }, { value: { of: 1 }, of: 1 });
  assert.equal({ ...evaluate("SELECT *, n + 1 as n FROM 'x'", { n: 1, m: 2 }) }, { n: 2, m: 2 });
  assert.equal({ ...evaluate("SELECT n + 1 as n, * FROM 'x'", { n: 1 }) }, { n: 1 });
  const hostile = evaluate("SELECT * FROM 'x'", JSON.parse('{"__proto__":{"polluted":1}}'));
  assert.is(({} as { polluted?: number }).polluted, undefined);
  assert.is(Object.getPrototypeOf(hostile), null);
});

rules('a row comes only where the condition is true', () => {
  for (const [where, comes] of [
    ['n > 6', true],
    ['n > 7', false],
    ['missing > 7', false],
    ["'true'", true],
    ['n', false],
    ["topic(3) = 'T-1' AND clientid() <> 'x'", true],
  ] as const)
    assert.is(evaluate(`SELECT * FROM 'x' WHERE ${where}`) !== null, comes, where);
});

rules('refuses what is not of the subset, with its position', () => {
  const deep = (open: string, close: string, times: number) => `SELECT ${open.repeat(times)}1${close.repeat(times)} as x FROM 'x'`;
  for (const [sql, position, why] of [
    ['SELECT * FROM x', 15, /topic filter/],
    ["SELECT * FROM 'x' WHERE", 24, /a value is wanted/],
    ["SELECT * FROM 'x' HAVING a", 19, /HAVING is not part/],
    ["SELECT now() as t FROM 'x'", 8, /no function now/],
    ["SELECT topc(1) as t FROM 'x'", 8, /Did you mean topic\?/],
    ["SELECT topic(0) as t FROM 'x'", 14, /count from 1/],
    ["SELECT timestamp(1) as t FROM 'x'", 19, /takes no argument/],
    ["SELECT topic(1, 2) as t FROM 'x'", 15, /`\)` is wanted/],
    ["SELECT 'a' FROM 'x'", 12, /`as` and a name/],
    ["SELECT n + 1 FROM 'x'", 14, /`as` and a name/],
    ["SELECT a; FROM 'x'", 9, /";" is not part/],
    ["SELECT 'a as b FROM 'x'", 23, /never closed|not part|FROM/],
    ["SELECT * FROM 'x", 15, /never closed/],
    ["SELECT * FROM 'x/#/y'", 15, /no topic filter/],
    ["SELECT * FROM 'x+'", 15, /no topic filter/],
    ["SELECT * FROM ''", 15, /no topic filter/],
    ["SELECT a.1 FROM 'x'", 8, /./],
    ["SELECT VALUE n FROM 'x'", 14, /FROM is wanted/],
    ["SELECT * FROM 'x' WHERE n IN (1, 2)", 32, /`\)` is wanted/],
    ["SELECT [1, 2 as c FROM 'x'", 14, /`\]` is wanted/],
    ["SELECT isNull() as c FROM 'x'", 15, /a value is wanted/],
    ["SELECT isNull(n, 1) as c FROM 'x'", 16, /`\)` is wanted/],
    ["SELECT a[b] as c FROM 'x'", 10, /whole number/],
    ["SELECT a[-1] as c FROM 'x'", 10, /whole number/],
    ["SELECT n as __proto__ FROM 'x'", 13, /no name for a column/],
    ["SELECT __proto__ FROM 'x'", 8, /no name for a column/],
    ["SELECT n as select FROM 'x'", 13, /a name is wanted/],
    ["SELECT case when a then b end as c FROM 'x'", 8, /case is not part/],
    ["SELECT 1e999 as c FROM 'x'", 8, /more than a number/],
    ["SELECT 12abc as c FROM 'x'", 8, /./],
    ["SELECT \0 as c FROM 'x'", 8, /not part/],
    ["SELECT 😀 as c FROM 'x'", 8, /not part/],
    ['', 1, /SELECT is wanted/],
  ] as const) {
    let message = '';
    try {
      parseRule(sql);
    } catch (error) {
      assert.instance(error, FileInvalid, sql);
      message = (error as Error).message;
    }
    assert.match(message, why, sql);
    if (!sql.includes('a.1') && !sql.includes('12abc') && !sql.includes("'a as b"))
      assert.ok(message.includes(`(position ${position})`), `${sql}: ${message}`);
  }
  assert.throws(() => parseRule("SELECT *\nFROM 'x'\nWHERE ?"), /line 3, column 7/);
  for (const sql of [
    deep('(', ')', 100_000),
    deep('- ', '', 100_000),
    deep('NOT ', '', 1_000),
    `SELECT ${'a+'.repeat(100_000)}a as x FROM 'x'`,
    'x'.repeat(300_000),
  ])
    assert.throws(
      () => parseRule(sql),
      (error: unknown) => error instanceof FileInvalid,
    );
});

rules('no SQL and no payload makes a defect', () => {
  const words = fc.constantFrom(
    'SELECT',
    'FROM',
    'WHERE',
    'as',
    'a',
    'b.c',
    '[0]',
    '*',
    '(',
    ')',
    "'x'",
    '1',
    '+',
    '-',
    '/',
    '%',
    '=',
    '<>',
    'AND',
    'NOT',
    'topic',
    'null',
    ',',
    '.',
    "'",
    '"',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 20 }), fc.jsonValue(), (parts, json) => {
      try {
        parseRule(parts.join(' ')).rowOf({
          topic: 'a/b',
          body: (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>,
          from: null,
          heardAt: 0,
        });
      } catch (error) {
        assert.instance(error, FileInvalid);
      }
    }),
    { numRuns: 3_000, seed: 1 },
  );
});

rules('arithmetic agrees with the obvious', () => {
  const number = fc.integer({ min: -1_000, max: 1_000 });
  fc.assert(
    fc.property(number, number, number, (a, b, c) => {
      const row = parseRule("SELECT a + b * c as sum, (a - b) % 7 as rest, a < b AND NOT b = c as flag FROM 'x'").rowOf({
        topic: 'x',
        body: { a, b, c },
        from: null,
        heardAt: 0,
      });
      assert.equal({ ...row }, { sum: a + b * c, rest: (a - b) % 7, flag: a < b && b !== c });
    }),
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
