/** Faults by turbine and name, over all the bodies of a world: the `FaultInjector` of twins. */
import { didYouMean, FaultRefused } from '../../actors/contracts/errors.ts';
import type { ActiveFault, FaultInjector, FaultKind } from '../../actors/contracts/faults.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { TwinBacking } from '../body.ts';

/** Turbines that can be broken: a twin, or the books of one. */
export type Breakable = Pick<TwinBacking, 'things' | 'faults' | 'now'>;

/** @param others turbines of the world whose bodies can show no injected fault. */
export function faultInjector(twins: readonly Breakable[], others: readonly ThingName[] = []): FaultInjector {
  const find = (thing: ThingName) => {
    for (const backing of twins) {
      const row = backing.things.indexOf(thing);
      if (row >= 0) return { backing, row };
    }
    if (others.includes(thing))
      throw new FaultRefused(`${thing} is no twin: its body cannot be broken from here`, { hint: 'inject into a virtual turbine' });
    const known = [...twins.flatMap((backing) => backing.things), ...others];
    throw new FaultRefused(`no turbine ${thing} in this farm.${didYouMean(thing, known)}`, {
      hint: `turbines: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`,
    });
  };

  return {
    catalogue: mergedCatalogue(twins),
    active: (): readonly ActiveFault[] => twins.flatMap((backing) => backing.faults.active()),
    inject(thing, order) {
      const { backing, row } = find(thing);
      if (!(order.severity >= 0 && order.severity <= 1)) throw new FaultRefused(`severity ${order.severity} is not within 0..1`);
      backing.faults.inject(row, order, backing.now());
    },
    clear(thing, fault) {
      const { backing, row } = find(thing);
      return backing.faults.clear(row, fault);
    },
  };
}

/** Every fault of every machine in the world, once, with what it moves on each. */
function mergedCatalogue(twins: readonly Breakable[]): FaultKind[] {
  const merged = new Map<string, FaultKind>();
  for (const kind of twins.flatMap(({ faults }) => faults.catalogue))
    merged.set(kind.name, { ...kind, moves: { ...merged.get(kind.name)?.moves, ...kind.moves } });
  return [...merged.values()];
}
