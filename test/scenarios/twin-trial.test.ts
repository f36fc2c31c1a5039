import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotFound } from '../../actors/contracts/errors.ts';
import type { Engine } from '../../actors/contracts/inference.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { packModel } from '../../actors/package/package.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { twinTrial } from '../../scenarios/twin-trial.ts';
import { starter } from '../kit/packages.ts';

const trial = suite('models tried on twins');

const [OLD, NEW, FOREIGN] = ['1.0.0', '1.1.0', '9.0.0'].map((version) => `windturbine-anomaly@${version}` as const);

trial('one that nobody trusts finds nothing, each is tried once, and where the old one is unknown nothing is compared', async () => {
  const [own, stranger] = [generateKey(), generateKey()];
  const shelf = new Map<string, Uint8Array>([
    [OLD, packModel(starter('1.0.0'), own.privateKey).bytes],
    [NEW, packModel(starter('1.1.0'), stranger.privateKey).bytes],
  ]);
  let loads = 0;
  const inner = onnxEngine({ arch: process.arch });
  const engine: Engine = {
    load(...given) {
      loads++;
      return inner.load(...given);
    },
  };
  const read = async (model: string) => {
    const bytes = shelf.get(model);
    if (!bytes) throw new NotFound(`no ${model}`);
    return bytes;
  };
  const bench = twinTrial(read, [own.publicKey], { engine, known: new Map() });

  const compared = (await bench.compare('desk-turbine', OLD, NEW))!;
  const again = await bench.compare('desk-turbine', OLD, NEW);

  assert.is(compared.newRecall, 0);
  assert.ok(compared.oldRecall > 0.5 && compared.faults > 10, JSON.stringify(compared));
  assert.equal(again, compared);
  assert.is(loads, 1, 'the old one, once; the other one never');
  assert.is(await bench.compare('desk-turbine', FOREIGN, OLD), null);
});

trial.run();
