/** Invariant of rollouts: what has been stopped goes no further. */
import { labelOf } from '../facts.ts';
import type { Witness } from '../witness.ts';
import type { Court } from './court.ts';
import type { Breach } from './invariants.ts';

/** Halted, ended by hand, sent back, over or paused, a rollout begins no wave: nobody beyond is told of its model. */
export function noWaveAfterItsEnd(court: Court, _: Witness): readonly Breach[] {
  const { story, facts } = court;
  return story.timeline.flatMap((step, index): Breach[] => {
    if (!('deploy' in step) || !('at' in step)) return []; // of one that is repeated, nobody could say whose job it is
    const label = labelOf(step, index);
    const jobs = new Set(facts.jobs.get(label));
    let status: unknown = 'IN_PROGRESS';
    const breaches: Breach[] = [];
    for (const { kind, of, what, at } of facts.events) {
      if (kind === 'rollout' && of === label) status = what['status'];
      if (kind !== 'job' || !jobs.delete(of) || status === 'IN_PROGRESS') continue; // of a job the first word alone counts
      breaches.push({ wanted: `no wave of ${label} once it is ${String(status)}`, got: `its job ${of} was made`, at, of: label });
    }
    return breaches;
  });
}
