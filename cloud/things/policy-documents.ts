/**
 * AWS IoT's policy documents: read once, at the door. What is not understood is refused there rather than left unenforced:
 * NotAction, NotResource and unknown conditions are malformed.
 */
import { z } from 'zod';
import { reasonOf, ThingRefused } from '../../actors/contracts/errors.ts';

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** `iot:Publish`, `iot:*`, `*`, … */
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly operator: (typeof OPERATORS)[number];
  readonly key: string;
  readonly values: readonly string[];
}

const LONGEST = 2_048; // AWS IoT: characters of a document, blanks apart
const MOST_STATEMENTS = 100;
const OPERATORS = ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringLike', 'StringNotLike', 'Bool'] as const;
const KEYS = /^iot:(ClientId|Connection\.Thing\.(ThingName|IsAttached|ThingTypeName|Attributes\[[a-zA-Z0-9_.,@/:#-]{1,128}\]))$/;
const VARIABLE = /\$\{([^}]*)\}/g;

const OneOrMore = (item: z.ZodType<string>) => z.union([item.transform((one) => [one]), z.array(item).min(1)]);
const Text = z.string().min(1).max(2_048);
const Document = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']),
  Id: z.string().optional(),
  Statement: z.union([
    z
      .unknown()
      .transform((one) => (Array.isArray(one) ? one : [one]))
      .pipe(z.array(z.unknown()).min(1).max(MOST_STATEMENTS)),
  ]),
});
const RawStatement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: OneOrMore(Text.regex(/^(\*|[a-z][a-z0-9-]*:[a-zA-Z*?]+)$/i, 'is no action, as iot:Publish')),
  Resource: OneOrMore(
    Text.regex(/^(\*|arn:aws:iot:[^:]*:[^:]*:.+)$/s, 'is no ARN of AWS IoT, as arn:aws:iot:us-east-1:000000000000:topic/a/*'),
  ),
  Condition: z
    .partialRecord(z.enum(OPERATORS), z.record(z.string().regex(KEYS, 'is no key that a condition knows here'), OneOrMore(z.string())))
    .optional(),
});

/** @throws ThingRefused MalformedPolicy naming every fault. */
export function parsePolicy(text: string): readonly Statement[] {
  if (text.replace(/\s/g, '').length > LONGEST) throw malformed(`it is longer than ${LONGEST} characters`);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw malformed(`it is no JSON: ${reasonOf(error)}`);
  }
  const document = Document.safeParse(raw);
  if (!document.success) throw malformed(z.prettifyError(document.error));
  return document.data.Statement.map((one, i) => {
    const statement = RawStatement.safeParse(one);
    if (!statement.success) throw malformed(`statement ${i + 1}:\n${z.prettifyError(statement.error)}`);
    const { Effect, Action, Resource, Condition = {} } = statement.data;
    for (const text of Resource) checkVariables(text, i);
    const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.entries(keys ?? {}).map(([key, values]) => ({ operator: operator as Condition['operator'], key, values })),
    );
    for (const { values } of conditions) for (const value of values) checkVariables(value, i);
    return { effect: Effect, actions: Action, resources: Resource, conditions };
  });
}

function checkVariables(text: string, i: number): void {
  for (const [whole, name] of text.matchAll(VARIABLE))
    if (!['*', '?', '$'].includes(name) && !KEYS.test(name))
      throw malformed(`statement ${i + 1}: ${whole} is no variable that is known here`);
}

/**
 * The text with its variables' values, in which wildcards and MQTT's are plain characters no longer: null when one has no value,
 * or one that would reach further than a name does.
 */
export function substitute(text: string, variable: (key: string) => string | null): string | null {
  let isWhole = true;
  const filled = text.replace(VARIABLE, (_, name: string) => {
    if (name === '$') return '$';
    if (name === '*' || name === '?') return name; // a plain one in AWS; here a wildcard, which a Deny reads as more and an Allow never uses
    const value = variable(name);
    if (value === null || /[*?+#/]/.test(value)) isWhole = false;
    return value ?? '';
  });
  return isWhole ? filled : null;
}

const malformed = (why: string) => new ThingRefused('MalformedPolicy', `the policy document cannot be used: ${why}`);
