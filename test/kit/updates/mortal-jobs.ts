/**
 * The job service as a process that dies: what it has not answered is answered by nobody, and the next one opens the same store. Its
 * store can refuse commits.
 */
import type { Broker } from '../../../actors/contracts/bus.ts';
import type { Clock } from '../../../actors/contracts/clock.ts';
import { StoreUnavailable } from '../../../actors/contracts/errors.ts';
import type { Job, JobExecution } from '../../../actors/contracts/jobs.ts';
import { silentLog } from '../../../actors/contracts/log.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import { serveJobs } from '../../../cloud/jobs/mqtt.ts';
import { type JobService, openJobService } from '../../../cloud/jobs/service.ts';
import type { JobStore } from '../../../cloud/jobs/store.ts';
import { faultyJobStore } from '../faulty-job-store.ts';

export interface MortalJobs {
  /** The one that runs. @throws StoreUnavailable while none does */
  service(): JobService;
  /** It dies, and is there again after a while. */
  crash(forMs: Millis): Promise<void>;
  /** As many of the next commits fail. */
  failCommits(commits: number): void;
  close(): Promise<void>;
}

export interface MortalJobsOptions {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly changed: (execution: JobExecution) => void;
  /** A store that is other than it says, or a service. */
  readonly store?: (store: JobStore) => JobStore;
}

type Serve = Parameters<Broker['reserve']>[1];

export async function mortalJobs({ clock, broker, changed, store: other = (store) => store }: MortalJobsOptions): Promise<MortalJobs> {
  const memory = faultyJobStore();
  const store = other(memory);
  let running: JobService | null = null;
  let serve: Serve | null = null;
  let lives = 0;

  const open = async () => {
    const mine = ++lives;
    const isAlive = () => lives === mine;
    const service = await openJobService({ clock, store });
    service.onChange((change: JobExecution | Job) => {
      if ('thing' in change) changed(change);
    });
    let own: Serve | null = null;
    const door: Broker = {
      ...broker,
      reserve(filter, wanted) {
        if (serve === null && mine === 1) broker.reserve(filter, (...message) => serve?.(...message));
        own = wanted;
      },
      reply: (...answer) => {
        if (isAlive()) broker.reply(...answer);
      },
      announce: async (...notice) => {
        if (isAlive()) await broker.announce(...notice);
      },
    };
    serveJobs(door, service, clock, silentLog);
    serve = own;
    running = service;
  };
  await open();

  return {
    service() {
      if (!running) throw new StoreUnavailable('the job service is down');
      return running;
    },
    async crash(forMs) {
      const dead = running;
      if (!dead) return;
      running = serve = null;
      lives++;
      await dead.close();
      clock.setTimeout(() => void clock.until(clock.now(), open()), forMs);
    },
    failCommits: (commits) => memory.fail(commits),
    async close() {
      await running?.close();
      memory.end();
    },
  };
}
