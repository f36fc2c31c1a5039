/** A worker thread that trains: one member of a crew (`train-crew.ts`). What it is told comes by message, what it works on is shared. */
import { parentPort, workerData } from 'node:worker_threads';
import { rngOfKey } from '../../../twins/rng.ts';
import { createMember } from '../train-crew.ts';
import type { MemberAnswer, MemberSpec, MemberWork } from '../train-threads.ts';

const { memory, chance, me, crew } = workerData as MemberSpec;
const member = createMember(memory, rngOfKey(chance), me, crew);
const say = (answer: MemberAnswer) => parentPort?.postMessage(answer);

parentPort?.on('message', (work: MemberWork) => {
  if (work.kind === 'check') say({ kind: 'done', result: member.check() ? 1 : 0 });
  else say({ kind: 'done', result: member.train(work.leg, (done) => me === 0 && say({ kind: 'batch', done })) });
});
