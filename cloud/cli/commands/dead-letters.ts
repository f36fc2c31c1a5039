/** `windfleet dead-letters`: what a running cloud could not make a document of. */
import type { Command } from 'commander';
import type { DeadLetter, ReplayResult } from '../../../actors/contracts/dead-letters.ts';
import { UsageError } from '../../../actors/contracts/errors.ts';
import { openApi } from '../api.ts';
import { type Io, printFacts, table } from '../print.ts';

interface Flags {
  readonly cloud: string;
  readonly json?: boolean;
  readonly all?: boolean;
}

type Shown = DeadLetter & { readonly payload: string; readonly encoding: string };

export function addDeadLetterCommands(program: Command, io: Io): void {
  const letters = program
    .command('dead-letters')
    .description('Messages and captures that could not become documents, with the reason: look into them, and try them again.');
  const command = (words: string, about: string, examples: readonly string[]) =>
    letters
      .command(words)
      .description(about)
      .option('--cloud <url>', 'the console of the cloud', process.env['WINDFLEET_CLOUD'] ?? 'http://127.0.0.1:7070')
      .option('--json')
      .addHelpText('after', `\nExamples:\n${examples.map((example) => `  windfleet dead-letters ${example}`).join('\n')}`);

  command('list', 'The newest first.', ['list', 'list --json']).action(async ({ cloud, json = false }: Flags) => {
    const list = await openApi(cloud).get<DeadLetter[]>('/api/dead-letters');
    printFacts(io, json, list, () =>
      list.length === 0
        ? 'no dead letters'
        : table(
            ['id', 'refused at', 'from', 'bytes', 'reason'],
            list.map(({ id, at, source, bytes, reason }) => [
              id,
              new Date(at).toISOString(),
              placeOf(source),
              String(bytes),
              firstLine(reason),
            ]),
          ),
    );
  });
  command('show <id>', 'One of them, with what it was.', ['show 3f2a…', 'show 3f2a… --json']).action(
    async (id: string, { cloud, json = false }: Flags) => {
      const letter = await openApi(cloud).get<Shown>(`/api/dead-letters/${encodeURIComponent(id)}`);
      printFacts(io, json, letter, () =>
        [
          `${letter.id}  ${placeOf(letter.source)}  ${new Date(letter.at).toISOString()}`,
          letter.reason,
          ...(letter.isCut ? [`its first bytes of ${letter.bytes}:`] : []),
          letter.encoding === 'utf-8' ? letter.payload : `(base64) ${letter.payload}`,
        ].join('\n'),
      );
    },
  );
  command(
    'replay [ids...]',
    'Runs them through ingestion again; those that become documents are gone. Exits 5 when one is refused again.',
    ['replay 3f2a…', 'replay --all'],
  )
    .option('--all', 'every one of them')
    .action(async (ids: string[], { cloud, json = false, all = false }: Flags) => {
      if (all === ids.length > 0)
        throw new UsageError('dead-letters replay wants ids, or --all', { hint: 'windfleet dead-letters list names them' });
      const api = openApi(cloud);
      const wanted = all ? (await api.get<DeadLetter[]>('/api/dead-letters')).map(({ id }) => id) : ids;
      const results: ({ readonly id: string } & ReplayResult)[] = [];
      for (const id of wanted) {
        if (io.signal.aborted) break;
        results.push({ id, ...(await api.post<ReplayResult>(`/api/dead-letters/${encodeURIComponent(id)}/replay`, {})) });
      }
      printFacts(
        io,
        json,
        results,
        () =>
          results
            .map((one) =>
              one.documents === null ? `${one.id}  refused again: ${firstLine(one.reason)}` : `${one.id}  ${one.documents} documents`,
            )
            .join('\n') || 'no dead letters',
      );
      if (results.some(({ documents }) => documents === null)) process.exitCode = 5;
    });
}

function placeOf(source: DeadLetter['source']): string {
  if (source.kind === 'message') return source.topic;
  if (source.kind === 'document') return `index ${source.index}`;
  return `${source.bucket}/${source.key}${source.line > 0 ? `:${source.line}` : ''}`;
}
const firstLine = (text: string) => text.split('\n')[0].slice(0, 120);
