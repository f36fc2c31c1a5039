/**
 * The rule SQL of the original, and what it needs of AWS IoT's:
 *
 *   SELECT 'logs' as msg_type, topic(3) as device_name, * FROM 'wind-turbine/logs/#' WHERE data.rps > 2 AND NOT clientid() = 'x'
 *
 * Columns and conditions are expressions: literals, arrays of them (`[1, 2]`), fields and their members (`a.b`, `a[0]`), arithmetic,
 * comparisons, IN, AND, OR, NOT, `topic()`, `topic(n)`, `timestamp()`, `clientid()`, `isNull(x)`, `isUndefined(x)`. Everything else is
 * refused with its position.
 */
import { didYouMean } from '../../actors/contracts/errors.ts';
import { ruleFault, type Token, tokensOf } from './lexer.ts';
import { add, and, calculate, compare, equals, isIn, member, negate, not, or, toBoolean, type Value } from './values.ts';

/** What an expression may speak of. */
export interface Scene {
  readonly topic: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** The client that published it; null when it did not come over MQTT, or nobody knows. */
  readonly from: string | null;
  /** Epoch milliseconds. */
  readonly heardAt: number;
}

type Expression = (scene: Scene) => Value;

/** `as` null: everything of the payload. */
type Column = { readonly as: string; readonly value: Expression } | { readonly as: null };

export interface Rule {
  /** An MQTT topic filter. */
  readonly from: string;
  /** What the rule makes of one message; null when its condition is not true. */
  rowOf(scene: Scene): Record<string, unknown> | null;
}

const DEPTH_MAX = 64;
const FUNCTIONS = ['topic', 'timestamp', 'clientid', 'isNull', 'isUndefined'];
const RESERVED = new Set(['select', 'from', 'where', 'as', 'and', 'or', 'not', 'in', 'case', 'when', 'then', 'else', 'end', 'exists']);
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** @throws FileInvalid with the position of what is not part of this subset. */
export function parseRule(sql: string): Rule {
  const tokens = tokensOf(sql);
  let next = 0;
  let depth = 0;
  const token = (): Token => tokens[next];
  const refuse = (why: string, at = token().at): never => {
    throw ruleFault(sql, at, why);
  };
  const isWord = (word: string) => token().kind === 'word' && token().text.toLowerCase() === word;
  const isSign = (...signs: string[]) => token().kind === 'sign' && signs.includes(token().text);
  const taken = () => tokens[next++].text;
  const expected = (what: string): never => refuse(`${what} is wanted here${token().kind === 'end' ? '' : `, not ${token().text}`}`);
  const takeWord = (word: string) => (isWord(word) ? taken() : expected(word.toUpperCase()));
  const takeSign = (sign: string) => (isSign(sign) ? taken() : expected(`\`${sign}\``));
  const deeper = <T>(parse: () => T): T => {
    if (++depth > DEPTH_MAX) refuse(`expressions may be nested ${DEPTH_MAX} deep`);
    const made = parse();
    depth--;
    return made;
  };

  /** Operators of one rank, from left to right. */
  const ranked = (operand: () => Expression, rank: (sign: string) => ((left: Value, right: Value) => Value) | null): Expression => {
    let left = operand();
    for (;;) {
      const operator = token().kind === 'end' || token().kind === 'text' ? null : rank(token().text.toLowerCase());
      if (!operator) return left;
      next++;
      const [first, second] = [left, operand()];
      left = (scene) => operator(first(scene), second(scene));
    }
  };
  const expression = (): Expression => deeper(() => ranked(conjunction, (sign) => (sign === 'or' ? or : null)));
  const conjunction = (): Expression => ranked(negation, (sign) => (sign === 'and' ? and : null));
  const negation = (): Expression => {
    if (!isWord('not')) return comparison();
    next++;
    const operand = deeper(negation);
    return (scene) => not(operand(scene));
  };
  const comparison = (): Expression => ranked(sum, (sign) => COMPARISONS.get(sign) ?? null);
  const sum = (): Expression =>
    ranked(product, (sign) => (sign === '+' ? add : sign === '-' ? (left, right) => calculate('-', left, right) : null));
  const product = (): Expression =>
    ranked(factor, (sign) => (sign === '*' || sign === '/' || sign === '%' ? (left, right) => calculate(sign, left, right) : null));
  const factor = (): Expression => {
    if (!isSign('-')) return primary();
    next++;
    const operand = deeper(factor);
    return (scene) => negate(operand(scene));
  };
  const primary = (): Expression => {
    const { kind, text, at } = token();
    if (kind === 'text' || kind === 'number') {
      next++;
      const value = kind === 'text' ? text : Number(text);
      if (typeof value === 'number' && !Number.isFinite(value)) refuse(`${text} is more than a number can be`, at);
      return () => value;
    }
    if (isSign('(')) {
      next++;
      const inner = expression();
      takeSign(')');
      return inner;
    }
    if (isSign('[')) return list();
    if (kind !== 'word') return expected('a value');
    const word = text.toLowerCase();
    if (word === 'true' || word === 'false' || word === 'null') {
      next++;
      const value = word === 'null' ? null : word === 'true';
      return () => value;
    }
    if (RESERVED.has(word))
      return word === 'case' || word === 'exists' ? refuse(`${text} is not part of this subset`) : expected('a value');
    next++;
    return isSign('(') ? call(text, at) : path(text);
  };
  const call = (name: string, at: number): Expression => {
    next++;
    const word = name.toLowerCase();
    if (!FUNCTIONS.some((known) => known.toLowerCase() === word)) refuse(`there is no function ${name}.${didYouMean(name, FUNCTIONS)}`, at);
    if (word === 'isnull' || word === 'isundefined') {
      const argument = expression();
      takeSign(')');
      const wanted = word === 'isnull' ? null : undefined;
      return (scene) => argument(scene) === wanted;
    }
    const level = token().kind === 'number' ? Number(taken()) : null;
    if (level !== null && word !== 'topic') refuse(`${name}() takes no argument`);
    if (level !== null && !(Number.isInteger(level) && level >= 1)) refuse('levels of a topic count from 1', tokens[next - 1].at);
    takeSign(')');
    if (word === 'timestamp') return ({ heardAt }) => heardAt;
    if (word === 'clientid') return ({ from }) => from ?? 'n/a';
    return level === null ? ({ topic }) => topic : ({ topic }) => topic.split('/')[level - 1];
  };
  const list = (): Expression => {
    next++;
    const items: Expression[] = [];
    if (!isSign(']')) items.push(expression());
    while (items.length > 0 && isSign(',')) {
      next++;
      items.push(expression());
    }
    takeSign(']');
    return (scene) => items.map((item) => item(scene)).filter((item) => item !== undefined);
  };
  let lastName = ''; // of the path that was read last
  const path = (first: string): Expression => {
    const keys: (string | number)[] = [first];
    while (isSign('.', '[')) {
      if (taken() === '.') keys.push(token().kind === 'word' ? taken() : expected('a name'));
      else {
        if (token().kind !== 'number' || !/^\d+$/.test(token().text)) expected('a whole number from 0');
        keys.push(Number(taken()));
        takeSign(']');
      }
    }
    lastName = String(keys.at(-1));
    return ({ body }) => keys.reduce<Value>(member, body);
  };

  const column = (): Column => {
    if (isSign('*')) {
      next++;
      return { as: null };
    }
    const began = next;
    lastName = '';
    const value = expression();
    const isPath =
      lastName !== '' &&
      tokens.slice(began, next).every(({ kind, text }, i) => (i === 0 ? kind === 'word' : kind !== 'sign' || '.[]'.includes(text)));
    if (isWord('as')) {
      next++;
      const { kind, text, at } = token();
      if (kind !== 'word' || RESERVED.has(text.toLowerCase())) expected('a name');
      if (FORBIDDEN.has(text)) refuse(`${text} is no name for a column`, at);
      next++;
      return { as: text, value };
    }
    if (!isPath || /^\d/.test(lastName)) return expected('`as` and a name');
    if (FORBIDDEN.has(lastName)) refuse(`${lastName} is no name for a column`, tokens[next - 1].at);
    return { as: lastName, value };
  };

  const condition = (): Expression => {
    next++;
    return expression();
  };

  takeWord('select');
  const columns = [column()];
  while (isSign(',')) {
    next++;
    columns.push(column());
  }
  takeWord('from');
  const filterAt = token().at;
  const from = token().kind === 'text' ? taken() : expected("a topic filter in '…'");
  if (!isFilter(from)) refuse(`${JSON.stringify(from)} is no topic filter`, filterAt);
  const where = isWord('where') ? condition() : null;
  if (token().kind !== 'end') refuse(`${token().text} is not part of this subset`);

  return {
    from,
    rowOf(scene) {
      if (where && toBoolean(where(scene)) !== true) return null;
      const row: Record<string, unknown> = Object.create(null);
      for (const { as, ...rest } of columns) {
        if (as === null) for (const [name, value] of Object.entries(scene.body)) row[name] = value;
        else {
          const value = (rest as { readonly value: Expression }).value(scene);
          if (value === undefined) delete row[as];
          else row[as] = value;
        }
      }
      return row;
    },
  };
}

const COMPARISONS: ReadonlyMap<string, (left: Value, right: Value) => Value> = new Map([
  ['=', equals],
  ['in', isIn],
  ['<>', different],
  ['!=', different],
  ...(['<', '<=', '>', '>='] as const).map((sign) => [sign, (left: Value, right: Value) => compare(sign, left, right)] as const),
]);

function different(left: Value, right: Value): Value {
  const same = equals(left, right);
  return same === undefined ? undefined : !same;
}

/** `#` stands alone at the end, `+` alone in its level. */
const isFilter = (filter: string): boolean =>
  filter !== '' &&
  !filter.includes('\0') &&
  filter
    .split('/')
    .every((level, i, levels) => (level.includes('#') ? level === '#' && i === levels.length - 1 : !level.includes('+') || level === '+'));
