import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openJobService } from '../../cloud/jobs/service.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { faultyJobStore } from '../kit/faulty-job-store.ts';

const opening = suite('a job service that opens');

opening('tells whoever opened it of what ran out while nobody was there', async () => {
  const clock = new VirtualClock();
  const store = faultyJobStore();
  const before = await openJobService({ clock, store });
  await before.create({ jobId: 'j', things: ['T-1'], targets: ['T-1'], document: {}, inProgressTimeoutInMinutes: 1 });
  await before.device.startNext('T-1');
  await before.close();
  await clock.run(10 * 60_000);

  const told: string[] = [];
  const open = async () => {
    const service = await openJobService({ clock, store });
    service.onChange((change) => told.push(change.status));
  };
  clock.setTimeout(() => void clock.until(clock.now(), open()), 0);
  await clock.run(11 * 60_000);

  assert.equal(told, ['TIMED_OUT', 'COMPLETED']);
});

opening.run();
