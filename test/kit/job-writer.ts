/** A process to be killed: makes jobs, starts them, and says after each how many have been acknowledged. */
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { wallClock } from '../../physical/wall-clock.ts';

const service = await openJobService({ clock: wallClock(), store: libsqlJobStore(process.argv[2]), quotas: { activeJobs: 100_000 } });
for (let i = 0; i < 10_000; i++) {
  await service.create({ jobId: `job-${i}`, things: [`T-${i}`], targets: [`T-${i}`], document: {} });
  await service.device.update(`T-${i}`, `job-${i}`, { status: 'IN_PROGRESS', stepTimeoutInMinutes: 10 });
  process.stdout.write(`${i + 1}\n`);
}
