/** A rule at work on messages: parsed once, asked for each of them. */
import { readPayload } from './payload.ts';
import { parseRule } from './sql.ts';

export interface RuleInput {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly from: string | null;
  /** Epoch milliseconds. */
  readonly heardAt: number;
}

type Row = Readonly<Record<string, unknown>>;

export interface CompiledRule {
  /** The topic filter of its messages. */
  readonly from: string;
  /** The row; null when the rule wants none of it. @throws Error when the payload is no JSON object */
  run(message: RuleInput): Row | null;
  /** As `run`, of a payload that has been read already. */
  runOn(message: RuleInput, body: Row): Row | null;
}

/** @throws FileInvalid with the position of what is not of the subset. */
export function compileRule(sql: string): CompiledRule {
  const rule = parseRule(sql);
  const runOn = ({ topic, from, heardAt }: RuleInput, body: Row) => rule.rowOf({ topic, body, from, heardAt });
  return { from: rule.from, run: (message) => runOn(message, readPayload(message.payload)), runOn };
}
