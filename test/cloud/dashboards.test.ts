import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Aggregation, DocumentIndex, IndexedDocument } from '../../actors/contracts/index.ts';
import { askDashboard, SAVED_QUERIES, savedQuery } from '../../cloud/dashboards.ts';
import { duckdbIndex } from '../../cloud/index/duckdb.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { parseDocumentQuery, parseQuery, parseRange, printQuery } from '../../cloud/index/query.ts';

const dashboards = suite('dashboards');

const NOON = Date.UTC(2026, 5, 1, 12);
const verdict = (thing: string, at: number, feature: string, anomalous: boolean): IndexedDocument => ({
  id: `${thing}:${at}:${feature}`,
  at,
  thing,
  feature,
  anomalous,
  score: anomalous ? 2 : 0.5,
});
const reading = (thing: string, at: number, rps: number, voltage: number): IndexedDocument => ({
  ...{ id: `${thing}:${at}`, at, thing, rps, voltage, wind_speed_rps: rps + 1 },
  ...{ qw: 0.5, qx: 0.1, qy: 0.2, qz: 0.3 },
});

for (const [kind, open] of [
  ['memory', async () => memoryIndex()],
  ['duckdb', () => duckdbIndex(':memory:')],
] as const) {
  const filled = async (): Promise<DocumentIndex> => {
    const index = await open();
    await index.add('verdicts', [
      verdict('T-1', NOON - 60_000, 'voltage', true),
      verdict('T-1', NOON - 31_000, 'voltage', true),
      verdict('T-1', NOON - 31_000, 'roll', true),
      verdict('T-2', NOON - 1_000, 'roll', true),
      verdict('T-2', NOON - 500, 'voltage', false),
      verdict('T-1', NOON - 3_600_000, 'voltage', true),
    ]);
    await index.add('logs', [
      reading('T-1', NOON - 90_000, 1, 40),
      reading('T-1', NOON - 70_000, 2, 60),
      reading('T-2', NOON - 30_000, 3, 80),
    ]);
    return index;
  };
  const ask = async (index: DocumentIndex, id: string, range: object = {}) => {
    const { series, ...rest } = await askDashboard(index, savedQuery(id), { to: NOON, ...range });
    return { ...rest, rows: series.map(({ label, rows }) => [label, rows.map(({ at, by, value }) => [at, ...Object.values(by), value])]) };
  };

  dashboards(`${kind}: anomalies by turbine and feature, over time, and counted`, async () => {
    const index = await filled();
    const stacked = await ask(index, 'detected-anomalies');
    assert.equal([stacked.every, stacked.from, stacked.to], [null, NOON - 600_000, NOON]);
    assert.equal(stacked.rows, [
      [
        'anomalies',
        [
          [null, 'T-1', 'roll', 1],
          [null, 'T-1', 'voltage', 2],
          [null, 'T-2', 'roll', 1],
        ],
      ],
    ]);
    const overTime = await ask(index, 'anomalies-over-time');
    assert.equal(overTime.rows, [
      [
        'anomalies',
        [
          [NOON - 60_000, 'T-1', 'roll', 1],
          [NOON - 60_000, 'T-1', 'voltage', 2],
          [NOON - 30_000, 'T-2', 'roll', 1],
        ],
      ],
    ]);
    const hour = await ask(index, 'anomaly-count', { span: 3_600_000, every: 1_800_000, thing: 'T-1' });
    assert.equal(hour.rows, [
      [
        'anomalies',
        [
          [NOON - 3_600_000, 1],
          [NOON - 1_800_000, 3],
        ],
      ],
    ]);
    await index.close();
  });

  dashboards(`${kind}: averages by the minute, of all or of one`, async () => {
    const index = await filled();
    assert.equal((await ask(index, 'voltage-average')).rows, [
      [
        'voltage',
        [
          [NOON - 120_000, 50],
          [NOON - 60_000, 80],
        ],
      ],
    ]);
    assert.equal((await ask(index, 'rotation-average', { thing: 'T-1' })).rows, [
      ['rotor', [[NOON - 120_000, 1.5]]],
      ['wind', [[NOON - 120_000, 2.5]]],
    ]);
    assert.equal(
      (await ask(index, 'vibration-average')).rows.map(([label]) => label),
      ['qw', 'qx', 'qy', 'qz'],
    );
    await index.close();
  });

  dashboards(`${kind}: before the first document every one of them is empty`, async () => {
    const index = await open();
    for (const { id } of SAVED_QUERIES)
      assert.ok(
        (await ask(index, id)).rows.every(([, rows]) => rows.length === 0),
        id,
      );
    await index.close();
  });
}

dashboards('every saved query is printed as a query that reads as itself', () => {
  for (const { series } of SAVED_QUERIES)
    for (const { query } of series) {
      const raw = Object.fromEntries(new URLSearchParams(printQuery(query)));
      assert.equal(parseQuery(raw), query as Aggregation);
    }
  assert.throws(() => savedQuery('voltage-averag'), /Did you mean voltage-average/);
});

dashboards('what is wrong with a query is named, all of it', () => {
  for (const [text, words] of [
    ['', ['index']],
    ['index=logs&evry=30s', ['evry']],
    ['index=lo gs', ['index', 'no name of a field']],
    ['index=logs&agg=median&every=0s&from=yesterday', ['agg', 'every', 'from', 'yesterday']],
    ['index=logs&agg=mean', ['field', 'only `count` needs none']],
    ['index=logs&from=2026-06-02&to=2026-06-01', ['to', 'not after']],
    ['index=logs&from=-5', ['neither epoch milliseconds nor a date']],
    ['index=logs&from=99999999999999999999', ['neither']],
    ['index=logs&by=thing,thing', ['twice']],
    ['index=logs&by=a,b,c,d,e', ['by']],
    ['index=logs&where.a-b=1', ['a-b', 'no name of a field']],
    ['index=logs&where.=1', ['where']],
  ] as const)
    assert.throws(
      () => parseQuery(Object.fromEntries(new URLSearchParams(text))),
      (error: Error & { code?: string }) => error.code === 'query.invalid' && words.every((word) => error.message.includes(word)),
      text,
    );
  assert.throws(() => parseQuery({ index: ['logs', 'verdicts'] }), /index/);
  assert.throws(() => parseDocumentQuery({ index: 'logs', limit: '10001' }), /limit/);
  assert.throws(() => parseDocumentQuery({ index: 'logs', thing: '../x' }), /no name of a thing/);
  assert.throws(() => parseRange({ span: '7d', every: '1s' }), /20000 buckets/);
  assert.equal(parseQuery({ index: 'logs', 'where.thing': '100', 'where.voltage': '7' }).where, { thing: '100', voltage: 7 });
});

dashboards.run();
