/** Whether statements allow what is asked: a denial that applies ends it, else an allowance that applies grants it. Pure. */
import { type Condition, type Statement, substitute } from './policy-documents.ts';
import { containsFilter, matchesText, meetsFilter } from './policy-patterns.ts';
import type { IotAction } from './ports.ts';

export interface Asked {
  readonly action: IotAction;
  /** ARN; `*` for an action without one. */
  readonly resource: string;
  /** Whether the resource names a topic filter, whose wildcards bring many topics. */
  readonly isFilter: boolean;
  /** Of a policy variable, or null where the connection has none. */
  readonly variable: (key: string) => string | null;
}

export function evaluate(statements: readonly Statement[], asked: Asked): boolean {
  const applying = statements.filter(({ actions }) =>
    actions.some((action) => matchesText(action.toLowerCase(), asked.action.toLowerCase())),
  );
  const applies = (effect: Statement['effect'], covers: (pattern: string) => boolean) =>
    applying.some((statement) => statement.effect === effect && holds(statement, asked) && statement.resources.some(covers));
  return !applies('Deny', (pattern) => denies(pattern, asked)) && applies('Allow', (pattern) => allows(pattern, asked));
}

function allows(pattern: string, { resource, isFilter, variable }: Asked): boolean {
  if (pattern === '*') return true;
  const filled = substitute(pattern, variable);
  return filled !== null && (isFilter ? containsFilter(filled, resource) : matchesText(filled, resource));
}

/** A denial whose variable has no value here, or a strange one, is read as the widest it could mean. */
function denies(pattern: string, { resource, isFilter, variable }: Asked): boolean {
  if (pattern === '*') return true;
  const filled = substitute(pattern, variable) ?? pattern.replace(/\$\{[^}]*\}/g, '*');
  return isFilter ? meetsFilter(filled, resource) : matchesText(filled, resource);
}

/** All conditions of a statement. A value that is missing meets none of the positive ones and all of the negative ones, as in AWS. */
function holds({ effect, conditions }: Statement, asked: Asked): boolean {
  return conditions.every((condition) => meets(condition, asked, effect));
}

function meets({ operator, key, values }: Condition, { variable }: Asked, effect: Statement['effect']): boolean {
  const value = variable(key);
  const wanted = values
    .map((text) => substitute(text, variable) ?? (effect === 'Deny' ? text.replace(/\$\{[^}]*\}/g, '*') : null))
    .filter((text) => text !== null);
  switch (operator) {
    case 'StringEquals':
      return value !== null && wanted.includes(value);
    case 'StringNotEquals':
      return value === null || !wanted.includes(value);
    case 'StringEqualsIgnoreCase':
      return value !== null && wanted.some((text) => text.toLowerCase() === value.toLowerCase());
    case 'StringLike':
      return value !== null && wanted.some((text) => matchesText(text, value));
    case 'StringNotLike':
      return value === null || !wanted.some((text) => matchesText(text, value));
    case 'Bool':
      return value !== null && wanted.some((text) => text.toLowerCase() === value);
  }
}
