/**
 * The rule SQL that the original uses, a subset of AWS IoT's:
 *
 *   SELECT 'logs' as msg_type, topic(3) as device_name, * FROM 'wind-turbine/logs/#'
 */
import { FileInvalid } from '../../actors/contracts/errors.ts';

export type Column =
  | { readonly kind: 'all' }
  | { readonly kind: 'constant'; readonly value: string | number; readonly as: string }
  | { readonly kind: 'topic'; readonly level: number; readonly as: string }
  | { readonly kind: 'field'; readonly field: string; readonly as: string };

export interface Rule {
  readonly columns: readonly Column[];
  /** An MQTT topic filter. */
  readonly from: string;
}

interface Token {
  readonly kind: 'word' | 'text' | 'number' | 'sign';
  readonly text: string;
  readonly at: number;
}

/** @throws FileInvalid with the position of what it does not know. */
export function parseRule(sql: string): Rule {
  const tokens = [...tokenize(sql)];
  let next = 0;
  const refuse = (why: string): never => {
    throw new FileInvalid(`rule SQL, position ${(tokens[next]?.at ?? sql.length) + 1}: ${why}`, {
      hint: "as SELECT 'logs' as msg_type, topic(3) as device_name, * FROM 'wind-turbine/logs/#'",
    });
  };
  const is = (kind: Token['kind'], text?: string) =>
    tokens[next]?.kind === kind && (text === undefined || tokens[next].text.toLowerCase() === text);
  const take = (kind: Token['kind'], what: string, text?: string): string => {
    if (!is(kind, text)) refuse(`${what} is wanted here${tokens[next] ? `, not ${tokens[next].text}` : ''}`);
    return tokens[next++].text;
  };
  const alias = (): string => {
    take('word', '`as`', 'as');
    return take('word', 'a name');
  };
  const column = (): Column => {
    if (is('sign', '*')) {
      next++;
      return { kind: 'all' };
    }
    if (is('text')) return { kind: 'constant', value: tokens[next++].text, as: alias() };
    if (is('number')) return { kind: 'constant', value: Number(tokens[next++].text), as: alias() };
    const word = take('word', 'a column');
    if (!is('sign', '(')) return { kind: 'field', field: word, as: is('word', 'as') ? alias() : word };
    if (word.toLowerCase() !== 'topic') refuse(`there is no function ${word} but topic(n)`);
    next++;
    const level = Number(take('number', 'a level of the topic, from 1'));
    take('sign', '`)`', ')');
    return { kind: 'topic', level, as: alias() };
  };

  take('word', '`SELECT`', 'select');
  const columns = [column()];
  while (is('sign', ',')) {
    next++;
    columns.push(column());
  }
  take('word', '`FROM`', 'from');
  const from = take('text', "a topic filter in '…'");
  if (next < tokens.length) refuse(`${tokens[next].text} is not part of this subset`);
  return { columns, from };
}

function* tokenize(sql: string): Generator<Token> {
  const pattern = /\s+|'([^']*)'|(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|([*,()])/y;
  while (pattern.lastIndex < sql.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(sql);
    if (!match) throw new FileInvalid(`rule SQL, position ${at + 1}: ${JSON.stringify(sql[at])} is not part of this subset`);
    const [, text, number, word, sign] = match;
    if (text !== undefined) yield { kind: 'text', text, at };
    else if (number !== undefined) yield { kind: 'number', text: number, at };
    else if (word !== undefined) yield { kind: 'word', text: word, at };
    else if (sign !== undefined) yield { kind: 'sign', text: sign, at };
  }
}

/** What a rule makes of one message. */
export function applyRule({ columns }: Rule, topic: string, body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const levels = topic.split('/');
  const out: Record<string, unknown> = Object.create(null);
  for (const column of columns) {
    if (column.kind === 'all') Object.assign(out, body);
    else if (column.kind === 'constant') out[column.as] = column.value;
    else if (column.kind === 'topic') out[column.as] = levels[column.level - 1];
    else if (Object.hasOwn(body, column.field)) out[column.as] = body[column.field];
  }
  return out;
}
