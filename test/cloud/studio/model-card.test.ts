import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exportModel } from '../../../cloud/studio/export.ts';
import { modelCard, sparkline } from '../../../cloud/studio/model-card.ts';
import type { FaultFigures, OverallFigures } from '../../../cloud/studio/evaluate/figures.ts';
import { withEvaluation } from '../../../cloud/studio/model-card-evaluation.ts';
import { trainFolds } from '../../../cloud/studio/train-folds.ts';
import { planTraining } from '../../../cloud/studio/train-plan.ts';
import { createRng } from '../../../twins/rng.ts';
import { waves } from '../../kit/waves.ts';

const card = suite('model card');

async function trained() {
  const prepared = waves();
  const plan = planTraining({ hidden: [6], epochs: 3 });
  const training = (await trainFolds(prepared, { rng: createRng(9), plan }))!;
  const options = { name: 'waves', version: '1.2.3', sequence: 1, fleet: 'test', lineage: {}, digest: () => 'abc' };
  const { manifest, network } = exportModel(prepared, training, options);
  return { manifest, plan, seed: 9, training, windows: { training: 90, heldOut: 30 }, networkBytes: network.length };
}

card('tells data, network, course, thresholds and limits, the same for the same facts', async () => {
  const facts = await trained();
  const text = modelCard(facts);

  for (const part of [
    '# waves 1.2.3',
    '| source, SHA-256 | `waves` |',
    '| windows to train on | 90 |',
    '| f0 | f0 | value | 0 | 1 |',
    '| kind | `dense`: 2×20 → 6 → 40 |',
    '| parameters | 526 |',
    '| multiplications a window | 480 |',
    '| seed | 9 |',
    '3 of at most 3, patience 8; the 3rd was the best',
    `| 3 | ${facts.training.history[2].trainingLoss.toFixed(5)} | ${facts.training.history[2].heldOutLoss.toFixed(5)} |`,
    `| f1 | ${facts.manifest.thresholds[1].mae.toFixed(4)} |`,
    'Not evaluated yet',
    'It sees `f0`, `f1` and nothing else',
  ])
    assert.ok(text.includes(part), `${part} is not in:\n${text}`);
  assert.is(modelCard(facts), text);
});

card('takes the figures of an evaluation when there are some', async () => {
  const overall: OverallFigures = {
    aucPrSevere: 0.91,
    aucPrMild: 0.63,
    aucPrHeldOut: 0.87,
    recallSevere: 0.8,
    falseAlarmsPerTurbineWeek: 0.4,
    delayMedianS: 25,
    care: 0.78,
    attribution: null,
  };
  const fault: FaultFigures = {
    fault: 'bearing-wear',
    severity: 0.3,
    aucPr: 0.6,
    prevalence: 0.1,
    recall: 0.5,
    delayMedianS: 61.4,
    delayP95S: null,
    attribution: 1,
    falseAlarmsPerTurbineWeek: 0,
    care: null,
    windows: 900,
    episodes: 3,
    undetected: 0,
  };
  const controls = { random: { ...overall, aucPrSevere: 0.1 } };
  const evaluation = { faults: [fault], overall, controls, seeds: [1000, 1001, 1002], normalTurbineHours: 120 };
  const facts = await trained();
  const text = modelCard({ ...facts, evaluation });

  assert.is(withEvaluation(modelCard(facts), evaluation), text);
  assert.is(withEvaluation(text, evaluation), text);
  assert.throws(() => withEvaluation('# another card', evaluation), /has no section/);
  assert.match(text, /On 3 labelled fleets of twins \(seeds 1000 to 1002\) with 120 normal turbine-hours/);
  assert.match(text, /\| this model \| 0\.91 \| 0\.63 \| 0\.87 \| 0\.80 \| 0\.40 \| 25 s \| 0\.78 \| – \|/);
  assert.match(text, /\| random \| 0\.10 \|/);
  assert.match(text, /\| bearing-wear \| 0\.3 \| 0\.60 \| 0\.10 \| 0\.50 \| 61 s \| – \| 1\.00 \|/);
});

card('draws a curve in one line, whatever its length', () => {
  assert.is(sparkline([1, 0.1, 0.01]), '█▅▁');
  assert.is(sparkline([0.5]), '▁');
  assert.is([...sparkline(Array.from({ length: 200 }, (_, i) => 1 / (i + 1)))].length, 60);
});

card.run();
