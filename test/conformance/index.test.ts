import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotFound, QueryInvalid } from '../../actors/contracts/errors.ts';
import { duckdbIndex } from '../../cloud/index/duckdb.ts';
import { elasticsearchIndex } from '../../cloud/index/elasticsearch.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { opensearchIndex } from '../../cloud/index/opensearch.ts';
import { diskObjects } from '../../cloud/objects/disk.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';
import { has } from '../kit/programs.ts';
import { type SearchStub, searchStub } from '../kit/search-stub.ts';

const stores = suite('stores');

const folder = scratchFolder();
const document = (id: string, at: number, thing: string, feature: string, score: number) => ({
  id,
  at,
  thing,
  feature,
  score,
  anomalous: score > 1,
});

const stubs: SearchStub[] = [];
/** A search server of its own, as its documentation says it behaves. */
const searchServer = async (kind: 'elasticsearch' | 'opensearch') => {
  const stub = await searchStub({ kind }, await freePort());
  stubs.push(stub);
  return { node: stub.url, prefix: 'windfleet-', credentials: {}, clock: wallClock() };
};

for (const [kind, open] of Object.entries({
  memory: async () => memoryIndex(),
  duckdb: () => duckdbIndex(join(folder, 'index.duckdb')),
  elasticsearch: async () => elasticsearchIndex(await searchServer('elasticsearch')),
  opensearch: async () => opensearchIndex(await searchServer('opensearch')),
})) {
  stores(`index ${kind}: a redelivered document counts once, and aggregations agree`, async () => {
    const index = await open();
    const documents = [
      document('1', 1_000, 'T-1', 'rps', 0.5),
      document('2', 2_000, 'T-1', 'rps', 1.5),
      document('3', 31_000, 'T-1', 'roll', 3),
      document('4', 31_500, "T-2'; --", 'roll', 1),
    ];
    await index.add('verdicts', documents);
    await index.flush();
    await index.add('verdicts', [document('2', 2_000, 'T-1', 'rps', 2.5)]);

    assert.equal(await index.aggregate({ index: 'verdicts', by: [], agg: 'count' }), [{ at: null, by: {}, value: 4 }]);
    assert.equal(await index.aggregate({ index: 'verdicts', by: ['thing', 'feature'], agg: 'mean', field: 'score', every: 30_000 }), [
      { at: 0, by: { thing: 'T-1', feature: 'rps' }, value: 1.5 },
      { at: 30_000, by: { thing: 'T-1', feature: 'roll' }, value: 3 },
      { at: 30_000, by: { thing: "T-2'; --", feature: 'roll' }, value: 1 },
    ]);
    assert.equal(
      await index.aggregate({ index: 'verdicts', by: ['thing'], agg: 'count', where: { anomalous: true }, from: 0, to: 31_000 }),
      [{ at: null, by: { thing: 'T-1' }, value: 1 }],
    );
    assert.equal(
      (await index.latest('verdicts', { limit: 2 })).map(({ id }) => id),
      ['4', '3'],
    );
    for (const query of [
      { index: 'nothing', by: [], agg: 'count' },
      { index: 'verdicts', by: ['colour'], agg: 'count' },
      { index: 'verdicts', by: [], agg: 'mean' },
    ] as const)
      await index.aggregate(query).then(
        () => assert.unreachable(),
        (error: unknown) => assert.instance(error, QueryInvalid),
      );
    await index.close();
  });
}

stores('index duckdb: what was flushed is there after a reopening, and new fields find a place', async () => {
  const file = join(folder, 'again.duckdb');
  const first = await duckdbIndex(file);
  await first.add('logs', [{ id: 'a', at: 1, thing: 'T', rps: 2 }]);
  await first.close();
  const second = await duckdbIndex(file);
  await second.add('logs', [{ id: 'b', at: 2, thing: 'T', rps: 4, voltage: 7 }]);
  assert.equal(await second.aggregate({ index: 'logs', by: [], agg: 'mean', field: 'rps' }), [{ at: null, by: {}, value: 3 }]);
  assert.equal(await second.aggregate({ index: 'logs', by: [], agg: 'max', field: 'voltage' }), [{ at: null, by: {}, value: 7 }]);
  await second.close();
});

stores('index duckdb: each id once and as it came last, whatever comes again, late or after a reopening', async () => {
  const at = fc.integer({ min: 1, max: 12 });
  const step = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ thing: fc.constantFrom('A', 'B', 'C'), at, feature: fc.constantFrom('x', 'y'), score: fc.nat(9) }),
    },
    { weight: 2, arbitrary: fc.constant('flush' as const) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const file = join(folder, `any-${run++}.duckdb`);
      let index = await duckdbIndex(file);
      const wanted = new Map<string, { readonly thing: string; readonly score: number }>();
      for (const one of steps) {
        if (one === 'flush') await index.flush();
        else if (one === 'reopen') {
          await index.close();
          index = await duckdbIndex(file);
        } else {
          const id = `${one.thing}:${one.at}:${one.feature}`;
          wanted.set(id, one);
          await index.add('verdicts', [{ id, ...one }]);
        }
      }
      const there = (await index.latest('verdicts', { limit: 1_000 })).map(({ id, score }) => `${id} ${score}`).sort();
      assert.equal(there, [...wanted].map(([id, { score }]) => `${id} ${score}`).sort());
      await index.close();
    }),
    { numRuns: 15 },
  );
});

stores('index duckdb: a disk that is full at a checkpoint costs nothing once there is room again', async () => {
  if (!has('prlimit', 'util-linux')) return;
  const child = join(import.meta.dirname, '../kit/full-disk.js');
  const { stdout, stderr } = spawnSync('sh', [
    '-c',
    'ulimit -S -f 40960; exec "$0" "$1" "$2"',
    process.execPath,
    child,
    join(folder, 'full.duckdb'),
  ]);
  const [there, added, refused] = String(stdout).split(' ').map(Number);
  assert.ok(refused > 0 && added > 100_000, String(stderr));
  assert.is(there, added);
});

stores('index duckdb: a field of another type is told with its document, and takes nothing else with it', async () => {
  const index = await duckdbIndex(':memory:');
  await index.add('mine', [{ id: 'a', at: 1, thing: 'T', x: 1, note: null }]);
  await index.add('mine', [
    { id: 'b', at: 2, thing: 'T', x: 2, note: 'said' },
    { id: 'c', at: 3, thing: 'T', x: 'three' },
    { id: 'd', at: 4, thing: 'T', note: 4 },
    { id: 'e', at: 5, thing: 'T', x: null, yes: true },
  ]);
  const refused = await index.flush();
  assert.equal(
    refused.map(({ document: { id }, reason }) => [id, reason]),
    [
      ['c', 'index mine: field x is DOUBLE, and "three" is not'],
      ['d', 'index mine: field note is VARCHAR, and 4 is not'],
    ],
  );
  assert.equal(await index.flush(), [], 'each is told once');
  assert.equal(
    (await index.latest('mine')).map(({ id, x, note, yes }) => [id, x, note, yes]),
    [
      ['e', null, null, true],
      ['b', 2, 'said', null],
      ['a', 1, null, null],
    ],
  );
  const many = Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`f${i}`, i]));
  await index.add('wide', [
    { id: 'w', at: 1, thing: 'T', ...many },
    { id: 'n', at: 2, thing: 'T' },
  ]);
  assert.match((await index.flush())[0].reason, /1000 are kept/);
  assert.equal(await index.aggregate({ index: 'wide', by: [], agg: 'count' }), [{ at: null, by: {}, value: 1 }]);
  await index.close();
});

for (const [kind, objects] of Object.entries({ memory: memoryObjects(), disk: diskObjects(join(folder, 'objects')) })) {
  stores(`objects ${kind}: whole, from any byte on, replaced and listed; no key leads elsewhere`, async () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
    const read = async (key: string, from = 0) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of objects.get('a-bucket', key, { from })) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const head = await objects.put('a-bucket', 'm/one', bytes);
    assert.equal(await objects.head('a-bucket', 'm/one'), head);
    assert.ok((await read('m/one')).equals(bytes));
    assert.ok((await read('m/one', 131_072)).equals(bytes.subarray(131_072)));
    await objects.put('a-bucket', 'm/one', bytes.subarray(0, 10));
    assert.is((await read('m/one')).length, 10);
    for (const key of ['../../up', '..', '.', 'a/../../b', 'm/one.head.json']) {
      await objects.put('a-bucket', key, Buffer.from(key));
      assert.is((await read(key)).toString(), key);
    }
    assert.equal(
      (await objects.list('a-bucket', 'm/')).map(({ key }) => key),
      ['m/one', 'm/one.head.json'],
    );
    await objects.delete('a-bucket', 'm/one');
    assert.is(await objects.head('a-bucket', 'm/one'), null);
    await read('m/one').then(
      () => assert.unreachable(),
      (error: unknown) => assert.instance(error, NotFound),
    );
  });
}

stores.after(async () => {
  removeFolder(folder);
  for (const stub of stubs) await stub.stop();
});

stores.run();
