/** A fleet of desk turbines that has run for a while, and models that are spoiled before they are deployed. */
import type { ModelId } from '../../actors/contracts/ids.ts';
import type { Deployment, RolloutWishes } from '../../actors/contracts/deployments.ts';
import { openModel, packModel, type ModelContents } from '../../actors/package/package.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryWorld } from './memory-world.ts';

export type RolloutWorld = Awaited<ReturnType<typeof memoryWorld>>;

export const GOOD: ModelId = 'windturbine-anomaly@1.1.0';

/** A version 1.2.0, made of 1.1.0 and well signed. */
export async function publishSpoiled(world: RolloutWorld, spoil: (contents: ModelContents) => ModelContents): Promise<ModelId> {
  const good = openModel(await world.catalogue.read(GOOD), { trustedKeys: world.cloud.trustedKeys });
  const contents = spoil({ manifest: { ...good.manifest, version: '1.2.0', sequence: 3 }, network: good.network, golden: good.golden });
  await world.catalogue.publish(packModel(contents, world.key.privateKey).bytes);
  return 'windturbine-anomaly@1.2.0';
}

export async function rolloutWorld({ seed = 7, twins = 20 } = {}): Promise<RolloutWorld> {
  const world = await memoryWorld({ seed, twins, key: generateKey() });
  await world.clock.run(120_000);
  return world;
}

export const roll = (world: RolloutWorld, model: ModelId, wishes: RolloutWishes = { waves: ['20%', '100%'] }): Promise<Deployment> =>
  world.deployments.deploy({ model, to: 'farm', ...wishes });

/** Runs until it is settled, or until `atMost`. */
export async function settled(world: RolloutWorld, id: string, atMost: number): Promise<Deployment> {
  for (;;) {
    const shown = await world.deployments.show(id);
    if ((shown.rollout?.isSettled ?? true) || shown.status === 'PAUSED' || world.clock.now() >= atMost) return shown;
    await world.clock.run(world.clock.now() + 10_000);
  }
}

export const modelsOf = (world: RolloutWorld): readonly (string | null)[] =>
  world.things.map((thing) => world.view.turbine(thing)?.model ?? null);
