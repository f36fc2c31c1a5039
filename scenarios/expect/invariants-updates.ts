/** Invariants of updates: success is what it says, no stage lasts for ever, and every job ends. */
import type { Millis } from '../../actors/contracts/units.ts';
import { LONGEST_MS as DEADLINES_MS } from '../../actors/ota/deadlines.ts';
import { worldFaults } from '../faults.ts';
import { labelOf } from '../facts.ts';
import type { DeviceDeed, Witness } from '../witness.ts';
import { clockTime } from './clock-time.ts';
import type { Court } from './court.ts';
import type { Breach } from './invariants.ts';
import { isUpdating } from './invariants-models.ts';
import { executionsOf, isOver } from './jobs.ts';
import { livesOf, modelTrack, phaseTrack, stateTrack, stretchesWhere } from './tracks.ts';

/** When a device's SUCCEEDED reaches the job service, its model has answered there, and judges. */
export function successAfterAnswer(court: Court, { sessions }: Witness): readonly Breach[] {
  return court.story.timeline.flatMap((step, index): Breach[] => {
    if (!('deploy' in step)) return [];
    const jobs = court.facts.jobs.get(labelOf(step, index)) ?? [];
    return executionsOf(jobs, court).flatMap(({ thing, history }): Breach[] => {
      const succeeded = history.find(({ status }) => status === 'SUCCEEDED');
      if (!succeeded) return [];
      const { at } = succeeded;
      const breach = (got: string): Breach[] => [
        { wanted: `${step.deploy} to answer on ${thing} before it SUCCEEDED`, got, at, of: thing },
      ];
      const own = sessions.filter((session) => session.thing === thing && session.model === step.deploy);
      if (!own.some(({ openedAt }) => openedAt <= at))
        return breach(own.length === 0 ? 'it never did' : `it did at ${clockTime(own[0].openedAt)}`);
      const judged = modelTrack(court.eventsOf(thing)).points.some((point) => point.value === step.deploy && point.at <= at);
      return judged ? [] : breach('it answered, and does not judge');
    });
  });
}

const MINUTE = 60_000;
/** How long a stage of an update may take, from its beginning to that of the next one: as long as its deadline lets it. */
const LONGEST_MS: Readonly<Record<Exclude<DeviceDeed['deed'], 'boot' | 'off'>, Millis>> = {
  accept: DEADLINES_MS.accepting,
  download: DEADLINES_MS.downloading,
  verify: DEADLINES_MS.verifying,
  unpack: DEADLINES_MS.unpacking,
  load: DEADLINES_MS.loading,
  canary: DEADLINES_MS.canary,
  commit: DEADLINES_MS.committing,
  rollback: MINUTE,
  report: MINUTE,
};
const SLACK_MS = 1_000;

/** No stage outlasts its timer: a turbine is not in `updating-model` for ever. */
export function updateWithinItsTimer(court: Court, { deeds }: Witness): readonly Breach[] {
  return court.facts.things.flatMap(({ name: thing }): Breach[] => {
    const own = deeds.filter((deed) => deed.thing === thing);
    const updating = stretchesWhere(stateTrack(court.eventsOf(thing)), isUpdating, { from: 0, to: court.now });
    return own.flatMap(({ deed, at }, i): Breach[] => {
      if (deed === 'boot' || deed === 'off') return [];
      const left = updating.find(({ from, to }) => from <= at && at <= to)?.to ?? at;
      const until = Math.min(own[i + 1]?.at ?? court.now, left);
      if (until - at <= LONGEST_MS[deed] + SLACK_MS) return [];
      return [
        {
          wanted: `the stage ${deed} of ${thing} over after ${clockTime(LONGEST_MS[deed])}`,
          got: `it took ${clockTime(until - at)}${until === court.now ? ' and goes on' : ''}`,
          at: at + LONGEST_MS[deed],
          of: thing,
        },
      ];
    });
  });
}

/**
 * From when nothing hinders a device any more until its job has ended: a canary that waits for wind as long as it may (7 min), its report
 * kept back by an outage before (1 min), and a minute.
 */
const JOB_MS = 540_000;

/**
 * Every job that the service has acknowledged ends on every device, `JOB_MS` after it was made, the device's job before it ended, the last
 * fault around the device was over, and its turbine, had it been lost or put aside, was back. Where the story ends before that, it is not judged.
 */
export function everyJobEnds(court: Court): readonly Breach[] {
  const jobs = new Set(court.facts.events.flatMap(({ kind, of, what }) => (kind === 'job' && 'thing' in what ? [of] : [])));
  const executions = executionsOf([...jobs], court).map(({ job, thing, history }) => ({
    job,
    thing,
    made: history[0].at,
    ended: history.find(({ status }) => isOver(status))?.at ?? null,
  }));
  return executions.flatMap(({ job, thing, made, ended }): Breach[] => {
    if (ended !== null) return [];
    const before = executions.filter((other) => other.thing === thing && other.job !== job && other.made <= made);
    if (before.some((other) => other.ended === null && (other.made < made || other.job < job))) return []; // that one is judged
    const free = Math.max(made, hinderedUntil(thing, court), ...before.map((other) => other.ended ?? made));
    if (court.now < free + JOB_MS) return [];
    return [{ wanted: `${job} to end on ${thing} by ${clockTime(free + JOB_MS)}`, got: 'it has not', at: free + JOB_MS, of: thing }];
  });
}

/** When the last fault around a device was over, and it did not stand faulted any more; never, while it does or one is at work. */
function hinderedUntil(thing: string, { story, facts, eventsOf, now }: Court): Millis {
  const faults = story.timeline.flatMap((step, index) => {
    const fault = 'fault' in step ? worldFaults.find(({ name }) => name === step.fault) : undefined;
    if (!fault || fault.actsOn === 'deploy') return [];
    const label = labelOf(step, index);
    const subjects =
      fault.actsOn === 'service' ? new Set(facts.events.filter(({ what }) => what['step'] === label).map(({ of }) => of)) : [thing];
    return [...subjects].flatMap((subject) => livesOf(phaseTrack(eventsOf(subject), label), now));
  });
  const standing = stretchesWhere(stateTrack(eventsOf(thing)), isWaitingForHelp, { from: 0, to: now });
  const last = Math.max(0, ...[...faults, ...standing].map(({ to }) => to));
  return last >= now ? Number.POSITIVE_INFINITY : last;
}

/** A turbine that is lost, or whose actor an operator must look at, takes no job; one that has tripped, or is without a model, does. */
const isWaitingForHelp = (state: string): boolean => state === 'faulted.lost' || state === 'faulted.quarantined';
