/** `windfleet scenario validate`: whether stories can be played, without playing them. */
import { FleetError, NotFound, UsageError } from '../../../actors/contracts/errors.ts';
import { type Io, printError } from '../print.ts';

/** What a story came to. */
interface Validity {
  readonly file: string;
  readonly valid: boolean;
  readonly faults: readonly StoryError[];
}

/** Line and column from 1; null where a fault has no place in a text. */
interface StoryError {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

/** Says of each story what is wrong with it. @returns the exit code: 3 when one cannot be played */
export async function validateStories(
  files: readonly string[],
  { json, io }: { readonly json: boolean; readonly io: Io },
): Promise<number> {
  if (files.filter((file) => file === '-').length > 1) throw new UsageError('- is the standard input, which can be read once');
  const { loadStory } = await import('../../../scenarios/load.ts');
  const results: Validity[] = [];
  const codes = new Set<number>();
  for (const file of files) {
    try {
      const { story, things } = await loadStory(file);
      results.push({ file, valid: true, faults: [] });
      if (json) continue;
      const { timeline, expect, duration } = story;
      io.out(
        `ok  ${file}: ${count(things.length, 'turbine')}, ${duration}, ${count(timeline.length, 'step')}, ${count(expect.length, 'expectation')}`,
      );
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      codes.add(error instanceof NotFound || error instanceof UsageError ? 2 : 3);
      results.push({ file, valid: false, faults: error.message.split('\n').map((line) => storyError(line, file)) });
      if (!json) printError(io, error);
    }
  }
  if (json) io.out(JSON.stringify(results));
  return codes.has(3) ? 3 : (codes.values().next().value ?? 0);
}

const count = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`;

function storyError(text: string, file: string): StoryError {
  const [, place, line, column, message] = /^(.*?):(\d+):(\d+) (.*)$/.exec(text) ?? [];
  return place === undefined
    ? { file, line: null, column: null, message: text }
    : { file: place, line: Number(line), column: Number(column), message };
}
