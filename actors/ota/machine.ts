/**
 * One model update on one device, from the job's notice to its last status.
 *
 *   accepting ▶ downloading ▶ verifying ▶ unpacking ▶ loading ▶ canary ▶ committing ▶ reporting ▶ done
 *       │ └──────── unpacked before a restart ──────────▲                                 ▲
 *       │ └──────── applied before a restart ─────────────────────────────────────────────┤
 *       └────────────┴────────────┴────────────┴───────────┴────────┴────────┴──▶ rollingBack
 *
 * SUCCEEDED is reported once the new model has answered, been committed and judged. Deadlines are the steps' own, from the journal on the
 * disk, so that they outlive a restart: this machine has no timers. The report goes into a durable outbox, which delivers it when it can.
 */
import { assign, fromPromise, setup } from 'xstate';
import type { DeviceJob, Found, Outcome, Stage } from './job.ts';
import { refusalOf } from './refusal.ts';

/** The steps that touch the world: `bridge`'s assembly provides them, tests hand in their own. */
const step = fromPromise<void, DeviceJob>(() => Promise.reject(new Error('not provided')));
const accept = fromPromise<Found, DeviceJob>(() => Promise.reject(new Error('not provided')));
type Ended = { readonly job: DeviceJob; readonly outcome: Outcome };
const ended = fromPromise<void, Ended>(() => Promise.reject(new Error('not provided')));

const succeeded: Outcome = { status: 'SUCCEEDED' };

/** Where a step goes when it fails, taking along why. */
const rollBack = (stage: Stage) =>
  ({
    target: 'rollingBack',
    actions: {
      type: 'note',
      params: ({ event }: { event: { error: unknown } }): Outcome => ({ status: 'FAILED', ...refusalOf(event.error, stage) }),
    },
  }) as const;

const job = ({ context }: { context: { job: DeviceJob } }) => context.job;
const outcome = ({ context }: { context: Ended }): Ended => ({ job: context.job, outcome: context.outcome });
const found = (what: Found) => ({
  type: 'found' as const,
  params: ({ event }: { event: { output: Found } }) => ({ it: event.output, what }),
});

export const otaMachine = setup({
  types: {
    input: {} as { job: DeviceJob },
    context: {} as { job: DeviceJob; outcome: Outcome },
    output: {} as Outcome,
  },
  actors: { accept, download: step, verify: step, unpack: step, load: step, canary: step, commit: step, rollback: ended, report: ended },
  guards: { found: (_, { it, what }: { it: Found; what: Found }) => it === what },
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
      invoke: {
        src: 'accept',
        input: job,
        onDone: [
          // Applied before a restart, and the report may be lost: say it again, do nothing again.
          { guard: found('applied'), target: 'reporting' },
          { guard: found('reported'), target: 'done' },
          { guard: found('unpacked'), target: 'loading' },
          { target: 'downloading' },
        ],
        onError: rollBack('accepting'),
      },
    },
    downloading: { invoke: { src: 'download', input: job, onDone: 'verifying', onError: rollBack('downloading') } },
    verifying: { invoke: { src: 'verify', input: job, onDone: 'unpacking', onError: rollBack('verifying') } },
    unpacking: { invoke: { src: 'unpack', input: job, onDone: 'loading', onError: rollBack('unpacking') } },
    loading: { invoke: { src: 'load', input: job, onDone: 'canary', onError: rollBack('loading') } },
    canary: { invoke: { src: 'canary', input: job, onDone: 'committing', onError: rollBack('canary') } },
    committing: { invoke: { src: 'commit', input: job, onDone: 'reporting', onError: rollBack('committing') } },
    // A failed rollback is thrown to the turbine, which then is faulted(stuck).
    rollingBack: { invoke: { src: 'rollback', input: outcome, onDone: 'reporting' } },
    reporting: {
      invoke: {
        src: 'report',
        input: outcome,
        onDone: 'done',
        onError: 'done', // a full disk must not undo an update; the device asks for its next job and hears of this one again
      },
    },
    done: { type: 'final' },
  },
});
