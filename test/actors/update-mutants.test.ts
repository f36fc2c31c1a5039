import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk } from '../../actors/contracts/disk.ts';
import type { Inference } from '../../actors/contracts/inference.ts';
import { isTerminal } from '../../actors/contracts/jobs.ts';
import type { Execution } from '../../cloud/jobs/executions.ts';
import type { JobStore } from '../../cloud/jobs/store.ts';
import { USUAL } from '../kit/updates/chance.ts';
import type { Check } from '../kit/updates/oracle.ts';
import { runUpdates, type UpdatesOptions } from '../kit/updates/run.ts';

const oracle = suite('mutants under the oracle of updates');

type Mutation = NonNullable<UpdatesOptions['mutation']>;

const POINTER = 'active.json';

const withDisk = (change: (disk: Disk) => Partial<Disk>): Mutation => ({ disk: (disk) => ({ ...disk, ...change(disk) }) });

/** A store that keeps less than it says. */
const forgetful = (drops: (execution: Execution) => boolean): Mutation => ({
  store: (store: JobStore) => ({
    ...store,
    commit(changes) {
      for (const [key, { execution }] of changes.executions) if (drops(execution)) changes.executions.delete(key);
      store.commit(changes);
    },
  }),
});

const mutants: readonly { readonly name: string; readonly found: Check; readonly mutation: Mutation }[] = [
  {
    name: 'a device that replaces its pointer twice',
    found: 'twice',
    mutation: withDisk((disk) => ({
      async rename(from, to) {
        const bytes = to === POINTER ? await disk.read(from) : null;
        await disk.rename(from, to);
        if (!bytes) return;
        await disk.write(from, bytes);
        await disk.rename(from, to);
      },
    })),
  },
  {
    name: 'a service that forgets how some executions ended',
    found: 'twice',
    mutation: forgetful(({ thing, status }) => status === 'SUCCEEDED' && thing.endsWith('3')),
  },
  { name: 'a service that forgets some orders', found: 'lost', mutation: forgetful(({ thing }) => thing.endsWith('3')) },
  {
    name: 'a device that never hears of its next job',
    found: 'stuck',
    mutation: { jobs: (jobs) => ({ ...jobs, onNext: async () => {} }) },
  },
  {
    name: 'an outbox that says its report once, heard or not',
    found: 'wrong',
    mutation: {
      jobs: (jobs) => ({
        ...jobs,
        update: (thing, jobId, update) =>
          isTerminal(update.status) ? jobs.update(thing, jobId, update).catch(() => {}) : jobs.update(thing, jobId, update),
      }),
    },
  },
  {
    name: 'a device that trusts whoever signs',
    found: 'wrong',
    mutation: { trusts: (keys, stranger) => [...keys, stranger] },
  },
  {
    name: 'a pointer that is not there for a moment',
    found: 'dark',
    mutation: withDisk((disk) => ({
      async rename(from, to) {
        if (to === POINTER) await disk.remove(to);
        await disk.rename(from, to);
      },
    })),
  },
  {
    name: 'a model that is unpacked over the one that serves',
    found: 'dark',
    mutation: withDisk((disk) => ({ write: (path, bytes) => disk.write(path.replace('slots/b', 'slots/a'), bytes) })),
  },
  {
    name: 'a model that is let go while it judges',
    found: 'dark',
    mutation: { judging: (inference) => void inference.close() },
  },
  {
    name: 'a model that answers something else',
    found: 'dark',
    mutation: {
      engine: (engine) => ({
        async load(...what): Promise<Inference> {
          const loaded = await engine.load(...what);
          return { ...loaded, predict: async (_, __, scores) => void scores.fill(Number.NaN) };
        },
      }),
    },
  },
  {
    name: 'a device that says SUCCEEDED before its canary has judged',
    found: 'early',
    mutation: {
      jobs: (jobs) => ({
        ...jobs,
        async update(thing, jobId, update) {
          await jobs.update(thing, jobId, update.statusDetails?.['stage'] === 'canary' ? { ...update, status: 'SUCCEEDED' } : update);
        },
      }),
    },
  },
];

const story = { updates: 120, turbines: 40, seed: 7, chances: { ...USUAL, cut: 0.3, badLink: 0.3, crash: 1 } };

for (const { name, found, mutation } of mutants)
  oracle(`finds ${name}: ${found}`, async () => {
    const { violations } = await runUpdates({ ...story, mutation });

    assert.ok(
      violations.some(({ check }) => check === found),
      JSON.stringify(violations.slice(0, 3)),
    );
  });

oracle('and finds nothing in the same story without any of them', async () => {
  const { violations } = await runUpdates(story);

  assert.equal(violations, []);
});

oracle.run();
