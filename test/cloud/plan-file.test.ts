import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { planFaults } from '../../actors/fleet/rollout/plan.ts';
import { readPlanFile } from '../../cloud/rollouts/plan-file.ts';
import { parseWindow } from '../../cloud/rollouts/window.ts';

const plan = suite('a rollout plan in a file');

function read(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-plan-'));
  const file = join(folder, 'plan.yaml');
  try {
    writeFileSync(file, text);
    return readPlanFile(file, (wishes) => planFaults(wishes, parseWindow));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

plan('is YAML or JSON, in the words of the command line', () => {
  const wishes = { waves: ['10%', 20], soak: 120_000, budgetKw: 500, window: 'below 4 m/s' };
  assert.equal(read('waves: [10%, 20]\nsoak: 2m\nbudgetKw: 500\nwindow: below 4 m/s\n').wishes, wishes);
  assert.equal(read('{"waves": ["10%", 20], "soak": "2m", "budgetKw": 500, "window": "below 4 m/s"}').wishes, wishes);
});

const wrong: readonly (readonly [string, readonly RegExp[]])[] = [
  ['waves: [10%]\nbudgetkw: 5\n', [/:2:1: there is no budgetkw in a plan\. Did you mean budgetKw\?/]],
  ['waves: [10%\nsoak: 2m\n', [/:2:1: Flow sequence/]],
  ['soak: x\nlongestWait: 5\n', [/:1:7: soak: is no duration/, /:2:14: longestWait: /]],
  ['waves: [0%, 50%, 20%]\nwindow: night\n', [/:1:9: waves: 0% /, /:1:18: waves: 20% is not more than 50%/, /:2:9: window: /]],
  ['waves: [110%, 1.5]\nminWindows: 0\n', [/:1:9: waves: 110% /, /:1:15: waves: 1\.5 /, /:2:13: minWindows: /]],
  ['- a\n', [/:1:1: a plan holds waves, soak/]],
  ['', [/:1:1: a plan holds waves, soak/]],
];

for (const [text, says] of wrong)
  plan(`${JSON.stringify(text)} is refused with every fault at its place`, () => {
    assert.throws(
      () => read(text),
      (error: unknown) => error instanceof FileInvalid && says.every((one) => one.test(error.message)),
    );
  });

plan('that is not there is refused with its name', () => {
  assert.throws(
    () => readPlanFile('/nowhere/plan.yaml', () => []),
    (error: unknown) => error instanceof FileInvalid && /^\/nowhere\/plan\.yaml:1:1: is no rollout plan: ENOENT/.test(error.message),
  );
});

plan.run();
