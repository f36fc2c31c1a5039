/** Models: packages on disk and what a data folder has published. */
import type { Command } from 'commander';
import { reasonOf, FileInvalid } from '../../../actors/contracts/errors.ts';
import { type Io, printFacts, table } from '../print.ts';

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
        () => `${manifest.name}@${manifest.version} is whole and signed; sequence ${manifest.sequence}, for ${manifest.machine}`,
      );
    });
  model
    .command('pack')
    .description('Signs a trained model (a folder with manifest.json, its network and its golden samples) into a package.')
    .argument('<folder>')
    .option('--out <folder>', 'where the package goes', '.')
    .option('--data <folder>', 'whose key signs', '.windfleet')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet model pack cloud/models/starter/windturbine-anomaly-1.1.0\n  windfleet model pack trained --out packages',
    )
    .action(async (folder: string, { out, data }: { out: string; data: string }) => {
      const [{ writeFile }, { join }, { openKey }, { readArtefacts }, { packModel }] = await Promise.all([
        import('node:fs/promises'),
        import('node:path'),
        import('../../models/keys.ts'),
        import('../../models/starter.ts'),
        import('../../../actors/package/package.ts'),
      ]);
      const { bytes, name, sha256 } = packModel(readArtefacts(folder), openKey(data).privateKey);
      await writeFile(join(out, name), bytes);
      io.out(`${join(out, name)}  ${bytes.length} bytes  sha256 ${sha256}`);
    });
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
