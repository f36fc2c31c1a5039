/** Invariants of what is told: alarms have their verdicts, all name one feature, and no message is lost. */
import type { Witness } from '../witness.ts';
import { raisedEvents } from './alarms.ts';
import type { Court } from './court.ts';
import type { Breach } from './invariants.ts';

/** An alarm is raised by a verdict that the turbine has announced: of that model, naming that feature. */
export function alarmHasVerdict(court: Court, { words }: Witness): readonly Breach[] {
  return raisedEvents(court.facts.events).flatMap(({ of: thing, what, at }): Breach[] => {
    const { feature, model } = what;
    const hasOne = words.some(
      (word) =>
        word.word === 'verdict' &&
        word.thing === thing &&
        word.announced &&
        word.at <= at &&
        word.worst === feature &&
        word.model === model,
    );
    if (hasOne) return [];
    return [
      {
        wanted: `a verdict for the alarm of ${thing}`,
        got: `${thing} said none of ${String(model)} that names ${String(feature)}`,
        at,
        of: thing,
      },
    ];
  });
}

/** The list of turbines, that of alarms and the lamp name the feature that was the worst of the verdict. */
export function featureNamedAlike(_: Court, { sightings, words }: Witness): readonly Breach[] {
  return sightings.flatMap(({ thing, at, dated, turbine, alarm, lamp }): Breach[] => {
    const worsts = words.flatMap((word) =>
      word.word === 'verdict' && word.thing === thing && word.announced && word.dated === dated ? [word.worst] : [],
    );
    const meant = dated === null ? [null] : worsts;
    const named = { turbine, alarm, lamp };
    if (meant.some((feature) => Object.values(named).every((name) => name === feature))) return [];
    const got = Object.entries(named).map(([where, name]) => `${where}: ${name ?? 'nothing'}`);
    return [{ wanted: `${thing}: ${meant.join(' or ') || 'nothing'}, wherever it is shown`, got: got.join(', '), at, of: thing }];
  });
}

/** What a turbine says with QoS 1 the cloud hears. Counted at the end: until then it may be on its way. */
export function noMessageLost({ facts, now, end }: Court): readonly Breach[] {
  if (now < end) return [];
  return facts.things.flatMap(({ name: thing }): Breach[] => {
    const count = facts.messages.get(thing);
    const wanted = `every message of QoS 1 of ${thing} to arrive`;
    if (!count || count.sent[1] === 0) return [{ wanted, got: 'it sent none', at: end, of: thing }];
    return count.lost[1] === 0 ? [] : [{ wanted, got: `${count.lost[1]} of ${count.sent[1]} lost`, at: end, of: thing }];
  });
}
