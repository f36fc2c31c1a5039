/** Models: packages on disk and what a data folder has published. */
import type { Command } from 'commander';
import type { Io } from '../print.ts';
import type { CatalogueFlags } from './model-catalogue.ts';
import type { CompileFlags, PackFlags } from './model-compile.ts';
import type { VerifyFlags } from './model-verify.ts';

export function addModelCommands(program: Command, io: Io): void {
  const model = program.command('model').description('Model packages and the catalogue.');
  model
    .command('verify')
    .description(
      'Whether a package is whole, signed by a trusted key, in date and newer than what is published, and what it says it is; names the first thing wrong and exits 6 when not.',
    )
    .argument('<package>', 'a .tar.gz')
    .option('--data <folder>', 'whose keys are trusted, and whose catalogue has what is published', '.windfleet')
    .option('--after <sequence>', 'what a device has installed: the package must be above it (default: the newest that is published)')
    .option('--at <date>', 'whether it expires by then (default: now)')
    .option('--json')
    .addHelpText(
      'after',
      `
Trusted are the data folder's own key and every public one in keys/trusted/*.pem.

Examples:
  windfleet model verify windturbine-anomaly-1.1.0.tar.gz
  windfleet model verify pkg.tar.gz --data /var/lib/windfleet --after 4 --at 2027-01-31`,
    )
    .action(async (file: string, flags: VerifyFlags) => (await import('./model-verify.ts')).verifyFile(file, flags, io));
  sourceOptions(
    model
      .command('pack')
      .description('Signs a model into a package: a folder with its manifest, network and golden samples, or a bare ONNX file.')
      .argument('<source>', 'a folder, or an ONNX file from anywhere'),
  )
    .option('--out <folder>', 'where the package goes', '.')
    .option('--expires <date>', 'after which no device installs it, as 2027-01-31 (default: as its manifest says, or never)')
    .option('--json')
    .addHelpText(
      'after',
      `\nA bare ONNX ends in \`scores\` [N, features], or in a reconstruction of its input, to which the scores are added; its batch is freed.
What else it needs comes from --prepared, from --like, or from a starter (or the original) whose windows have its shape.

Examples:\n  windfleet model pack trained --out packages\n  windfleet model pack autoencoder.onnx --name from-pytorch --version 1.0.0 --prepared prepared`,
    )
    .action(async (source: string, flags: PackFlags) => (await import('./model-compile.ts')).packFile(source, flags, io));
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
  published(model.command('publish').argument('<package>'), {
    about: 'Puts a package into a data folder’s catalogue; a version never changes once it is there.',
    examples: ['model publish windturbine-anomaly-2.0.0.tar.gz', 'model publish pkg.tar.gz --data /var/lib/windfleet'],
  }).action(async (file: string, flags: CatalogueFlags) => (await import('./model-catalogue.ts')).publishFile(file, flags, io));
  asked(model.command('list'), {
    about: 'What a data folder has published.',
    examples: ['model list', 'model list --json'],
  }).action(async (flags: CatalogueFlags) => (await import('./model-catalogue.ts')).listModels(flags, io));
  asked(model.command('show').argument('<model>', 'name@version or name@alias'), {
    about: 'One model with its lineage: data → training run → model → jobs → devices, and what runs it now.',
    examples: ['model show windturbine-anomaly@1.1.0', 'model show windturbine-anomaly@production --json'],
  }).action(async (id: string, flags: CatalogueFlags) => (await import('./model-catalogue.ts')).showModel(id, flags, io));
  asked(
    model
      .command('alias')
      .argument('[alias]', 'as production; with its model, as windturbine-anomaly@production, its moves are shown')
      .argument('[model]', 'name@version where it points from now on')
      .option('--remove', 'takes the alias away'),
    {
      about: 'A name that moves from version to version, and stands wherever a model is named: windturbine-anomaly@production.',
      examples: ['model alias production windturbine-anomaly@1.1.0', 'model alias'],
    },
  ).action(async (alias: string | undefined, id: string | undefined, flags: CatalogueFlags & { readonly remove?: boolean }) =>
    (await import('./model-catalogue.ts')).aliasModel(alias, id, flags, io),
  );
  published(
    model
      .command('grant-rollback')
      .argument('<model>', 'the older one: name@version or name@alias')
      .requiredOption('--to <group>', 'a turbine or a group; farm is every turbine')
      .option('--for <duration>', 'how long it holds', '1d'),
    {
      about: 'Signs leave for a group to go back to an older model, and lays it where devices fetch it. A deployment names it in its job.',
      examples: [
        'model grant-rollback windturbine-anomaly@1.0.0 --to farm',
        'model grant-rollback windturbine-anomaly@1.0.0 --to T-003 --for 2h',
      ],
    },
  ).action(async (id: string, flags: CatalogueFlags & { readonly to: string; readonly for: string }) =>
    (await import('./model-catalogue.ts')).grantRollback(id, flags, io),
  );
}

/** A command of a data folder's catalogue. */
const published = (command: Command, { about, examples }: { readonly about: string; readonly examples: readonly string[] }): Command =>
  command
    .description(about)
    .option('--data <folder>', 'whose catalogue', '.windfleet')
    .option('--json')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  windfleet ${example}`).join('\n')}`);

/** The same, of a farm elsewhere too. */
const asked = (command: Command, texts: Parameters<typeof published>[1]): Command =>
  published(command, texts).option('--cloud <url>', 'a farm’s console to ask (default: the one that runs on the data folder, if one does)');

/** What `pack` and `compile` are told of a model. */
const sourceOptions = (command: Command): Command =>
  command
    .option('--name <name>', 'the model’s; of a folder: another than its manifest says')
    .option('--version <version>', 'SemVer, as 1.2.3')
    .option('--sequence <n>', 'grows with every release; a device installs only what is above its own')
    .option('--like <model>', 'whose signal, thresholds and machine a bare ONNX takes: N@V, a folder, a package or a manifest.json')
    .option('--prepared <folder>', 'what `data prepare` left: held-out windows to find thresholds and losses from')
    .option('--data <folder>', 'whose key signs and is trusted, and whose catalogue --like reads', '.windfleet');
