/** How often what goes wrong, and how often it did. */
import type { LinkCounts } from './faulty-link.ts';

export interface Chances {
  /** Of the orders, how many are bad packages. */
  readonly bad: number;
  /** Chance that a turbine's power is cut at a random write of an update. */
  readonly cut: number;
  /** … and again at a write of the boot after it. */
  readonly cutAgain: number;
  /** Chance a turbine and round that its process is killed at a random instant. */
  readonly kill: number;
  /** … and is off for longer than a job waits for it. */
  readonly longOff: number;
  /** Of the rounds of a turbine, how many have a bad link. */
  readonly badLink: number;
  /** Of the messages on a bad link: lost, doubled and delayed each. */
  readonly badMessage: number;
  /** Chance a turbine and round that its connection breaks for up to 20 s. */
  readonly breaks: number;
  /** Of the reads of packages, how many break off halfway. */
  readonly brokenRead: number;
  /** Chance a turbine and round that an operator takes the job back, by force, at a random instant. */
  readonly withdrawn: number;
  /** Chance a round and group that the job store refuses some commits. */
  readonly refusedCommits: number;
  /** Chance a round and group that the job service dies. */
  readonly crash: number;
}

export const USUAL: Chances = {
  bad: 0.2,
  cut: 0.15,
  cutAgain: 0.3,
  kill: 0.05,
  longOff: 0.01,
  badLink: 0.15,
  badMessage: 0.05,
  breaks: 0.05,
  brokenRead: 0.05,
  withdrawn: 0.03,
  refusedCommits: 0.5,
  crash: 0.2,
};

/** Good packages, and nothing goes wrong. */
export const noFaultsAtAll: Chances = {
  bad: 0,
  cut: 0,
  cutAgain: 0,
  kill: 0,
  longOff: 0,
  badLink: 0,
  badMessage: 0,
  breaks: 0,
  brokenRead: 0,
  withdrawn: 0,
  refusedCommits: 0,
  crash: 0,
};

export interface FaultCounts extends LinkCounts {
  /** By what reached the platter. */
  before: number;
  torn: number;
  after: number;
  kills: number;
  longOffs: number;
  brokenReads: number;
  withdrawn: number;
  refusedCommits: number;
  crashes: number;
}

export const noFaults = (): FaultCounts => ({
  before: 0,
  torn: 0,
  after: 0,
  kills: 0,
  longOffs: 0,
  lost: 0,
  doubled: 0,
  overtaken: 0,
  breaks: 0,
  brokenReads: 0,
  withdrawn: 0,
  refusedCommits: 0,
  crashes: 0,
});

export const sumOf = (counts: FaultCounts): number => Object.values(counts).reduce((sum, n) => sum + n, 0);

export const faultsInWords = (counts: FaultCounts): string =>
  `${sumOf(counts)} faults: ${counts.before + counts.torn + counts.after} power cuts at a write, ${counts.kills} kills, ${counts.longOffs} devices off until their job timed out, ${counts.lost} messages lost, ` +
  `${counts.doubled} doubled, ${counts.overtaken} overtaken, ${counts.breaks} broken connections, ${counts.brokenReads} broken downloads, ` +
  `${counts.withdrawn} jobs taken back, ${counts.refusedCommits} commits refused, ${counts.crashes} deaths of the job service`;
