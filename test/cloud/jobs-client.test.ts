import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused, RemoteRefused } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { openOutbox } from '../../actors/ota/outbox.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { deviceJobs } from '../../cloud/jobs/client.ts';
import { serveJobs } from '../../cloud/jobs/mqtt.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { faultyJobStore } from '../kit/faulty-job-store.ts';

const client = suite('a device’s end of the job service');

/** A device with a job, and the outbox that its reports go by. */
async function deviceWithJob() {
  const clock = new VirtualClock();
  const store = faultyJobStore();
  const broker = memoryBroker();
  const service = await openJobService({ clock, store });
  serveJobs(broker, service, clock, silentLog);
  const jobs = deviceJobs(broker.connect('T-1'), clock);
  const disk = memoryDisk();
  const outbox = openOutbox('T-1', disk, jobs, clock, silentLog);
  await service.create({ jobId: 'j', things: ['T-1'], targets: ['T-1'], document: { do: 'it' } });
  await clock.settle();
  return { clock, store, service, jobs, disk, outbox };
}

const done = { jobId: 'j', executionNumber: 1, status: 'SUCCEEDED', statusDetails: { info: 'done' } } as const;
const thrownBy = (work: Promise<unknown>): Promise<unknown> => work.then(() => null).catch((error: unknown) => error);

client('a service that could not do it now has not refused', async () => {
  const { store, jobs } = await deviceWithJob();

  store.fail(1);
  const failed = await thrownBy(jobs.update('T-1', 'j', { status: 'IN_PROGRESS' }));

  assert.instance(failed, RemoteRefused);
  assert.match((failed as Error).message, 'InternalError');
});

client('a rejection without a state of the execution is a rejection', async () => {
  const { service, jobs } = await deviceWithJob();

  await service.remove('j', { force: true });
  const refused = await thrownBy(jobs.update('T-1', 'j', { status: 'IN_PROGRESS' }));

  assert.instance(refused, JobRefused);
  assert.is((refused as JobRefused).reason, 'ResourceNotFound');
});

client('a report that the job store did not take is said again', async () => {
  const { clock, store, service, disk, outbox } = await deviceWithJob();

  store.fail(3);
  await outbox.enqueue(done);
  await clock.run(1_000);
  assert.is((await disk.list('outbox')).length, 1);
  await clock.run(60_000);

  assert.is((await service.describeExecution('T-1', 'j')).status, 'SUCCEEDED');
  assert.equal(await disk.list('outbox'), []);
});

client('a report of a job that has been deleted is given up', async () => {
  const { clock, service, disk, outbox } = await deviceWithJob();

  await service.remove('j', { force: true });
  await outbox.enqueue(done);
  await clock.run(1_000);

  assert.equal(await disk.list('outbox'), []);
});

client.run();
