import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { childProver } from '../../actors/inference/proof/prover.ts';
import { gateSeries, isWanted, seriesText } from '../kit/gate-series.ts';
import { gateTrial, jobTrial } from '../kit/rollout-gate.ts';

const gate = suite('the gate of a rollout to forty turbines');

const prover = childProver();
const SEED = 700; // the long lane plays seeds from 5 000 on

for (const spoiled of ['model-wrong-statistics', null])
  gate(`${spoiled ?? 'a good model'}: ${spoiled === null ? 'reaches every turbine' : 'stays within the canary wave'}`, async () => {
    const lines = await gateSeries(spoiled, [SEED], { isBeside: () => false });
    assert.ok(lines.every(isWanted), lines[0].gate.reason);
    assert.match(seriesText('it', lines), /median exposure \d+\.\d turbine-minutes/);
  });

gate('a model that cries more: the gate halts it, what devices say of their own jobs does not', async () => {
  const plan = { spoiled: 'model-trigger-happy', seed: SEED, prover };
  const [gated, plain] = [await gateTrial(plan), await jobTrial(plan)];

  assert.equal([gated.status, gated.isContained], ['HALTED', true], gated.reason);
  assert.equal([plain.status === 'CANCELED', plain.isContained], [false, false]);
  assert.ok(gated.exposureMinutes < 30 && plain.exposureMinutes > 300, `${gated.exposureMinutes} against ${plain.exposureMinutes}`);
});

gate.run();
