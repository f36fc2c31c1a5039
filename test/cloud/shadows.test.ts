import fc from 'fast-check';
import { connectAsync } from 'mqtt';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { libsqlDocuments } from '../../cloud/things/libsql-documents.ts';
import type { Json, JsonObject } from '../../cloud/things/ports.ts';
import { parseShadowTopic, serveShadows } from '../../cloud/things/shadow-mqtt.ts';
import { eventually, getJson, removeFolder, scratchFolder, startCloud } from '../kit/farm-process.ts';
import { NOON, refusal, testThings } from '../kit/open-things.ts';

const shadows = suite('shadows');

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const T = Math.floor(NOON / 1_000);

shadows('an update merges, null removes, arrays go whole, and each leaf has its instant', async () => {
  const { shadows: service, time } = await testThings();
  const first = await service.update('T-1', null, bytes({ state: { desired: { a: 1, b: { c: 2, d: [1, 2] } } }, clientToken: 'x' }));
  assert.equal(first, {
    state: { desired: { a: 1, b: { c: 2, d: [1, 2] } } },
    metadata: { desired: { a: { timestamp: T }, b: { c: { timestamp: T }, d: [{ timestamp: T }, { timestamp: T }] } } },
    version: 1,
    timestamp: T,
    clientToken: 'x',
  });
  time.now += 5_000;
  await service.update('T-1', null, bytes({ state: { desired: { a: null, b: { d: [3] } }, reported: { b: { c: 2 } } } }));
  assert.equal(service.get('T-1', null), {
    state: { desired: { b: { c: 2, d: [3] } }, reported: { b: { c: 2 } }, delta: { b: { d: [3] } } },
    metadata: { desired: { b: { c: { timestamp: T }, d: [{ timestamp: T + 5 }] } }, reported: { b: { c: { timestamp: T + 5 } } } },
    version: 2,
    timestamp: T + 5,
  });
  await service.update('T-1', null, bytes({ state: { desired: null } }));
  assert.equal(service.get('T-1', null)['state'], { reported: { b: { c: 2 } } });
});

shadows('a version that is given is checked; a deleted shadow leaves its version behind', async () => {
  const { shadows: service } = await testThings();
  const update = (version?: number) =>
    service.update('T-1', null, bytes({ state: { reported: { a: 1 } }, ...(version === undefined ? {} : { version }) }));
  await update();
  await update(1);
  assert.is(await refusal(() => update(1)), 'Conflict');
  assert.equal(await service.remove('T-1', null, bytes({ clientToken: 'c' })), { version: 2, timestamp: T, clientToken: 'c' });
  assert.is(await refusal(() => service.get('T-1', null)), 'ResourceNotFound');
  assert.is(await refusal(() => service.remove('T-1', null)), 'ResourceNotFound');
  assert.is((await update())['version'], 3);
  assert.equal(service.get('T-1', null)['state'], { reported: { a: 1 } });
});

shadows('named shadows are apart from the classic one and from each other', async () => {
  const { shadows: service, registry } = await testThings();
  assert.is(await refusal(() => service.named('T-1')), 'ResourceNotFound');
  await registry.create({ name: 'T-1' });
  assert.equal(service.named('T-1'), []);
  await service.update('T-1', null, bytes({ state: { reported: { which: 'classic' } } }));
  await service.update('T-1', 'model', bytes({ state: { reported: { which: 'model' } } }));
  await service.update('T-1', 'config', bytes({ state: { reported: { which: 'config' } } }));
  assert.equal(service.named('T-1'), ['config', 'model']);
  assert.equal(service.get('T-1', 'model')['state'], { reported: { which: 'model' } });
  await service.remove('T-1', 'model');
  assert.equal(service.named('T-1'), ['config']);
  assert.equal(service.get('T-1', null)['state'], { reported: { which: 'classic' } });
  for (const name of ['', 'a/b', 'a b', 'x'.repeat(65), '+'])
    assert.is(await refusal(() => service.update('T-1', name, bytes({ state: {} }))), 'InvalidRequest', name);
});

shadows('what is no update is refused as AWS refuses it, and changes nothing', async () => {
  const { shadows: service } = await testThings();
  await service.update('T-1', null, bytes({ state: { reported: { a: 1 } } }));
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const cases: readonly (readonly [string | Uint8Array, string])[] = [
    ['', 'InvalidRequest'],
    ['nonsense', 'InvalidRequest'],
    ['[]', 'InvalidRequest'],
    ['null', 'InvalidRequest'],
    ['{}', 'InvalidRequest'],
    ['{"state":null}', 'InvalidRequest'],
    ['{"state":[]}', 'InvalidRequest'],
    ['{"state":{"desired":[]}}', 'InvalidRequest'],
    ['{"state":{"desired":1}}', 'InvalidRequest'],
    ['{"state":{"wanted":{}}}', 'InvalidRequest'],
    ['{"state":{"__proto__":{"a":1}}}', 'InvalidRequest'],
    ['{"state":{"desired":{"__proto__":{"polluted":1}}}}', 'InvalidRequest'],
    ['{"state":{"desired":{"a":{"constructor":{"prototype":1}}}}}', 'InvalidRequest'],
    ['{"state":{"desired":{"a":[1,null]}}}', 'InvalidRequest'],
    ['{"state":{"desired":{"a":9007199254740993}}}', 'InvalidRequest'],
    ['{"state":{"desired":{"a":1e999}}}', 'InvalidRequest'],
    ['{"state":{},"version":"1"}', 'InvalidRequest'],
    ['{"state":{},"version":1.5}', 'InvalidRequest'],
    ['{"state":{},"version":-1}', 'InvalidRequest'],
    ['{"state":{},"version":7}', 'Conflict'],
    [`{"state":{},"clientToken":"${'x'.repeat(65)}"}`, 'InvalidRequest'],
    ['{"state":{},"clientToken":7}', 'InvalidRequest'],
    [`{"state":{"desired":${deep(9)}}}`, 'InvalidRequest'],
    [`{"state":{"desired":${'['.repeat(100_000)}`, 'InvalidRequest'],
    [`{"state":{"desired":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}}`, 'InvalidRequest'],
    [`{"state":{"desired":{"a":"${'x'.repeat(8_192)}"}}}`, 'RequestEntityTooLarge'],
    [Buffer.alloc(200_000, 0x20), 'RequestEntityTooLarge'],
    [Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'UnsupportedDocumentEncoding'],
  ];
  for (const [payload, reason] of cases)
    assert.is(await refusal(() => service.update('T-1', null, Buffer.from(payload as string))), reason, String(payload).slice(0, 80));
  assert.equal(service.get('T-1', null)['state'], { reported: { a: 1 } });
  assert.is(service.get('T-1', null)['version'], 1);
  assert.is(({} as { polluted?: unknown }).polluted, undefined);
  await service.update('T-1', null, bytes(`{"state":{"desired":${deep(8)}}}`));
  assert.is(await refusal(() => service.update('../T', null, bytes({ state: {} }))), 'InvalidRequest');
});

shadows('brackets within texts nest nothing', async () => {
  const { shadows: service } = await testThings();
  const text = `${'[{'.repeat(200)}"\\`;
  await service.update('T-1', null, bytes({ state: { reported: { text } } }));
  assert.equal(service.get('T-1', null)['state'], { reported: { text } });
});

// ── the reference model: small, slow and plain ──────────────────────────────────────────────────────────────────────────────────

interface PlainShadow {
  desired?: { [key: string]: unknown };
  reported?: { [key: string]: unknown };
}

const isMap = (value: unknown): value is { [key: string]: never } => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Paths to leaves: a state is a set of them. */
function leaves(value: unknown, path: string[] = []): [string, unknown][] {
  if (!isMap(value)) return [[path.join('.'), value]];
  const inner = Object.entries(value).flatMap(([key, one]) => leaves(one, [...path, key]));
  return inner.length === 0 ? [[path.join('.'), {}]] : inner;
}

function apply(before: unknown, patch: { [key: string]: unknown }): { [key: string]: unknown } {
  const after: { [key: string]: unknown } = { ...(isMap(before) ? before : {}) };
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete after[key];
    else after[key] = isMap(patch[key]) ? apply(after[key], patch[key]) : patch[key];
  }
  return after;
}

function differing(desired: { [key: string]: unknown }, reported: { [key: string]: unknown }): { [key: string]: unknown } {
  const delta: { [key: string]: unknown } = {};
  for (const key of Object.keys(desired)) {
    const [want, has] = [desired[key], reported[key]];
    if (isMap(want) && isMap(has)) {
      const inner = differing(want, has);
      if (Object.keys(inner).length > 0) delta[key] = inner;
    } else if (JSON.stringify(sorted(want)) !== JSON.stringify(sorted(has))) delta[key] = want;
  }
  return delta;
}

const sorted = (value: unknown): unknown =>
  isMap(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, one]) => [key, sorted(one)]),
      )
    : Array.isArray(value)
      ? value.map(sorted)
      : value;

const key = fc.constantFrom('a', 'b', 'c', 'toString');
const leaf = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  fc.constantFrom('x', 'y'),
  fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 2 }),
);
const patch = fc.letrec<{ node: unknown; map: { [key: string]: unknown } }>((tie) => ({
  map: fc.dictionary(key, fc.oneof({ maxDepth: 3 }, tie('node'), fc.constant(null)), { maxKeys: 3, noNullPrototype: true }),
  node: fc.oneof({ maxDepth: 3, depthIdentifier: 'node' }, leaf, tie('map')),
})).map;
const section = fc.oneof(
  { weight: 6, arbitrary: patch },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.constant(undefined) },
);
const command = fc.oneof(
  { weight: 8, arbitrary: fc.record({ desired: section, reported: section, version: fc.constantFrom('none', 'none', 'right', 'stale') }) },
  { weight: 1, arbitrary: fc.constant('delete' as const) },
);

shadows('whatever is done to it, a shadow is what a plain model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 20 }), async (commands) => {
      const { shadows: service, time } = await testThings();
      let version = 0;
      let model: { desired?: { [key: string]: unknown }; reported?: { [key: string]: unknown } } | null = null;
      let updates = 0;
      let deltas: JsonObject[] = [];
      service.onUpdated(({ delta, documents }) => {
        updates++;
        if (delta) deltas.push(delta);
        assert.equal((documents['current'] as JsonObject)['version'], version + 1);
      });
      for (const one of commands) {
        time.now += 1_000;
        deltas = [];
        if (one === 'delete') {
          assert.is(await refusal(() => service.remove('T-1', 'n')), model ? 'accepted' : 'ResourceNotFound');
          model = null;
          continue;
        }
        const state = Object.fromEntries(
          Object.entries({ desired: one.desired, reported: one.reported }).filter(([, value]) => value !== undefined),
        );
        const current = model ? version : 0;
        const given = one.version === 'none' ? {} : { version: one.version === 'right' ? current : current + 3 };
        const last: PlainShadow = model ?? {};
        const before = updates;
        const outcome = await refusal(() => service.update('T-1', 'n', bytes({ state, ...given })));
        if (one.version === 'stale') {
          assert.is(outcome, 'Conflict');
          assert.is(updates, before);
          continue;
        }
        assert.is(outcome, 'accepted');
        version++;
        const next: PlainShadow = {};
        for (const half of ['desired', 'reported'] as const) {
          const after =
            one[half] === undefined
              ? last[half]
              : one[half] === null
                ? undefined
                : apply(last[half], one[half] as { [key: string]: unknown });
          if (after && Object.keys(after).length > 0) next[half] = after;
        }
        model = next;
        const delta = differing(next.desired ?? {}, next.reported ?? {});
        const has = service.get('T-1', 'n');
        assert.is(has['version'], version);
        assert.equal(sorted(has['state']), sorted({ ...model, ...(Object.keys(delta).length > 0 ? { delta } : {}) }));
        assert.is(deltas.length, Object.keys(delta).length > 0 ? 1 : 0);
        if (deltas.length > 0) assert.equal(sorted(deltas[0]['state']), sorted(delta));
        // metadata has the shape of the state: a stamp for each leaf
        for (const half of ['desired', 'reported'] as const) {
          const stamps = leaves((has['metadata'] as JsonObject)[half]).map(([path]) => path.replace(/\.timestamp$/, ''));
          const wanted = leaves((has['state'] as JsonObject)[half]).map(([path]) => path);
          assert.equal(stamps.sort(), wanted.sort());
        }
      }
    }),
    { numRuns: 250 },
  );
});

// ── over MQTT ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function served() {
  const things = await testThings();
  const broker = memoryBroker();
  serveShadows(broker, things.shadows, () => things.time.now, silentLog);
  const [device, spy] = [broker.connect('T-1'), broker.connect('spy')];
  const heard: { readonly topic: string; readonly body: { [key: string]: Json } }[] = [];
  const spied: string[] = [];
  await device.subscribe('$aws/things/T-1/shadow/#', ({ topic, payload }) =>
    heard.push({ topic: topic.replace('$aws/things/T-1/shadow/', ''), body: JSON.parse(Buffer.from(payload).toString()) }),
  );
  await spy.subscribe('$aws/things/+/shadow/#', ({ topic }) => spied.push(topic.replace('$aws/things/T-1/shadow/', '')));
  const settle = async () => {
    for (let i = 0; i < 50; i++) await new Promise((done) => setImmediate(done));
  };
  return { ...things, device, heard, spied, settle };
}

shadows('over MQTT the requester alone hears the answer, and all hear of the change', async () => {
  const { device, heard, spied, settle } = await served();
  await device.publish('$aws/things/T-1/shadow/get', '');
  await device.publish('$aws/things/T-1/shadow/update', JSON.stringify({ state: { desired: { a: 1 } }, clientToken: 'one' }));
  await device.publish('$aws/things/T-1/shadow/name/model/update', JSON.stringify({ state: { reported: { a: 1 } } }));
  await device.publish('$aws/things/T-1/shadow/update', JSON.stringify({ state: {}, version: 9, clientToken: 'two' }));
  await device.publish('$aws/things/T-1/shadow/get', JSON.stringify({ clientToken: 'three' }));
  await device.publish('$aws/things/T-1/shadow/delete', '');
  await settle();

  const named = (topic: string) => heard.filter((one) => one.topic === topic).map(({ body }) => body);
  assert.equal(named('get/rejected'), [{ code: 404, message: "No shadow exists with name: 'T-1'", timestamp: T }]);
  assert.is(named('update/accepted')[0]['clientToken'], 'one');
  assert.equal(named('update/delta'), [
    { version: 1, timestamp: T, state: { a: 1 }, metadata: { a: { timestamp: T } }, clientToken: 'one' },
  ]);
  assert.equal(named('update/documents')[0]['current'], {
    state: { desired: { a: 1 } },
    metadata: { desired: { a: { timestamp: T } } },
    version: 1,
  });
  assert.is(named('name/model/update/accepted').length, 1);
  assert.is(named('name/model/update/delta').length, 0);
  assert.equal(named('update/rejected'), [{ code: 409, message: 'Version conflict', timestamp: T, clientToken: 'two' }]);
  assert.is(named('get/accepted')[0]['clientToken'], 'three');
  assert.equal(named('delete/accepted'), [{ version: 1, timestamp: T }]);
  assert.equal([...new Set(spied)].sort(), ['name/model/update/documents', 'update/delta', 'update/documents']);
});

shadows('nobody can speak for the service, and no topic beyond the operations is one', async () => {
  const { device, heard, spied, settle } = await served();
  const strange = [
    'update/delta',
    'update/accepted',
    'get/rejected',
    'update/documents',
    'name/model/update/delta',
    'name/a/b/get',
    'list',
    'name//get',
  ];
  for (const topic of strange) await device.publish(`$aws/things/T-1/shadow/${topic}`, '{"state":{}}');
  await settle();
  assert.equal(heard, []);
  assert.equal(spied, []);
  for (const topic of strange) assert.is(parseShadowTopic(`$aws/things/T-1/shadow/${topic}`), null, topic);
});

shadows('what was accepted is there after the store was opened again', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'things.db');
  const first = await testThings({ disk: libsqlDocuments(file) });
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => first.shadows.update('T-1', `s${i % 10}`, bytes({ state: { reported: { i } } }))),
  );
  await first.shadows.remove('T-1', 's0');

  const second = await testThings({ disk: libsqlDocuments(file) });
  assert.is(second.shadows.get('T-1', 's9')['version'], 20);
  assert.equal(second.shadows.get('T-1', 's9')['state'], { reported: { i: 199 } });
  assert.is(second.shadows.named('T-1').length, 9);
  assert.is((await second.shadows.update('T-1', 's0', bytes({ state: { reported: {} } })))['version'], 21);
  await first.close();
  await second.close();
  removeFolder(folder);
});

shadows('a running cloud keeps a shadow over a kill', async () => {
  const folder = scratchFolder();
  const cloud = await startCloud(folder);
  const client = await connectAsync(`mqtt://${cloud.mqtt}`, { clientId: 'T-1' });
  const accepted = new Promise<void>((done) => client.on('message', (topic) => topic.endsWith('/accepted') && done()));
  await client.subscribeAsync('$aws/things/T-1/shadow/update/+');
  await client.publishAsync('$aws/things/T-1/shadow/update', JSON.stringify({ state: { reported: { kept: true } } }));
  await accepted;
  await cloud.stop('SIGKILL');
  await client.endAsync(true);

  const again = await startCloud(folder);
  const reader = await connectAsync(`mqtt://${again.mqtt}`, { clientId: 'T-1' });
  const got: JsonObject[] = [];
  reader.on('message', (_, payload) => got.push(JSON.parse(payload.toString()) as JsonObject));
  await reader.subscribeAsync('$aws/things/T-1/shadow/get/+');
  await reader.publishAsync('$aws/things/T-1/shadow/get', '');
  await eventually(
    async () => got.length,
    (count) => count > 0,
  );
  assert.equal(got[0]['state'], { reported: { kept: true } });
  assert.equal(await getJson(`${again.url}/healthz`), { status: 'ok' });
  await reader.endAsync(true);
  assert.is(await again.stop(), 130);
  removeFolder(folder);
});

shadows.run();
