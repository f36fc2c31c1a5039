import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import type { Engine } from '../../actors/contracts/inference.ts';
import { keptEngine } from '../../actors/inference/kept.ts';
import { starter } from '../kit/packages.ts';

const sessions = suite('kept sessions');

const { manifest, network, golden } = starter();
const model = (version: string) => ({ ...manifest, version });

/** Tells what was opened and closed. */
function countingEngine(): Engine & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    async load({ version }) {
      told.push(`open ${version}`);
      if (version === '9.9.9') throw new ModelRejected('m', 'no number');
      return { model: version, predict: async () => {}, close: async () => void told.push(`close ${version}`) };
    },
  };
}

sessions('the same network is loaded once, and stays when nobody uses it', async () => {
  const engine = countingEngine();
  const kept = keptEngine(engine, 1);
  for (let world = 0; world < 3; world++) {
    const inference = await kept.load(model('1.0.0'), network, golden);
    await inference.close();
    await inference.close(); // counts once
  }
  assert.equal(engine.told, ['open 1.0.0']);
  await kept.close();
  assert.equal(engine.told, ['open 1.0.0', 'close 1.0.0']);
});

sessions('of too many idle ones the one used longest ago goes; none that is in use', async () => {
  const engine = countingEngine();
  const kept = keptEngine(engine, 1);
  const used = await kept.load(model('1.0.0'), network, golden);
  for (const version of ['2.0.0', '3.0.0', '4.0.0']) await (await kept.load(model(version), network, golden)).close();
  assert.equal(
    engine.told.filter((line) => line.startsWith('close')),
    ['close 2.0.0', 'close 3.0.0'],
  );
  await used.close();
  assert.equal(engine.told.filter((line) => line.startsWith('close')).length, 3);
});

sessions('a refusal is not kept', async () => {
  const engine = countingEngine();
  const kept = keptEngine(engine, 4);
  for (let times = 0; times < 2; times++)
    await kept.load(model('9.9.9'), network, golden).then(
      () => assert.unreachable(),
      (error: unknown) => assert.instance(error, ModelRejected),
    );
  assert.equal(engine.told, ['open 9.9.9', 'open 9.9.9']);
  await kept.close();
});

sessions.run();
