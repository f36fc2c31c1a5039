/**
 * Reports that must arrive: one file each on the device's disk until the job service has taken it. The turbine does not wait
 * for the network, and a restart sends what the last run could not.
 */
import { z } from 'zod';
import type { Clock } from '../contracts/clock.ts';
import type { Disk } from '../contracts/disk.ts';
import { JobRefused, reasonOf } from '../contracts/errors.ts';
import type { ThingName } from '../contracts/ids.ts';
import type { DeviceJobs } from '../contracts/jobs.ts';
import type { Log } from '../contracts/log.ts';

const Report = z.strictObject({
  jobId: z.string(),
  executionNumber: z.int(),
  status: z.enum(['SUCCEEDED', 'FAILED', 'REJECTED']),
  statusDetails: z.record(z.string(), z.string()),
});
export type Report = z.infer<typeof Report>;

export interface Outbox {
  /**
   * Durable when it resolves, unless the disk takes nothing: then memory holds the report until it has been delivered. Delivered when the
   * network allows. A second report of the same execution replaces the first.
   */
  enqueue(report: Report): Promise<void>;
  /** Whether a report of this execution waits to be delivered. */
  holds(jobId: string, executionNumber: number): Promise<boolean>;
  /** Tries what waits, now: called at start and after a reconnect. */
  flush(): void;
  /** Nothing is tried from now on; what is on the disk stays for the next boot. */
  close(): void;
}

const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;

export function openOutbox(thing: ThingName, disk: Disk, jobs: DeviceJobs, clock: Clock, log: Log): Outbox {
  let running = false;
  let again = false;
  let retry = 0;
  let timer = 0;
  let closed = false;
  const unstored = new Map<string, Report>(); // by path

  const deliver = async (): Promise<void> => {
    for (const [path, report] of [...unstored]) {
      await say(report);
      unstored.delete(path);
    }
    for (const name of (await disk.list('outbox')).filter((file) => file.endsWith('.json'))) {
      const report = await readReport(disk, `outbox/${name}`, log);
      if (report) await say(report);
      await disk.remove(`outbox/${name}`);
    }
  };

  const say = async ({ jobId, ...update }: Report): Promise<void> => {
    try {
      await jobs.update(thing, jobId, update);
    } catch (error) {
      if (!(error instanceof JobRefused)) throw error;
      // The service has decided otherwise (cancelled, timed out, deleted): nothing is left to be said.
      log.warn({ thing, jobId, status: update.status, reason: error.message }, 'the job service refused a report');
    }
  };

  const run = async (): Promise<void> => {
    if (closed) return;
    if (running) {
      again = true;
      return;
    }
    running = true;
    clock.clearTimeout(timer);
    try {
      do {
        again = false;
        await deliver();
      } while (again);
      retry = 0;
    } catch (error) {
      if (closed) return;
      const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** retry++);
      log.debug({ thing, delayMs: delay, reason: reasonOf(error) }, 'a report waits for the network');
      timer = clock.setTimeout(() => void run(), delay);
    } finally {
      running = false;
    }
  };

  return {
    async enqueue(report) {
      const path = `outbox/${report.jobId}.${report.executionNumber}.json`;
      unstored.delete(path);
      try {
        await disk.write(`${path}.tmp`, Buffer.from(JSON.stringify(report)));
        await disk.rename(`${path}.tmp`, path);
      } catch (error) {
        log.error({ thing, jobId: report.jobId, reason: reasonOf(error) }, 'a report cannot be stored: it is said from memory');
        unstored.set(path, report);
      }
      void run();
    },
    holds: async (jobId, executionNumber) => (await disk.list('outbox')).includes(`${jobId}.${executionNumber}.json`),
    flush: () => void run(),
    close() {
      closed = true;
      clock.clearTimeout(timer);
    },
  };
}

/** Null for a file that no power cut should have left, but did. */
async function readReport(disk: Disk, path: string, log: Log): Promise<Report | null> {
  const bytes = await disk.read(path);
  if (!bytes) return null;
  try {
    return Report.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (error) {
    log.error({ path, reason: reasonOf(error) }, 'a report in the outbox is damaged');
    return null;
  }
}
