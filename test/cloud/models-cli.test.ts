import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModelAlias, ModelLineage } from '../../actors/contracts/model.ts';
import { runCli, removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { packageRoot } from '../kit/package-root.ts';
import { doubled, flipped, withFiles } from '../kit/tampered.ts';

interface Shown {
  readonly version: string;
  readonly aliases: readonly string[];
  readonly lineage: ModelLineage;
}

/** Of a lineage, as text or number. */
const [text, number] = [(value: string | number) => String(value), (value: string | number) => Number(value)];

const cli = suite('model commands');

const folder = scratchFolder();
const [data, net] = [join(folder, 'data'), join(folder, 'net.onnx')];
const run = async (...args: string[]) => {
  const done = await runCli([...args, '--data', data], { cwd: folder });
  return { ...done, json: <T = Record<string, string>>() => JSON.parse(done.out) as T };
};
const pack = async (version: string, ...flags: string[]) => {
  const { code, err } = await run('model', 'pack', net, '--name', 'foo', '--version', version, '--out', folder, ...flags);
  assert.is(code, 0, err);
  return join(folder, `foo-${version}.tar.gz`);
};

cli.before(() => {
  copyFileSync(join(packageRoot(), 'cloud/models/starter/windturbine-anomaly-1.1.0/compiled.onnx'), net);
});

cli(
  'keys init makes a key once; a package from a bare ONNX file passes verify; each thing wrong has its own words and exit 6',
  async () => {
    const made = (await run('keys', 'init', '--json')).json();
    assert.match(made['fingerprint'], /^[0-9a-f]{64}$/);
    const pem = readFileSync(join(data, 'keys/signing.pem'), 'utf8');
    assert.is((await run('keys', 'init')).code, 2);
    assert.is((await runCli(['keys', 'init', '--data', join(net, 'x')])).code, 4);
    assert.is(readFileSync(join(data, 'keys/signing.pem'), 'utf8'), pem);

    const file = await pack('1.0.0');
    const verified = (await run('model', 'verify', file, '--json')).json();
    assert.is(verified['name'], 'foo');
    assert.is(verified['signedBy'], made['fingerprint']);
    assert.equal(verified['files'], ['compiled.onnx', 'golden.json', 'manifest.json', 'sagemaker_edge_manifest', 'signature.json']);

    const good = readFileSync(file);
    const move = (files: Map<string, Uint8Array>) => {
      files.set('other.onnx', files.get('compiled.onnx')!);
      files.delete('compiled.onnx');
    };
    const wrong: [string, Uint8Array, RegExp][] = [
      ['flipped', withFiles(good, (files) => files.set('golden.json', flipped(files.get('golden.json')!))), /golden.json is not the file/],
      ['flipped-gzip', flipped(good), /no whole gzip/],
      ['added', withFiles(good, (files) => files.set('more', new Uint8Array(1))), /more is not in the signed statement/],
      ['removed', withFiles(good, (files) => files.delete('golden.json')), /golden.json is signed but missing/],
      ['renamed', withFiles(good, move), /other.onnx is compiled.onnx renamed/],
      ['doubled', doubled(good), /is there twice/],
      ['empty', new Uint8Array(), /no whole gzip/],
    ];
    const words = new Set<string>();
    for (const [name, bytes, reason] of wrong) {
      const path = join(folder, `${name}.tar.gz`);
      writeFileSync(path, bytes);
      const { code, err, out } = await run('model', 'verify', path, '--json');
      assert.is(code, 6, `${name}: ${err}`);
      assert.is(out, '');
      assert.match(err, reason);
      words.add(err);
    }
    assert.is(words.size, wrong.length, 'no two say the same');
    const foreign = await runCli(['model', 'verify', file, '--data', join(folder, 'nobody')]);
    assert.is(foreign.code, 6);
    assert.match(foreign.err, /no trusted key/);
    assert.not(existsSync(join(folder, 'nobody')), 'looking makes no key');
    for (const path of [join(folder, 'gone.tar.gz'), folder, '/dev/null']) assert.is((await run('model', 'verify', path)).code, 3, path);
  },
);

cli('an old sequence, an expired manifest, a version that is there with other bytes: exit 6; a grant is the way down', async () => {
  const first = await pack('1.0.0');
  await run('model', 'publish', first);
  const second = await pack('1.1.0');
  assert.is((await run('model', 'verify', second)).code, 0, 'its sequence is above all that is published');
  assert.is((await run('model', 'publish', second)).code, 0);
  const old = await run('model', 'verify', first);
  assert.is(old.code, 6);
  assert.match(old.err, /foo@1.0.0 has an old sequence, \d+: foo@1.1.0 with \d+ is published/);
  assert.is((await run('model', 'verify', second, '--after', '99')).code, 6);
  assert.is((await run('model', 'verify', first, '--after', '0')).code, 0);

  const late = await pack('1.2.0', '--expires', '2030-01-01');
  assert.is((await run('model', 'verify', late)).code, 0);
  assert.match((await run('model', 'verify', late, '--at', '2030-01-02')).err, /foo@1.2.0 expired at 2030-01-01/);
  const other = await pack('1.1.0', '--sequence', '50');
  assert.match((await run('model', 'verify', other)).err, /published already with other bytes/);
  assert.is((await run('model', 'publish', other)).code, 6);

  const granted = (await run('model', 'grant-rollback', 'foo@1.0.0', '--to', 'row-a', '--for', '2h', '--json')).json();
  assert.is(granted['key'], 'grants/foo/1.0.0/row-a.json');
  assert.is(Date.parse(granted['expires']) - Date.parse(granted['issuedAt']), 7_200_000);
  const allowed = await run('model', 'verify', first);
  assert.is(allowed.code, 0, allowed.err);
  assert.match(allowed.out, /row-a may go down to it until/);
  for (const flags of [
    ['--to', '#'],
    ['--to', 'farm', '--for', 'ever'],
    ['--to', 'farm', '--for', '900d'],
  ])
    assert.is((await run('model', 'grant-rollback', 'foo@1.0.0', ...flags)).code, 2);
});

cli('alias, list and show from the data folder alone', async () => {
  assert.is((await run('model', 'alias', 'production', 'foo@1.0.0')).code, 0);
  assert.match((await run('model', 'alias', 'foo@production', 'foo@1.1.0')).out, /foo@production is foo@1.1.0 now, was foo@1.0.0/);
  assert.equal(
    (await run('model', 'alias', '--json')).json<ModelAlias[]>().map(({ name, alias, version }) => `${name} ${alias} ${version}`),
    ['foo production 1.1.0'],
  );
  const shown = (await run('model', 'show', 'foo@production', '--json')).json<Shown>();
  assert.is(shown.version, '1.1.0');
  assert.is(shown.lineage.training['networkFile'], 'net.onnx');
  const list = (await run('model', 'list', '--json')).json<Shown[]>();
  assert.equal(
    list.map(({ version, aliases }) => [version, aliases]),
    [
      ['1.1.0', ['production']],
      ['1.0.0', []],
    ],
  );
  for (const args of [['1.0.0', 'foo@1.0.0'], ['bar@production', 'foo@1.0.0'], ['x', 'foo@7.7.7'], ['foo@nothing'], ['x y', 'foo@1.0.0']])
    assert.is((await run('model', 'alias', ...args)).code, 2, args.join(' '));
  assert.is((await run('model', 'show', 'foo@nothing')).code, 2);
});

cli('a trained model’s lineage names its data and its run', async () => {
  const [csv, prepared, trained] = ['farm.csv', 'prepared', 'trained'].map((name) => join(folder, name));
  mkdirSync(trained);
  assert.is((await runCli(['data', 'record', '--turbines', '2', '--for', '4m', '--seed', '77', '--out', csv])).code, 0);
  assert.is((await runCli(['data', 'prepare', csv, '--out', prepared])).code, 0);
  const training = await runCli(['train', prepared, '--out', trained, '--epochs', '2', '--seed', '5', '--name', 'mine']);
  assert.is(training.code, 0, training.err);
  assert.is((await run('model', 'pack', trained, '--out', folder)).code, 0);
  assert.is((await run('model', 'publish', join(folder, 'mine-2.0.0.tar.gz'))).code, 0);
  const { lineage } = (await run('model', 'show', 'mine@2.0.0', '--json')).json<Shown>();

  const { data: from, training: by } = lineage;
  assert.is(from['recording'], 'farm.csv');
  assert.is(from['recordingSeed'], 77);
  assert.is(from['turbines'], 2);
  assert.match(text(from['source']), /^[0-9a-f]{64}$/);
  assert.match(text(from['windows']), /^[0-9a-f]{64}$/);
  assert.ok(Date.parse(text(from['recordedTo'])) - Date.parse(text(from['recordedFrom'])) > 230_000);
  assert.ok(number(from['trainingWindows']) > 0 && number(from['heldOutWindows']) > 0);
  assert.is(by['seed'], 5);
  assert.is(by['epochs'], 2);
  assert.ok(number(by['heldOutLoss']) > 0);
  assert.match(text(by['software']), /^windfleet /);
});

cli.after(() => removeFolder(folder));

cli.run();
