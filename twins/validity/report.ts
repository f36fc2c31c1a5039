/** The validity report: every check of a machine in one HTML file that needs nothing else. */
import type { TwinMachine } from '../library/machines.ts';
import { createRng } from '../rng.ts';
import { type Check, hasPassed } from './check.ts';
import { deskChecks } from './desk-checks.ts';
import { drawPlot, escapeText } from './draw.ts';
import { betzCheck, steadyChecks, stepCheck } from './steady-checks.ts';
import { energyOfYearCheck } from './iea37-case.ts';
import { gustCheck, turbulenceChecks, wakeChecks } from './wind-checks.ts';

const SEED = 4;

/** All checks that hold for a machine; FLORIS' wakes are those of the NREL 5-MW alone. */
export function checksOf(machine: TwinMachine): Check[] {
  if (machine.kind === 'fixed-pitch') return deskChecks(machine, createRng(SEED));
  return [
    ...steadyChecks(machine),
    betzCheck(machine),
    stepCheck(machine),
    gustCheck(machine),
    ...turbulenceChecks(machine.parameters.hubHeightM, createRng(SEED)),
    ...(machine.name === 'nrel-5mw' ? [...wakeChecks(machine), energyOfYearCheck()] : []),
  ];
}

export function reportHtml(sections: readonly { readonly machine: TwinMachine; readonly checks: readonly Check[] }[]): string {
  const failed = sections.flatMap(({ checks }) => checks).filter((check) => !hasPassed(check)).length;
  const all = sections.flatMap(({ checks }) => checks).length;
  const body = sections
    .map(({ machine, checks }) => `<h2>${escapeText(machine.name)}</h2><p>${escapeText(machine.about)}</p>${checks.map(section).join('')}`)
    .join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>windfleet: validity of the twins</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #d5dce3}
article{margin:1.5rem 0}h3{margin:0;font-size:1.05rem}.ok{color:#17734a}.bad{color:#b3261e}
small{color:#5b6875}.plots{display:flex;flex-wrap:wrap;gap:1rem;margin-top:.5rem}svg{background:#fafbfc;border:1px solid #e3e8ed;border-radius:6px}
</style></head><body>
<h1>Validity of the twins</h1>
<p class="${failed === 0 ? 'ok' : 'bad'}"><b>${all - failed} of ${all} checks hold.</b></p>
${body}
</body></html>
`;
}

function section(check: Check): string {
  const passed = hasPassed(check);
  return `<article><h3><span class="${passed ? 'ok' : 'bad'}">${passed ? '✓' : '✗'}</span> ${escapeText(check.name)}</h3>
<div>${verdict(check)} <small>· ${escapeText(check.source)}</small></div>
<div class="plots">${check.plots.map(drawPlot).join('')}</div></article>`;
}

function verdict({ deviation, allowed, unit, isLimit = false }: Check): string {
  const got = `${figure(deviation)} ${escapeText(unit)}`;
  return isLimit ? `reaches ${got}; the limit is ${figure(allowed)}` : `off by ${got}, ${figure(allowed)} allowed`;
}

export const figure = (value: number): string =>
  Math.abs(value) >= 1e-3 || value === 0 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
