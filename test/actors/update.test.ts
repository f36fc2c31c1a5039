import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryWorld } from '../kit/memory-world.ts';
import { newerPackage } from '../kit/packages.ts';

const update = suite('update');

type World = Awaited<ReturnType<typeof memoryWorld>>;

/** Hands a package to one turbine by a job whose digest is the package's, or another. */
async function orderPackage(world: World, bytes: Uint8Array, sha256?: string) {
  const key = 'windturbine-anomaly/windturbine-anomaly-2.0.0.tar.gz';
  const head = await world.objects.put('windfleet-sagemaker-models', key, bytes);
  const document = {
    type: 'new_model',
    model_name: 'windturbine-anomaly',
    model_version: '2.0.0',
    model_package_bucket: head.bucket,
    model_package_key: key,
    sha256: sha256 ?? head.sha256,
  };
  await world.jobs.create({ jobId: 'j-1', things: ['T-001'], targets: ['T-001'], document });
}

const outcome = async (world: World) => (await world.jobs.executions('j-1'))[0];
const modelOf = (world: World) => world.view.turbine('T-001')?.model;

update('reports SUCCEEDED only after the new model judges', async () => {
  const world = await memoryWorld({ twins: 1 });
  await world.clock.run(30_000);

  await orderPackage(world, newerPackage(world.key).bytes);
  await world.clock.run(120_000);

  const { status, statusDetails } = await outcome(world);
  assert.is(status, 'SUCCEEDED');
  assert.match(statusDetails['info'], 'canary decided by live windows (3)');
  const order = world.events.events
    .filter(({ kind, what }) => (kind === 'model' && what['model'] === 'windturbine-anomaly@2.0.0') || what['status'] === 'SUCCEEDED')
    .map(({ kind }) => kind);
  assert.equal(order, ['model', 'job']);
  assert.is(modelOf(world), 'windturbine-anomaly@2.0.0');
  await world.close();
});

const refusals: readonly { readonly name: string; readonly reason: RegExp; readonly order: (world: World) => Promise<void> }[] = [
  {
    name: 'a package whose digest differs',
    reason: /sha256 differs/,
    order: (world) => orderPackage(world, newerPackage(world.key).bytes, 'a'.repeat(64)),
  },
  { name: 'a package of a stranger', reason: /no trusted key/, order: (world) => orderPackage(world, newerPackage(generateKey()).bytes) },
  { name: 'a package that is none', reason: /no whole gzip/, order: (world) => orderPackage(world, Buffer.from('not a package')) },
  {
    name: 'a package with a flipped bit',
    reason: /gzip|signed|checksum|breaks off|JSON/,
    order: (world) => {
      const { bytes } = newerPackage(world.key);
      const bad = Uint8Array.from(bytes);
      bad[Math.floor(bad.length / 2)] ^= 1;
      return orderPackage(world, bad);
    },
  },
  {
    name: 'a model for another machine',
    reason: /it is for nrel-5mw/,
    order: (world) => orderPackage(world, newerPackage(world.key, (m) => ({ ...m, machine: 'nrel-5mw' })).bytes),
  },
  {
    name: 'a model that has expired',
    reason: /expired/,
    order: (world) => orderPackage(world, newerPackage(world.key, (m) => ({ ...m, expires: '2025-01-01T00:00:00Z' })).bytes),
  },
  {
    name: 'a sequence that does not grow',
    reason: /sequence 1 is not above/,
    order: (world) => orderPackage(world, newerPackage(world.key, (m) => ({ ...m, sequence: 1 })).bytes),
  },
  {
    name: 'a model whose golden answers are off',
    reason: /golden sample/,
    order: (world) => orderPackage(world, newerPackage(world.key, (m) => ({ ...m, golden: { ...m.golden, tolerance: 1e-12 } })).bytes),
  },
  {
    name: 'a model that alarms where the old one does not',
    reason: /canary: it calls 3 of 3 windows anomalous/,
    order: (world) =>
      orderPackage(
        world,
        newerPackage(world.key, (m) => ({
          ...m,
          signal: {
            ...m.signal,
            features: m.signal.features.map((f) => (f.name === 'voltage_by_wind' ? { ...f, mean: f.mean + 100 } : f)),
          },
        })).bytes,
      ),
  },
  {
    name: 'an order without its fields',
    reason: /model_version[\s\S]*model_package_bucket|model_package_bucket[\s\S]*model_version/,
    order: async (world) => {
      await world.jobs.create({
        jobId: 'j-1',
        things: ['T-001'],
        targets: ['T-001'],
        document: { type: 'new_model', model_name: 'windturbine-anomaly' },
      });
    },
  },
  {
    name: 'an object that is not there',
    reason: /no object/,
    order: async (world) => {
      const document = {
        type: 'new_model',
        model_name: 'windturbine-anomaly',
        model_version: '2.0.0',
        model_package_bucket: 'windfleet-sagemaker-models',
        model_package_key: 'gone',
        sha256: 'b'.repeat(64),
      };
      await world.jobs.create({ jobId: 'j-1', things: ['T-001'], targets: ['T-001'], document });
    },
  },
];

for (const { name, reason, order } of refusals) {
  update(`ends FAILED with the reason, and the old model goes on: ${name}`, async () => {
    const world = await memoryWorld({ twins: 1 });
    await world.clock.run(30_000);
    const before = world.fleet.windows();

    await order(world);
    await world.clock.run(90_000);

    const { status, statusDetails } = await outcome(world);
    assert.is(status, 'FAILED');
    assert.match(statusDetails['info'], reason);
    assert.is(modelOf(world), 'windturbine-anomaly@1.0.0');
    assert.is(world.fleet.windows() - before, 12); // 60 s of windows, none lost
    assert.is(world.view.turbine('T-001')?.state, 'inferring.healthy');
    await world.close();
  });
}

update('goes on from where a broken download ended', async () => {
  const asked: number[] = [];
  let breaks = 1;
  const flaky = (objects: ObjectStore): ObjectStore => ({
    ...objects,
    async *get(bucket, key, options = {}) {
      asked.push(options.from ?? 0);
      for await (const chunk of objects.get(bucket, key, options)) {
        yield chunk;
        if (breaks-- > 0) throw new Error('connection reset');
      }
    },
  });
  const world = await memoryWorld({ twins: 1, decorate: { objects: flaky } });
  await world.clock.run(30_000);

  await orderPackage(world, newerPackage(world.key).bytes);
  await world.clock.run(120_000);

  assert.is((await outcome(world)).status, 'SUCCEEDED');
  assert.equal(asked, [0, 65_536]);
  await world.close();
});

update('a turbine that stands still is judged by the windows of its last minutes', async () => {
  const world = await memoryWorld({ twins: 1 });
  await world.clock.run(60_000);
  await world.command('T-001', { command: 'stop' });
  await world.clock.run(90_000);
  assert.is(world.view.turbine('T-001')?.state, 'idle');

  await orderPackage(world, newerPackage(world.key).bytes);
  await world.clock.run(100_000);

  const { status, statusDetails } = await outcome(world);
  assert.is(status, 'SUCCEEDED');
  assert.match(statusDetails['info'], 'decided by stored windows');
  await world.close();
});

update.run();
