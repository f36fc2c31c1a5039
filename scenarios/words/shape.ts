/** Whether something has the shape of a story: every word that has not is named by its path, in words that say the mend. */
import { z } from 'zod';
import { didYouMean } from '../../actors/contracts/errors.ts';
import type { Scenario } from '../dsl.ts';
import { expectations, meantShape, storySchema, WHAT_KEYS, WHEN_KEYS } from './schema.ts';
import type { Path, StoryFault } from './source.ts';

/** A story, or what is wrong with it. */
export function readShape(raw: unknown): { readonly story: Scenario } | { readonly faults: readonly StoryFault[] } {
  const parsed = storySchema.safeParse(raw);
  const faults = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(issue, raw, []));
  for (const [i, step] of entriesOf(raw, 'timeline')) faults.push(...whenFaults(step, ['timeline', i]));
  for (const [i, e] of entriesOf(raw, 'expect')) faults.push(...boundFaults(e, ['expect', i]));
  if (!parsed.success || faults.length > 0) return { faults: eachOnce(faults) };
  const { $schema: _, ...story } = parsed.data;
  return { story: story as unknown as Scenario };
}

/** A step takes place once, again and again, or during something. */
function whenFaults(step: Record<string, unknown>, path: Path): StoryFault[] {
  const has = (key: string) => Object.hasOwn(step, key);
  const whens = WHEN_KEYS.filter(has);
  const faults: StoryFault[] = [];
  if (whens.length === 0) faults.push({ path, why: `says not when: ${WHEN_KEYS.join(', ')}` });
  if (whens.length > 1) faults.push({ path: [...path, whens[1]], why: `the step says when twice: ${whens.join(' and ')}` });
  for (const key of ['from', 'until'])
    if (has(key) && !has('every')) faults.push({ path: [...path, key], why: 'belongs to `every`, which the step has not' });
  return faults;
}

/** Figures have bounds, and exposure is that of one model. */
function boundFaults(e: Record<string, unknown>, path: Path): StoryFault[] {
  const shape = typeof e['that'] === 'string' && Object.hasOwn(expectations, e['that']) ? expectations[e['that'] as 'energy'] : null;
  const keys = shape ? ['below', 'above', 'is'].filter((key) => key in shape.shape && e['that'] !== 'detectionDelay') : [];
  const faults: StoryFault[] = [];
  const isFigure = keys.includes('below');
  if (isFigure && !keys.some((key) => Object.hasOwn(e, key))) faults.push({ path, why: `has no bound: ${keys.join(', ')}` });
  if (e['that'] === 'exposure' && Object.hasOwn(e, 'of') === Object.hasOwn(e, 'model'))
    faults.push({ path, why: 'is of a deploy step (`of`) or on a model (`model`): say one of them' });
  return faults;
}

function explainIssue(issue: z.core.$ZodIssue, raw: unknown, base: Path): StoryFault[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const value = valueAt(raw, path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(raw, path);
    const what =
      path[0] === 'timeline' && path.length === 2 ? WHAT_KEYS.find((key) => isObject(value) && Object.hasOwn(value, key)) : undefined;
    return issue.keys.map((key) => ({
      path: [...path, key],
      why:
        what !== undefined && (WHAT_KEYS as readonly string[]).includes(key)
          ? `a step does one thing, and this one has ${what} already`
          : `is not known here.${near(key, known)}`,
    }));
  }
  if (issue.code === 'invalid_union') return explainUnion(issue, value, raw, path);
  return [{ path, why: issueText(issue, value, path) }];
}

function explainUnion(issue: z.core.$ZodIssueInvalidUnion, value: unknown, raw: unknown, path: Path): StoryFault[] {
  if (path[0] === 'expect' && path[2] === 'that' && path.length === 3) {
    const known = Object.keys(expectations);
    return [
      { path, why: value === undefined ? `is missing: ${known.join(', ')}` : `nothing is known of ${shown(value)}.${near(value, known)}` },
    ];
  }
  if (issue.errors.length === 0 && issue.discriminator !== undefined) return [{ path, why: noneOf(value, ['gust', 'ramp']) }];
  const shape = meantShape(path, value);
  if (shape) {
    const parsed = shape.safeParse(value);
    return parsed.success ? [] : parsed.error.issues.flatMap((inner) => explainIssue(inner, raw, path));
  }
  if (!isObject(value) && path.length === 2 && typeof path[1] === 'number')
    return [{ path, why: `must be an entry with keys and values, not ${shown(value)}` }];
  if (path[0] === 'timeline' && path.length === 2)
    return [{ path, why: `says nothing to do: ${WHAT_KEYS.join(', ')}.${nearKey(value, WHAT_KEYS)}` }];
  if (path[0] === 'fleet' && path.length === 2) {
    const kinds = ['twins', 'replay', 'serial'];
    return [{ path, why: `is no body: ${kinds.join(', ')}.${nearKey(value, kinds)}` }];
  }
  const fitting = issue.errors.filter((issues) => issues.some((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'));
  const branch = fitting.length === 1 ? fitting[0] : null;
  if (branch) return branch.flatMap((inner) => explainIssue(inner, raw, path));
  if (value === undefined) return [{ path, why: 'is missing' }];
  return [{ path, why: `${shown(value)} is not ${expectedOf(path)}` }];
}

function issueText(issue: z.core.$ZodIssue, value: unknown, path: Path): string {
  if (value === undefined) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      if (typeof value === 'number' && DURATIONS.has(path[path.length - 1])) return `is no duration: ${value} has no unit, as in ${value}s`;
      return `must be ${EXPECTED[issue.expected] ?? `a ${issue.expected}`}, not ${shown(value)}`;
    case 'invalid_format':
      return typeof value === 'string' && value.startsWith('-') && issue.message.includes('duration')
        ? `"${value}" is negative: a story begins at 0s`
        : `${shown(value)} ${issue.message}`;
    case 'invalid_value':
      if (issue.values.length === 1) return `must be ${String(issue.values[0])}, not ${shown(value)}`;
      return noneOf(value, path[path.length - 1] === 'command' ? [...issue.values.map(String), 'derate'] : issue.values.map(String));
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string'
        ? issue.message.startsWith('Too small')
          ? 'is empty'
          : issue.message
        : `${shown(value)} is ${issue.inclusive ? 'less than' : 'not more than'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return `holds more than ${issue.maximum} entries`;
      return issue.origin === 'string' ? `is longer than ${issue.maximum} letters` : `${shown(value)} is more than ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const noneOf = (value: unknown, known: readonly string[]) =>
  `${shown(value)} is none of ${known.join(', ')}.${didYouMean(String(value), known)}`;

const DURATIONS: ReadonlySet<unknown> = new Set(['duration', 'at', 'every', 'from', 'until', 'over', 'for', 'recovery', 'soak', 'within']);

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'an entry with keys and values',
  record: 'an entry with keys and values',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
};

/** What stands at the end of a path that has more than one shape. */
function expectedOf(path: Path): string {
  const key = path.findLast((part) => typeof part === 'string');
  if (key === 'on' || key === 'butOn') return 'a turbine, `every turbine`, or { tag, things, count, percent }';
  if (key === 'turbulenceIntensity') return '0..1, or a class: A, B, C';
  if (key === 'waves') return 'a share, as 10%, or a count of turbines, as 3';
  if (key === 'qos') return '0 or 1';
  return 'a number or a text';
}

/** The keys that an entry may have where it stands, as far as the schema tells. */
function keysAt(raw: unknown, path: Path): readonly string[] {
  let shape: z.ZodType | null = storySchema;
  for (const [depth, key] of path.entries()) {
    shape = insideOf(shape, key, valueAt(raw, path.slice(0, depth + 1)), path.slice(0, depth + 1));
    if (!shape) return [];
  }
  return objectKeys(shape);
}

function insideOf(shape: z.ZodType, key: string | number, value: unknown, path: Path): z.ZodType | null {
  const meant = meantShape(path, value);
  if (meant) return meant;
  if (path[0] === 'expect' && path.length === 2) {
    const that = isObject(value) ? value['that'] : undefined;
    return typeof that === 'string' && Object.hasOwn(expectations, that) ? expectations[that as 'alarm'] : null;
  }
  const bare = bareOf(shape);
  if (bare instanceof z.ZodArray) return bare.element as z.ZodType;
  if (bare instanceof z.ZodObject) return Object.hasOwn(bare.shape, key) ? (bare.shape[key] as z.ZodType) : null;
  return null;
}

/** Without what makes it optional; of a union, the branch with keys. */
function bareOf(shape: z.ZodType): z.ZodType {
  if (shape instanceof z.ZodExactOptional) return bareOf(shape.unwrap() as z.ZodType);
  if (shape instanceof z.ZodUnion) return (shape.options as readonly z.ZodType[]).find((option) => option instanceof z.ZodObject) ?? shape;
  return shape;
}

const objectKeys = (shape: z.ZodType): readonly string[] => {
  const bare = bareOf(shape);
  return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
};

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function entriesOf(raw: unknown, key: string): [number, Record<string, unknown>][] {
  const list = isObject(raw) ? raw[key] : null;
  return Array.isArray(list) ? [...list.entries()].filter((entry): entry is [number, Record<string, unknown>] => isObject(entry[1])) : [];
}

const near = (wrong: unknown, known: readonly string[]): string => {
  const meant = didYouMean(String(wrong), known);
  return meant === '' && known.length > 0 ? ` Known: ${known.join(', ')}` : meant;
};

/** As `near`, for the first of an entry's keys that resembles a known one. */
const nearKey = (value: unknown, known: readonly string[]): string =>
  (isObject(value) ? Object.keys(value) : []).map((key) => didYouMean(key, known)).find((text) => text !== '') ?? '';

const SHOWN_LETTERS = 60;

/** A value as JSON, cut short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_LETTERS ? `${text.slice(0, SHOWN_LETTERS)}…` : text;
}

function eachOnce(faults: readonly StoryFault[]): StoryFault[] {
  const told = new Set<string>();
  return faults.filter(({ path, why }) => {
    const text = JSON.stringify([path, why]);
    return !told.has(text) && told.add(text);
  });
}
