import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, removeFolder, scratchFolder, startFarm } from '../kit/farm-process.ts';
import { packageRoot } from '../kit/package-root.ts';
import { has } from '../kit/programs.ts';

const browser = suite('browser');

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Until an expression is true in the page. The page's own policy forbids the evaluation that Playwright's waiting does. */
const holds = (page: Page, expression: string) =>
  eventually(
    async () => ((await page.evaluate(expression)) === true ? 'yes' : expression),
    (answer) => answer === 'yes',
  );

browser('sees five turbines turn, injects a fault, sees the alarm, deploys a model and sees it SUCCEEDED on all five', async () => {
  if (!has('chromium', 'chromium')) return;
  const data = scratchFolder();
  const farm = await startFarm(data, ['--speed', '4x']);
  const chrome = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  try {
    const page = await chrome.newPage({ viewport: { width: 1280, height: 900 } });
    const complaints: string[] = [];
    const elsewhere: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('request', (request) => !request.url().startsWith(farm.url) && elsewhere.push(request.url()));
    await page.goto(farm.url);

    await holds(
      page,
      "document.querySelectorAll('[data-testid=turbine-card]').length === 5 && [...document.querySelectorAll('[data-testid=turbine-card]')].every((card) => Number(card.dataset.rps) > 0)",
    );
    await holds(
      page,
      "[...document.querySelectorAll('[data-testid=turbine-state]')].every((state) => state.textContent === 'inferring · healthy')",
    );

    const history = [0.5, 0.2, 0.1].map((loss, i) => ({ epoch: i + 1, trainingLoss: loss, heldOutLoss: 0.9 * loss }));
    const facts = { model: 'windturbine-anomaly@2.0.0', machine: 'desk-turbine', network: 'dense', state: 'running', fold: null };
    const course = { epoch: 4, epochs: 20, share: 0.2, windowsPerSecond: 5_000, secondsLeft: 30, history };
    await fetch(`${farm.url}/api/trainings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'shown', ...facts, ...course }),
    });
    await holds(page, "document.querySelector('[data-testid=training][data-state=running] canvas') !== null");

    await page.getByTestId('model-select').selectOption('windturbine-anomaly@1.1.0');
    await page.getByTestId('deploy-button').click();
    await holds(page, "document.querySelectorAll('[data-testid=execution][data-status=SUCCEEDED]').length === 5");
    await holds(page, "/^Installed 5, accepted [0-5]/.test(document.querySelector('[data-testid=standing]')?.textContent ?? '')");
    assert.is(await page.getByTestId('job-row').getAttribute('data-status'), 'SUCCEEDED');
    await holds(page, "[...document.querySelectorAll('[data-testid=turbine-card]')].every((card) => card.textContent.includes('@1.1.0'))");

    await page.locator('[data-thing="T-002"][data-testid="turbine-card"]').click();
    await page.getByTestId('fault-select').selectOption('voltage-sag');
    await page.getByTestId('inject-button').click();
    await page.locator('[data-testid="alarm-row"][data-thing="T-002"]').first().waitFor({ timeout: 60_000 });
    await holds(page, "document.querySelector('[data-testid=statechart]').dataset.state === 'inferring.suspect'");
    await page.locator('[data-testid="transitions"]').getByText('inferring.suspect').first().waitFor();
    await holds(
      page,
      "['detected-anomalies', 'anomalies-over-time', 'rotation-average', 'voltage-average', 'vibration-average', 'anomaly-count'].every((id) => document.querySelector('[data-testid=dashboard][data-id=' + id + ']:not([data-rows=\"0\"]) canvas') !== null)",
    );
    await page.getByTestId('dashboard-thing').selectOption('T-003');
    await holds(page, "document.querySelector('[data-id=detected-anomalies]').textContent.includes('No window of T-003 was anomalous')");
    await page.emulateMedia({ colorScheme: 'light' });
    await holds(page, "getComputedStyle(document.body).backgroundColor === 'rgb(238, 243, 246)'");
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByTestId('dashboard-thing').selectOption('');
    await holds(page, "document.querySelector('[data-id=detected-anomalies] canvas') !== null");
    if (process.env['WINDFLEET_SCREENSHOT'] === '1') await page.screenshot({ path: join(packageRoot(), 'test/browser/console.png') });

    assert.equal(complaints, []);
    assert.equal(elsewhere, []);
  } finally {
    await chrome.close();
    assert.is(await farm.stop(), 130);
    removeFolder(data);
  }
});

browser.run();
