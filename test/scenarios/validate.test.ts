import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid, type FleetError, NotFound, UsageError } from '../../actors/contracts/errors.ts';
import { loadStory } from '../../scenarios/load.ts';
import { CLI, removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';
import { packageRoot } from '../kit/package-root.ts';

const validate = suite('scenario validate');

const folder = scratchFolder();
const file = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const STORY = `about: two quiet minutes
seed: 1
duration: 2m
fleet: [{ twins: 2, like: desk-turbine }]
wind: { meanMps: 1.6, turbulenceIntensity: 0.18 }
timeline:
  - { at: 1m, fault: bearing-wear, on: T-001, id: wear }
expect:
  - { that: noAlarm, butOn: wear }
`;

validate('stories that can be played, from the library, YAML, JSON and modules, exit with 0', async () => {
  const yaml = file('good.yaml', STORY);
  const json = file(
    'good.json',
    JSON.stringify({ about: 'x', seed: 1, duration: '1m', fleet: [{ twins: 1, like: 'desk-turbine' }], timeline: [], expect: [] }),
  );
  const module = file(
    'good.mjs',
    `export default { about: 'x', seed: 1, duration: '1m', fleet: [{ twins: 1, like: 'nrel-5mw' }], timeline: [], expect: [] };`,
  );
  const example = join(packageRoot(import.meta.dirname), 'scenarios/examples/first-story.yaml');

  const { code, out, err } = await runCli(['scenario', 'validate', yaml, json, module, 'bearing-wear', example]);

  assert.is(code, 0, err);
  assert.match(out, `ok  ${yaml}: 2 turbines, 2m, 1 step, 1 expectation\n`);
  assert.is(out.trim().split('\n').length, 5);
});

validate('every fault of every file is named by line and column, and the exit code is 3', async () => {
  const one = file('one.yaml', STORY.replace('bearing-wear', 'bearing-ware').replace('at: 1m', 'at: 3m'));
  const two = file('two.yaml', STORY.replace('seed: 1', 'seed: one'));

  const { code, out, err } = await runCli(['scenario', 'validate', one, file('three.yaml', STORY), two]);

  assert.is(code, 3);
  for (const why of [
    `${one}:7:7 timeline[0].at: 3m is after the story’s end, 2m`,
    `${one}:7:15 timeline[0].fault: no fault bearing-ware. Did you mean bearing-wear?`,
    `${two}:2:1 seed: must be a number, not "one"`,
  ])
    assert.ok(err.includes(why), err);
  assert.match(out, /^ok {2}\S+three\.yaml/);
});

validate('--json is one value, with the place of each fault', async () => {
  const wrong = file('wrong.yaml', STORY.replace('on: T-001', 'on: T-003').replace(', butOn: wear', ''));

  const { code, out, err } = await runCli(['scenario', 'validate', '--json', wrong, 'nothing-like-it', 'calm-day']);

  assert.is(code, 3);
  assert.is(err, '');
  const [first, second, third] = JSON.parse(out) as {
    valid: boolean;
    faults: { file: string; line: number | null; column: number; message: string }[];
  }[];
  assert.equal([first.valid, second.valid, third.valid], [false, false, true]);
  assert.equal(first.faults, [{ file: wrong, line: 7, column: 36, message: 'timeline[0].on: no turbine T-003. Did you mean T-001?' }]);
  assert.is(second.faults[0].line, null);
  assert.match(second.faults[0].message, 'no story nothing-like-it');
});

validate('a story comes from the standard input too', async () => {
  const ask = (text: string) =>
    new Promise<{ code: number | null; err: string }>((done) => {
      const child = spawn(process.execPath, [CLI, 'scenario', 'validate', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
      let err = '';
      child.stderr.on('data', (chunk) => (err += chunk));
      child.on('close', (code) => done({ code, err }));
      child.stdin.end(text);
    });

  assert.is((await ask(STORY)).code, 0);
  const wrong = await ask('about: x\n');
  assert.is(wrong.code, 3);
  assert.match(wrong.err, '<stdin>:1:1 seed: is missing');
  assert.is((await runCli(['scenario', 'validate', '-', '-'])).code, 2);
});

validate('a file of 100 MB is refused without being read', async () => {
  const path = file('large.yaml', STORY);
  truncateSync(path, 100_000_000);

  const { code, err } = await runCli(['scenario', 'validate', path]);

  assert.is(code, 3);
  assert.match(err, `${path}:1:1 is larger than 1 MB`);
});

const UNREADABLE: readonly (readonly [what: string, path: () => string, kind: new (message: string) => FleetError, why: RegExp])[] = [
  ['no such file', () => join(folder, 'none.yaml'), FileInvalid, /none\.yaml cannot be read: ENOENT/],
  ['a folder', () => mkdirSync(join(folder, 'a.yaml'), { recursive: true }) as string, FileInvalid, /a\.yaml cannot be read: EISDIR/],
  ['no text', () => file('bytes.yaml', Buffer.from([0x61, 0x3a, 0x20, 0x0a, 0x62, 0xff, 0xfe])), FileInvalid, /bytes\.yaml:2:2 is no text/],
  ['UTF-16', () => file('utf16.yaml', Buffer.from(`\uFEFF${STORY}`, 'utf16le')), FileInvalid, /utf16\.yaml:1:1 is no text/],
  ['another kind of file', () => file('story.txt', STORY), UsageError, /story\.txt is no story: its name ends with none of/],
  [
    'a module without a default export',
    () => file('none.mjs', 'export const story = 1;'),
    FileInvalid,
    /none\.mjs:1:1 has no default export/,
  ],
  [
    'a module that does not parse',
    () => file('broken.mjs', 'export default {'),
    FileInvalid,
    /broken\.mjs cannot be imported: Unexpected end of input/,
  ],
  [
    'a module that throws',
    () => file('throws.mjs', '\nthrow new Error("later");'),
    FileInvalid,
    /throws\.mjs cannot be imported: later \(line 2\)/,
  ],
  ['a module of something else', () => file('seven.mjs', 'export default 7;'), FileInvalid, /seven\.mjs:1:1 the story: must be an entry/],
  [
    'a module that holds itself',
    () => file('self.mjs', 'const a = {}; a.fleet = a; export default a;'),
    FileInvalid,
    /self\.mjs:1:1 about: is missing/,
  ],
  ['no story of the library', () => 'bearing-ware', NotFound, /no story bearing-ware\. Did you mean bearing-wear\?/],
];
for (const [what, path, kind, why] of UNREADABLE)
  validate(`is refused with its mend: ${what}`, async () => {
    await loadStory(path()).then(
      () => assert.unreachable(),
      (error: unknown) => {
        assert.instance(error, kind);
        assert.match((error as Error).message, why);
        assert.ok((error as FleetError).hint);
      },
    );
  });

validate('a module’s faults are placed where their words stand in its text', async () => {
  const path = file(
    'placed.mjs',
    `export default {
  about: 'x', seed: 1, duration: '5m',
  fleet: [{ twins: 1, like: 'desk-turbine' }],
  timeline: [{ at: '1m', fault: 'bearing-wear', on: 'T-001' }, { at: '9m', command: 'reset', on: 'T-001' }],
  expect: [
    { that: 'alarm', on: 'T-001', within: '2m' },
    { that: 'alarm', on: 'T-002', within: '2m' },
  ],
};
`,
  );

  const { err } = await runCli(['scenario', 'validate', path]);

  assert.match(err, `${path}:4:76 timeline[1].at: 9m is after`);
  assert.match(err, `${path}:7:7 expect[1].on: no turbine T-002`);
});

validate('TypeScript is imported where Node can, else the mend is said', async () => {
  const path = file(
    'typed.ts',
    `const story: object = { about: 'x', seed: 1, duration: '1m', fleet: [{ twins: 1, like: 'desk-turbine' }], timeline: [], expect: [] };\nexport default story;\n`,
  );
  const result = await runCli(['scenario', 'validate', path]);

  if ((process.features as { typescript?: string | false }).typescript) assert.is(result.code, 0, result.err);
  else {
    assert.is(result.code, 3);
    assert.match(result.err, /cannot import TypeScript\n.*compile it/);
  }
});

validate('the files that a story names lie beside it, wherever it is validated from', async () => {
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  writeFileSync(join(inner, 'wind.csv'), 't,windMps\n0,1.5\n60,1.7\n120,1.6\n');
  writeFileSync(join(inner, 'my.yaml'), 'name: my-desk\nlike: desk-turbine\n');
  execFileSync(process.execPath, [CLI, 'data', 'record', '--turbines', '1', '--for', '5s', '--out', join(inner, 'rec.csv')]);
  writeFileSync(
    join(inner, 'story.yaml'),
    STORY.replace('like: desk-turbine', 'like: my.yaml')
      .replace('[{ twins: 2', '[{ replay: rec.csv }, { twins: 2')
      .replace('0.18 }', '0.18, file: wind.csv }'),
  );

  const clash = await runCli(['scenario', 'validate', join(inner, 'story.yaml')]);

  assert.is(clash.code, 3);
  assert.match(clash.err, 'there are two turbines T-001'); // the recording's is called so too: both files were found
  assert.not.match(clash.err, 'cannot be read');
  copyFileSync(join(inner, 'story.yaml'), join(folder, 'astray.yaml'));
  assert.match(
    (await runCli(['scenario', 'validate', join(folder, 'astray.yaml')])).err,
    /astray\.yaml:4:\d+ fleet\[0\]\.replay: \S*rec\.csv cannot be read/,
  );
});

validate('the list is a story a line, its name first', async () => {
  const { out } = await runCli(['scenario', 'list']);
  const names = (JSON.parse((await runCli(['scenario', 'list', '--json'])).out) as { name: string }[]).map(({ name }) => name);

  assert.equal(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(/\s/, 1)[0]),
    names,
  );
  for (const name of ['calm-day', 'bearing-wear']) assert.ok(names.includes(name));
});

validate('the schema and the faults of the world are printed', async () => {
  const schema = JSON.parse((await runCli(['scenario', 'schema'])).out) as { title: string };
  const faults = JSON.parse((await runCli(['scenario', 'faults', '--json'])).out) as { name: string }[];

  assert.match(schema.title, 'story');
  for (const name of ['i2c-nack', 'link-partition', 'broker-restart', 'model-deaf', 'power-cut'])
    assert.ok(faults.some((fault) => fault.name === name));
  assert.match((await runCli(['scenario', 'faults'])).out, /link-latency +turbine +latencyMs=500ms/);
});

validate.after(() => removeFolder(folder));

validate.run();
