/**
 * What holds in every story, whatever happens in it, judged on the event log and on what probes at the ports have seen. A breach is known
 * when it happens; that there was none, at the end; and where nothing was seen, nothing holds.
 */
import { INVARIANTS, type Expectation, type Invariant } from '../dsl.ts';
import type { Witness } from '../witness.ts';
import { alarmHasVerdict, featureNamedAlike, noMessageLost } from './invariants-told.ts';
import { everyJobEnds, successAfterAnswer, updateWithinItsTimer } from './invariants-updates.ts';
import { noWaveAfterItsEnd } from './invariants-rollouts.ts';
import { downOnlyByGrant, oneActiveModel, onlyTrustedPackages } from './invariants-models.ts';
import type { Court, Finding } from './court.ts';

/** Judges one; says nothing of what is as it should be. */
export type Breaches = (court: Court, witness: Witness) => readonly Breach[];

export interface Breach {
  /** What should have been, of whom. */
  readonly wanted: string;
  readonly got: string;
  readonly at: number;
  readonly of: string | null;
}

const JUDGES: Readonly<Record<Invariant, Breaches>> = {
  'one-active-model': oneActiveModel,
  'success-after-answer': successAfterAnswer,
  'update-within-its-timer': updateWithinItsTimer,
  'alarm-has-verdict': alarmHasVerdict,
  'no-message-lost': noMessageLost,
  'every-job-ends': everyJobEnds,
  'no-wave-after-its-end': noWaveAfterItsEnd,
  'feature-named-alike': featureNamedAlike,
  'down-only-by-grant': downOnlyByGrant,
  'only-trusted-packages': onlyTrustedPackages,
  'energy-balance': energyBalance,
};

export function judgeInvariant(e: Extract<Expectation, { readonly that: 'invariant' }>, court: Court): readonly Finding[] {
  const { witness, end } = court.facts;
  return (e.is === 'all' ? INVARIANTS : [e.is]).flatMap((name): readonly Finding[] => {
    const tell = ({ wanted, ...breach }: Breach): Finding => ({ wanted: `${name}: ${wanted}`, ...breach });
    if (!witness) return [tell({ wanted: 'probes at the ports', got: 'this world has none', at: end, of: null })];
    const breaches = JUDGES[name](court, witness);
    if (breaches.length > 0) return breaches.map(tell);
    if (court.now < court.end) return ['open'];
    const unseen = court.facts.things.find(({ name: thing }) => !witness.words.some((word) => word.thing === thing));
    return [unseen ? tell({ wanted: `a word of ${unseen.name}`, got: 'nothing was heard of it', at: end, of: unseen.name }) : 'met'];
  });
}

/** A shaft gives back what twisted it: so much of what a rotor holds may come and go. */
const TWIST = 1e-3;

/** No turbine makes energy of nothing, or less than none. */
function energyBalance(court: Court, { energy }: Witness): readonly Breach[] {
  if (court.now < court.end) return []; // meters are read at the end
  const twins = court.facts.things.filter(({ body }) => body === 'twins');
  if (twins.length === 0) return [{ wanted: 'a twin, whose energy can be metered', got: 'the fleet has none', at: court.end, of: null }];
  return twins.flatMap(({ name }): Breach[] => {
    const account = energy.get(name);
    const breach = (got: string, at = court.end): Breach[] => [
      { wanted: `what ${name} makes, stores and loses within Betz’s share of its wind`, got, at, of: name },
    ];
    if (!account) return breach('it was not metered');
    const { madeJ, fromNothingJ, fromNothingAt, mostStoredJ } = account;
    if (!(madeJ >= 0)) return breach(`it made ${madeJ} J`);
    if (!(fromNothingJ <= TWIST * mostStoredJ)) return breach(`${fromNothingJ} J came from nothing`, fromNothingAt);
    return [];
  });
}
