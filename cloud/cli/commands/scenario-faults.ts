/** The table of `windfleet scenario faults`. */
import type { AttributeKind, WorldFault } from '../../../scenarios/faults.ts';
import { DEFAULT_SEVERITY } from '../../../scenarios/words/occurrences.ts';

/** A row a fault: name, what it acts on, attributes with their defaults, bodies around which it cannot be injected, about. */
export const faultRows = (faults: readonly WorldFault[]): string[][] =>
  faults.map(({ name, actsOn, attributes, hasSeverity, notOn, about }) => [
    name,
    actsOn,
    [
      ...(hasSeverity ? [`severity=${DEFAULT_SEVERITY}`] : []),
      ...Object.entries(attributes).map(([attribute, kind]) => `${attribute}=${defaultOf(kind)}`),
    ].join(' '),
    Object.keys(notOn).join(' '),
    about,
  ]);

function defaultOf(kind: AttributeKind): string {
  if ('oneOf' in kind) return `${kind.default} (${kind.oneOf.join('|')})`;
  return kind.default === undefined ? `(${kind.unit})` : `${kind.default}${kind.unit}`;
}
