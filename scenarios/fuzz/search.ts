/**
 * Draws stories and plays them until one breaks an invariant; makes that one small, and goes on. One story is kept for each invariant: of
 * the lowest seed that breaks it, however many are played at once.
 */
import type { Millis } from '../../actors/contracts/units.ts';
import type { Expectation, Scenario } from '../dsl.ts';
import { INVARIANTS } from '../dsl.ts';
import { shrinkStory } from './shrink.ts';

/** What is broken by a story that cannot be played to its end. */
export const DEFECT = 'defect';

/** An invariant that a story breaks, and how. */
export interface Broken {
  readonly invariant: string;
  readonly wanted: string;
  readonly got: string;
  readonly at: Millis;
}

export interface Finding {
  readonly invariant: string;
  /** The first that breaks it, and the others. */
  readonly seed: number;
  readonly otherSeeds: readonly number[];
  readonly drawn: Scenario;
  /** As small as it has become, with the one invariant as what it expects. */
  readonly story: Scenario;
  /** Of that story. */
  readonly broken: Broken;
  /** Whether nothing can be left out any more; false for a search that was stopped before it knew. */
  readonly isSmallest: boolean;
}

export interface SearchOptions {
  readonly first: number;
  readonly seeds: number;
  /** Stories that are played at once. */
  readonly lanes: number;
  readonly draw: (seed: number) => Scenario;
  /** @returns null when it was stopped */
  readonly play: (story: Scenario) => Promise<readonly Broken[] | null>;
  /** Whether a story's words make sense: of what is left when something is left out. */
  readonly isPlayable: (story: Scenario) => boolean;
  readonly isStopped: () => boolean;
  /** Of one story to make it small. */
  readonly tries: number;
  /** Told when a finding is made, becomes smaller, or is as small as it gets. */
  readonly found: (finding: Finding) => void;
  readonly progress: (soFar: SearchProgress) => void;
}

export interface SearchProgress {
  readonly played: number;
  readonly findings: readonly Finding[];
  /** The invariant whose story is being made small; null: none. */
  readonly shrinking: string | null;
}

export interface Searched {
  /** Seeds, from the first on without a gap. */
  readonly played: number;
  /** In the order of their seeds. */
  readonly findings: readonly Finding[];
}

export async function searchStories(options: SearchOptions): Promise<Searched> {
  const { first, seeds, lanes, draw, play, isStopped } = options;
  const findings = new Map<string, Finding>();
  const results = new Map<number, readonly Broken[]>(); // of seeds that came before their turn
  const toShrink: Finding[] = [];
  let next = first;
  let heard = first; // all before it have been looked at
  let shrinking: string | null = null;
  const tell = () => options.progress({ played: heard - first, findings: [...findings.values()], shrinking });
  const keep = (finding: Finding) => {
    findings.set(finding.invariant, finding);
    options.found(finding);
  };

  const look = (seed: number, all: readonly Broken[]) => {
    for (const broken of all) {
      const { invariant } = broken;
      const known = findings.get(invariant);
      if (known?.seed === seed || known?.otherSeeds.includes(seed)) continue; // on another turbine
      if (known) {
        findings.set(invariant, { ...known, otherSeeds: [...known.otherSeeds, seed] });
        continue;
      }
      const drawn = draw(seed);
      const story = { ...drawn, expect: expectationOf(invariant) };
      const finding: Finding = { invariant, seed, otherSeeds: [], drawn, story, broken, isSmallest: false };
      keep(finding);
      toShrink.push(finding);
    }
  };

  const shrink = async (finding: Finding) => {
    const { invariant } = finding;
    shrinking = invariant;
    tell();
    const update = (story: Scenario, broken: Broken, isSmallest: boolean) =>
      keep({ ...findings.get(invariant)!, story, broken, isSmallest });
    const fails = async (candidate: Scenario) => {
      if (isStopped() || !options.isPlayable(candidate)) return false;
      const broken = (await play(candidate))?.find((one) => isSame(one, finding.broken));
      if (broken) update(candidate, broken, false);
      tell();
      return broken !== undefined;
    };
    await shrinkStory(finding.story, { fails, tries: options.tries });
    const { story, broken } = findings.get(invariant)!;
    if (!isStopped()) update(story, broken, true);
    shrinking = null;
  };

  const playSeed = async (seed: number) => {
    const all = await play(draw(seed));
    if (all === null) return;
    results.set(seed, all);
    for (let ready = results.get(heard); ready; ready = results.get(heard)) {
      results.delete(heard);
      look(heard++, ready);
    }
    tell();
  };

  const lane = async () => {
    while (!isStopped()) {
      const finding = toShrink.shift();
      if (finding) await shrink(finding);
      else if (next < first + seeds) await playSeed(next++);
      else return;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { played: heard - first, findings: [...findings.values()].sort((a, b) => a.seed - b.seed) };
}

/** A defect is the same when it says the same; an invariant is one. */
const isSame = (a: Broken, b: Broken): boolean =>
  a.invariant === b.invariant && (a.invariant !== DEFECT || firstLine(a.got) === firstLine(b.got));

export const firstLine = (text: string): string => text.split('\n')[0];

const expectationOf = (invariant: string): readonly Expectation[] => [
  { that: 'invariant', is: INVARIANTS.find((name) => name === invariant) ?? 'all' },
];
