import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { createRng } from '../../twins/rng.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { noFaults } from '../kit/updates/chance.ts';
import { oracleDevice } from '../kit/updates/device.ts';
import { mortalJobs } from '../kit/updates/mortal-jobs.ts';
import { createOracle, type Oracle } from '../kit/updates/oracle.ts';
import { prepareOrders } from '../kit/updates/orders.ts';

const again = suite('an update that is tried again');

const OFF_MS = 12 * 60_000; // longer than the step timer of an update

again('what was applied before its job timed out is told as a success of the next attempt, and not applied again', async () => {
  const clock = new VirtualClock();
  const broker = memoryBroker();
  const orders = await prepareOrders(2);
  const ends: string[] = [];
  const jobs = await mortalJobs({
    clock,
    broker,
    changed: ({ executionNumber, status }) => ends.push(`${executionNumber} ${status}`),
  });
  const judge = createOracle();
  let applied = 0;
  const oracle: Oracle = {
    ...judge,
    committed(_, { jobId }) {
      if (jobId === null) return;
      applied++;
      device.kill(OFF_MS, true); // the pointer stands, and nobody has been told
    },
  };
  const engine = onnxEngine({ arch: process.arch });
  const { objects } = orders;
  const rng = createRng(1);
  const device = oracleDevice({
    thing: 'T-1',
    clock,
    rng,
    broker,
    engine,
    objects,
    orders,
    oracle,
    counts: noFaults(),
    cutAgain: 0,
    mutation: {},
  });
  void device.boot();
  await clock.run(1_000);

  await jobs.service().create({
    jobId: 'j',
    things: ['T-1'],
    targets: ['T-1'],
    document: orders.order('good', 2).document,
    inProgressTimeoutInMinutes: 60,
    jobExecutionsRetryConfig: { criteriaList: [{ failureType: 'TIMED_OUT', numberOfRetries: 1 }] },
  });
  await clock.run(2 * OFF_MS);

  const [first, last] = [ends.find((end) => end.startsWith('1 T')), ends.at(-1)];
  assert.equal([first, last, applied], ['1 TIMED_OUT', '2 SUCCEEDED', 1], ends.join(', '));
  await device.close();
  await jobs.close();
});

again.run();
