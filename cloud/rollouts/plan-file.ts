/** A rollout plan in a file: YAML or JSON. What is wrong with it is told at its place, all of it. */
import { readFileSync } from 'node:fs';
import { isMap, isNode, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { RolloutWishes } from '../../actors/contracts/deployments.ts';
import { didYouMean, FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import { PlanWords } from './wishes.ts';

type Path = readonly PropertyKey[];

/** What makes no sense in a plan that can be read, and where. */
export type FindFaults = (wishes: RolloutWishes) => readonly { readonly path: Path; readonly why: string }[];

export interface PlanFile {
  /** As it is written. */
  readonly words: unknown;
  readonly wishes: RolloutWishes;
}

const HINT = 'as waves: [10%, 100%] and soak: 2m';

/** @throws FileInvalid naming the file, and every place and what is wrong there */
export function readPlanFile(file: string, findFaults: FindFaults): PlanFile {
  const lines = new LineCounter();
  const document = parseDocument(textOf(file), { lineCounter: lines });
  const told = (faults: readonly { readonly at: number; readonly why: string }[]) => {
    const texts = faults.map(({ at, why }) => {
      const { line, col } = lines.linePos(at);
      return `${file}:${Math.max(1, line)}:${Math.max(1, col)}: ${why}`;
    });
    return new FileInvalid(texts.join('\n'), { hint: HINT });
  };
  if (document.errors.length > 0)
    throw told(document.errors.map(({ pos, message }) => ({ at: pos[0], why: message.split('\n')[0].replace(/ at line .*$/, '') })));
  const placeOf = (path: Path): number => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };
  const words: unknown = document.toJS();
  const parsed = PlanWords.safeParse(words);
  if (!parsed.success)
    throw told(parsed.error.issues.flatMap((issue) => faultsOf(issue, placeOf, (key) => keyPlace(document.contents, key))));
  const faults = findFaults(parsed.data);
  if (faults.length > 0) throw told(faults.map(({ path, why }) => ({ at: placeOf(path), why: `${path[0].toString()}: ${why}` })));
  return { words, wishes: parsed.data };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileInvalid(`${file}:1:1: is no rollout plan: ${reasonOf(error)}`, { cause: error, hint: HINT });
  }
}

function faultsOf(issue: z.core.$ZodIssue, placeOf: (path: Path) => number, keyAt: (key: string) => number) {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      at: keyAt(key),
      why: `there is no ${key} in a plan.${didYouMean(key, Object.keys(PlanWords.shape))}`,
    }));
  const [name] = issue.path;
  if (name === undefined) return [{ at: 0, why: `a plan holds ${Object.keys(PlanWords.shape).join(', ')} by name` }];
  return [{ at: placeOf(issue.path), why: `${name.toString()}: ${issue.message}` }];
}

function keyPlace(contents: ParsedNode | null, key: string): number {
  const pair = isMap(contents) ? contents.items.find((item) => isNode(item.key) && String(item.key) === key) : undefined;
  return pair && isNode(pair.key) && pair.key.range ? pair.key.range[0] : 0;
}
