import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isoDate } from '../../actors/contracts/clock.ts';
import type { RollbackGrant } from '../../actors/contracts/model.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { printJobDocument } from '../../actors/package/job-document.ts';
import { grantKey, signGrant } from '../../actors/package/rollback-grant.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryWorld } from '../kit/memory-world.ts';

const down = suite('the way down');

type World = Awaited<ReturnType<typeof memoryWorld>>;

/** A turbine that runs 1.1.0, in the group row-a. */
async function updatedWorld(): Promise<World> {
  const world = await memoryWorld({ twins: 1 });
  await world.registry.createGroup({ name: 'park' });
  await world.registry.createGroup({ name: 'row-a', parent: 'park' });
  await world.registry.createGroup({ name: 'row-b' });
  await world.registry.join('T-001', 'row-a');
  await world.clock.run(30_000);
  await order(world, 'up', 'windturbine-anomaly@1.1.0');
  await world.clock.run(110_000);
  assert.is(world.view.turbine('T-001')?.model, 'windturbine-anomaly@1.1.0');
  return world;
}

async function order(world: World, jobId: string, id: string, key?: string): Promise<void> {
  const { name, version, bucket, key: packageKey, sha256 } = await world.catalogue.show(id);
  const document = printJobDocument({ name, version, bucket, key: packageKey, sha256, ...(key === undefined ? {} : { grantKey: key }) });
  await world.jobs.create({ jobId, things: ['T-001'], targets: ['T-001'], document });
}

async function grantFor(world: World, change: Partial<RollbackGrant> = {}): Promise<RollbackGrant> {
  const { name, version, sha256, manifest } = await world.catalogue.describe('windturbine-anomaly@1.0.0');
  const [issuedAt, expires] = [isoDate(world.clock), isoDate(world.clock, world.clock.now() + 3_600_000)];
  return {
    schema: 'windfleet.rollback-grant/v1',
    name,
    version,
    sequence: manifest.sequence,
    sha256,
    group: 'row-a',
    issuedAt,
    expires,
    ...change,
  };
}

const last = async (world: World, jobId: string) => (await world.jobs.executions(jobId))[0];

down('is open with a grant for the device, or a group that it is in', async () => {
  const world = await updatedWorld();
  for (const group of ['row-a', 'T-001', 'farm', 'park']) {
    const key = await signed(world, { group });
    await order(world, `back-${group}`, 'windturbine-anomaly@1.0.0', key);
    await world.clock.run(world.clock.now() + 30_000);

    const { status, statusDetails } = await last(world, `back-${group}`);
    assert.is(status, 'SUCCEEDED', statusDetails['info']);
    assert.match(statusDetails['info'], /signed grant/);
    assert.is(world.view.turbine('T-001')?.model, 'windturbine-anomaly@1.0.0');

    await order(world, `again-${group}`, 'windturbine-anomaly@1.0.0', key); // where it is already: nothing is left to do
    await world.clock.run(world.clock.now() + 10_000);
    assert.is((await last(world, `again-${group}`)).status, 'SUCCEEDED');
    await order(world, `up-${group}`, 'windturbine-anomaly@1.1.0');
    await world.clock.run(world.clock.now() + 60_000);
    assert.is(world.view.turbine('T-001')?.model, 'windturbine-anomaly@1.1.0', 'the way up stays open');
  }
  await world.close();
});

const closed: readonly { readonly name: string; readonly reason: RegExp; readonly grant: (world: World) => Promise<string | undefined> }[] =
  [
    { name: 'without a grant', reason: /not newer than the installed/, grant: async () => undefined },
    { name: 'with a grant that is not there', reason: /there is no rollback grant/, grant: async () => 'grants/none.json' },
    {
      name: 'with a stranger’s grant',
      reason: /no trusted key/,
      grant: async (world) => put(world, await grantFor(world), signGrant(await grantFor(world), generateKey().privateKey)),
    },
    {
      name: 'with a grant for another group',
      reason: /for row-b, not T-001, farm, row-a, park/,
      grant: (world) => signed(world, { group: 'row-b' }),
    },
    {
      name: 'with a grant for another version',
      reason: /it is for windturbine-anomaly@0.9.0/,
      grant: (world) => signed(world, { version: '0.9.0' }),
    },
    { name: 'with a grant for another package', reason: /SHA-256 differs/, grant: (world) => signed(world, { sha256: 'a'.repeat(64) }) },
    { name: 'with a grant for another sequence', reason: /sequence 7/, grant: (world) => signed(world, { sequence: 7 }) },
    {
      name: 'with a grant that has ended',
      reason: /it ended at/,
      grant: (world) => signed(world, { issuedAt: isoDate(world.clock, 0), expires: isoDate(world.clock, 1_000) }),
    },
    {
      name: 'with a grant of many bytes',
      reason: /more than 16384 bytes/,
      grant: async (world) => put(world, await grantFor(world), Buffer.alloc(1_000_000, 0x20)),
    },
  ];

async function put(world: World, grant: RollbackGrant, bytes: Uint8Array): Promise<string> {
  await world.objects.put(MODEL_BUCKET, grantKey(grant), bytes);
  return grantKey(grant);
}

async function signed(world: World, change: Partial<RollbackGrant>): Promise<string> {
  const grant = await grantFor(world, change);
  return put(world, grant, signGrant(grant, world.key.privateKey));
}

down('is closed else: FAILED with the reason, and the model goes on', async () => {
  const world = await updatedWorld();
  for (const [i, { name, reason, grant }] of closed.entries()) {
    await order(world, `back-${i}`, 'windturbine-anomaly@1.0.0', await grant(world));
    await world.clock.run(world.clock.now() + 20_000);

    const { status, statusDetails } = await last(world, `back-${i}`);
    assert.is(status, 'FAILED', name);
    assert.match(statusDetails['info'], reason);
    assert.is(world.view.turbine('T-001')?.model, 'windturbine-anomaly@1.1.0');
  }
  await world.close();
});

down.run();
