/** What an acknowledgement waits for: the promises of hearers within this process, as one that writes a message to disk. */

/** Of one publication of QoS 1. */
export interface Hold {
  /** Somebody within this process will be told, after what is being delivered now. */
  isHeard: boolean;
  readonly works: Promise<unknown>[];
}

export const newHold = (): Hold => ({ isHeard: false, works: [] });

/** As `deliver` wants it. Without a hold nobody waits, and what fails is the hearer's own concern. */
export const holder = (hold: Hold | undefined) => (work: Promise<unknown>) => {
  if (hold) hold.works.push(work);
  else work.catch(() => {});
};
