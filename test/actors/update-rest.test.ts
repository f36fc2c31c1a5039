import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isTerminal } from '../../actors/contracts/jobs.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { sleep } from '../../actors/contracts/clock.ts';
import { printJobDocument } from '../../actors/package/job-document.ts';
import { memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { directJobs } from '../kit/direct-jobs.ts';
import { bootLightDevice } from '../kit/light-device.ts';
import { lightPackage } from '../kit/light-package.ts';

const rest = suite('a device that rests');

rest('has tidied up before it takes a job, however slow its disk is: nothing of the next download goes', async () => {
  const clock = new VirtualClock();
  const key = generateKey();
  const service = await openJobService({ clock, store: memoryJobStore() });
  const statuses: string[] = [];
  service.onChange((change) => {
    if ('thing' in change && isTerminal(change.status)) statuses.push(change.status);
  });
  const objects = memoryObjects();
  const { bytes, sha256 } = lightPackage(key, '2.0.0', 2);
  await objects.put(MODEL_BUCKET, 'k', bytes);
  let reads = 0;
  const slowObjects = {
    ...objects,
    async *get() {
      reads++;
      yield bytes.slice(0, 1_000);
      await sleep(clock, 2_000);
      yield bytes.slice(1_000);
    },
  };
  const disk = memoryDisk();
  let looks = 0;
  const slowDisk = {
    ...disk,
    async list(folder: string) {
      if (folder === 'download' && ++looks === 1) await sleep(clock, 1_000);
      return disk.list(folder);
    },
  };
  const jobs = directJobs(service, () => clock.epoch + clock.now()).connect();
  let notified = () => {};
  void bootLightDevice({
    thing: 'T-1',
    clock,
    disk: slowDisk,
    jobs: {
      ...jobs,
      async onNext(thing, hear) {
        notified = hear;
        await jobs.onNext(thing, hear);
      },
    },
    objects: slowObjects,
    engine: onnxEngine({ arch: process.arch }),
    trustedKeys: [key.publicKey],
    first: lightPackage(key, '1.0.0', 1).bytes,
  });
  await clock.run(10);
  assert.is(looks, 1, 'it rests');
  notified();
  await clock.run(20);

  const order = { name: 'light', version: '2.0.0', bucket: MODEL_BUCKET, key: 'k', sha256 };
  await service.create({ jobId: 'j', things: ['T-1'], targets: ['T-1'], document: printJobDocument(order) });
  await clock.run(60_000);

  assert.equal([statuses, reads], [['SUCCEEDED'], 1]);
});

rest.run();
