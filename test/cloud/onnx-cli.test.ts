import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GoldenSamples, ModelManifest } from '../../actors/contracts/model.ts';
import { addModelCommands } from '../../cloud/cli/commands/model.ts';
import { printError } from '../../cloud/cli/print.ts';
import type { CompileReport } from '../../cloud/studio/compile.ts';
import { readArtefacts } from '../../cloud/models/starter.ts';
import { writePrepared } from '../../cloud/studio/files.ts';
import { createRng } from '../../twins/rng.ts';
import { removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';
import { writeForeignOnnx } from '../kit/foreign-onnx.ts';
import { modelAround } from '../kit/network-model.ts';
import { packageRoot } from '../kit/package-root.ts';
import { hasPython } from '../kit/programs.ts';
import { mixedNetwork, seedNetwork } from '../kit/reference-network.ts';

const command = suite('model pack and compile');

const folder = scratchFolder();
const data = join(folder, 'data');
const starter = join(packageRoot(), 'cloud/models/starter/windturbine-anomaly-1.1.0');
process.chdir(folder);

/** The command in this process: what it says, and the code that it would end with. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const io = {
    signal: new AbortController().signal,
    isTerminal: false,
    out: (text: string) => {
      said.out += `${text}\n`;
    },
    err: (text: string) => {
      said.err += `${text}\n`;
    },
  };
  const program = new Command('windfleet').version('0').enablePositionalOptions().exitOverride();
  program.configureOutput({ writeErr: io.err });
  addModelCommands(program, io);
  try {
    await program.parseAsync(args, { from: 'user' });
    return { code: 0, ...said };
  } catch (error) {
    const code = error instanceof CommanderError ? 2 : printError(io, error);
    return { code, ...said };
  }
}
const manifestIn = (name: string) => JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')) as ModelManifest;

command('a folder is compiled for a processor, signed, and another processor is not served again', async () => {
  const done = await run('model', 'compile', starter, '--target', 'arm64', '--int8', '--out', 'for-arm', '--json');
  assert.is(done.code, 0, done.err);
  const report = JSON.parse(done.out) as CompileReport;
  assert.is(report.target, 'arm64');
  assert.ok(report.bytes[1] < 0.3 * report.bytes[0] && report.golden.max < 0.05 && report.golden.windows > 0);
  assert.is(manifestIn('for-arm').target, 'arm64');
  const packed = await run('model', 'pack', 'for-arm', '--version', '1.2.0', '--sequence', '7', '--data', data, '--json');
  assert.is(packed.code, 0, packed.err);
  const { file, target } = JSON.parse(packed.out) as { file: string; target: string };
  assert.is(target, 'arm64');
  const verified = JSON.parse((await run('model', 'verify', file, '--data', data, '--json')).out) as ModelManifest;
  assert.equal([verified.version, verified.sequence, verified.network.opset, verified.network.ir], ['1.2.0', 7, 17, 8]);

  const again = await run('model', 'compile', file, '--target', 'x64', '--data', data);
  assert.is(again.code, 6);
  assert.match(again.err, /compiled for arm64 already/);
  assert.is((await run('model', 'compile', starter, '--target', 'sparc')).code, 2);
  assert.is((await run('model', 'compile', starter, '--target', 'x64', '--evaluate', 'some')).code, 2);

  // A folder whose network does not do what its golden samples say is not signed.
  const golden = JSON.parse(readFileSync(join(starter, 'golden.json'), 'utf8')) as GoldenSamples;
  const lies = { ...golden, scores: golden.scores.map((scores) => scores.map((score) => score + 0.5)) };
  writeFileSync('for-arm/golden.json', JSON.stringify(lies));
  const lying = await run('model', 'pack', 'for-arm', '--data', data);
  assert.is(lying.code, 6);
  assert.match(lying.err, /golden sample 0/);
  assert.is((await run('model', 'compile', starter)).code, 2);
});

command('a network that lies beside its manifest brings it along', async () => {
  const done = await run('model', 'compile', join(starter, 'compiled.onnx'), '--target', 'x64', '--out', 'beside');
  assert.is(done.code, 0, done.err);
  assert.match(done.out, /windturbine-anomaly@1.1.0 compiled for x64[\s\S]*golden {9}6 windows: scores off by/);
  assert.is(manifestIn('beside').target, 'x64');
});

command('a bare network takes what it lacks from a model whose windows have its shape', async () => {
  copyFileSync(join(starter, 'compiled.onnx'), join(folder, 'bare net.onnx'));
  const nameless = await run('model', 'pack', 'bare net.onnx', '--data', data);
  assert.is(nameless.code, 2);
  assert.match(nameless.err, /--name N --version V/);
  const packed = await run('model', 'pack', 'bare net.onnx', '--name', 'mine', '--version', '3.0.0', '--data', data, '--json');
  assert.is(packed.code, 0, packed.err);
  assert.match(packed.err, /those of windturbine-anomaly@1.1.0/);
  const { file } = JSON.parse(packed.out) as { file: string };
  const published = await run('model', 'publish', file, '--data', data);
  assert.is(published.code, 0, published.err);
  const like = await run('model', 'pack', 'bare net.onnx', '--name', 'mine', '--version', '3.1.0', '--like', 'mine@3.0.0', '--data', data);
  assert.is(like.code, 0, like.err);
  const compiled = await run('model', 'compile', 'bare net.onnx', '--target', 'x64', '--like', join(starter, 'manifest.json'), '--json');
  assert.is(compiled.code, 0, compiled.err);
  assert.is(manifestIn('bare-net-1.0.0-x64').name, 'bare-net');

  for (const [args, code, reason] of [
    [['--name', 'not a name', '--version', '1.0.0'], 2, /--name not a name is no name/],
    [['--name', 'n', '--version', '1'], 2, /--version 1 is no version/],
    [['--name', 'n', '--version', '1.0.0', '--sequence', '0'], 2, /--sequence 0/],
    [['--name', 'n', '--version', '1.0.0', '--like', 'nobody'], 2, /--like nobody/],
    [['--name', 'n', '--version', '1.0.0', '--like', 'nobody@1.0.0'], 2, /no model nobody@1.0.0 is published/],
    [['--name', 'n', '--version', '1.0.0', '--prepared', 'nowhere'], 3, /nowhere.*cannot be read/],
  ] as const) {
    const wrong = await run('model', 'pack', 'bare net.onnx', '--data', data, ...args);
    assert.is(wrong.code, code, wrong.err);
    assert.match(wrong.err, reason);
  }
});

command('thresholds of a foreign network come from prepared windows', async () => {
  const { manifest } = readArtefacts(starter);
  const signal = { ...manifest.signal, features: manifest.signal.features.slice(0, 7) }; // as many as the foreign network has
  const size = signal.features.length * signal.window.samples;
  const rng = createRng(6);
  const windows = (count: number, at: number) => Float32Array.from({ length: count * size }, (_, i) => rng.normal(at + i));
  await writePrepared('prepared', {
    machine: manifest.machine,
    signal,
    source: 'test',
    training: windows(30, 0),
    heldOut: windows(40, 1e6),
  });
  if (!hasPython('onnx', 'python3-onnx')) return;
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign);
  const file = writeForeignOnnx(foreign);

  const done = await run('model', 'compile', file('carried-13.onnx'), '--target', 'x64', '--int8', '--prepared', 'prepared', '--json');
  assert.is(done.code, 0, done.err);
  const { passes, heldOut, nodes } = JSON.parse(done.out) as CompileReport;
  assert.ok(heldOut && heldOut.windows > 0 && heldOut.verdictsChanged < 0.2);
  for (const pass of ['constants stored', 'idle nodes dropped', 'shapes folded', 'normalisations fused', 'biases fused', 'weights in int8'])
    assert.ok(passes[pass] > 0, pass);
  assert.ok(nodes[1] < nodes[0]);
  const { thresholds, lineage } = manifestIn('carried-13-1.0.0-x64');
  assert.ok(thresholds.every(({ mae }) => mae > 0 && mae !== 1));
  assert.is(lineage['producer'], 'pytorch 1.6');

  const original = await run('model', 'pack', file('pytorch-seed.onnx'), '--name', 'seed', '--version', '1.0.0', '--data', data, '--json');
  assert.is(original.code, 0, original.err);
  assert.match(original.err, /those that the original ships/);
  for (const [name, reason] of [
    ['external.onnx', /external.onnx: it keeps tensor data outside the file/],
    ['einsum.onnx', /einsum.onnx: node \d+ \(Einsum\): unknown operator Einsum/],
    ['classifier.onnx', /classifier.onnx: its outputs are y \[N, 3\]/],
  ] as const) {
    const refused = await run('model', 'pack', file(name), '--name', 'n', '--version', '1.0.0', '--data', data);
    assert.is(refused.code, 3);
    assert.match(refused.err, reason);
  }
});

command('what is no network is said with its file: 3', async () => {
  const { network } = modelAround(mixedNetwork(4, 40, createRng(2)));
  writeFileSync(join(folder, 'empty.onnx'), '');
  writeFileSync(join(folder, 'cut.onnx'), network.subarray(0, 1_000));
  writeFileSync(join(folder, 'text.onnx'), 'no network');
  writeFileSync(join(folder, 'huge.onnx'), '');
  truncateSync(join(folder, 'huge.onnx'), 3_000_000_000); // sparse: it takes no room
  writeFileSync(join(folder, 'strange.onnx'), network);
  let asked = 0;
  for (const [file, code, reason] of [
    ['empty.onnx', 3, /empty.onnx: it is empty/],
    ['cut.onnx', 3, /cut.onnx: it is cut short/],
    ['text.onnx', 3, /text.onnx: it is no ONNX/],
    ['huge.onnx', 3, /huge.onnx has 3000000000 bytes; a network may have 134217728/],
    ['gone.onnx', 3, /gone.onnx cannot be read/],
    ['strange.onnx', 2, /reads windows \[N, 4, 40\], as no model here does[\s\S]*--like/],
    ['.', 3, /is no trained model/],
  ] as const) {
    const args = asked++ % 2 === 0 ? ['pack', file, '--name', 'n', '--version', '1.0.0'] : ['compile', file, '--target', 'x64'];
    const refused = await run('model', ...args, '--data', data);
    assert.is(refused.code, code, `${args.join(' ')}: ${refused.err}`);
    assert.match(refused.err, reason);
  }
  const ended = await runCli(['model', 'pack', 'cut.onnx', '--name', 'n', '--version', '1.0.0', '--data', data]);
  assert.is(ended.code, 3);
});

command('the original’s network as it was trained loses its transposed convolutions and a quarter of its work', async () => {
  const { manifest, network, golden } = modelAround(seedNetwork(createRng(3)), 'as-trained');
  mkdirSync(join(folder, 'seed'));
  writeFileSync(join(folder, 'seed/manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'seed/compiled.onnx'), network);
  writeFileSync(join(folder, 'seed/golden.json'), JSON.stringify(golden));
  const done = await run('model', 'compile', 'seed', '--target', 'x64', '--json');
  assert.is(done.code, 0, done.err);
  const { passes, macs, golden: off } = JSON.parse(done.out) as CompileReport;
  assert.is(passes['transposed convolutions made plain'], 3);
  assert.is(passes['crops moved to where values are made'], 1);
  assert.ok(macs[1] < 0.75 * macs[0] && off.max <= 1e-5);
});

command.after(() => {
  process.chdir('/');
  removeFolder(folder);
});
command.run();
