/** When a turbine went from a version of a model to an older one, by the event log. */
import type { FleetEvent } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface DownMove {
  readonly thing: string;
  readonly at: Millis;
  /** `name@version` */
  readonly from: string;
  readonly to: string;
}

export function downMoves(events: readonly FleetEvent[]): readonly DownMove[] {
  const active = new Map<string, string>();
  return events.flatMap(({ kind, of: thing, what, at }): DownMove[] => {
    if (kind !== 'model') return [];
    const to = String(what['model']);
    const from = active.get(thing);
    active.set(thing, to);
    return from !== undefined && isOlder(to, from) ? [{ thing, at, from, to }] : [];
  });
}

/** By SemVer's numbers (§11), counted here by itself: what is judged must not judge. Models of another name are not older. */
function isOlder(a: string, b: string): boolean {
  const [nameA, versionA] = split(a);
  const [nameB, versionB] = split(b);
  if (nameA !== nameB) return false;
  for (let i = 0; i < 3; i++) if (versionA[i] !== versionB[i]) return versionA[i] < versionB[i];
  return a.includes('-', nameA.length) && !b.includes('-', nameB.length); // a pre-release comes before its release
}

function split(model: string): readonly [string, readonly number[]] {
  const at = model.lastIndexOf('@');
  return [
    model.slice(0, at),
    model
      .slice(at + 1)
      .split('-')[0]
      .split('.')
      .map(Number),
  ];
}
