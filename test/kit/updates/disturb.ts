/** What goes wrong: with the turbines and the job service in one round of orders, and with reads of packages at any time. */
import type { Clock } from '../../../actors/contracts/clock.ts';
import { StoreUnavailable } from '../../../actors/contracts/errors.ts';
import type { ObjectStore } from '../../../actors/contracts/objects.ts';
import type { Rng } from '../../../actors/contracts/rng.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import type { Cut } from '../../../twins/disk.ts';
import type { Chances, FaultCounts } from './chance.ts';
import type { OracleDevice } from './device.ts';
import type { MortalJobs } from './mortal-jobs.ts';

export interface Disturbance {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly chances: Chances;
  readonly counts: FaultCounts;
  /** What happens at an instant of its own happens before then. */
  readonly withinMs: Millis;
}

const HOWS: readonly Cut[] = ['before', 'torn', 'after'];
const UPDATE_WRITES = 26;
const LONG_OFF_MS = 11 * 60_000; // an update's step timer is ten minutes

export function disturb(devices: readonly OracleDevice[], jobs: MortalJobs, { clock, rng, chances, counts, withinMs }: Disturbance): void {
  let draws = 0;
  const chance = () => rng.uniform(draws++);
  const offMs = () => 1_000 + 40_000 * chance() ** 2;
  const within = (run: () => void) => clock.setTimeout(run, withinMs * chance());
  for (const device of devices) {
    if (chance() < chances.cut) device.cutAt(1 + Math.floor(UPDATE_WRITES * chance()), HOWS[Math.floor(3 * chance())], offMs());
    if (chance() < chances.kill) {
      const forMs = offMs();
      within(() => device.kill(forMs));
    }
    if (chance() < chances.longOff) {
      const forMs = LONG_OFF_MS * (1 + chance());
      within(() => device.kill(forMs, true));
    }
    const isBad = chance() < chances.badLink;
    const { badMessage: share } = chances;
    device.link.trouble(isBad ? { lost: share, doubled: share, delayed: share } : null);
    if (chance() < chances.breaks) {
      const forMs = 20_000 * chance();
      within(() => device.link.break(forMs));
    }
  }
  if (chance() < chances.refusedCommits) {
    const commits = 1 + Math.floor(4 * chance());
    within(() => {
      counts.refusedCommits += commits;
      jobs.failCommits(commits);
    });
  }
  if (chance() < chances.crash) {
    const forMs = 1_000 + 15_000 * chance();
    within(() => {
      counts.crashes++;
      void jobs.crash(forMs);
      for (const device of devices) device.link.break(forMs); // the broker is in the same process
    });
  }
}

/** Some reads break off after half of the bytes. */
export function brokenReads(objects: ObjectStore, rng: Rng, share: number, counts: FaultCounts): ObjectStore {
  let reads = 0;
  return {
    ...objects,
    async *get(bucket, key, options) {
      const isBroken = rng.uniform(reads++) < share;
      if (isBroken) counts.brokenReads++;
      for await (const chunk of objects.get(bucket, key, options)) {
        if (!isBroken) {
          yield chunk;
          continue;
        }
        yield chunk.subarray(0, chunk.length >> 1);
        throw new StoreUnavailable('the connection broke');
      }
    },
  };
}
