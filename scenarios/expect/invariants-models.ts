/** Invariants of the models on a device: how many, which way, and whose. */
import type { Millis } from '../../actors/contracts/units.ts';
import { grantKeyOf, type Witness } from '../witness.ts';
import type { Court } from './court.ts';
import type { Breach } from './invariants.ts';
import { downMoves } from './model-moves.ts';
import { modelTrack, stateTrack, stretchesWhere, valueAt } from './tracks.ts';

/**
 * One model judges a turbine: a verdict comes from the model that the turbine says, or the event log; and once no update runs on a device,
 * it has one open at most.
 */
export function oneActiveModel(court: Court, { words, sessions }: Witness): readonly Breach[] {
  return court.facts.things.flatMap(({ name: thing }): Breach[] => {
    const wanted = `one model on ${thing}`;
    const active = modelTrack(court.eventsOf(thing));
    let said: string | null = null;
    for (const word of words) {
      if (word.thing !== thing) continue;
      if (word.word === 'state') said = word.model;
      else if (word.model !== said && word.model !== valueAt(active, word.at))
        return [{ wanted, got: `a verdict of ${word.model} while ${valueAt(active, word.at) ?? said} is active`, at: word.at, of: thing }];
    }
    const own = sessions.filter((session) => session.thing === thing);
    const updating = stretchesWhere(stateTrack(court.eventsOf(thing)), isUpdating, { from: 0, to: court.now });
    const isTrying = (at: Millis) => updating.some(({ from, to }) => from <= at && (at < to || to === court.now));
    for (const at of [...own.map(({ openedAt }) => openedAt), ...updating.map(({ to }) => to)].sort((a, b) => a - b)) {
      const open = own.filter(({ openedAt, closedAt }) => openedAt <= at && (closedAt === null || closedAt > at));
      if (open.length > (isTrying(at) ? 2 : 1))
        return [{ wanted, got: `${open.map(({ model }) => model).join(' and ')} are open`, at, of: thing }];
    }
    return [];
  });
}

export const isUpdating = (state: string): boolean => state.startsWith('updating-model');

/** A turbine goes back to an older version only by a signed grant. */
export function downOnlyByGrant(court: Court, { grants }: Witness): readonly Breach[] {
  return downMoves(court.facts.events)
    .filter(({ thing, to, at }) => {
      const isGranted = grants.get(grantKeyOf(thing, to, at));
      return isGranted === false || (isGranted === undefined && court.now >= court.end); // asked for at the end
    })
    .map(({ thing, from, to, at }) => ({
      wanted: `${thing} to stay at ${from} or go up, unless a grant names it`,
      got: `${to}, without a grant`,
      at,
      of: thing,
    }));
}

/** What judges a turbine has been signed by a key that the fleet trusts. */
export function onlyTrustedPackages(court: Court, { sessions }: Witness): readonly Breach[] {
  return court.facts.events.flatMap(({ kind, of: thing, what, at }): Breach[] => {
    if (kind !== 'model') return [];
    const model = String(what['model']);
    const session = sessions.findLast((one) => one.thing === thing && one.model === model && one.openedAt <= at);
    if (session?.isTrusted) return [];
    const got = session ? 'no trusted key has signed its package' : 'nobody has seen it being loaded';
    return [{ wanted: `a trusted package for ${model} on ${thing}`, got, at, of: thing }];
  });
}
