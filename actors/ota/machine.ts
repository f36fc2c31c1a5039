/**
 * One model update on one device, from the job's notice to its last status.
 *
 *   accepting ▶ downloading ▶ verifying ▶ loading ▶ canary ▶ committing ▶ reporting ▶ done
 *       └─────────┴─────────────┴───────────┴────────┴─────────┴──▶ rollingBack ──▶ reporting
 *
 * SUCCEEDED is reported once the new model has answered and been committed. Every step has a deadline. The report goes
 * into a durable outbox, which delivers it when it can: the turbine does not wait for the network.
 */
import { assign, fromPromise, setup } from 'xstate';
import { reasonOf } from '../contracts/errors.ts';
import type { DeviceJob, Outcome } from './job.ts';

/** The steps that touch the world: `bridge`'s assembly provides them, tests hand in their own. */
const step = fromPromise<void, DeviceJob>(() => Promise.reject(new Error('not provided')));
/** Whether this execution has been applied already, before a restart. */
const accept = fromPromise<'new' | 'applied', DeviceJob>(() => Promise.reject(new Error('not provided')));
const report = fromPromise<void, { job: DeviceJob; outcome: Outcome }>(() => Promise.reject(new Error('not provided')));

const succeeded: Outcome = { status: 'SUCCEEDED', reason: '' };
const failed = (why: unknown): Outcome => ({ status: 'FAILED', reason: reasonOf(why) });

/** Where every step goes when it fails, taking the reason along. */
const rollBack = {
  target: 'rollingBack',
  actions: { type: 'note', params: ({ event }: { event: { error: unknown } }) => failed(event.error) },
} as const;

/** As `rollBack`, when a step outlasts its deadline. */
const rollBackLate = (what: string) =>
  ({ target: 'rollingBack', actions: { type: 'note', params: failed(`${what} outlasted its deadline`) } }) as const;

const job = ({ context }: { context: { job: DeviceJob } }) => context.job;

export const otaMachine = setup({
  types: {
    input: {} as { job: DeviceJob },
    context: {} as { job: DeviceJob; outcome: Outcome },
    output: {} as Outcome,
  },
  actors: { accept, download: step, verify: step, load: step, canary: step, commit: step, rollback: step, report },
  delays: { downloadDeadline: 600_000, stepDeadline: 60_000, canaryDeadline: 480_000 }, // ms
  guards: { isApplied: (_, found: 'new' | 'applied') => found === 'applied' },
  actions: {
    note: assign({ outcome: (_, outcome: Outcome) => outcome }),
  },
}).createMachine({
  id: 'ota',
  context: ({ input }) => ({ job: input.job, outcome: succeeded }),
  output: ({ context }) => context.outcome,
  initial: 'accepting',
  states: {
    accepting: {
      after: { stepDeadline: rollBackLate('acceptance') },
      invoke: {
        src: 'accept',
        input: job,
        // Applied before a restart, and the report may be lost: say it again, do nothing again.
        onDone: [{ guard: { type: 'isApplied', params: ({ event }) => event.output }, target: 'reporting' }, { target: 'downloading' }],
        onError: rollBack,
      },
    },
    downloading: {
      after: { downloadDeadline: rollBackLate('download') },
      invoke: { src: 'download', input: job, onDone: 'verifying', onError: rollBack },
    },
    verifying: {
      after: { stepDeadline: rollBackLate('verification') },
      invoke: { src: 'verify', input: job, onDone: 'loading', onError: rollBack },
    },
    loading: { after: { stepDeadline: rollBackLate('load') }, invoke: { src: 'load', input: job, onDone: 'canary', onError: rollBack } },
    canary: {
      after: { canaryDeadline: rollBackLate('canary') },
      invoke: { src: 'canary', input: job, onDone: 'committing', onError: rollBack },
    },
    committing: {
      after: { stepDeadline: rollBackLate('commit') },
      invoke: { src: 'commit', input: job, onDone: 'reporting', onError: rollBack },
    },
    // A failed rollback is thrown to the turbine, which then is faulted(stuck).
    rollingBack: { invoke: { src: 'rollback', input: job, onDone: 'reporting' } },
    reporting: {
      invoke: {
        src: 'report',
        input: ({ context }) => ({ job: context.job, outcome: context.outcome }),
        onDone: 'done',
        onError: 'done', // a full disk must not undo an update; the device asks for its next job and hears of this one again
      },
    },
    done: { type: 'final' },
  },
});
