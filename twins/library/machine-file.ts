/**
 * A machine of the user's own, as YAML: like one of the library, with other parameters.
 *
 *   name: my-4mw
 *   like: nrel-5mw
 *   parameters:
 *     rotorRadiusM: 58
 *     drivetrain: { rotorInertiaKgM2: 2.9e7 }
 */
import { type Document, isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { didYouMean, reasonOf } from '../../actors/contracts/errors.ts';
import { notText, refuse } from '../wind/csv.ts';
import { inconsistencies } from './machine-consistency.ts';
import { machines, type TwinMachine } from './machines.ts';

const HINT = 'a machine file has name, like (a machine of the library) and parameters; see `windfleet twin steady --help`';

const file = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and dashes'),
  about: z.string().default('A machine of the user’s own.'),
  like: z.string(),
  parameters: z.record(z.string(), z.unknown()).default({}),
});

/** Parameters that may be 0, or below it; all others are positive. */
const MAY_BE_ZERO = new Set([
  'bladePassShare',
  'imbalanceKgM',
  'dampingNmSPerRad',
  'brushDropV',
  'rippleCounts',
  'derateTorqueNmS',
  'swayRad',
  'unbalanceG',
  'bladePassG',
  'accelNoiseG',
]);
const MAY_BE_NEGATIVE = new Set(['roll', 'pitch', 'gyroBiasRadPerS']);
/** Shares and efficiencies: no more than 1. */
const SHARES = new Set(['generatorEfficiency', 'bladePassShare', 'gearboxLossShare', 'generatorLossShare', 'dampingRatio']);

/** How many times larger or smaller than the library's a value may be: a rotor's inertia grows with the fifth power of its size. */
const FACTOR_MAX = 1e6;
const LENGTH_FACTOR_MAX = 100;
const LENGTHS = new Set(['rotorRadiusM', 'hubHeightM', 'diameterM', 'anemometerRadiusM']);

/** @throws FileInvalid naming every fault by file, line and column. */
export function parseMachine(text: string, path: string): TwinMachine {
  refuse(notText(text, path), HINT);
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  refuse(
    doc.errors.map((error) => `${at(error.pos[0])} ${error.message}`),
    HINT,
  );
  const place = (keys: readonly PropertyKey[]): string => {
    for (let depth = keys.length; depth >= 0; depth--) {
      const node = depth === 0 ? doc.contents : keyNode(doc.getIn(keys.slice(0, depth - 1), true) ?? doc.contents, keys[depth - 1]);
      if (node?.range) return at(node.range[0]);
    }
    return `${path}:1:1`;
  };

  const parsed = file.safeParse(plain(doc, at) ?? {});
  if (!parsed.success) {
    refuse(
      parsed.error.issues.map(
        (issue) =>
          `${place(issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path)} ${issue.path.join('.') || 'the file'}: ${issue.message}`,
      ),
      HINT,
    );
    throw parsed.error;
  }
  const { name, about, like, parameters } = parsed.data;
  const base = machines.find((machine) => machine.name === like);
  const names = machines.map((machine) => machine.name);
  if (!base) refuse([`${place(['like'])} no machine ${like} in the library.${didYouMean(like, names)}`], `machines: ${names.join(', ')}`);
  const faults: string[] = [];
  const fault = (keys: readonly string[], why: string) => faults.push(`${place(keys)} ${keys.join('.')}: ${why}`);
  const merged = merge((base as TwinMachine).parameters, parameters, ['parameters'], fault);
  if (names.includes(name)) faults.push(`${place(['name'])} name: ${name} is a machine of the library`);
  refuse(faults, HINT);
  const machine = { ...(base as TwinMachine), name, about, parameters: merged } as TwinMachine;
  for (const { keys, why } of inconsistencies(machine)) fault(['parameters', ...keys], why);
  refuse(faults, HINT);
  return machine;
}

/** The document as plain values. @throws FileInvalid for an alias that is not known, or that grows beyond all measure, and for keys that objects keep to themselves */
function plain(doc: Document.Parsed, at: (offset: number) => string): unknown {
  const faults: string[] = [];
  let alias = 0;
  visit(doc, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '__proto__') faults.push(`${at((key as Node).range?.[0] ?? 0)} __proto__: is not known`);
    },
    Alias: (_, node) => {
      alias ||= node.range?.[0] ?? 0;
    },
  });
  refuse(faults, HINT);
  try {
    return doc.toJS({ maxAliasCount: 100 });
  } catch (error) {
    refuse([`${at(alias)} ${reasonOf(error)}`], HINT); // the only reason for which it throws
    throw error;
  }
}

/** The base with what the file says, each value of the base's kind and within its range. */
function merge(base: unknown, own: unknown, keys: readonly string[], fault: (keys: readonly string[], why: string) => void): unknown {
  const key = keys[keys.length - 1];
  if (Array.isArray(base)) {
    if (isTable(own, base[0].length)) return own;
    fault(keys, `must be rows of ${base[0].length} numbers, the first ascending`);
    return base;
  }
  if (typeof base === 'number') {
    if (typeof own !== 'number' || !Number.isFinite(own)) fault(keys, `must be a number, not ${JSON.stringify(own)}`);
    else if (own < 0 && !MAY_BE_NEGATIVE.has(key)) fault(keys, `${own} is negative`);
    else if (own === 0 && !MAY_BE_ZERO.has(key) && !MAY_BE_NEGATIVE.has(key)) fault(keys, 'must not be 0');
    else if (own > 1 && SHARES.has(key)) fault(keys, `${own} is more than 1: it is a share`);
    else if (isOtherUnit(own, base, key))
      fault(keys, `${own} is ${(own / base).toPrecision(2)} times ${base}, the library’s: is it in another unit?`);
    return own;
  }
  if (typeof own !== 'object' || own === null || Array.isArray(own)) {
    fault(keys, `must be a group of parameters, not ${JSON.stringify(own)}`);
    return base;
  }
  const known = Object.entries(base as Record<string, unknown>);
  for (const name of Object.keys(own)) {
    if (known.some(([key]) => key === name)) continue;
    const names = known.map(([key]) => key);
    fault([...keys, name], `is not known.${didYouMean(name, names)} Known: ${names.join(', ')}`);
  }
  return Object.fromEntries(
    known.map(([name, value]) => [
      name,
      name in own ? merge(value, (own as Record<string, unknown>)[name], [...keys, name], fault) : value,
    ]),
  );
}

/** Whether a value is so far from the base's that no machine of the kind has it. */
function isOtherUnit(own: number, base: number, key: string): boolean {
  if (own === 0 || base === 0) return Math.abs(own) > FACTOR_MAX;
  const most = LENGTHS.has(key) ? LENGTH_FACTOR_MAX : FACTOR_MAX;
  const factor = Math.abs(own / base);
  return factor > most || factor < 1 / most;
}

const isTable = (rows: unknown, width: number): boolean =>
  Array.isArray(rows) &&
  rows.length >= 2 &&
  rows.every(
    (row, i) =>
      Array.isArray(row) &&
      row.length === width &&
      row.every((x) => typeof x === 'number' && Number.isFinite(x)) &&
      (i === 0 || row[0] > rows[i - 1][0]),
  );

function keyNode(parent: unknown, key: PropertyKey): Node | null {
  if (!isMap(parent)) return null;
  const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
  return pair ? (pair.key as Node) : null;
}
