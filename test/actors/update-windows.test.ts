import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk } from '../../actors/contracts/disk.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryWorld } from '../kit/memory-world.ts';
import { newerPackage } from '../kit/packages.ts';

const swaps = suite('update: windows');

type World = Awaited<ReturnType<typeof memoryWorld>>;
type Verdicts = ReadonlyMap<string, readonly { readonly at: number; readonly model: string }[]>;

const HOP_MS = 5_000;
const key = generateKey();

/** The verdicts that the cloud has of each turbine, oldest first. The same window told twice is one here: the count of windows tells. */
async function verdictsOf(world: World): Promise<Verdicts> {
  const all = await world.index.latest('verdicts', { limit: 1_000_000 });
  const of = new Map<string, { at: number; model: string }[]>();
  for (const { thing, at, model, feature } of all)
    if (feature === 'roll')
      // a document a feature
      of.set(thing, [...(of.get(thing) ?? []), { at, model: String(model) }]);
  for (const list of of.values()) list.sort((a, b) => a.at - b.at);
  return of;
}

async function play(workers: number, twins: number, forMs: number, story: (world: World) => void) {
  const world = await memoryWorld({ twins, seed: 4, key, ...(workers > 1 ? { workers } : {}) });
  story(world);
  try {
    await world.clock.run(forMs);
    const jobs = await world.jobs.list();
    const ended = (await Promise.all(jobs.map(({ jobId }) => world.jobs.executions(jobId)))).flat();
    return { verdicts: await verdictsOf(world), windows: world.fleet.windows(), statuses: ended.map(({ status }) => status) };
  } finally {
    await world.close();
  }
}

const at = (world: World, ms: number, act: () => unknown) => world.clock.setTimeout(() => void act(), ms);
const nothing = () => {};

/** Orders a package to each turbine, a second and a bit apart: so they swap at every part of a window. */
async function orderTo(world: World, things: readonly string[], version: string, change: Parameters<typeof newerPackage>[1]) {
  const { bytes, sha256 } = newerPackage(key, change);
  const head = await world.objects.put('windfleet-sagemaker-models', `m-${version}.tar.gz`, bytes);
  for (const [i, thing] of things.entries())
    at(world, 1_350 * i, () =>
      world.jobs.create({
        jobId: `to-${version.replaceAll('.', '-')}-${thing}`,
        things: [thing],
        targets: [thing],
        document: {
          type: 'new_model',
          model_name: 'windturbine-anomaly',
          model_version: version,
          model_package_bucket: head.bucket,
          model_package_key: head.key,
          sha256,
        },
      }),
    );
}

/** The verdicts of each turbine are of the same instants. */
function judgedAlike(expected: Verdicts, got: Verdicts): void {
  const instants = (verdicts: Verdicts, thing: string) => verdicts.get(thing)!.map(({ at: instant }) => instant);
  for (const thing of expected.keys()) assert.equal(instants(got, thing), instants(expected, thing), thing);
}

const twice = (world: World) => {
  const things = world.fleet.things;
  at(world, 60_000, () => orderTo(world, things, '2.0.0', (manifest) => manifest));
  at(world, 160_000, () => orderTo(world, things, '2.1.0', (manifest) => ({ ...manifest, version: '2.1.0', sequence: 11 })));
};

for (const workers of [1, 2])
  swaps(
    `two updates on each of eight turbines, ${workers} thread${workers > 1 ? 's' : ''}: the verdicts are of the same windows as without`,
    async () => {
      const without = await play(workers, 8, 260_000, nothing);
      const withUpdates = await play(workers, 8, 260_000, twice);

      assert.equal(new Set(withUpdates.statuses), new Set(['SUCCEEDED']));
      assert.is(withUpdates.statuses.length, 16);
      assert.is(withUpdates.windows, without.windows);
      let judged = 0;
      for (const [thing, expected] of without.verdicts) {
        const got = withUpdates.verdicts.get(thing)!;
        assert.equal(
          got.map(({ at: instant }) => instant),
          expected.map(({ at: instant }) => instant),
          thing,
        );
        for (let i = 1; i < got.length; i++) assert.is(got[i].at - got[i - 1].at, HOP_MS, `${thing}: a verdict each hop`);
        const models = got.map(({ model }) => model);
        assert.equal([...new Set(models)], ['windturbine-anomaly@1.0.0', 'windturbine-anomaly@2.0.0', 'windturbine-anomaly@2.1.0'], thing);
        judged += got.length;
      }
      assert.ok(judged > 8 * 40, `${judged} windows`);
    },
  );

swaps('a pipeline with a longer memory takes over only when it is full', async () => {
  const settled = (world: World) =>
    at(world, 60_000, () =>
      orderTo(world, world.fleet.things, '2.0.0', (manifest) => ({
        ...manifest,
        signal: { ...manifest.signal, window: { ...manifest.signal.window, settle: manifest.signal.window.settle + 300 } },
      })),
    );
  const without = await play(1, 3, 200_000, nothing);
  const got = await play(1, 3, 200_000, settled);
  assert.equal(got.statuses, ['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  assert.is(got.windows, without.windows);
  judgedAlike(without.verdicts, got.verdicts);
});

swaps('a turbine that stops in the middle of a swap swaps, and loses nothing that it had', async () => {
  const stops = (world: World) => {
    for (const [i, thing] of world.fleet.things.entries()) {
      at(world, 70_000 + 1_500 * i, () => world.command(thing, { command: 'stop' }));
      at(world, 120_000 + 1_500 * i, () => world.command(thing, { command: 'start' }));
    }
  };
  const without = await play(1, 6, 300_000, stops);
  const got = await play(1, 6, 300_000, (world) => {
    twice(world);
    stops(world);
  });
  assert.equal(new Set(got.statuses), new Set(['SUCCEEDED']));
  assert.is(got.windows, without.windows);
  judgedAlike(without.verdicts, got.verdicts);
});

swaps('an update that fails after its canary has passed leaves the windows as they were', async () => {
  const full = new Set<string>();
  const decorate = {
    device: (_: string, own: { readonly disk: Disk }) => ({
      disk: {
        ...own.disk,
        write: (path: string, bytes: Uint8Array) =>
          full.size > 0 && path.startsWith('active.json')
            ? Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }))
            : own.disk.write(path, bytes),
      },
    }),
  };
  const without = await play(1, 3, 200_000, nothing);
  const world = await memoryWorld({ twins: 3, seed: 4, key, decorate });
  full.add('now');
  at(world, 60_000, () => orderTo(world, world.fleet.things, '2.0.0', (manifest) => manifest));
  await world.clock.run(200_000);
  const executions = (await Promise.all((await world.jobs.list()).map(({ jobId }) => world.jobs.executions(jobId)))).flat();
  assert.equal(
    executions.map(({ status, statusDetails }) => [status, statusDetails['code'], statusDetails['stage']]),
    Array.from({ length: 3 }, () => ['FAILED', 'disk.full', 'committing']),
  );
  assert.is(world.fleet.windows(), without.windows);
  const got = await verdictsOf(world);
  for (const [thing, expected] of without.verdicts) assert.equal(got.get(thing), expected, thing);
  await world.close();
});

swaps.run();
