/** A crew of worker threads: the trainer's own thread stays free, so that Ctrl-C is heard and progress told in the middle of an epoch. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Rng } from '../../actors/contracts/rng.ts';
import { type Leg, type OpenCrew, readyCrew, stopCrew, type TrainMemory } from './train-crew.ts';

export interface MemberSpec {
  readonly memory: TrainMemory;
  readonly chance: Rng['key'];
  readonly me: number;
  readonly crew: number;
}

export type MemberWork = { readonly kind: 'train'; readonly leg: Leg } | { readonly kind: 'check' };
/** Of `train` the first mini-batch that is not done, of `check` 1 or 0. All members say the same. */
export type MemberAnswer = { readonly kind: 'batch'; readonly done: number } | { readonly kind: 'done'; readonly result: number };

const ENTRY = join(import.meta.dirname, 'worker/main.js');

/** @param workers threads that compute */
export const threadCrew = (workers: number): OpenCrew => {
  return async (memory, chance) => {
    const threads = Array.from({ length: workers }, (_, me) => {
      const spec: MemberSpec = { memory, chance: chance.key, me, crew: workers };
      return new Worker(ENTRY, { workerData: spec });
    });
    const work = async (order: MemberWork, hear: (done: number) => void | Promise<void>) => {
      readyCrew(memory);
      const results = await Promise.all(threads.map((thread) => askMember(thread, order, hear)));
      return results[0];
    };
    return {
      train: (leg, hear) => work({ kind: 'train', leg }, hear),
      check: async () => (await work({ kind: 'check' }, () => {})) === 1,
      stop: () => stopCrew(memory),
      async close() {
        await Promise.all(threads.map((thread) => thread.terminate()));
      },
    };
  };
};

function askMember(thread: Worker, order: MemberWork, hear: (done: number) => void | Promise<void>): Promise<number> {
  return new Promise((done, failed) => {
    const settle = () => {
      thread.off('message', listen);
      thread.off('error', fail);
    };
    const fail = (error: unknown) => {
      settle();
      failed(error);
    };
    const listen = (answer: MemberAnswer) => {
      if (answer.kind === 'batch') Promise.resolve(hear(answer.done)).catch(fail);
      else {
        settle();
        done(answer.result);
      }
    };
    thread.on('message', listen);
    thread.on('error', fail);
    thread.postMessage(order);
  });
}
