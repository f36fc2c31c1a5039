/** Models: packages on disk and what a data folder has published. */
import type { Command } from 'commander';
import { reasonOf, FileInvalid } from '../../../actors/contracts/errors.ts';
import { type Io, printFacts, table } from '../print.ts';
import type { CompileFlags } from './model-compile.ts';
import type { SourceFlags } from './model-source.ts';

export function addModelCommands(program: Command, io: Io): void {
  const model = program.command('model').description('Model packages and the catalogue.');
  model
    .command('verify')
    .description('Whether a package is whole, signed by this data folder’s key, and says what it is; exits 6 when not.')
    .argument('<package>', 'a .tar.gz')
    .option('--data <folder>', 'whose key is trusted', '.windfleet')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet model verify windturbine-anomaly-1.1.0.tar.gz\n  windfleet model verify pkg.tar.gz --data /var/lib/windfleet',
    )
    .action(async (file: string, { data, json = false }: { data: string; json?: boolean }) => {
      const { openKey } = await import('../../models/keys.ts');
      const { openModel } = await import('../../../actors/package/package.ts');
      const { manifest } = openModel(await readBytes(file), { trustedKeys: [openKey(data).publicKey] });
      printFacts(
        io,
        json,
        manifest,
        () =>
          `${manifest.name}@${manifest.version} is whole and signed; sequence ${manifest.sequence}, for ${manifest.machine}${manifest.target === 'any' ? '' : `, compiled for ${manifest.target}`}`,
      );
    });
  sourceOptions(
    model
      .command('pack')
      .description('Signs a model into a package: a folder with its manifest, network and golden samples, or a bare ONNX file.')
      .argument('<source>', 'a folder, or an ONNX file from anywhere'),
  )
    .option('--out <folder>', 'where the package goes', '.')
    .option('--json')
    .addHelpText(
      'after',
      `\nA bare ONNX ends in \`scores\` [N, features], or in a reconstruction of its input, to which the scores are added; its batch is freed.
What else it needs comes from --prepared, from --like, or from a starter (or the original) whose windows have its shape.

Examples:\n  windfleet model pack trained --out packages\n  windfleet model pack autoencoder.onnx --name from-pytorch --version 1.0.0 --prepared prepared`,
    )
    .action(async (source: string, flags: SourceFlags & { readonly out: string; readonly json?: boolean }) =>
      (await import('./model-compile.ts')).packFile(source, flags, io),
    );
  sourceOptions(
    model
      .command('compile')
      .description(
        'Optimises a model’s graph for a named processor, proves on the golden samples that its answers stay, and names the target.',
      )
      .argument('<source>', 'an ONNX file, a model’s folder or a package')
      .requiredOption('--target <processor>', 'x64 or arm64; devices of another refuse it'),
  )
    .option('--int8', 'weights in int8, with the loss that this costs')
    .option('--evaluate <a-b>', 'seeds of labelled fleets to measure the loss of detection on, as `windfleet evaluate` does')
    .option('--out <folder>', 'where the compiled model goes (default: NAME-VERSION-TARGET)')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet model compile trained --target arm64 --out for-jetson\n  windfleet model compile trained/compiled.onnx --target x64 --int8 --prepared prepared',
    )
    .action(async (source: string, flags: CompileFlags) => (await import('./model-compile.ts')).compileFile(source, flags, io));
  model
    .command('publish')
    .description('Puts a package into a data folder’s catalogue; a version never changes once it is there.')
    .argument('<package>')
    .option('--data <folder>', 'whose catalogue', '.windfleet')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet model publish windturbine-anomaly-2.0.0.tar.gz\n  windfleet model publish pkg.tar.gz --data /var/lib/windfleet',
    )
    .action(async (file: string, { data }: { data: string }) => {
      const published = await (await openCatalogue(data)).publish(await readBytes(file));
      io.out(`${published.name}@${published.version} is published  sha256 ${published.sha256}`);
    });
  model
    .command('list')
    .description('What a data folder has published.')
    .option('--data <folder>', 'whose catalogue', '.windfleet')
    .option('--json')
    .addHelpText('after', '\nExamples:\n  windfleet model list\n  windfleet model list --json')
    .action(async ({ data, json = false }: { data: string; json?: boolean }) => {
      const list = await (await openCatalogue(data)).list();
      printFacts(io, json, list, () =>
        table(
          ['model', 'version', 'bytes', 'sha256'],
          list.map(({ name, version, bytes, sha256 }) => [name, version, String(bytes), sha256.slice(0, 16)]),
        ),
      );
    });
  program
    .command('keys')
    .description('The data folder’s signing key.')
    .command('init')
    .description('Makes the key if there is none.')
    .option('--data <folder>', 'where', '.windfleet')
    .addHelpText('after', '\nExamples:\n  windfleet keys init\n  windfleet keys init --data /var/lib/windfleet')
    .action(async ({ data }: { data: string }) => {
      const { openKey } = await import('../../models/keys.ts');
      const { keyId } = await import('../../../actors/package/dsse.ts');
      io.out(`key ${keyId(openKey(data).publicKey)}`);
    });
}

/** What `pack` and `compile` are told of a model. */
const sourceOptions = (command: Command): Command =>
  command
    .option('--name <name>', 'the model’s; of a folder: another than its manifest says')
    .option('--version <version>', 'SemVer, as 1.2.3')
    .option('--sequence <n>', 'grows with every release; a device installs only what is above its own')
    .option('--like <model>', 'whose signal, thresholds and machine a bare ONNX takes: N@V, a folder, a package or a manifest.json')
    .option('--prepared <folder>', 'what `data prepare` left: held-out windows to find thresholds and losses from')
    .option('--data <folder>', 'whose key signs and is trusted, and whose catalogue --like reads', '.windfleet');

async function openCatalogue(data: string) {
  const [{ join }, { createCatalogue }, { openKey }, { diskObjects }] = await Promise.all([
    import('node:path'),
    import('../../models/catalogue.ts'),
    import('../../models/keys.ts'),
    import('../../objects/disk.ts'),
  ]);
  return createCatalogue(diskObjects(join(data, 'objects')), [openKey(data).publicKey]);
}

async function readBytes(file: string): Promise<Uint8Array> {
  const { readFile } = await import('node:fs/promises');
  return readFile(file).catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
}
