/** Rules at work: every message on a rule's topics becomes a document for its action; what cannot be read is handed to `refused`. */
import type { Bus } from '../../actors/contracts/bus.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import { applyRule, parseRule } from './sql.ts';

export interface RulePorts {
  readonly bus: Bus;
  readonly action: (document: Record<string, unknown>, topic: string) => void;
  readonly refused: (topic: string, payload: Uint8Array, reason: string) => void;
}

/** @throws FileInvalid when the SQL is not of the subset. */
export async function runRule(sql: string, { bus, action, refused }: RulePorts): Promise<void> {
  const rule = parseRule(sql);
  await bus.subscribe(rule.from, ({ topic, payload }) => {
    try {
      const body: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
      if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('the payload is no JSON object');
      action(applyRule(rule, topic, body as Record<string, unknown>), topic);
    } catch (error) {
      refused(topic, payload, reasonOf(error));
    }
  });
}
