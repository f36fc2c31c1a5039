/** The data folder's signing key, and the keys that it trusts. */
import type { Command } from 'commander';
import { type Io, printFacts } from '../print.ts';

interface KeyFlags {
  readonly data: string;
  readonly json?: boolean;
}

export function addKeysCommands(program: Command, io: Io): void {
  const keys = program.command('keys').description('The key that signs a data folder’s packages, and those that it trusts.');
  const command = (name: string, about: string, more = '') =>
    keys
      .command(name)
      .description(about)
      .option('--data <folder>', 'where', '.windfleet')
      .option('--json')
      .addHelpText('after', `${more}\nExamples:\n  windfleet keys ${name}\n  windfleet keys ${name} --data /var/lib/windfleet`);

  command('init', 'Makes the Ed25519 key of a data folder; one that is there is never overwritten.').action(
    async ({ data, json = false }: KeyFlags) => {
      const { initKey, publicFile, trustedFolder } = await import('../../models/keys.ts');
      const { keyId } = await import('../../../actors/package/dsse.ts');
      const fingerprint = keyId(initKey(data).publicKey);
      const facts = { fingerprint, publicKey: publicFile(data), trusted: trustedFolder(data) };
      printFacts(io, json, facts, () =>
        [
          `key ${fingerprint}`,
          `  its public half is ${facts.publicKey}: whoever puts it into keys/trusted trusts your packages`,
          `  other public keys that packages may be signed with go to ${facts.trusted}/*.pem`,
          '  a new key, with the packages of this one still trusted: windfleet keys rotate',
        ].join('\n'),
      );
    },
  );
  command('list', 'The keys whose packages are trusted, the data folder’s own first.').action(async ({ data, json = false }: KeyFlags) => {
    const { publicPem, trustedKeys } = await import('../../models/keys.ts');
    const { keyId } = await import('../../../actors/package/dsse.ts');
    const list = trustedKeys(data).map((key) => ({ fingerprint: keyId(key), pem: publicPem(key) }));
    printFacts(io, json, list, () =>
      list.length === 0 ? `${data} trusts no key: windfleet keys init` : list.map(({ fingerprint }) => `key ${fingerprint}`).join('\n'),
    );
  });
  command(
    'rotate',
    'Makes a new key. What the old one signed stays trusted: its public half goes to keys/trusted.',
    `
A farm that runs on the folder takes the new key at its next start. An edge device or an agent elsewhere trusts packages of the
new key once its signing.pub.pem is among the keys there. When nothing of the old key is installed any more, remove it from keys/trusted.
`,
  ).action(async ({ data, json = false }: KeyFlags) => {
    const { publicFile, rotateKey, trustedFolder } = await import('../../models/keys.ts');
    const { keyId } = await import('../../../actors/package/dsse.ts');
    const { key, before } = rotateKey(data);
    const facts = { fingerprint: keyId(key.publicKey), before: keyId(before), publicKey: publicFile(data), trusted: trustedFolder(data) };
    printFacts(
      io,
      json,
      facts,
      () => `key ${facts.fingerprint}\n  ${facts.before.slice(0, 16)}, the one before, stays trusted in ${facts.trusted}`,
    );
  });
}
