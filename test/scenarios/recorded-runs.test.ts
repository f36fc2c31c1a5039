import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../kit/package-root.ts';

const runs = suite('recorded runs: diff, fork, reports');
const folder = mkdtempSync(join(tmpdir(), 'windfleet-runs-'));
runs.after(() => rmSync(folder, { recursive: true }));

const windfleet = (...words: string[]) => windfleetAt('silent', ...words);

/** @param level of the log; undefined: none is asked for */
function windfleetAt(level: string | undefined, ...words: string[]) {
  const { WINDFLEET_LOG: _, ...environment } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(packageRoot(import.meta.dirname), 'dist/cloud/cli/main.js'), ...words],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment, ...(level === undefined ? {} : { WINDFLEET_LOG: level }), NO_COLOR: '1' },
    },
  );
  return { status, stdout, stderr };
}

const STORY = `about: The voltage of one of two sags.
seed: 4
duration: 3m
fleet: [{ twins: 2, like: desk-turbine }]
wind: { meanMps: 1.6, turbulenceIntensity: 0.18 }
timeline:
  - { at: 90s, fault: voltage-sag, on: T-002, severity: 0.8, id: sag }
expect:
  - { that: alarm, on: T-002, after: sag, within: 60s }
  - { that: noAlarm, on: T-001 }
`;

runs.before(() => {
  writeFileSync(join(folder, 'sag.yaml'), STORY);
  writeFileSync(join(folder, 'wrong.yaml'), `${STORY}  - { that: state, on: T-001, is: idle, at: end }\n`);
  const { status, stderr } = windfleet('scenario', 'run', 'sag.yaml', '--out', 'parent');
  assert.is(status, 0, stderr);
});

const digestOf = (text: string) => /digest: ([0-9a-f]{64})/.exec(text)?.[1];

runs('a fork that changes nothing has its parent’s digest, from any instant', () => {
  const { digest } = JSON.parse(readFileSync(join(folder, 'parent/summary.json'), 'utf8')) as { digest: string };
  for (const at of ['0s', '95s', '3m']) {
    const { status, stdout } = windfleet('scenario', 'fork', 'parent', '--at', at);
    assert.is(status, 0);
    assert.is(digestOf(stdout), digest, at);
  }
});

runs('a lower threshold from an instant on changes nothing before it, and the difference is named', () => {
  const { status, stdout } = windfleet('scenario', 'fork', 'parent', '--at', '1m', '--set', 'threshold=0.2', '--out', 'low', '--json');
  assert.is(status, 0);
  const { parent, fork, same } = JSON.parse(stdout) as {
    parent: { figures: { alarms: number } };
    fork: { figures: { alarms: number } };
    same: boolean;
  };
  assert.not.ok(same);
  assert.ok(fork.figures.alarms > parent.figures.alarms, JSON.stringify({ parent, fork }));
  const diff = windfleet('scenario', 'diff', 'parent', 'low', '--json');
  assert.is(diff.status, 99);
  const { difference } = JSON.parse(diff.stdout) as { difference: { a: { at: number }; b: { at: number; kind: string } } };
  assert.ok(difference.b.at >= 60_000 && difference.a.at >= 60_000, diff.stdout);
  assert.match(windfleet('scenario', 'diff', 'parent', 'low').stdout, /event \d+ differs:\n[\s\S]* {2}A [\s\S]* {2}B 1m/);
  assert.is(windfleet('scenario', 'diff', 'parent', 'parent').status, 0);
});

runs('another model from an instant on is deployed, and the exposure tells it', () => {
  const { status, stdout } = windfleet('scenario', 'fork', 'parent', '--at', '30s', '--set', 'model=windturbine-anomaly@1.1.0', '--json');
  assert.is(status, 0);
  const { fork } = JSON.parse(stdout) as { fork: { figures: { exposure: Record<string, number> } } };
  assert.ok(fork.figures.exposure['windturbine-anomaly@1.1.0'] > 1, stdout);
});

runs('what is no run, was changed, or cannot be forked is named, and nothing is started', () => {
  const says = (words: string[], code: number, text: RegExp) => {
    const { status, stderr } = windfleet('scenario', ...words);
    assert.is(status, code, `${words.join(' ')}: ${stderr}`);
    assert.match(stderr, text);
  };
  says(['diff', 'parent', 'nowhere'], 3, /nowhere is no run/);
  says(['fork', 'parent', '--at', 'noon'], 2, /--at noon is no instant/);
  says(['fork', 'parent', '--at', '4m'], 2, /before --at|after the story/);
  says(['fork', 'parent', '--at', '1m', '--set', 'treshold=1'], 2, /Did you mean threshold\?/);
  says(['fork', 'parent', '--at', '1m', '--set', 'threshold=-1'], 2, /must be a number above 0/);
  says(['fork', 'parent', '--at', '1m', '--set', 'threshold=1', '--set', 'threshold=2'], 2, /said twice/);
  says(['fork', 'parent', '--at', '1m', '--set', 'model=windturbine'], 2, /is no model/);
  says(['fork', 'parent', '--at', '1m', '--set', 'plan=nowhere.yaml'], 3, /nowhere\.yaml:1:1: is no rollout plan/);
  says(['fork', 'parent', '--at', '1m', '--workers', '0'], 2, /--workers 0/);
  says(['run', 'sag.yaml', '--report', 'xml=a'], 2, /no format "xml"/);
  assert.is(windfleet('scenario', 'run', 'sag.yaml', '--out', 'changed').status, 0);
  appendFileSync(join(folder, 'changed/events.jsonl'), '{"at":1,"kind":"state","of":"T-001","what":{},"after":"x"}\n');
  says(['diff', 'parent', 'changed'], 3, /the log has been changed/);
});

runs('reports are written of what failed and of what held, and the exit code stays', () => {
  const { status } = windfleet('scenario', 'run', 'sag.yaml', 'wrong.yaml', '--report', 'junit=r/j.xml,json=r/r.json,html=r/p.html');
  assert.is(status, 99);
  const told = JSON.parse(readFileSync(join(folder, 'r/r.json'), 'utf8')) as {
    name: string;
    passed: boolean;
    expectations: { passed: boolean; where: string; look: string }[];
  }[];
  assert.equal(
    told.map(({ passed }) => passed),
    [true, false],
  );
  const failed = told[1].expectations.filter(({ passed }) => !passed);
  assert.is(failed.length, 1);
  assert.match(failed[0].where, /wrong\.yaml:11/);
  assert.match(failed[0].look, /--until \d/);
  assert.match(readFileSync(join(folder, 'r/j.xml'), 'utf8'), /tests="3" failures="1"/);
  const page = readFileSync(join(folder, 'r/p.html'), 'utf8');
  assert.ok(page.length < 2_000_000 && page.includes('rotor speed') && page.includes('wrong.yaml:11'));
});

runs('a story’s run tells of what it does in its event log alone, unless more is asked for', () => {
  writeFileSync(
    join(folder, 'rollout.yaml'),
    `about: A model is rolled out.
seed: 4
duration: 2m
fleet: [{ twins: 1, like: desk-turbine }]
wind: { meanMps: 1.6, turbulenceIntensity: 0.18 }
timeline: [{ at: 30s, deploy: windturbine-anomaly@1.1.0, id: new }]
expect: [{ that: job, of: new, is: SUCCEEDED, within: 85s }]
`,
  );
  const run = (level: string | undefined) => windfleetAt(level, 'scenario', 'run', 'rollout.yaml');

  const [usual, asked, odd] = [run(undefined), run('info'), run('loud')];

  assert.is(usual.status, 0, usual.stdout);
  assert.not.match(usual.stderr, '"level"');
  assert.match(asked.stderr, '"msg":"rollout"');
  assert.is(digestOf(asked.stdout), digestOf(usual.stdout));
  assert.is(odd.status, 2);
  assert.match(odd.stderr, 'WINDFLEET_LOG=loud');
});

runs.run();
