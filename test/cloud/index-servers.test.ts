import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../actors/contracts/clock.ts';
import { ConfigInvalid, QueryInvalid, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { Aggregation, DocumentIndex, IndexedDocument } from '../../actors/contracts/index.ts';
import { elasticsearchIndex, type SearchIndexOptions } from '../../cloud/index/elasticsearch.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { opensearchIndex } from '../../cloud/index/opensearch.ts';
import { createRng } from '../../twins/rng.ts';
import { freePort } from '../kit/free-port.ts';
import { type SearchStub, searchStub, type StubOptions } from '../kit/search-stub.ts';

const servers = suite('search servers');

const kinds = [
  ['elasticsearch', elasticsearchIndex],
  ['opensearch', opensearchIndex],
] as const;

/** Waits take no time, and are written down. */
function hastyClock() {
  const waits: number[] = [];
  let now = 0;
  const clock: Clock = {
    epoch: 0,
    now: () => now,
    setTimeout(run, delay) {
      waits.push(delay);
      now += delay;
      setImmediate(run);
      return waits.length;
    },
    clearTimeout() {},
    until: (_, work) => work,
  };
  return { clock, waits };
}

interface Opened {
  readonly stub: SearchStub;
  readonly index: DocumentIndex;
  readonly waits: readonly number[];
  close(): Promise<void>;
}

async function open(
  kind: (typeof kinds)[number],
  change: Partial<SearchIndexOptions> = {},
  before?: (stub: SearchStub) => void,
): Promise<Opened> {
  const stub = await searchStub({ kind: kind[0] }, await freePort());
  before?.(stub);
  const { clock, waits } = hastyClock();
  try {
    const index = await kind[1]({ node: stub.url, prefix: 'wf-', credentials: {}, clock, ...change });
    const close = async () => {
      await index.close();
      await stub.stop();
    };
    return { stub, index, waits, close };
  } catch (error) {
    await stub.stop();
    throw error;
  }
}

const verdict = (i: number, more: object = {}): IndexedDocument => ({
  id: `T-${i % 7}:${i}`,
  at: i * 1_000,
  thing: `T-${i % 7}`,
  feature: ['rps', 'roll', 'pitch'][i % 3],
  score: i / 10,
  anomalous: i % 5 === 0,
  ...more,
});
const verdicts = (count: number, from = 0) => Array.from({ length: count }, (_, i) => verdict(from + i));
const sourcesIn = (stub: SearchStub, index: string) => stub.documents(index).map(({ source }) => source as unknown as IndexedDocument);
const rejects = async (
  work: Promise<unknown>,
  type: typeof StoreUnavailable | typeof ConfigInvalid | typeof QueryInvalid,
  reason: RegExp,
) => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, type, String(error));
  assert.match((error as Error).message, reason);
  return error as StoreUnavailable;
};

for (const kind of kinds) {
  const [name] = kind;

  servers(`${name}: a document that its mapping refuses is handed out once, with the reason; everything else goes on`, async () => {
    const { stub, index, close } = await open(kind);
    const bad = [
      verdict(3, { score: 'fast' }),
      verdict(9, { anomalous: 'perhaps' }),
      verdict(11, { at: Number.NaN, id: 'no-time' }), // null once it is JSON: kept, and found by no time
      verdict(12, { id: 'x'.repeat(600) }),
    ];
    await index.add('verdicts', [...verdicts(20).filter((_, i) => i !== 3 && i !== 9), ...bad]);
    stub.trouble.push('items-429'); // and some of the good ones are sent again
    const refused = await index.flush();

    assert.equal(refused.map(({ document }) => document.id).sort(), [bad[0].id, bad[1].id, bad[3].id].sort());
    assert.match(
      refused.find(({ document }) => document.id === bad[0].id)?.reason ?? '',
      /parsing_exception: failed to parse field \[score\] of type \[double\]/,
    );
    assert.equal(refused[0].index, 'verdicts');
    assert.is(sourcesIn(stub, 'wf-verdicts').length, 19);
    assert.equal(await index.flush(), [], 'and is not tried again');
    assert.equal(await index.aggregate({ index: 'verdicts', by: [], agg: 'count', from: 0 }), [{ at: null, by: {}, value: 18 }]);
    await close();
  });

  servers(`${name}: too many requests: later and later by the clock that it is given, then once more with the next flush`, async () => {
    const { stub, index, waits, close } = await open(kind);
    stub.trouble.push('whole-429', '503', 'items-429', 'items-429');
    await index.add('verdicts', verdicts(30));
    await index.flush();
    assert.equal(waits, [500, 1_000, 500, 1_000], 'a request that was taken in part begins anew');
    assert.is(sourcesIn(stub, 'wf-verdicts').length, 30);

    stub.trouble.push(...Array.from({ length: 6 }, () => 'whole-429' as const));
    await index.add('verdicts', verdicts(10, 30));
    await rejects(index.flush(), StoreUnavailable, /refused \(429\): es_rejected_execution_exception/);
    assert.equal(waits.slice(4), [500, 1_000, 2_000, 4_000, 8_000]);
    await index.flush();
    assert.is(sourcesIn(stub, 'wf-verdicts').length, 40, 'what was not taken waited');
    await close();
  });

  servers(
    `${name}: killed and started again in the middle, the line cut before or after the answer: nothing lost, nothing doubled`,
    async () => {
      const { stub, index, close } = await open(kind);
      const rng = createRng(9).fork(name);
      let failures = 0;
      for (let round = 0; round < 30; round++) {
        const mishap = (['lost', 'unheard', 'items-429', null] as const)[Math.floor(4 * rng.uniform(round))];
        if (mishap !== null) stub.trouble.push(mishap);
        if (round % 10 === 5) await stub.stop();
        await index.add('verdicts', verdicts(100, 100 * round)).catch(() => {});
        await index.flush().catch((error: unknown) => {
          assert.instance(error, StoreUnavailable);
          failures++;
        });
        if (round % 10 === 5) await stub.start();
        if (round % 3 === 0) await index.add('verdicts', verdicts(50, 100 * round)); // delivered twice
      }
      stub.trouble.length = 0;
      await index.flush();
      assert.ok(failures >= 3);
      const found = sourcesIn(stub, 'wf-verdicts').sort((a, b) => a.at - b.at);
      assert.equal(found, verdicts(3_000));
      await close();
    },
  );

  servers(`${name}: away for ten minutes, all that came meanwhile is there when it is back; the queries say that it is away`, async () => {
    const { stub, index, close } = await open(kind);
    await stub.stop();
    for (let minute = 0; minute < 10; minute++) {
      await index.add('verdicts', verdicts(60, 60 * minute));
      await rejects(index.flush(), StoreUnavailable, /does not answer/);
    }
    await rejects(index.aggregate({ index: 'verdicts', by: [], agg: 'count' }), StoreUnavailable, /does not answer/);
    await stub.start();
    assert.equal(await index.aggregate({ index: 'verdicts', by: [], agg: 'count' }), [{ at: null, by: {}, value: 600 }]);
    await close();
  });

  servers(`${name}: a request too large is sent in halves; a document too large alone is refused`, async () => {
    const { stub, index, close } = await open(kind);
    stub.maxBytes = 4_000;
    await index.add('verdicts', [...verdicts(200), verdict(500, { model: 'm'.repeat(5_000) })]);
    const refused = await index.flush();
    assert.is(sourcesIn(stub, 'wf-verdicts').length, 200);
    assert.equal(
      refused.map(({ document, reason }) => [document.id, /larger than a request/.test(reason)]),
      [['T-3:500', true]],
    );
    await close();
  });

  servers(
    `${name}: makes its indexes with their mapping, adds to one that lacks fields, and refuses to start on one that conflicts`,
    async () => {
      const first = await open(kind, {}, (stub) => stub.create('wf-states', { at: { type: 'date' }, thing: { type: 'keyword' } }));
      const properties = first.stub.mapping('wf-verdicts')?.properties ?? {};
      assert.equal(Object.fromEntries(['at', 'thing', 'score', 'anomalous', 'feature'].map((field) => [field, properties[field].type])), {
        at: 'date',
        thing: 'keyword',
        score: 'double',
        anomalous: 'boolean',
        feature: 'keyword',
      });
      assert.is(first.stub.mapping('wf-logs')?.properties['rps'].type, 'double');
      assert.is(first.stub.mapping('wf-states')?.properties['cause'].type, 'keyword');
      await first.index.add('captures', [{ id: 'a', at: 1, thing: 'T', mean_pred_roll: 7, note: '2026-01-01', ok: true }]);
      await first.index.add('captures', [{ id: 'b', at: 2, thing: 'T', mean_pred_roll: 7.5 }]);
      assert.equal(await first.index.aggregate({ index: 'captures', by: ['note'], agg: 'max', field: 'mean_pred_roll' }), [
        { at: null, by: { note: '2026-01-01' }, value: 7 },
        { at: null, by: { note: null }, value: 7.5 },
      ]);
      first.stub.remove('wf-captures'); // by somebody, while documents come
      await first.index.add('captures', [{ id: 'c', at: 1, thing: 'T', note: 'x' }]);
      assert.equal(await first.index.aggregate({ index: 'captures', by: ['note'], agg: 'count' }), [
        { at: null, by: { note: 'x' }, value: 1 },
      ]);
      await first.close();

      await rejects(
        open(kind, {}, (stub) => stub.create('wf-verdicts', { at: { type: 'long' }, score: { type: 'text' } })),
        ConfigInvalid,
        /maps at of verdicts to long, not date; score of verdicts to text, not double/,
      );
    },
  );

  servers(`${name}: more groups and more hits than one answer holds`, async () => {
    const { index, close } = await open(kind);
    const many = Array.from({ length: 12_000 }, (_, i) => ({
      id: `d${String(i).padStart(5, '0')}`,
      at: i * 100,
      thing: `T-${i % 50}`,
      score: i,
    }));
    for (let i = 0; i < many.length; i += 3_000) await index.add('verdicts', many.slice(i, i + 3_000));
    const rows = await index.aggregate({ index: 'verdicts', by: ['thing'], every: 10_000, agg: 'sum', field: 'score' });
    assert.is(rows.length, 6_000);
    assert.is(
      rows.reduce((sum, { value }) => sum + value, 0),
      (12_000 * 11_999) / 2,
    );
    const latest = await index.latest('verdicts', { limit: 11_000 });
    assert.equal([latest.length, latest[0].id, latest[10_999].id], [11_000, 'd11999', 'd01000']);
    assert.equal(
      (await index.latest('verdicts', { thing: 'T-7', limit: 2 })).map(({ id }) => id),
      ['d11957', 'd11907'],
    );
    await close();
  });

  servers(`${name}: answers any question as the index in memory does`, async () => {
    const { index, close } = await open(kind);
    const memory = memoryIndex();
    const rng = createRng(4).fork('questions');
    const documents = Array.from({ length: 500 }, (_, i) => ({
      id: `d${i}`,
      at: Math.floor(rng.uniform(10 * i) * 3_600_000),
      thing: `T-${Math.floor(rng.uniform(10 * i + 1) * 5)}`,
      feature: rng.uniform(10 * i + 2) < 0.1 ? null : ['rps', 'roll', 'Überlast'][i % 3],
      score: rng.uniform(10 * i + 3) < 0.1 ? null : Math.round(rng.uniform(10 * i + 4) * 1_000) / 8,
      anomalous: rng.uniform(10 * i + 5) < 0.5,
    }));
    for (const one of [index, memory]) await one.add('verdicts', documents);
    for (let i = 0; i < 60; i++) {
      const pick = <T>(values: readonly T[], lane: number) => values[Math.floor(rng.uniform(100_000 + 10 * i + lane) * values.length)];
      const agg = pick(['count', 'mean', 'max', 'min', 'sum'] as const, 0);
      const query: Aggregation = {
        index: 'verdicts',
        by: pick([[], ['thing'], ['feature'], ['thing', 'feature'], ['anomalous', 'thing']], 1),
        agg,
        ...(agg === 'count' ? {} : { field: 'score' }),
        ...pick([{}, { every: 60_000 }, { every: 7_777 }, { every: 3_600_000 }], 2),
        ...pick([{}, { from: 600_000 }, { from: 600_000, to: 2_400_000 }, { to: 1 }], 3),
        ...pick([{}, { where: { anomalous: true } }, { where: { thing: 'T-3', anomalous: false } }, { where: { score: 12.5 } }], 4),
      };
      assert.equal(rounded(await index.aggregate(query)), rounded(await memory.aggregate(query)), JSON.stringify(query));
    }
    assert.equal(await index.latest('verdicts', { limit: 50 }), await memory.latest('verdicts', { limit: 50 }));
    for (const wrong of [
      { by: ['colour'], agg: 'count' },
      { by: [], agg: 'mean', field: 'thing' },
      { by: [], agg: 'mean' },
      { by: [], agg: 'count', where: { score: 'fast' } },
    ] as const)
      await rejects(index.aggregate({ index: 'verdicts', ...wrong }), QueryInvalid, /field|wants/);
    await rejects(index.aggregate({ index: '../_all', by: [], agg: 'count' }), QueryInvalid, /no index/);
    assert.equal(await index.aggregate({ index: 'alarms', by: ['thing'], agg: 'count' }), [], 'nothing yet is no fault');
    await close();
  });

  servers(`${name}: who may not ask is told so, and no credential is in what is said`, async () => {
    const basic = `Basic ${Buffer.from('farm:s3cret').toString('base64')}`;
    const attempt = async (authorization: string, credentials: SearchIndexOptions['credentials']) => {
      const stub = await searchStub({ kind: name, authorization } satisfies StubOptions, await freePort());
      try {
        await (await kind[1]({ node: stub.url, prefix: 'wf-', credentials, clock: hastyClock().clock })).close();
        return null;
      } catch (error) {
        return error as StoreUnavailable;
      } finally {
        await stub.stop();
      }
    };
    assert.is(await attempt(basic, { username: 'farm', password: 's3cret' }), null);
    assert.is(await attempt('ApiKey a2V5', { apiKey: 'a2V5' }), null);
    for (const credentials of [{}, { username: 'farm', password: 'wr0ng-one' }, { apiKey: 'bm9uZQ==' }]) {
      const error = await attempt(basic, credentials);
      assert.instance(error, StoreUnavailable);
      assert.match(error?.message ?? '', /does not let us in \(401\): security_exception/);
      const said = JSON.stringify([error?.message, error?.hint, error?.cause]);
      for (const secret of ['wr0ng-one', 'bm9uZQ==', 's3cret']) assert.not.match(said, new RegExp(secret));
    }
    const { port } = new URL('http://127.0.0.1:1');
    await rejects(
      kind[1]({ node: `http://127.0.0.1:${port}`, prefix: 'wf-', credentials: {}, clock: hastyClock().clock }),
      StoreUnavailable,
      /does not answer/,
    );
  });
}

servers('elasticsearch: another product at that address is told by its name', async () => {
  const stub = await searchStub({ kind: 'opensearch' }, await freePort());
  await rejects(
    elasticsearchIndex({ node: stub.url, prefix: 'wf-', credentials: {}, clock: hastyClock().clock }),
    ConfigInvalid,
    /is no Elasticsearch/,
  );
  await stub.stop();
});

/** Sums differ in their last digit with their order. */
const rounded = (rows: Awaited<ReturnType<DocumentIndex['aggregate']>>) =>
  rows.map((row) => ({ ...row, value: Number(row.value.toPrecision(12)) }));

servers.run();
