/**
 * A process to be killed: rolls a job out to things that do it at once, some failing first. Says on a line each what has been
 * acknowledged: `created`, `<thing> <execution> <version> <status>`, and `done` once the job is complete.
 */
import type { JobExecution } from '../../actors/contracts/jobs.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { wallClock } from '../../physical/wall-clock.ts';

const WORKERS = 64;

const [file, count] = [process.argv[2], Number(process.argv[3])];
const service = await openJobService({ clock: wallClock(), store: libsqlJobStore(file) });
const things = Array.from({ length: count }, (_, i) => `T-${String(i).padStart(5, '0')}`);
const say = (line: string) => process.stdout.write(`${line}\n`);
const saw = ({ thing, executionNumber, versionNumber, status }: JobExecution) =>
  say(`${thing} ${executionNumber} ${versionNumber} ${status}`);

say('open');
if ((await service.list()).length === 0)
  await service.create({
    jobId: 'roll',
    things,
    targets: ['farm'],
    document: {},
    timeoutConfig: { inProgressTimeoutInMinutes: 60 },
    jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'FAILED', numberOfRetries: 2 }] },
  });
say('created');

/** Every third thing fails its first attempt. */
async function serve(thing: string, index: number): Promise<boolean> {
  const next = await service.device.startNext(thing);
  if (!next) return false;
  saw(next);
  const status = index % 3 === 0 && next.executionNumber === 1 ? 'FAILED' : 'SUCCEEDED';
  saw(await service.device.update(thing, 'roll', { status, expectedVersion: next.versionNumber, clientToken: `${next.executionNumber}` }));
  return true;
}

while ((await service.describe('roll')).status !== 'COMPLETED') {
  let index = 0;
  const work = async () => {
    for (let i = index++; i < things.length; i = index++) while (await serve(things[i], i));
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await new Promise(setImmediate);
}
say('done');
await service.close();
