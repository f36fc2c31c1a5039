/** A device's end of a job service in the same process: no bus, no wire. */
import type { DeviceJobs, JobsDevice } from '../../actors/contracts/jobs.ts';
import type { JobService } from '../../cloud/jobs/service.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';

export interface DirectJobs {
  /** What one boot of a device asks; told of its next job as long as it is the last that asked to be. */
  connect(): DeviceJobs;
}

export function directJobs(service: JobService, now: () => number): DirectJobs {
  const told = new Map<ThingName, () => void>();
  service.notify({ list() {}, next: (thing) => told.get(thing)?.() });
  const device: JobsDevice = service.device;
  return {
    connect: () => ({
      async next(thing) {
        const next = await device.describe(thing, '$next');
        if (!next) return null;
        const { timesOutAt, ...rest } = next;
        return timesOutAt === null ? rest : { ...rest, secondsLeft: Math.max(0, Math.ceil((timesOutAt - now()) / 1_000)) };
      },
      startNext: (thing, options) => device.startNext(thing, options),
      async update(thing, jobId, update) {
        await device.update(thing, jobId, update);
      },
      async onNext(thing, notified) {
        told.set(thing, notified);
      },
    }),
  };
}
