import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EnvironmentLacking, FileInvalid, NotFound, UsageError } from '../../actors/contracts/errors.ts';
import { type FuzzOptions, fuzzStories } from '../../scenarios/fuzz/main.ts';
import { type Broken, type Finding, searchStories } from '../../scenarios/fuzz/search.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import { packageRoot } from '../kit/package-root.ts';

const search = suite('search with random stories');
const folder = mkdtempSync(join(tmpdir(), 'windfleet-fuzz-'));
search.after(() => rmSync(folder, { recursive: true }));

const CLI = join(packageRoot(), 'dist/cloud/cli/main.js');
const options = { cwd: folder, env: { ...process.env, WINDFLEET_LOG: 'silent', NO_COLOR: '1' } };
const fuzz = (...words: string[]) => spawnSync(process.execPath, [CLI, 'scenario', 'fuzz', ...words], { ...options, encoding: 'utf8' });

const story = (seed: number, steps: number): Scenario => ({
  about: 'A story.',
  seed,
  duration: '5m',
  fleet: [{ twins: 1, like: 'desk-turbine' }],
  timeline: Array.from({ length: steps }, (_, i) => ({ at: `${i + 1}m`, command: 'stop', on: 'T-001' })),
  expect: [],
});
const broken = (invariant: string): Broken => ({ invariant, wanted: 'it', got: 'else', at: 1 });

/** Seeds from 3 on break one invariant, multiples of 5 another one, whatever is left of their stories. */
const play = async ({ seed }: Scenario): Promise<readonly Broken[]> => [
  ...(seed >= 3 ? [broken('no-message-lost')] : []),
  ...(seed % 5 === 0 ? [broken('every-job-ends')] : []),
];

async function searched({ lanes = 1, stopAfter = Number.POSITIVE_INFINITY }) {
  const told: Finding[] = [];
  let plays = 0;
  const result = await searchStories({
    first: 1,
    seeds: 10,
    lanes,
    tries: 100,
    draw: (seed) => story(seed, 4),
    play: (one) => {
      plays++;
      return play(one);
    },
    isPlayable: () => true,
    isStopped: () => plays >= stopAfter,
    found: (finding) => told.push(finding),
    progress: () => {},
  });
  return { ...result, told };
}

search('finds each invariant once, by the lowest seed, and makes its story small, however many are played at once', async () => {
  for (const lanes of [1, 3]) {
    const { played, findings } = await searched({ lanes });
    assert.is(played, 10);
    assert.equal(
      findings.map(({ invariant, seed, otherSeeds, isSmallest }) => [invariant, seed, otherSeeds.length, isSmallest]),
      [
        ['no-message-lost', 3, 7, true],
        ['every-job-ends', 5, 1, true],
      ],
    );
    for (const { story: small, invariant } of findings) {
      assert.equal(small.timeline, []);
      assert.equal(small.expect, [{ that: 'invariant', is: invariant }]);
    }
  }
});

search('broken off, it keeps what it has found', async () => {
  const { played, findings, told } = await searched({ stopAfter: 4 });
  assert.is(played, 3);
  assert.equal(
    findings.map(({ seed, isSmallest }) => [seed, isSmallest]),
    [[3, false]],
  );
  assert.ok(told.length >= 1);
});

search('says what is wrong with its words, and begins nothing', async () => {
  const [none, real] = ['none.yaml', 'real.yaml'].map((file) => join(folder, file));
  writeFileSync(none, 'fleet: [');
  writeFileSync(real, 'about: A.\nseed: 1\nduration: 5m\nfleet: [{ serial: /dev/ttyS9, thing: T-9 }]\ntimeline: []\nexpect: []\n');
  const out = join(folder, 'fuzz');
  const cases: readonly (readonly [string | null, Partial<FuzzOptions>, new (...given: never[]) => Error, string])[] = [
    [null, { seeds: '0' }, UsageError, '--seeds 0 is no whole number from 1 to'],
    [null, { seeds: '1e9' }, UsageError, '--seeds 1e9'],
    [null, { budget: 'soon' }, UsageError, '--budget soon is no time'],
    [null, { first: '-1' }, UsageError, '--first -1'],
    [null, { out: '/proc/here' }, EnvironmentLacking, 'cannot be written to /proc/here'],
    ['calm-dya', {}, NotFound, 'Did you mean calm-day?'],
    [none, {}, FileInvalid, 'none.yaml:1:9'],
    [real, {}, UsageError, 'at the real port /dev/ttyS9'],
  ];
  for (const [word, options, kind, said] of cases)
    await fuzzStories(word, { seeds: '5', out, ...options }).then(
      () => assert.unreachable(said),
      (error: unknown) => {
        assert.instance(error, kind);
        assert.match(String(error), said);
      },
    );
  assert.not.ok(readdirSync(folder).includes('fuzz'));
  const { status, stdout, stderr } = fuzz('--seeds', '5', '--out', '/proc/here');
  assert.is(status, 4);
  assert.match(stderr, 'name another folder with --out');
  assert.is(stdout, '');
});

search('with --json it prints one document; told to end, it says so, exits 130 and leaves no empty folder', async () => {
  const { status, stdout, stderr } = fuzz('--seeds', '1', '--json');
  assert.is(status, 0, stderr);
  const { played, failures, stopped } = JSON.parse(stdout) as { played: number; failures: unknown[]; stopped: unknown };
  assert.equal([played, failures, stopped], [1, [], null]);

  const begun = new Promise<void>((made) => {
    const watcher = watch(folder, () => {
      if (!readdirSync(folder).includes('fuzz')) return;
      watcher.close();
      made();
    });
  });
  const child = spawn(process.execPath, [CLI, 'scenario', 'fuzz', '--seeds', '100000'], options);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((gone) => child.on('close', gone));
  await begun;
  child.kill('SIGINT');
  assert.is(await ended, 130);
  assert.match(said, /played \d+ of 100000 seeds.*: broken off, in /);
  assert.not.ok(readdirSync(folder).includes('fuzz'));
});

search.run();
