/** A rule at work on messages: parsed once, asked for each of them. */
import { parseRule } from './sql.ts';

export interface RuleInput {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly from: string | null;
  /** Epoch milliseconds. */
  readonly heardAt: number;
}

export interface CompiledRule {
  /** The topic filter of its messages. */
  readonly from: string;
  /** The row; null when the rule wants none of it. @throws Error when the payload is no JSON object */
  run(message: RuleInput): Readonly<Record<string, unknown>> | null;
}

/** @throws FileInvalid with the position of what is not of the subset. */
export function compileRule(sql: string): CompiledRule {
  const rule = parseRule(sql);
  return {
    from: rule.from,
    run({ topic, payload, from, heardAt }) {
      const body: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
      if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('the payload is no JSON object');
      return rule.rowOf({ topic, body: body as Record<string, unknown>, from, heardAt });
    },
  };
}
