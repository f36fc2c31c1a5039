/** Things and groups. A thing is registered when it is first heard of; the group `farm` is every thing. */
import { didYouMean, NotFound } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';

export interface Registry {
  /** Known from now on; nothing happens when it was before. */
  register(thing: ThingName): void;
  /** Sorted. */
  things(): readonly ThingName[];
  /** The things that names of things and groups stand for, each once, sorted. @throws NotFound */
  resolve(targets: readonly string[]): readonly ThingName[];
}

export const FARM = 'farm';

/** @param known names from an earlier run; @param remember called when a new one has come */
export function createRegistry(known: readonly ThingName[] = [], remember: (things: readonly ThingName[]) => void = () => {}): Registry {
  const things = new Set<ThingName>(known);
  const sorted = () => [...things].sort();

  return {
    register(thing) {
      if (things.has(thing)) return;
      things.add(thing);
      remember(sorted());
    },
    things: sorted,
    resolve(targets) {
      const found = new Set<ThingName>();
      for (const target of targets) {
        if (target === FARM) for (const thing of things) found.add(thing);
        else if (things.has(target)) found.add(target);
        else
          throw new NotFound(`no thing or group ${target}.${didYouMean(target, [FARM, ...things])}`, {
            hint: `the group ${FARM} is every turbine`,
          });
      }
      return [...found].sort();
    },
  };
}
