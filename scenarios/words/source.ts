/** Where a story comes from, and where in it something stands: for messages that name file, line and column. */
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { Scenario } from '../dsl.ts';

export type Path = readonly (string | number)[];

export interface StorySource {
  readonly story: Scenario;
  /** What it is called: a library name, or the file's. */
  readonly name: string;
  /** Against which the story's file names are read; null when it comes from no file. */
  readonly folder: string | null;
  /** `file:line:col` of the value at a path, or of the nearest that there is around it. */
  place(path: Path): string;
}

/** What is wrong with a story, and where. */
export interface StoryFault {
  readonly path: Path;
  readonly why: string;
}

const SHOWN = 50;
const HINT = 'the words of a story: README, “Stories”; your editor knows them by scenarios/scenario.schema.json';

/** @throws FileInvalid naming every fault by file, line and column, in the order of the file. */
export function refuseStory(faults: readonly StoryFault[], place: StorySource['place']): void {
  if (faults.length === 0) return;
  const lines = faults
    .map(({ path, why }) => ({ at: place(path), text: `${pathText(path)}: ${why}` }))
    .sort((a, b) => lineOf(a.at) - lineOf(b.at))
    .slice(0, SHOWN)
    .map(({ at, text }) => `${at} ${text}`);
  throw new FileInvalid([...lines, ...(faults.length > SHOWN ? [`and ${faults.length - SHOWN} more`] : [])].join('\n'), { hint: HINT });
}

/** The line of `file:line:col`, columns as its fraction; 0 where there is none. */
function lineOf(place: string): number {
  const [, line, column] = /:(\d+):(\d+)$/.exec(place) ?? [];
  return line === undefined ? 0 : Number(line) + Number(column) / 1e6;
}

/** `timeline[2].on` */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`), '') ||
  'the story';
